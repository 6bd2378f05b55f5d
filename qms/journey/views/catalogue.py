"""The clause catalogue: both editions as a tree, one clause, the mapping between them."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from qms import clauses, contributions, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.clauses import EDITIONS, ClauseRef
from qms.journey import catalogue
from qms.refusals import Refused
from qms.scope.models import Organisation

RECORDS_SHOWN = 12


def editions() -> tuple[str, str]:
    """(the edition worked to, the one being prepared or empty)."""
    organisation = Organisation.objects.current()
    if organisation is None:
        return EDITIONS[1], ""
    return organisation.edition, organisation.preparing


def _tabs(shown: str, own: str, preparing: str) -> list[tuple[str, str, bool]]:
    order = [own, clauses.other_edition(own)]
    said = {own: "worked to", preparing: "being prepared"}
    return [
        (
            f"{clauses.standard(each)}{f' · {said[each]}' if each in said else ''}",
            reverse("journey:clause_list", args=[each]),
            each == shown,
        )
        for each in order
    ]


@needs(ANYONE_SIGNED_IN)
def clauses_home(request: HttpRequest) -> HttpResponse:
    """The catalogue of the edition the organisation works to."""
    return clause_list(request, editions()[0])


@needs(ANYONE_SIGNED_IN)
def clause_list(request: HttpRequest, edition: str) -> HttpResponse:
    """Every clause of an edition as a tree, or what a search finds."""
    if edition not in EDITIONS:
        raise Http404("There is no such edition.")
    own, preparing = editions()
    query = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:100]
    found, meant = catalogue.find(query, edition) if query else ((), "")
    context = {
        "title": "Clauses",
        "edition": edition,
        "other": clauses.other_edition(edition),
        "tabs": _tabs(edition, own, preparing),
        "tree": catalogue.tree(edition),
        "assessable": len(clauses.clauses(edition, assessable=True)),
        "query": query,
        "meant": meant,
        "found": [(each, catalogue.change_of(each.ref)) for each in found],
    }
    return pages.respond(
        request, "journey/clause_list.html", "journey/clause_list.html#found", context
    )


@needs(ANYONE_SIGNED_IN)
def clause_detail(request: HttpRequest, edition: str, number: str) -> HttpResponse:
    """One clause: what it means, what must be documented, what shows it, what changed."""
    try:
        ref = ClauseRef(edition, number)
        clause = clauses.clause(ref)
    except Refused as refusal:
        raise Http404(str(refusal)) from refusal
    before, after = catalogue.neighbours(ref)
    change = catalogue.change_of(ref)
    context: dict[str, Any] = {
        "title": str(clause),
        "clause": clause,
        "own": editions()[0],
        "standard": clauses.standard(edition),
        "above": catalogue.above(ref),
        "below": clauses.children(ref),
        "before": before,
        "after": after,
        "change": change,
        "counterparts": [clauses.clause(each) for each in change.mapped.refs],
        **_records(request, edition, number),
    }
    return pages.respond(
        request, "journey/clause_detail.html", "journey/clause_detail.html", context
    )


def _records(request: HttpRequest, edition: str, number: str) -> dict[str, Any]:
    """Every record of ours that serves the clause, or lies below it, as the person may see it."""
    lines = contributions.evidence_for(edition, request.user)
    inside = ClauseRef(edition, number)
    rows = [
        line
        for key, each in lines.items()
        if ClauseRef(edition, key).is_within(inside)
        for line in each
    ]
    return {"records": rows[:RECORDS_SHOWN], "more_records": max(0, len(rows) - RECORDS_SHOWN)}


@needs(ANYONE_SIGNED_IN)
def clause_mapping(request: HttpRequest) -> HttpResponse:
    """The mapping between the editions, both ways: what is to be assessed again, what is not."""
    source = request.GET.get("from", EDITIONS[0])
    if source not in EDITIONS:
        raise Http404("There is no such edition.")
    rows = catalogue.mapping(source)
    kinds = {kind: words for kind, (words, _tone) in catalogue.KIND_WORDS.items()}
    only = request.GET.get("kind", "")
    counted = [
        (kind, words, sum(r.change.mapped.kind == kind for r in rows))
        for kind, words in kinds.items()
    ]
    context = {
        "title": "From one edition to the other",
        "source": source,
        "target": clauses.other_edition(source),
        "rows": [row for row in rows if only in ("", row.change.mapped.kind)],
        "counted": [each for each in counted if each[2]],
        "only": only,
        "total": len(rows),
    }
    return pages.respond(
        request, "journey/clause_mapping.html", "journey/clause_mapping.html", context
    )
