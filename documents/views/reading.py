"""Pages of reading: what is to be read, who has read what, who is asked."""

from collections.abc import Callable
from typing import Any

import django_filters
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from documents import workflow
from documents.forms import AudienceForm
from documents.matrix import Line, reading_matrix
from documents.models import Audience, Document, ReadingTask, Revision
from documents.shown import on_page
from documents.views.tabs import tabs
from qms import listing, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.links import seal
from qms.pages import Column
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused, Stale
from qms.scope.models import Process

READING = [
    Column("document", "Document", value="document", sort="document__number"),
    Column("revision", "Revision", value="revision.label"),
    Column("person", "Who", sort="person__name", kind="person"),
    Column("department", "Department", value="person.department", sort="person__department"),
    Column("due", "Read by", sort="due", kind="due", settled=lambda task: task.status != "open"),
    Column("acknowledged_on", "Acknowledged on", sort="acknowledged_on", kind="date"),
    Column("tries", "Tries", value=lambda task: len(task.tries) or None, kind="number"),
    Column("status", "State", sort="status", kind="state"),
    Column("why_ended", "Why it ended", shown=False),
]


class ReadingFilter(django_filters.FilterSet):
    """Filters of the reading tasks."""

    document = django_filters.ModelChoiceFilter(
        queryset=lambda request: Document.objects.visible_to(request.user).order_by("number"),
        label="Document",
    )
    person = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Who")
    status = django_filters.ChoiceFilter(choices=ReadingTask.Status.choices, label="State")
    overdue = django_filters.BooleanFilter(method="only_overdue", label="Overdue")

    class Meta:
        model = ReadingTask
        fields = ("document", "person", "status", "overdue")

    def only_overdue(self, rows: Any, name: str, value: bool) -> Any:
        """What is open and past its day, or everything else."""
        late = rows.overdue(today())
        return late if value else rows.exclude(pk__in=late.values("pk"))


@needs("documents.view_readingtask")
def reading_list(request: HttpRequest) -> HttpResponseBase:
    """Who was asked to read what, and how far that is."""
    rows = ReadingTask.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.select_related("document", "revision", "person").defer(
            "revision__text", "revision__fields", "revision__questions"
        ),
        columns=READING,
        filterset=ReadingFilter,
        default_sort="due",
        title="Reading",
        intro="Who was asked to read which revision, and when they said that they understood it.",
        template="documents/tabbed_list.html",
        tabs=tabs(request, "documents:reading_list"),
        empty="Nobody is asked to read anything yet. Choose the readers on a document's page.",
    )


@needs("documents.view_readingmatrix")
def reading_matrix_page(request: HttpRequest) -> HttpResponseBase:
    """Everybody against every document somebody is asked to read."""
    day = today()
    people: Any = Person.objects.visible_to(request.user).people().filter(access_until=None)
    documents: Any = Document.objects.visible_to(request.user).current()
    departments = sorted({each.department for each in people if each.department})
    department, process = request.GET.get("department", ""), request.GET.get("process", "")
    if department in departments:
        people = people.filter(department=department)
    processes = list(Process.objects.visible_to(request.user).active().order_by("code"))
    if process in {str(each.pk) for each in processes}:
        documents = documents.filter(process=process)
    found = reading_matrix(day, documents, people, request.user)
    if request.GET.get("format") in ("csv", "xlsx"):
        return _matrix_file(found.lines, found.documents, request.GET["format"])
    context = {
        "title": "Read and understood",
        "matrix": found,
        "departments": departments,
        "department": department,
        "processes": processes,
        "process": process,
        "tabs": tabs(request, "documents:reading_matrix"),
        "today": day,
    }
    template = "documents/reading_matrix.html"
    return pages.respond(request, template, template, context)


def _matrix_file(
    lines: list[Line], documents: list[tuple[Document, str]], kind: str
) -> HttpResponseBase:
    columns = [
        Column("person", "Person", value="person.name"),
        Column("department", "Department", value="person.department"),
        *(
            Column(f"d{each.pk}", f"{each.number} revision {label}", value=_words_at(at))
            for at, (each, label) in enumerate(documents)
        ),
    ]
    return listing.export(lines, columns, title="Read and understood", kind=kind, today=today())


def _words_at(at: int) -> Callable[[Line], str]:
    return lambda line: line.cells[at].words or "not asked"


def _task(request: HttpRequest, pk: int) -> Any:
    rows = ReadingTask.objects.select_related("document__owner", "revision__document", "person")
    return pages.find(request, rows, pk=pk)


@needs("documents.view_readingtask")
def reading_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The text, its questions, and at its end the button; opened from a mail or from My work."""
    workflow.make_due_revisions_effective(today())
    task = _task(request, pk)
    workflow.note_opened(task.document_id, by=request.user)
    return _reading_page(request, task)


def _reading_page(
    request: HttpRequest, task: Any, *, sentence: str = "", status: int = 200
) -> HttpResponse:
    open_one = task.status == ReadingTask.Status.OPEN
    revision = workflow.in_force_for(task) if open_one else task.read or task.revision
    mine = request.user.pk == task.person_id
    response = pages.show_record(
        request,
        task,
        template="documents/reading_detail.html",
        title=task.document.title,
        subtitle=f"{task.document.number} · revision {revision.label if revision else ''}",
        crumbs=[
            ("Documents", "documents:document_list"),
            (task.document.number, task.document.get_absolute_url()),
            ("Read and understood", ""),
        ],
        due=task.due,
        settled=not open_one,
        revision=revision,
        text=on_page(revision, request.user) if revision else "",
        asked=_asked(request, revision) if revision and open_one and mine else [],
        own_steps=True,
        may_acknowledge=open_one and mine and revision is not None,
        newest=_newest_for(task, request.user) if task.status == "lapsed" else None,
        sentence=sentence,
        print_url=reverse("documents:revision_pdf", args=[revision.pk]) if revision else "",
    )
    response.status_code = status
    return response


def _newest_for(task: Any, person: Any) -> Any:
    """The task that took the place of one that lapsed."""
    rows = ReadingTask.objects.of(task.person).filter(document=task.document_id)
    return rows.exclude(pk=task.pk).order_by("-pk").first() if person == task.person else None


def _asked(request: HttpRequest, revision: Revision) -> list[dict[str, Any]]:
    """The questions as they are drawn, with what was just chosen; never which is right."""
    drawn = []
    for place, each in enumerate(revision.questions):
        chosen = request.POST.getlist(f"q{place}")
        drawn.append(
            {
                "name": f"q{place}",
                "number": place + 1,
                "question": each["question"],
                "several": len(each["right"]) > 1,
                "choices": [
                    {"value": at, "words": words, "chosen": str(at) in chosen}
                    for at, words in enumerate(each["choices"])
                ],
            }
        )
    return drawn


@needs("documents.acknowledge_reading")
@require_POST
def reading_acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """The button below the text: answers the questions, where there are some, and acknowledges."""
    task = _task(request, pk)
    version = _number(request.POST.get("version", ""))
    if why := workflow.only_the_reader(task, request.user):
        raise PermissionDenied(why)
    released = Revision.objects.visible_to(request.user).released().filter(document=task.document)
    read = released.filter(pk=_number(request.POST.get("read", ""))).first()
    if read is None:
        sentence = "Say which revision you have read: press the button below its text."
        return _reading_page(request, task, sentence=sentence, status=422)
    try:
        if asked := workflow.questions_of(task):
            answers = [_places(request.POST.getlist(f"q{at}")) for at in range(len(asked))]
            # The try is kept, also when it is wrong: a transaction of its own.
            workflow.answer(task, by=request.user, read=read, answers=answers, version=version)
            version = task.version
        workflow.acknowledge(task, by=request.user, read=read, version=version)
    except Stale as stale:
        task.refresh_from_db()
        return _reading_page(request, task, sentence=str(stale), status=409)
    except Refused as refusal:
        task.refresh_from_db()
        return _reading_page(request, task, sentence=str(refusal), status=422)
    messages.success(request, f"You have read {task.document.number}. Thank you.")
    following = ReadingTask.objects.of(request.user).open().order_by("due", "pk").first()
    return pages.go_to(request, following.get_absolute_url() if following else "/")


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _places(given: list[str]) -> list[int]:
    known = (each for each in given if each.isascii() and each.isdigit() and len(each) < 4)
    return sorted({int(each) for each in known})


@needs(ANYONE_SIGNED_IN)
def reading_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One step of a reading task; what the reader says is said below the text."""
    task = _task(request, pk)
    if request.method == "GET" and name in ("answer", "acknowledge"):
        return redirect(task.get_absolute_url())
    return pages.do_transition(request, task, name)


@needs("documents.change_audience")
def audience_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose who reads a document."""
    document = pages.find(request, Document.objects, pk=pk)
    if not request.user.has_perm("documents.change_audience"):
        raise PermissionDenied
    now = workflow.audience_of(document)

    def choose(*, by: Any, seen: str, reason: str = "", **chosen: Any) -> Document:
        readers = workflow.Readers(
            chosen["everyone"],
            tuple(chosen["roles"]),
            tuple(chosen["processes"]),
            tuple(chosen["people"]),
        )
        workflow.set_audience(document, readers, by=by, seen=seen, reason=reason)
        return document

    return pages.edit(
        request,
        form_class=AudienceForm,
        create=choose,
        title=f"Who reads {document.number}?",
        initial={
            "everyone": now.everyone,
            "roles": list(now.roles),
            "processes": list(now.processes),
            "people": list(now.people),
            "seen": seal({"document": document}, Audience),
        },
        context={
            "cancel_url": document.get_absolute_url(),
            "intro": "They are asked when a revision takes effect that changes what people do.",
        },
    )
