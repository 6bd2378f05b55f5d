"""Nonconformities at `/api/v1/nonconformities/`, proposed ones at
`/api/v1/proposed-nonconformities/`."""

from capa import workflow
from capa.forms import NewNonconformityForm, NonconformityForm
from capa.models import Nonconformity, Proposal
from qms.api import Resource

nonconformities = Resource(
    "nonconformities",
    Nonconformity,
    fields=(
        "number",
        "title",
        "statement",
        "requirement",
        "clause",
        "evidence",
        "extent",
        "source",
        "grade",
        "process",
        "owner",
        "detected_on",
        "due",
        "status",
        "containment",
        "correction",
        "root_cause",
        "category",
        "similar",
        "effectiveness_criterion",
        "check_on",
        "verdict",
        "verified_by",
        "verified_on",
        "closed_by",
        "closed_on",
    ),
    form=NewNonconformityForm,
    edit_form=NonconformityForm,
    create=workflow.raise_nonconformity,
)
proposals = Resource(
    "proposed-nonconformities",
    Proposal,
    fields=("entry", "found", "owner", "due", "status"),
    related=("entry",),
)
