"""Pages of the organisation and its sites."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.periods import Period, add_months, today
from qms.scope import workflow
from qms.scope.forms import (
    ClosedTimeEditForm,
    ClosedTimeForm,
    OrganisationForm,
    SiteForm,
)
from qms.scope.models import (
    ClosedTime,
    Organisation,
    ProcessSite,
    Site,
)

CLOSED = [
    Column("why", "Closed for", kind="link", sort="why"),
    Column("starts_on", "First day", sort="starts_on", kind="date"),
    Column("ends_on", "Last day", sort="ends_on", kind="date"),
    Column("site", "Site", sort="site__name"),
    Column("taken_back", "Taken back", sort="taken_back", kind="yes_no"),
]
SITES = [
    Column("name", "Site", sort="name", kind="link"),
    Column("address", "Address"),
    Column("headcount", "People", sort="headcount", numeric=True),
    Column("shifts", "Shifts", sort="shifts", numeric=True),
    Column("status", "State", sort="status", kind="state"),
]


@needs("scope.view_organisation")
def organisation(request: HttpRequest) -> HttpResponse:
    """The organisation as it is set up."""
    found = Organisation.objects.select_related("created_by").first()
    if found is None:
        return pages.go_to(request, reverse("scope:organisation_set_up"))
    return pages.show_record(
        request,
        found,
        template="scope/organisation_detail.html",
        subtitle="The settings every date, number and printed page goes by.",
    )


@needs("scope.change_organisation")
def organisation_set_up(request: HttpRequest) -> HttpResponse:
    """Set the organisation up, once."""
    if Organisation.objects.exists():
        return pages.go_to(request, reverse("scope:organisation"))
    return pages.edit(
        request,
        form_class=OrganisationForm,
        create=workflow.set_up_organisation,
        title="Your organisation",
        context={"intro": "Everything here can be changed later.", "submit": "Set up"},
    )


@needs("scope.change_organisation")
def organisation_edit(request: HttpRequest) -> HttpResponse:
    """Change the settings, with the reason."""
    found = get_object_or_404(Organisation)
    return pages.edit(
        request, form_class=OrganisationForm, instance=found, title="Edit the organisation"
    )


# Sites


@needs("scope.view_site")
def site_list(request: HttpRequest) -> HttpResponseBase:
    """Where the organisation works."""
    return pages.show_list(
        request,
        Site.objects.visible_to(request.user),
        columns=SITES,
        default_sort="name",
        title="Sites",
        create_url="scope:site_create",
        create_label="New site",
        empty="No site is entered yet. Begin with the place where most people work.",
    )


@needs("scope.view_site")
def site_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One site and what runs there."""
    site = pages.find(request, Site.objects.select_related("created_by"), pk=pk)
    links = ProcessSite.objects.live().filter(site=site).select_related("process__owner")
    return pages.show_record(
        request,
        site,
        template="scope/site_detail.html",
        title=site.name,
        subtitle=site.address,
        crumbs=[("Sites", "scope:site_list")],
        processes=[link.process for link in links.order_by("process__code")],
    )


@needs("scope.add_site")
def site_create(request: HttpRequest) -> HttpResponse:
    """Enter a site."""
    return pages.edit(
        request,
        form_class=SiteForm,
        create=workflow.add_site,
        title="New site",
        context={"cancel_url": "scope:site_list"},
    )


@needs("scope.change_site")
def site_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a site."""
    site = pages.find(request, Site.objects, pk=pk)
    return pages.edit(request, form_class=SiteForm, instance=site, title=f"Edit {site}")


@needs(ANYONE_SIGNED_IN)
def site_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Close or reopen a site."""
    return pages.do_transition(request, pages.find(request, Site.objects, pk=pk), name)


# Closed times


@needs("scope.view_site")
def closed_list(request: HttpRequest) -> HttpResponseBase:
    """When nothing is planned, and the public holidays of this year and the next."""
    day = today()
    ahead = Period(day, add_months(day, 12))
    organisation = Organisation.objects.current()
    holidays = (
        workflow.public_holidays(ahead, organisation.country, organisation.region)
        if organisation
        else {}
    )
    return pages.show_list(
        request,
        ClosedTime.objects.visible_to(request.user).select_related("site"),
        columns=CLOSED,
        default_sort="-starts_on",
        title="Closed days",
        template="scope/closed_list.html",
        holidays=holidays,
        organisation=organisation,
        create_url="scope:closed_create" if request.user.has_perm("scope.change_site") else "",
        create_label="Enter closed days",
        intro="Audits and the work of the roadmap are planned around them.",
        empty="No shut-down is entered. Public holidays are known without.",
    )


@needs("scope.change_site")
def closed_create(request: HttpRequest) -> HttpResponse:
    """Enter a time in which nothing is planned."""
    return pages.edit(
        request,
        form_class=ClosedTimeForm,
        create=workflow.close_for,
        title="Closed days",
        done=reverse("scope:closed_list"),
        context={"cancel_url": "scope:closed_list"},
    )


@needs("scope.change_site")
def closed_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change it, or take it back."""
    found = pages.find(request, ClosedTime.objects, pk=pk)
    return pages.edit(
        request,
        form_class=ClosedTimeEditForm,
        instance=found,
        title=f"Edit {found}",
        done=reverse("scope:closed_list"),
    )
