"""Nonconformities, their corrective actions, cause analyses and 8Ds under `/api/v1/`."""

from capa import workflow
from capa.forms import (
    CauseForm,
    CorrectiveActionForm,
    EightDForm,
    NewCorrectiveActionForm,
    NewNonconformityForm,
    NonconformityForm,
)
from capa.models import CauseAnalysis, CorrectiveAction, EightD, Nonconformity, Proposal, Repeat
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
        *Nonconformity.EXTENT,
        *Nonconformity.FACTS,
        "source",
        "grade",
        "process",
        "owner",
        "detected_on",
        "due",
        "status",
        "containment",
        "correction",
        "delivered",
        "told",
        "escape_cause",
        "decision",
        "no_action_because",
        "despite_repeat",
        "reopened",
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
repeats = Resource(
    "repeats",
    Repeat,
    fields=("nonconformity", "earlier", "likeness", "in_common", "manager", "follows", "status"),
    related=("nonconformity", "earlier", "manager"),
)
corrective_actions = Resource(
    "corrective-actions",
    CorrectiveAction,
    fields=(
        "number",
        *CorrectiveAction.PLAN,
        "predecessor",
        "status",
        "due",
        "submitted_by",
        "approved_by",
        "approved_on",
        "planned_on",
        "implemented_on",
        "verdict",
        "aftermath",
        "verified_by",
        "verified_on",
    ),
    form=NewCorrectiveActionForm,
    edit_form=CorrectiveActionForm,
    create=workflow.raise_corrective_action,
)
cause_analyses = Resource(
    "cause-analyses",
    CauseAnalysis,
    fields=("nonconformity", "whys", "scheme", "fishbone", "is_is_not"),
    related=("nonconformity",),
    edit_form=CauseForm,
)
eight_ds = Resource(
    "8ds",
    EightD,
    fields=("nonconformity", "leader", *EightD.PARTS),
    related=("nonconformity",),
    edit_form=EightDForm,
)
