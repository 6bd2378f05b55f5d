"""Pages of the uses of the mark."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from audits import workflow
from audits.forms import MarkUseEditForm, MarkUseForm
from audits.models import Certificate, MarkUse
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.periods import today

RELATED = ("certificate__body", "owner")
USES = [
    Column("place", "Where", kind="link", sort="place"),
    Column("medium", "Medium", value="get_medium_display", sort="medium"),
    Column("shows", "Shows", value="get_shows_display", sort="shows"),
    Column("certificate", "Certificate", sort="certificate__number"),
    Column("owner", "Who sees to it", kind="person", sort="owner__name"),
    Column("last_on", "Looked at", kind="date", sort="last_on"),
    Column("found", "Found", value=lambda use: what_stands(use), sort="found"),
    Column("next_due", "Next", kind="due", sort="next_due", settled=lambda use: use.is_settled),
    Column("status", "State", kind="state", sort="status"),
]


def what_stands(use: MarkUse) -> str:
    """What is to be said of a use in one line: nothing is right while it may not be shown."""
    if not use.is_settled and workflow.not_in_force(use.certificate):
        return "To be taken down"
    return "Changed since the last look" if use.changed_since else str(use.get_found_display())


class MarkUseFilter(django_filters.FilterSet):
    """Filters of the register."""

    status = django_filters.ChoiceFilter(choices=MarkUse.Status.choices, label="State")
    medium = django_filters.ChoiceFilter(choices=MarkUse.Medium.choices, label="Medium")
    found = django_filters.ChoiceFilter(
        choices=[each for each in MarkUse.Found.choices if each[0]], label="Found"
    )

    class Meta:
        model = MarkUse
        fields = ("status", "medium", "found")


@needs("audits.view_markuse")
def mark_list(request: HttpRequest) -> HttpResponseBase:
    """Every place where the mark or the certificate is shown."""
    rows = MarkUse.objects.visible_to(request.user)
    down = rows.to_take_down(today()).count()
    are = "use is" if down == 1 else "uses are"
    return pages.show_list(
        request,
        rows.select_related(*RELATED),
        columns=USES,
        filterset=MarkUseFilter,
        default_sort="next_due",
        title="Use of the mark",
        intro=f"{down} {are} to be taken down: the certificate is not in force."
        if down
        else "Where the mark of the body and the certificate are shown, and whether what they say"
        " still holds.",
        create_url=reverse("audits:mark_create")
        if request.user.has_perm("audits.change_markuse")
        else "",
        create_label="Enter a use",
        empty="No use of the mark is entered yet. Enter the first when the certificate is here.",
    )


@needs("audits.change_markuse")
def mark_create(request: HttpRequest) -> HttpResponse:
    """Enter a place where the mark or the certificate is shown."""
    held = Certificate.objects.visible_to(request.user).valid(today()).order_by("-pk").first()
    return pages.edit(
        request,
        form_class=MarkUseForm,
        create=workflow.enter_mark_use,
        title="Enter a use of the mark",
        initial={
            "certificate": request.GET.get("certificate") or (held.pk if held else None),
            "owner": request.user.pk,
        },
        context={
            "intro": "Only what is in the scope, never as if a product were certified.",
            "cancel_url": "audits:mark_list",
        },
    )


def _use(request: HttpRequest, pk: int) -> MarkUse:
    rows = MarkUse.objects.select_related(*RELATED, "created_by")
    found: MarkUse = pages.find(request, rows, pk=pk)
    return found


@needs("audits.view_markuse")
def mark_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One use: what it says, when it was looked at, whether it has to come down."""
    use = _use(request, pk)
    return pages.show_record(
        request,
        use,
        template="audits/mark_detail.html",
        title=use.place,
        crumbs=[
            ("Certification", reverse("audits:certificate_list")),
            ("Use of the mark", reverse("audits:mark_list")),
            (use.place, ""),
        ],
        due=use.next_due,
        settled=use.is_settled,
        lost="" if use.is_settled else workflow.not_in_force(use.certificate),
        instead=_instead_of(use.certificate),
    )


def _instead_of(certificate: Certificate) -> Certificate | None:
    """The certificate that follows and may be named, so that nothing has to come down."""
    following = workflow.follower_of(certificate)
    return following if following and workflow.not_in_force(following) is None else None


@needs("audits.change_markuse")
def mark_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what it says, or name the certificate that follows."""
    use = _use(request, pk)
    return pages.edit(request, form_class=MarkUseEditForm, instance=use, title=f"Edit {use.place}")


@needs(ANYONE_SIGNED_IN)
def mark_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Looked at, taken down, shown again."""
    use: Any = _use(request, pk)
    return pages.do_transition(request, use, name)
