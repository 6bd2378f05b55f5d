"""Evidence packs at `/api/v1/packs/`."""

from qms.api import Resource
from qms.pack import workflow
from qms.pack.forms import NewPackForm, PackForm
from qms.pack.models import Pack

packs = Resource(
    "packs",
    Pack,
    fields=(
        "number",
        "preset",
        "period_start",
        "period_end",
        "replaces",
        "extras",
        "accepted_because",
        "status",
        "as_of",
        "size",
        "sha256",
        "manifest_sha256",
        "key_fingerprint",
        "failure",
    ),
    form=NewPackForm,
    edit_form=PackForm,
    create=workflow.plan_pack,
)
