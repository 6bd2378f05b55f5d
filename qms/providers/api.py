"""External providers and their evaluations under `/api/v1/`."""

from qms.api import Resource
from qms.providers import workflow
from qms.providers.forms import EvaluationEntryForm, NewProviderForm, ProviderForm
from qms.providers.models import Provider, ProviderEvaluation

providers = Resource(
    "providers",
    Provider,
    fields=(
        "number",
        *workflow.PROVIDER_FIELDS,
        "status",
        "conditions",
        "last_on",
        "next_due",
        "verdict",
        "score",
        "approved_by",
        "approved_on",
    ),
    form=NewProviderForm,
    edit_form=ProviderForm,
    create=workflow.propose_provider,
)
evaluations = Resource(
    "provider-evaluations",
    ProviderEvaluation,
    fields=(
        "number",
        "provider",
        "evaluated_on",
        "results",
        "score",
        "verdict",
        "conclusion",
        "next_due",
        "status",
    ),
    form=EvaluationEntryForm,
    create=workflow.record_evaluation,
)
