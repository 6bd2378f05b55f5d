"""Pages: the list, the record, the form and the transition, the same for every chapter.

A chapter's view makes one call here and says what is its own: which rows, which columns, which
form. Whatever a page does it does through the factories, amendments and transitions of the
chapter, so the page adds no rule of its own. See docs/extending.md.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction as db
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme

from qms import contributions, forms, listing, periods, story, workflow
from qms.access import ANYONE_SIGNED_IN, PUBLIC
from qms.listing import Column
from qms.refusals import Refused, Stale

__all__ = [
    "Column",
    "PathStep",
    "chrome",
    "do_transition",
    "edit",
    "find",
    "knows_organisation",
    "lists_views",
    "refused",
    "send_pdf",
    "show_list",
    "show_record",
    "tells_organisation",
]
log = logging.getLogger(__name__)
Done = Callable[[Any], str] | str | None


@dataclass(frozen=True)
class PathStep:
    """One step of a record's path: its name, how far it is ("done", "now", "later"), and a note."""

    name: str
    state: str
    note: Any = ""


@dataclass(frozen=True)
class Move:
    """What a template says about a transition; a transition itself would be called there."""

    name: str
    label: str
    sentence: str
    primary: bool
    signs: str | None

    @classmethod
    def of(cls, transition: workflow.Transition) -> "Move":
        return cls(
            transition.name,
            transition.label,
            transition.sentence,
            transition.primary,
            transition.signs,
        )


@dataclass(frozen=True)
class StepButton:
    """A transition on a record page: where it leads and, when it is not possible, why."""

    transition: Move
    obstacles: list[str]
    url: str
    at_once: bool

    @property
    def label(self) -> str:
        return self.transition.label

    @property
    def why(self) -> str:
        return " ".join(self.obstacles)


@dataclass(frozen=True)
class Steps:
    """The next steps of a record: one filled button, the others, and the ones that must wait."""

    first: StepButton | None
    others: list[StepButton] = field(default_factory=list)
    waiting: list[StepButton] = field(default_factory=list)


# --- finding and answering ----------------------------------------------------------------------


def find(request: HttpRequest, manager: Any, **lookup: Any) -> Any:
    """The one row this person may see, or 404: what they may not see does not exist for them."""
    rows = manager.all()
    if hasattr(rows, "visible_to"):
        rows = rows.visible_to(request.user)
    return get_object_or_404(rows, **lookup)


def named_in(request: HttpRequest, name: str, model: Any) -> Any:
    """The row whose number the address gives under this name, if the person may see it; or None."""
    asked = request.GET.get(name, "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        return None
    return model.objects.visible_to(request.user).filter(pk=asked).first()


def year_asked(request: HttpRequest, day: date) -> int:
    """The calendar year the address asks for; that of `day` where it asks for none of use."""
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else day.year
    return year if 1950 <= year <= 2150 else day.year


def respond(
    request: HttpRequest, whole: str, part: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The whole page, or only its part for htmx (not when htmx restores its history)."""
    htmx: Any = getattr(request, "htmx", None)
    partial = bool(htmx and not htmx.boosted and not htmx.history_restore_request)
    response = render(request, part if partial else whole, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """See Other, also where htmx asked: the page moves on, a reload repeats nothing."""
    if getattr(request, "htmx", None):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def address(target: str) -> str:
    """An address as it is, or the address a url's name leads to ("capa:nc_list")."""
    is_address = not target or target.startswith(("/", "?", "#", "http:", "https:"))
    return target if is_address else reverse(target)


def send_pdf(content: bytes, name: str) -> HttpResponse:
    """A PDF to be saved as `name`.pdf; never shown inside our own pages."""
    disposition = content_disposition_header(True, f"{name}.pdf")
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": disposition or "attachment"},
    )


def refused(request: HttpRequest, refusal: Refused, *, status: int = 422) -> HttpResponse:
    """A page of its own for a refusal that has no form to stand in."""
    return render(request, "refused.html", {"sentence": str(refusal)}, status=status)


def _next(request: HttpRequest, record: Any, done: Done) -> str:
    if callable(done):
        return done(record)
    asked = request.POST.get("next", "")
    if asked and url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure()):
        return asked
    return address(done) if done else str(record.get_absolute_url())


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


# --- lists --------------------------------------------------------------------------------------


def show_list(
    request: HttpRequest,
    queryset: Any,
    *,
    columns: Sequence[Column],
    default_sort: str,
    title: str,
    template: str = "layouts/list.html",
    rows_template: str = "components/list_rows.html",
    filterset: Any = None,
    page_size: int = 50,
    shown_with: listing.Rows = listing.as_they_are,
    in_file: listing.Rows = listing.as_they_are,
    **context: Any,
) -> HttpResponseBase:
    """A list page: filtered, sorted, paged; `?format=csv|xlsx` gives the file of what is shown.

    `queryset` holds only what the person may see, with `select_related` for the columns.
    `default_sort` is a column's name, "-" before it for descending. `filterset` is a class of
    django-filter; `shown_with(rows)` adds what only the rows of a page need (columns that are
    `beside`), `in_file(rows)` what only columns of the file need. Further context: `intro`,
    `create_url` (shown only where the person may open it), `create_label`, `empty`.
    """
    chosen = None
    if filterset is not None:
        chosen = filterset(request.GET or None, queryset=queryset, request=request)
        chosen.form.renderer = forms.FaceRenderer()
        forms.prepare_fields(chosen.form, request.user)
        for field in chosen.form.fields.values():
            forms.offer_people_seen(field, request.user)
            forms.name_the_empty_choice(field, "All")
            forms.read_choices_at_once(field)
        queryset = chosen.qs
    queryset, sort = listing.sorted_by(queryset, columns, request.GET.get("sort", ""), default_sort)
    kind = request.GET.get("format", "")
    if kind in ("csv", "xlsx"):
        rows = in_file(shown_with(queryset))
        return listing.export(rows, columns, title=title, kind=kind, today=periods.today())
    number = _number(request, "page")
    page = listing.page_of(
        queryset, columns, number=number, size=page_size, sort=sort, shown_with=shown_with
    )
    context |= {"page": page, "columns": columns, "filter": chosen, "title": title}
    context |= {"rows_template": rows_template, "filtered": _is_filtered(request, chosen)}
    context |= {"today": periods.today(), "create_url": _create_url(request, context)}
    context["views"] = SimpleLazyObject(lambda: _views(request)) if chosen is not None else None
    context["can_share"] = request.user.has_perm("home.share_view")
    return respond(request, template, rows_template, context)


_lists_views: list[Callable[[str, Any], Sequence[Any]]] = []


def lists_views(find: Callable[[str, Any], Sequence[Any]]) -> Callable[[str, Any], Sequence[Any]]:
    """Register the one `(address, person) -> saved views` of a list."""
    _lists_views[:] = [find]
    return find


def _views(request: HttpRequest) -> Sequence[Any]:
    return _lists_views[0](request.path, request.user) if _lists_views else ()


def _create_url(request: HttpRequest, context: dict[str, Any]) -> str:
    """The address of the form of a new row, empty for people whose role would be refused there."""
    url = address(str(context.get("create_url") or ""))
    declared = _needs_of(url.partition("?")[0], settings.ROOT_URLCONF) if url else ""
    closed = declared and declared not in (ANYONE_SIGNED_IN, PUBLIC)
    return "" if closed and not request.user.has_perm(declared) else url


@lru_cache(maxsize=500)
def _needs_of(path: str, urlconf: str) -> str:
    """The permission the page of an address declares; every list asks for its form's."""
    return str(getattr(resolve(path, urlconf).func, "needs", ""))


def _is_filtered(request: HttpRequest, chosen: Any) -> bool:
    return chosen is not None and any(request.GET.get(name) for name in chosen.filters)


# --- records ------------------------------------------------------------------------------------


def show_record(
    request: HttpRequest,
    record: Any,
    *,
    template: str = "layouts/detail.html",
    **context: Any,
) -> HttpResponse:
    """A record's page: its next steps, its panels and its history beside what the chapter shows.

    The chapter's template extends layouts/detail.html. `?print=1` leaves out all navigation.
    Further context: `title`, `subtitle`, `crumbs` [(label, url)], `path` [PathStep], `due`,
    `settled`; `own_steps=True` where the template itself holds the button that goes on.
    """
    printing = request.GET.get("print") == "1"
    hidden = printing or context.pop("own_steps", False)
    context.setdefault("title", str(record))
    context["crumbs"] = _crumbs(context.get("crumbs") or [], record)
    context |= {
        "record": record,
        "base": "layouts/print.html" if printing else "base.html",
        "steps": Steps(None) if hidden else steps_of(record, request.user),
        "edit_button": None if printing else _edit_button(record, request.user),
        "story": story.story_of(record, number=_number(request, "history")),
        "panels": contributions.panels_of(record, request.user),
        "today": periods.today(),
    }
    return render(request, template, context)


def _crumbs(crumbs: Sequence[tuple[str, str]], record: Any) -> list[tuple[str, str]]:
    """The way to the record; its own number stands last."""
    known = [(label, address(url)) for label, url in crumbs]
    if known and known[-1][1]:
        known.append((getattr(record, "number", "") or str(record), ""))
    return known


def steps_of(record: Any, person: Any) -> Steps:
    """What this person may do next with the record, ready to be drawn."""
    if not hasattr(record, "state"):
        return Steps(None)
    buttons = [
        StepButton(
            Move.of(each.transition),
            each.obstacles,
            f"{record.get_absolute_url()}do/{each.transition.name}/",
            asks_nothing(each.transition),
        )
        for each in workflow.available(record, person)
    ]
    possible = [each for each in buttons if not each.obstacles]
    first = next((each for each in possible if each.transition.primary), None)
    others = [each for each in possible if each is not first]
    return Steps(first, others, [each for each in buttons if each.obstacles])


def asks_nothing(transition: workflow.Transition) -> bool:
    """Whether the button alone is enough."""
    return not (transition.details or transition.needs_reason or transition.signs)


@dataclass(frozen=True)
class EditButton:
    """The way to the record's form, or why it is closed."""

    url: str
    why: str


def _edit_button(record: Any, person: Any) -> EditButton | None:
    declared = workflow.amendment_of(type(record))
    if declared is None or not declared.permitted(record, person):
        return None
    why = " ".join(declared.obstacles(record, person))
    return EditButton(f"{record.get_absolute_url()}edit/", why)


# --- forms --------------------------------------------------------------------------------------


def edit(
    request: HttpRequest,
    *,
    form_class: Any,
    title: str,
    instance: Any = None,
    create: Callable[..., Any] | None = None,
    template: str = "layouts/form.html",
    done: Done = None,
    context: dict[str, Any] | None = None,
    **form_kwargs: Any,
) -> HttpResponse:
    """The form of a new record (`create`, a factory) or of an existing one (`instance`).

    Answers 303 when it is saved; 422 with everything as it was typed when something is wrong;
    409 with both versions when somebody was faster; 403 where the role does not allow it.
    """
    if (instance is None) == (create is None):
        raise TypeError("Give either `instance` (to edit) or `create` (a factory).")
    context = dict(context or {}, title=title, record=instance)
    context["cancel_url"] = address(context.get("cancel_url", ""))
    if instance is not None:
        context["blocked"] = _edit_obstacles(instance, request.user)
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form_kwargs |= {"by": request.user, "instance": instance}
    form = form_class(data, files, **form_kwargs)
    if data is None or context.get("blocked"):
        status = 200 if data is None else 422
        return _form_page(request, template, form, context, status)
    if not form.is_valid():
        return _form_page(request, template, form, context, 422)
    try:
        record = _save(form, instance, create, request.user)
    except Stale as stale:
        if isinstance(form, forms.LinksForm):
            form.show_again()
            return _form_page(request, template, form, context, 409)
        again = _form_again(request, form_class, instance, form_kwargs)
        context |= {"versions": _versions(again, instance), "sentence": str(stale)}
        return _form_page(request, template, again, context, 409)
    except Refused as refusal:
        form.refuse(refusal)
        return _form_page(request, template, form, context, 422)
    return go_to(request, _next(request, record, done))


def _save(form: Any, instance: Any, create: Any, person: Any) -> Any:
    with db.atomic():
        if create is not None:
            return create(by=person, **form.changes())
        return workflow.amend(
            instance,
            by=person,
            changes=form.changes() | form.beside(instance, by=person),
            reason=form.cleaned_data.get("reason") or "",
            version=form.cleaned_data.get("version"),
        )


def _edit_obstacles(record: Any, person: Any) -> str:
    declared = workflow.amendment_of(type(record))
    if declared is None:
        return f"A {record._meta.verbose_name} is not edited."
    if not declared.permitted(record, person):
        raise PermissionDenied("Your role does not allow you to edit this.")
    return " ".join(declared.obstacles(record, person))


def _form_page(
    request: HttpRequest, template: str, form: Any, context: dict[str, Any], status: int
) -> HttpResponse:
    context |= {"form": form, "lost_files": _file_names(request), "next": _asked_next(request)}
    return respond(request, template, "components/form_part.html", context, status=status)


def _file_names(request: HttpRequest) -> list[str]:
    """Files a browser does not send again by itself; the form names them."""
    return [str(each.name) for _, many in request.FILES.lists() for each in many]


def _asked_next(request: HttpRequest) -> str:
    return request.POST.get("next") or request.GET.get("next", "")


def _form_again(
    request: HttpRequest, form_class: Any, instance: Any, form_kwargs: dict[str, Any]
) -> Any:
    """The form as typed, on the version that is stored now: sending it again is a decision."""
    instance.refresh_from_db()
    data = request.POST.copy()
    data["version"] = str(instance.version)
    form = form_class(data, request.FILES, **form_kwargs)
    form.full_clean()
    return form


def _versions(form: Any, instance: Any) -> list[dict[str, str]]:
    """Where the stored record and what was typed differ, field by field, in words."""
    stored = type(instance)._base_manager.get(pk=instance.pk)
    differing = []
    for name, value in form.cleaned_data.items():
        if name in forms.SERVICE_FIELDS or not hasattr(stored, name):
            continue
        theirs = getattr(stored, name)
        if theirs != value:
            label = form.fields[name].label or name
            differing.append(
                {
                    "label": str(label),
                    "theirs": _words(stored, name, theirs),
                    "yours": _words(stored, name, value),
                }
            )
    return differing


def _words(record: Any, name: str, value: Any) -> str:
    column = record._meta.get_field(name)
    if column.is_relation:
        return str(value) if value is not None else story.NOTHING
    return story.value_in_words(column, value)


# --- transitions --------------------------------------------------------------------------------


def do_transition(
    request: HttpRequest,
    record: Any,
    name: str,
    done: Done = None,
    *,
    template: str = "layouts/transition.html",
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """One transition of a record: GET asks what it needs, POST makes the move.

    `notice` in the context is a sentence to know before; it stands above the form.

    Answers 303, or 422 with the sentence and the form as typed, 409 when the page was stale, 403
    when the role does not allow it, 404 when there is no such transition.
    """
    transition = workflow.transition_named(type(record), name)
    if transition is None:
        raise Http404("There is no such step.")
    if not transition.permitted(record, request.user):
        raise PermissionDenied(f"Your role does not allow: {transition.label.lower()}.")
    context = dict(context or {}, record=record, transition=Move.of(transition))
    context["action"] = request.path
    if request.method != "POST":
        form = forms.transition_form(transition, record, by=request.user)
        context["blocked"] = _step_obstacles(transition, record, request.user)
        return _transition_page(request, template, form, context, 200)
    form = forms.transition_form(
        transition, record, by=request.user, data=request.POST, files=request.FILES
    )
    if not form.is_valid():
        return _transition_page(request, template, form, context, 422)
    try:
        with db.atomic():
            record = _move(request, transition, record, form)
    except Stale as stale:
        context |= {"sentence": str(stale), "stale": True}
        return _transition_page(request, template, form, context, 409)
    except Refused as refusal:
        form.refuse(refusal)
        return _transition_page(request, template, form, context, 422)
    messages.success(request, _moved(record))
    return go_to(request, _next(request, record, done))


def _move(request: HttpRequest, transition: Any, record: Any, form: Any) -> Any:
    proof = contributions.prove(request, form.cleaned_data) if transition.signs else None
    return transition(
        record,
        by=request.user,
        reason=form.cleaned_data.get("reason") or "",
        version=form.cleaned_data.get("version"),
        proof=proof,
        **form.changes(),
    )


def _step_obstacles(transition: Any, record: Any, person: Any) -> str:
    if record.state not in transition.source:
        shown = str(getattr(record, f"get_{record.STATE_FIELD}_display")()).lower()
        return f"“{transition.label}” is not possible: it is already {shown}."
    return " ".join(transition.obstacles(record, person))


def _moved(record: Any) -> str:
    """What the next page says: the state the record has reached."""
    shown = getattr(record, f"get_{record.STATE_FIELD}_display")()
    return f"{record} is now “{shown}”."


def _transition_page(
    request: HttpRequest, template: str, form: Any, context: dict[str, Any], status: int
) -> HttpResponse:
    context |= {"form": form, "lost_files": _file_names(request), "next": _asked_next(request)}
    return respond(request, template, "components/transition_part.html", context, status=status)


# --- the frame ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Link:
    """An entry of the navigation, ready to be drawn."""

    label: str
    url: str
    icon: str
    count: int | None = None
    current: bool = False


_organisation: list[Callable[[], str]] = []


def tells_organisation(name: Callable[[], str]) -> Callable[[], str]:
    """Register the one function that knows the organisation's name."""
    _organisation[:] = [name]
    return name


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the frame of every page needs, computed only when it is drawn."""
    person = getattr(request, "user", None)
    known = person is not None and person.is_authenticated
    return {
        "nav": SimpleLazyObject(lambda: _navigation(request, person) if known else []),
        "create_menu": SimpleLazyObject(lambda: _creating(person) if known else []),
        "organisation_name": SimpleLazyObject(_organisation_name),
        "demo": settings.DEMO,
    }


def knows_organisation() -> bool:
    """Whether the organisation is set up; read once for each page, with its name and zone."""
    return bool(_organisation and _organisation[0]())


def _organisation_name() -> str:
    return (_organisation[0]() if _organisation else "") or "Quality management"


def _navigation(request: HttpRequest, person: Any) -> list[tuple[str, list[Link]]]:
    groups = contributions.navigation_for(person)
    urls = {item.url_name: _known_address(item.url_name) for _, items in groups for item in items}
    begins = {
        url: item.url_name
        for _, items in groups
        for item in items
        for name in (item.url_name, *item.also)
        if (url := _known_address(name))
    }
    current = begins.get(_current(request.path, list(begins)))
    counts = contributions.counts_for(person, [item for _, items in groups for item in items])
    drawn = [
        (
            group,
            [
                Link(
                    item.label,
                    urls[item.url_name],
                    item.icon,
                    counts.get(item.url_name, 0) if item.count else None,
                    item.url_name == current,
                )
                for item in items
                if urls[item.url_name]
            ],
        )
        for group, items in groups
    ]
    return [(group, links) for group, links in drawn if links]


@cache
def _known_address(url_name: str) -> str:
    """The address, or nothing: one wrong entry must not take every page down with it.

    Found once: a page has some seventy entries. A test holds every entry to a page that exists.
    """
    try:
        return reverse(url_name)
    except NoReverseMatch:
        log.warning("The navigation names %s, which is no page.", url_name)
        return ""


def _current(path: str, urls: list[str]) -> str:
    """The entry whose address begins the page's address, the longest one; "/" only for itself."""
    return max(
        (url for url in urls if path == url or (url != "/" and path.startswith(url))),
        key=len,
        default="",
    )


def _creating(person: Any) -> list[Link]:
    return [
        Link(item.label, url, item.icon)
        for item in contributions.creating_for(person)
        if (url := _known_address(item.url_name))
    ]
