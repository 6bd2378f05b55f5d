"""One clause after the other: what it means, what shows it, how far it is. Nothing is lost."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from qms import contributions, pages
from qms.access import needs
from qms.gap import workflow
from qms.gap.forms import AnswerForm
from qms.gap.linking import EVIDENCE, links_of
from qms.gap.models import GapAnswer
from qms.gap.overview import answers_of
from qms.gap.views.assessments import may_answer
from qms.picking import shown
from qms.refusals import Refused, Stale

RECORDS_SHOWN = 8
NOTHING = "–"


@dataclass(frozen=True)
class Choice:
    """A record that can be ticked as evidence."""

    key: str
    title: str
    kind: str
    url: str
    checked: bool


@needs("gap.view_assessment")
def answer_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One clause: what it means, what the records show, and the answer."""
    rows = GapAnswer.objects.select_related("assessment__delta_from", "answered_by", "assessor")
    found = pages.find(request, rows, pk=pk)
    context = _about(request, found)
    if not context["may_answer"]:
        if request.method == "POST":
            why = "It takes no answer any more, or your role does not answer it."
            return pages.refused(request, Refused(why), status=403)
        return _page(request, context, None, 200)
    if request.method == "POST":
        return _take(request, found, context)
    names = ("rating", "evidence", "note", "copy_checked")
    initial = {name: getattr(found, name) for name in names}
    return _page(request, context, AnswerForm(initial=initial, by=request.user), 200)


def _take(request: HttpRequest, found: GapAnswer, context: dict[str, Any]) -> HttpResponse:
    """The answer as it was sent: kept, or shown again with what is wrong."""
    person: Any = request.user
    known = [each.record for each in context["shown"] if each.record is not None]
    form = AnswerForm(request.POST, by=request.user, known=known)
    if not form.is_valid():
        return _page(request, context, form, 422)
    try:
        workflow.answer(found, by=person, version=_version(request), **form.changes())
    except Stale:
        return _both(request, found, form)
    except Refused as refusal:
        if refusal.field == "links":
            refusal = Refused(str(refusal), field="another")
        form.refuse(refusal)
        return _page(request, context, form, 422)
    return pages.go_to(request, _after(request, context, found))


def _version(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _both(request: HttpRequest, found: GapAnswer, form: AnswerForm) -> HttpResponse:
    """Somebody was faster: their answer and this one side by side; both are kept."""
    rows = GapAnswer.objects.select_related("assessment__delta_from", "answered_by", "assessor")
    stored = rows.get(pk=found.pk)
    context = _about(request, stored)
    mine: dict[str, Any] = form.cleaned_data
    ratings = dict(GapAnswer.Rating.choices)
    mine_linked = ", ".join(str(each) for each in mine.get("links", []))
    theirs_linked = ", ".join(each.title for each in context["shown"])
    pairs = [
        ("Rating", stored.get_rating_display(), str(ratings.get(mine["rating"], ""))),
        ("Records that show it", theirs_linked, mine_linked),
        ("What shows it beside records", stored.evidence, mine["evidence"]),
        ("What is missing, or why it does not apply", stored.note, mine["note"]),
    ]
    context["versions"] = [
        {"label": label, "theirs": theirs or NOTHING, "yours": yours or NOTHING}
        for label, theirs, yours in pairs
        if theirs.strip() != yours.strip()
    ]
    who = stored.answered_by.name if stored.answered_by else "Somebody"
    context["sentence"] = (
        f"{who} answered this clause while you wrote. Both answers stand here side by side; "
        "nothing is lost. Their answer stays in the history whatever you save."
    )
    return _page(request, context, form, 409)


def _page(
    request: HttpRequest, context: dict[str, Any], form: AnswerForm | None, status: int
) -> HttpResponse:
    found: GapAnswer = context["answer"]
    if form is not None:
        context |= {"form": form, "choices": _choices(request, context, form)}
    context["title"] = f"{found.ref.number} {found.about.title}"
    return pages.respond(request, "gap/answer.html", "gap/answer_form.html", context, status=status)


def _choices(request: HttpRequest, context: dict[str, Any], form: AnswerForm) -> list[Choice]:
    """What can be ticked: what is linked, what was ticked, and what the records say already."""
    ticked = set(request.POST.getlist("links")) if request.method == "POST" else None
    rows = {each.url: (each.title, each.kind) for each in context["shown"] if each.url}
    linked = set(rows)
    for line in context["records"]:
        if not EVIDENCE.holds(line.url):
            continue
        name = f"{line.record_number} {line.title}".strip()
        rows.setdefault(line.url, (name, line.kind))
    for url in sorted(ticked or ()):
        if url not in rows:
            try:
                record = EVIDENCE.record_at(url, request.user)
            except Refused:
                record = None
            if record is not None:
                rows[record.get_absolute_url()] = (str(record), str(record._meta.verbose_name))
    chosen = linked if ticked is None else ticked
    return [
        Choice(url, title, kind, url, url in chosen) for url, (title, kind) in rows.items() if url
    ]


def _after(request: HttpRequest, context: dict[str, Any], found: GapAnswer) -> str:
    """The next clause where the person asked for it, else the list."""
    following = context["following"]
    if "go_on" in request.POST and following:
        return str(following.get_absolute_url())
    return f"{found.assessment.get_absolute_url()}#clause-{found.ref.number}"


def _about(request: HttpRequest, found: GapAnswer) -> dict[str, Any]:
    """What the page of a clause shows beside its form."""
    assessment = found.assessment
    order = answers_of(assessment)
    at = order.index(found)
    former = assessment.former()
    keys = [found.clause]
    if former and former.edition != assessment.edition:
        keys = [ref.key for ref in found.mapped.refs]
    before = (
        sorted(
            former.answers.filter(clause__in=keys).select_related("answered_by"),
            key=lambda each: each.ref,
        )
        if former
        else []
    )
    evidence = contributions.evidence_for(assessment.edition, request.user)
    own = assessment.number
    records = [
        line
        for line in evidence.get(found.ref.number, [])
        if line.record_number != own and line.url
    ]
    links = links_of([found]).get(found.pk, [])
    return {
        "answer": found,
        "assessment": assessment,
        "clause": found.about,
        "mapped": found.mapped if assessment.delta_from else None,
        "ask_copy": workflow.asks_for_own_copy(found, assessment),
        "order": order,
        "previous": order[at - 1] if at else None,
        "following": order[at + 1] if at + 1 < len(order) else None,
        "position": at + 1,
        "total": len(order),
        "former": former,
        "before": before,
        "links": links,
        "shown": list(shown(links, request.user).values()),
        "records": records[:RECORDS_SHOWN],
        "more_records": max(0, len(records) - RECORDS_SHOWN),
        "actions": workflow.actions_by_answer([found]).get(found.pk, []),
        "may_answer": may_answer(assessment, request.user),
        "cancel_url": assessment.get_absolute_url(),
    }


@needs("gap.view_assessment")
def answer_find(request: HttpRequest, pk: int) -> HttpResponse:
    """What the search finds for a word, ready to be ticked as evidence."""
    pages.find(request, GapAnswer.objects, pk=pk)
    query = request.GET.get("another", "").rpartition(",")[2].strip()
    hits = EVIDENCE.found_by(query, request.user)[:12]
    return render(request, "gap/found.html", {"hits": hits, "query": query})
