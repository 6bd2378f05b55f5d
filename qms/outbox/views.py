"""The list of effects that failed for good, and the button that lets one run again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from qms import pages
from qms.access import needs
from qms.outbox import workflow
from qms.outbox.models import Effect
from qms.pages import Column

COLUMNS = [
    Column("kind", "What", value=lambda effect: workflow.kind_words(effect.kind), sort="kind"),
    Column("created_at", "Asked", sort="created_at", kind="moment"),
    Column("last_error", "What went wrong"),
    Column("key", "Key", shown=False),
]


@needs("outbox.view_effect")
def effect_list(request: HttpRequest) -> HttpResponseBase:
    """What failed for good, and how much waits."""
    return pages.show_list(
        request,
        Effect.objects.dead(),
        columns=COLUMNS,
        default_sort="-created_at",
        title="Outbox",
        template="outbox/effect_list.html",
        rows_template="outbox/effect_rows.html",
        waiting=workflow.waiting(),
        may_retry=request.user.has_perm("outbox.retry_effect"),
        empty="Nothing failed. Mails, packs and other work in the background went through.",
    )


@needs("outbox.retry_effect")
@require_POST
def effect_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Let one run again."""
    effect = get_object_or_404(Effect, pk=pk)
    if workflow.retry(effect):
        messages.success(request, f"{workflow.kind_words(effect.kind)} runs again.")
    else:
        messages.warning(request, "It runs already, or it is done. Nothing was changed.")
    return pages.go_to(request, reverse("outbox:effect_list"))
