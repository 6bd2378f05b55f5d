"""Pages of forms and their entries: fill in, sign, correct, list, look at a value in time."""

from typing import Any, cast

import django_filters
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction as db
from django.db.models import Count, Max, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from documents import design, entered, entry_prints, workflow
from documents.filling import PREFIX, CorrectionForm, EntryForm, about
from documents.models import Document, Entry, Revision
from documents.starters import StarterForm, starter_form, starter_forms
from documents.subjects import registers
from qms import clock, contributions, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.journey.models import Project
from qms.pages import Column
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused

FORMS_SHOWN, FORMS_BEFORE_SEARCH = 300, 12
ENTRIES = [
    Column("number", "Number", sort="number", kind="link"),
    Column("form", "Form", value="form.title", sort="form__title"),
    Column("happened_at", "Happened", sort="happened_at", kind="moment"),
    Column("created_by", "By", sort="created_by__name", kind="person"),
    Column("worst", "Limits", value=entered.limits_of, sort="worst"),
    Column("status", "State", sort="status", kind="state"),
    Column("recorded_at", "Recorded", sort="recorded_at", kind="moment", shown=False),
]


class EntryFilter(django_filters.FilterSet):
    """Filters of entries."""

    number = django_filters.CharFilter(lookup_expr="icontains", label="Number")
    since = django_filters.DateFilter("happened_at", lookup_expr="date__gte", label="From")
    until = django_filters.DateFilter("happened_at", lookup_expr="date__lte", label="Until")
    created_by = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="By")
    worst = django_filters.ChoiceFilter(choices=Entry.Worst.choices[1:], label="Limits")
    status = django_filters.ChoiceFilter(choices=Entry.Status.choices, label="State")

    class Meta:
        model = Entry
        fields = ("number", "since", "until", "created_by", "worst", "status")


def filter_of(parts: list[design.Part]) -> Any:
    """The filters of a form's entries: the usual ones and its choices."""
    made: dict[str, Any] = {}
    for at, part in enumerate(parts):
        path = f"values__{part['key']}"
        if part["kind"] == "choice":
            choices = [(each, each) for each in part["choices"]]
            made[f"answer_{at}"] = django_filters.ChoiceFilter(
                field_name=path, choices=choices, label=part["label"]
            )
        if part["kind"] == "yes_no":
            made[f"answer_{at}"] = django_filters.BooleanFilter(
                field_name=path, label=part["label"]
            )
    return type("FormEntryFilter", (EntryFilter,), made)


# Forms


@needs("documents.add_entry")
def form_list(request: HttpRequest) -> HttpResponse:
    """The forms people fill in, each one touch away."""
    workflow.make_due_revisions_effective(today())
    rows = Document.objects.visible_to(request.user).filter(
        kind=Document.Kind.FORM,
        status=Document.Status.ACTIVE,
        revisions__status="effective",
    )
    standing = Q(entries__status=Entry.Status.SUBMITTED)
    counted = rows.exclude(revisions__in=_fieldless()).annotate(
        many=Count("entries", filter=standing, distinct=True),
        last=Max("entries__happened_at", filter=standing),
    )
    drafts = Entry.objects.filter(created_by=request.user.pk, status=Entry.Status.DRAFT)
    words = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:100]
    found = counted.called(words).select_related("process").order_by("title", "pk")
    forms = list(found[: FORMS_SHOWN + 1])
    context = {
        "title": "Forms",
        "intro": "Fill in a form; what you submit is kept as evidence.",
        "forms": forms[:FORMS_SHOWN],
        "query": words,
        "cut": len(forms) > FORMS_SHOWN,
        "shown": FORMS_SHOWN,
        "searches": bool(words) or len(forms) > FORMS_BEFORE_SEARCH,
        "drafts": list(drafts.select_related("form").order_by("-pk")[:20]),
        "create_url": (
            f"{reverse('documents:document_create')}?kind=form"
            if request.user.has_perm("documents.add_document")
            else ""
        ),
        "starters": _starters(request.user),
    }
    return pages.respond(request, "documents/form_list.html", "documents/form_list.html", context)


def _starters(person: Any) -> list[StarterForm]:
    """Ready forms that nobody has taken yet, for who may write documents."""
    if not person.has_perm("documents.add_document"):
        return []
    titles = set(Document.objects.current().values_list("title", flat=True))
    project = Project.objects.order_by("pk").last()
    sector = project.starter if project else ""
    return [each for each in starter_forms() if each.title not in titles and each.suits(sector)]


@needs("documents.add_document")
@require_POST
def form_begin(request: HttpRequest, key: str) -> HttpResponse:
    """A draft from a ready form; it is looked through, reviewed and approved like any other."""
    starter, person = starter_form(key), cast(Person, request.user)
    if starter is None:
        raise Http404("There is no such form to begin with.")
    try:
        form = workflow.begin_form(starter, by=person)
    except Refused as refusal:
        return pages.refused(request, refusal)
    return pages.go_to(request, form.revisions.get(number=1).get_absolute_url())


@needs("documents.add_entry")
def form_choices(request: HttpRequest, kind: str) -> HttpResponse:
    """What fits the words typed into a field of a long register, for the browser to offer."""
    register = registers().get(kind)
    if register is None:
        raise Http404("There is no such register.")
    words = next((request.GET[name] for name in request.GET if name.startswith(PREFIX)), "")
    context = {"offered": register.offered(request.user, words)}
    return render(request, "documents/record_choices.html", context)


def _fieldless() -> Any:
    return Revision.objects.effective().filter(fields=[]).values("pk")


def _form(request: HttpRequest, **lookup: Any) -> Document:
    rows = Document.objects.select_related("owner", "process")
    found: Document = pages.find(request, rows, kind=Document.Kind.FORM, **lookup)
    return found


@needs("documents.view_entry")
def form_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The entries of a form: its columns, filters, totals and files of them."""
    form = _form(request, pk=pk)
    parts, person = entered.latest_parts(form), request.user
    rows = Entry.objects.visible_to(person).filter(form=form)
    chosen = filter_of(parts)
    shown = chosen(request.GET or None, queryset=rows, request=request).qs
    standing = shown.filter(status=Entry.Status.SUBMITTED)
    why = workflow.why_not_filled_in(form, workflow.in_force(form))
    return pages.show_list(
        request,
        entered.sortable(rows.select_related("form", "created_by"), parts),
        columns=entered.columns(parts, person),
        filterset=chosen,
        default_sort="-happened_at",
        title=f"{form.number} {form.title}",
        intro="What was filled in, the newest first.",
        template="documents/form_detail.html",
        crumbs=[("Forms", reverse("documents:form_list")), (form.number, "")],
        create_url="" if why else reverse("documents:entry_create", args=[pk]),
        create_label="Fill in",
        empty="Nothing is filled in yet." if why else "Nothing is filled in yet. Be the first.",
        form_document=form,
        why_not=why,
        totals=entered.totals(standing, parts),
        numbers=design.of_kind(parts, "number"),
    )


@needs("documents.view_entry")
def form_trend(request: HttpRequest, pk: int) -> HttpResponse:
    """A numeric field of a form in time, with its limits and the numbers behind it."""
    form, part, chart = _trend(request, pk)
    parts = design.of_kind(entered.latest_parts(form), "number")
    context = {
        "title": part["label"],
        "subtitle": f"{form.number} {form.title}",
        "crumbs": [
            ("Forms", reverse("documents:form_list")),
            (form.number, reverse("documents:form_detail", args=[pk])),
            (part["label"], ""),
        ],
        "chart": chart,
        "part": part,
        "numbers": parts,
        "form_document": form,
        "accepted": design.limits_in_words(part),
    }
    return pages.respond(request, "documents/form_trend.html", "documents/form_trend.html", context)


@needs("documents.view_entry")
def form_trend_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The same picture and numbers on paper."""
    form, part, chart = _trend(request, pk)
    return pages.send_pdf(entry_prints.trend_pdf(form, part, chart), f"{form.number}-{part['key']}")


def _trend(request: HttpRequest, pk: int) -> tuple[Document, design.Part, Any]:
    form = _form(request, pk=pk)
    numbers = design.of_kind(entered.latest_parts(form), "number")
    asked = request.GET.get("field", "")
    part = design.part_with(numbers, asked) or (numbers[0] if numbers else None)
    if part is None:
        raise Http404("The form has no numbers.")
    rows = Entry.objects.visible_to(request.user).filter(form=form, status="submitted")
    return form, part, entered.trend(form, part, rows)


@needs("documents.add_entry")
def form_short(request: HttpRequest, number: str) -> HttpResponse:
    """The short address on the wall: to the form of this number, ready to be filled in."""
    if not number.isprintable():
        raise Http404("There is no such form.")
    form = _form(request, number=number)
    return pages.go_to(request, reverse("documents:entry_create", args=[form.pk]))


@needs("documents.view_entry")
def form_card(request: HttpRequest, pk: int) -> HttpResponse:
    """A card with the form's QR code, to be put up where it is used."""
    form = _form(request, pk=pk)
    address = request.build_absolute_uri(reverse("documents:form_short", args=[form.number]))
    return pages.send_pdf(entry_prints.card_pdf(form, address), f"{form.number}-card")


# Filling in


@needs("documents.add_entry")
def entry_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Fill in a form. Everything is saved first; then it is submitted, if that was asked."""
    workflow.make_due_revisions_effective(today())
    form = _form(request, pk=pk)
    revision = workflow.in_force(form)
    why = workflow.why_not_filled_in(form, revision)
    if revision is None or why:
        return pages.refused(request, Refused(why))

    def create(*, by: Any, happened_at: Any) -> Entry:
        filled = EntryForm(request.POST, request.FILES, by=by, revision=revision)
        filled.full_clean()
        return filled.begin(by=by, form=form, happened_at=happened_at)

    return pages.edit(
        request,
        form_class=EntryForm,
        create=create,
        title=form.title,
        template="documents/entry_form.html",
        done=lambda entry: _go_on(request, entry),
        revision=revision,
        values=_about(request, revision.fields),
        initial={"happened_at": _now()},
        context={
            "intro": f"{form.number}, revision {revision.label}",
            "cancel_url": reverse("documents:form_list"),
            "form_document": form,
        },
    )


def _now() -> Any:
    return clock.now().replace(second=0, microsecond=0)


def _about(request: HttpRequest, parts: list[design.Part]) -> dict[str, Any]:
    """The subject of the page one came from, chosen already."""
    part, given = design.subject_of(parts), request.GET.get("about", "")
    part = part or next(iter(design.of_kind(parts, "record")), None)
    register = registers().get(part["of"]) if part else None
    if part is None or register is None or not (given.isascii() and given.isdigit()):
        return {}
    found = register.found(int(given), request.user) if len(given) < 16 else None
    return {part["key"]: found.pk} if found is not None else {}


def _entries() -> Any:
    return Entry.objects.select_related("form", "form__owner", "form__process", "revision")


@needs("documents.change_entry")
def entry_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a draft."""
    entry = pages.find(request, _entries().select_related("corrects"), pk=pk)
    if entry.status != Entry.Status.DRAFT and _sent_twice(request, entry):
        return pages.go_to(request, entry.get_absolute_url())
    response = pages.edit(
        request,
        form_class=_form_class(request, entry),
        instance=entry,
        title=entry.form.title,
        template="documents/entry_form.html",
        done=lambda saved: _go_on(request, saved),
        revision=entry.revision,
        rows=request.GET.get("rows", ""),
        context={
            "intro": f"{entry.number}, revision {entry.revision.label}",
            "form_document": entry.form,
            "entry": entry,
            "newer": workflow.a_newer_revision(entry),
            "left_over": entered.left_over(entry),
        },
    )
    if response.status_code == 409:
        entry.refresh_from_db()
        if _sent_twice(request, entry):
            return pages.go_to(request, entry.get_absolute_url())
    return response


def _form_class(request: HttpRequest, entry: Entry) -> Any:
    """The form; after a submission that was refused it says at each field what is missing."""
    if request.method == "POST" or request.GET.get("check") != "1":
        return EntryForm

    def checked(*args: Any, **kwargs: Any) -> EntryForm:
        form = EntryForm(*args, **kwargs)
        problems = workflow.problems_of(entry, request.user)
        if must_sign(entry):
            problems["password"] = "Give your password; it is your signature."  # noqa: S105
        form.show(problems)
        return form

    return checked


def must_sign(entry: Entry) -> bool:
    """Whether who fills it in has to sign it."""
    mine = [each for each in entry.unsigned if each["signer"] == "author"]
    return any(each["required"] for each in mine)


def _sent_twice(request: HttpRequest, entry: Entry) -> bool:
    """The second of two clicks sends what stands already."""
    if request.method != "POST" or entry.created_by_id != request.user.pk:
        return False
    form = EntryForm(
        request.POST, request.FILES, by=request.user, instance=entry, revision=entry.revision
    )
    form.fields.pop("reason", None)
    return form.says_the_same()


def _go_on(request: HttpRequest, entry: Entry) -> str:
    """After everything is saved: submit it, add rows, or leave the draft."""
    action = request.POST.get("action", "save")
    edit = f"{entry.get_absolute_url()}edit/"
    if action.startswith("rows:"):
        key = action.partition(":")[2][:40]
        return f"{edit}?rows={key}#id_a_{key}"
    if action != "submit" or entry.status != Entry.Status.DRAFT:
        if entry.status == Entry.Status.DRAFT:
            messages.success(request, f"{entry.number} is saved as a draft.")
        return str(entry.get_absolute_url())
    try:
        with db.atomic():
            _submit(request, entry)
    except (Refused, PermissionDenied) as refusal:
        entry.refresh_from_db()
        messages.error(request, f"It is saved and not submitted. {refusal}")
        return f"{edit}?check=1"
    messages.success(request, f"{entry.number} is submitted.")
    return str(entry.get_absolute_url())


def _submit(request: HttpRequest, entry: Entry) -> None:
    """Submit, and sign what the author signs, in one."""
    password = request.POST.get("password", "")
    if must_sign(entry) and not password:
        raise Refused("Give your password; it is your signature.")
    proof = contributions.prove(request, {"password": password}) if password else None
    workflow.submit_entry(entry, by=request.user)
    for each in list(entry.unsigned):
        if proof is not None and each["signer"] == "author":
            workflow.sign_entry(entry, by=request.user, proof=proof)


# Entries


@needs("documents.view_entry")
def entry_list(request: HttpRequest) -> HttpResponseBase:
    """Every entry one may see, of all forms."""
    rows = Entry.objects.visible_to(request.user).select_related("form", "created_by")
    return pages.show_list(
        request,
        rows,
        columns=ENTRIES,
        filterset=EntryFilter,
        default_sort="-happened_at",
        title="Entries",
        intro="What was filled in, of all forms.",
        crumbs=[("Forms", reverse("documents:form_list")), ("Entries", "")],
        create_url=reverse("documents:form_list"),
        create_label="Fill in a form",
        empty="Nothing is filled in yet.",
    )


@needs("documents.view_entry")
def entry_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry: its answers, who signed it, what it became, and its history."""
    rows = _entries().select_related("created_by", "corrects__form")
    entry = pages.find(request, rows, pk=pk)
    corrected = workflow.takes_its_place(entry)
    seen = Entry.objects.visible_to(request.user)
    may = not workflow.who_corrects(entry, request.user)
    return pages.show_record(
        request,
        entry,
        template="documents/entry_detail.html",
        title=entry.form.title,
        subtitle=entry.number,
        crumbs=[
            ("Forms", reverse("documents:form_list")),
            (entry.form.number, reverse("documents:form_detail", args=[entry.form_id])),
            (entry.number, ""),
        ],
        answers=entered.shown(entry, request.user),
        left_over=entered.left_over(entry),
        about=about(entry),
        outcome=entry.outcome,
        correction=corrected if corrected and seen.filter(pk=corrected.pk).exists() else None,
        is_gap=entry.status == Entry.Status.CORRECTED and corrected is None,
        may_correct=may and entry.status == Entry.Status.SUBMITTED and corrected is None,
        newer=workflow.a_newer_revision(entry),
    )


@needs(ANYONE_SIGNED_IN)
def entry_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Submit, sign, move to the revision in force, discard, void."""
    return pages.do_transition(request, pages.find(request, _entries(), pk=pk), name)


@needs("documents.add_entry")
def entry_correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the entry that takes the place of this one."""
    entry = pages.find(request, _entries(), pk=pk)
    if why := workflow.who_corrects(entry, request.user):
        raise PermissionDenied(why)

    def create(*, by: Any, why: str) -> Entry:
        return workflow.correct_entry(entry, by=by, why=why)

    return pages.edit(
        request,
        form_class=CorrectionForm,
        create=create,
        title=f"Correct {entry.number}",
        done=lambda made: f"{made.get_absolute_url()}edit/",
        context={"submit": "Correct it", "cancel_url": entry.get_absolute_url()},
    )


@needs("documents.view_entry")
def entry_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The entry on paper."""
    entry = pages.find(request, _entries().select_related("created_by", "corrects"), pk=pk)
    return pages.send_pdf(entry_prints.entry_pdf(entry, request.user), entry.number)
