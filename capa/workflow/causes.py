"""Looking for the cause with a method, and the full 8D: kept beside the case, by who answers it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied

from capa import whys as chain
from capa.models import CauseAnalysis, EightD, EightDMember, Nonconformity
from capa.workflow.nonconformities import only_who_answers
from qms.links import set_links
from qms.people.models import Person
from qms.refusals import Refused
from qms.workflow import amendment, creates

ANSWER = "capa.answer_nonconformity"
LONGEST_CELL, MOST_CAUSES = 500, 12
COMPARED = {"asked", "is", "is_not", "so"}
ANALYSED_IN = (Nonconformity.Status.OPEN, Nonconformity.Status.CONTAINED)


def _held(nc: Nonconformity, by: Any) -> Nonconformity:
    """The case, locked; refused for whoever does not answer it."""
    locked: Nonconformity = Nonconformity._base_manager.select_for_update(of=("self",)).get(
        pk=nc.pk
    )
    if why := only_who_answers(locked, by):
        raise PermissionDenied(why)
    return locked


def it_is_being_looked_for(analysis: CauseAnalysis, by: Any) -> str | None:
    if analysis.nonconformity.status in ANALYSED_IN:
        return None
    return "Its cause is recorded already; open the case again to look for another."


def only_who_answers_its_case(record: CauseAnalysis | EightD, by: Any) -> str | None:
    return only_who_answers(record.nonconformity, by)


def tables_hold(analysis: CauseAnalysis, changed: Mapping[str, Any]) -> str | None:
    """What is wrong with the tables: a circle of whys, a category nobody knows, a long cell."""
    try:
        chain.check(changed.get("whys", analysis.whys))
    except Refused as refusal:
        return str(refusal)
    if why := _misshapen(changed, analysis):
        return why
    known = {name for names in CauseAnalysis.CATEGORIES.values() for name in names}
    fishbone = changed.get("fishbone", analysis.fishbone)
    if unknown := set(fishbone) - known:
        return f"There is no category {', '.join(sorted(unknown))}."
    if any(len(causes) > MOST_CAUSES for causes in fishbone.values()):
        return f"Up to {MOST_CAUSES} causes in one category; keep the likely ones."
    cells = [each for causes in fishbone.values() for each in causes]
    cells += [each["why"] for each in changed.get("whys", analysis.whys)]
    if any(len(each) > LONGEST_CELL for each in cells):
        return f"A why or a cause has up to {LONGEST_CELL} characters; put the rest in evidence."
    return None


def _misshapen(changed: Mapping[str, Any], analysis: CauseAnalysis) -> str | None:
    """What is wrong with the shape of the picture and of the comparing table."""
    fishbone = changed.get("fishbone", analysis.fishbone)
    if not isinstance(fishbone, dict) or not all(map(_all_words, fishbone.values())):
        return "The Ishikawa names each category with the list of its causes."
    table = changed.get("is_is_not", analysis.is_is_not)
    if not isinstance(table, list) or len(table) > len(CauseAnalysis.ASKED):
        return f"The table of is and is not has up to {len(CauseAnalysis.ASKED)} rows."
    if not all(isinstance(row, dict) and set(row) <= COMPARED for row in table):
        return "A row of is and is not has what was asked, is, is not and what differs."
    cells = [each for row in table for each in row.values()]
    if not _all_words(cells) or any(len(each) > LONGEST_CELL for each in cells):
        return f"A cell of is and is not is a text of up to {LONGEST_CELL} characters."
    return None


def _all_words(cells: Any) -> bool:
    """Whether it is a list of texts; long ones of the Ishikawa are told on their own."""
    return isinstance(cells, list) and all(isinstance(each, str) for each in cells)


@creates(CauseAnalysis, permission=ANSWER)
def begin_analysis(
    nonconformity: Nonconformity,
    *,
    by: Person,
    whys: list[chain.Row] | None = None,
    scheme: str = CauseAnalysis.Scheme.CLASSIC,
    fishbone: dict[str, list[str]] | None = None,
    is_is_not: list[dict[str, str]] | None = None,
) -> CauseAnalysis:
    """Begin to look for the cause of a case with a method."""
    nc = _held(nonconformity, by)
    if nc.status not in ANALYSED_IN:
        raise Refused("Its cause is recorded already; open the case again to look for another.")
    if CauseAnalysis.objects.filter(nonconformity=nc).exists():
        raise Refused("Somebody began its cause analysis already; go on with that one.")
    analysis = CauseAnalysis(
        nonconformity=nc,
        whys=whys or [],
        scheme=scheme or CauseAnalysis.Scheme.CLASSIC,
        fishbone=fishbone or {},
        is_is_not=is_is_not or [],
        created_by=by,
    )
    if why := tables_hold(analysis, {}):
        raise Refused(why, field="whys")
    analysis.save()
    return analysis


editing_analysis = amendment(
    CauseAnalysis,
    permission=ANSWER,
    fields=("whys", "scheme", "fishbone", "is_is_not"),
    only=only_who_answers_its_case,
    guards=[it_is_being_looked_for],
    checks=[tables_hold],
)


def whys_of(nc: Nonconformity) -> list[chain.Row]:
    """The chain of whys of a case, branch by branch, wherever it was written."""
    analysis: CauseAnalysis | None = getattr(nc, "cause_analysis", None)
    rows = (analysis.whys if analysis else []) or nc.whys
    return chain.in_order(chain.kept(rows))


# The full 8D


def its_case_is_open(eight_d: EightD, by: Any) -> str | None:
    return "Its case is settled." if eight_d.nonconformity.is_settled else None


@creates(EightD, permission=ANSWER)
def begin_8d(
    nonconformity: Nonconformity,
    *,
    by: Person,
    members: Iterable[Person] = (),
    leader: Person | None = None,
    **parts: str,
) -> EightD:
    """Answer a case as a full 8D: from then on it closes only when every part is there."""
    nc = _held(nonconformity, by)
    if nc.is_settled:
        raise Refused("It is settled; open it again first.")
    if EightD.objects.filter(nonconformity=nc).exists():
        raise Refused("Somebody began its 8D already; go on with that one.")
    if foreign := set(parts) - set(EightD.PARTS):
        raise Refused(f"An 8D has no {', '.join(sorted(foreign))}.")
    eight_d = EightD(nonconformity=nc, leader=leader, created_by=by, **parts)
    eight_d.save()
    choose_team(eight_d, members, by=by)
    return eight_d


def choose_team(eight_d: EightD, members: Iterable[Person], *, by: Person) -> bool:
    """Make `members` exactly its team beside the leader; returns whether anything changed."""
    owner = {"eight_d": eight_d}
    return set_links(EightDMember, owner=owner, target="person", targets=members, by=by)


def team_of(eight_d: EightD) -> list[Person]:
    """The leader first, then the members by name."""
    links = EightDMember.objects.live().filter(eight_d=eight_d).select_related("person")
    members = sorted((each.person for each in links), key=lambda person: person.name)
    leader = [eight_d.leader] if eight_d.leader else []
    return [*leader, *(each for each in members if each not in leader)]


editing_8d = amendment(
    EightD,
    permission=ANSWER,
    fields=("leader", *EightD.PARTS),
    only=only_who_answers_its_case,
    guards=[its_case_is_open],
)
