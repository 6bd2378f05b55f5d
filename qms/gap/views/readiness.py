"""Readiness: what can be shown for each clause at the end of any day, on screen and on paper."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse

from qms import clauses, contributions, pages, pdf
from qms.access import needs
from qms.gap import readiness
from qms.gap.forms import ReadinessForm
from qms.periods import today
from qms.refusals import Refused
from qms.scope.models import Organisation

PRINT = "gap/readiness_print.html"


@needs("gap.view_assessment")
def show(request: HttpRequest) -> HttpResponse:
    """Every clause with what proves it or what stands in the way."""
    form = ReadinessForm(request.GET or None, by=request.user)
    day, edition, problem = _asked(form)
    found = readiness.readiness(edition, day, request.user)
    printing = request.GET.get("print") == "1"
    organisation = Organisation.objects.current()
    first = readiness.first_day()
    asked = request.GET.get("only", "")
    only = asked if asked in readiness.WORDS else ""
    context: dict[str, Any] = {
        "title": "Readiness",
        "found": found,
        "chapters": [each for each in found.chapters() if _any_of(each, only)],
        "counts": found.counts,
        "day": day,
        "today": today(),
        "first": first,
        "problem": problem,
        "editions": clauses.EDITIONS,
        "standard": clauses.standard(edition),
        "preparing": organisation.preparing if organisation else "",
        "only": only,
        "base": "layouts/print.html" if printing else "base.html",
        "query": f"on={day.isoformat()}&edition={edition}",
    }
    return pages.respond(request, "gap/readiness.html", "gap/readiness.html", context)


def _any_of(chapter: readiness.Chapter, status: str) -> bool:
    return not status or any(row.status == status for row in chapter.rows)


@needs("gap.view_assessment")
def as_pdf(request: HttpRequest) -> HttpResponse:
    """The same on paper."""
    day, edition, problem = _asked(ReadinessForm(request.GET or None, by=request.user))
    if problem:
        return pages.refused(request, Refused(problem))
    found = readiness.readiness(edition, day, request.user)
    organisation = Organisation.objects.current()
    if organisation is None:
        return pages.refused(
            request, Refused("Set up the organisation first; paper bears its name.")
        )
    context = contributions.letterhead(
        organisation,
        kind="Readiness",
        title=f"What the records show for {clauses.standard(edition)}",
        number="",
        found=found,
        chapters=found.chapters(),
        signatures=[],
        marking="Computed from the records; no judgement of a certification body.",
        printed=f"As of the end of {day:%-d %B %Y}.",
        facts=[(words, f"{count} clauses") for _key, words, count, _tone in found.counts],
    )
    content = pdf.render(PRINT, context, paper=context["paper"])
    return pages.send_pdf(content, f"readiness-{edition}-{day.isoformat()}")


def _asked(form: ReadinessForm) -> tuple[date, str, str]:
    """(day, edition, what was wrong with the question): a wrong one is answered for today."""
    usual = today()
    if not form.is_bound:
        return usual, readiness.edition_in_use(), ""
    if not form.is_valid():
        return usual, readiness.edition_in_use(), "Give a day like 2026-11-23 and an edition."
    day = form.cleaned_data["on"] or usual
    edition = form.cleaned_data["edition"] or readiness.edition_in_use(day)
    if day > usual:
        return usual, edition, "What will be on record nobody knows yet. This is today."
    return day, edition, ""
