"""Looking for the cause with a method, and the full 8D: kept beside the case, by who answers it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied

from capa import whys as chain
from capa.models import CauseAnalysis, EightD, EightDMember, Nonconformity
from capa.workflow.details import LONGEST
from capa.workflow.nonconformities import not_its_owner, only_who_answers
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


def it_was_begun(eight_d: EightD, by: Any) -> str | None:
    if eight_d.omitted_because:
        return "It was decided that it needs no 8D; begin it first."
    return None


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
    known = EightD.objects.select_for_update(of=("self",)).filter(nonconformity=nc).first()
    if known is not None and not known.omitted_because:
        raise Refused("Somebody began its 8D already; go on with that one.")
    if foreign := set(parts) - set(EightD.PARTS):
        raise Refused(f"An 8D has no {', '.join(sorted(foreign))}.")
    eight_d: EightD = known or EightD(nonconformity=nc, created_by=by)
    eight_d.leader, eight_d.omitted_because = leader, ""
    for name, said in parts.items():
        setattr(eight_d, name, said)
    if known is None:
        eight_d.save()
    else:
        eight_d.save_because("It is answered as an 8D all the same.", by=by)
    choose_team(eight_d, members, by=by)
    return eight_d


@creates(EightD, permission="capa.omit_eightd")
def omit_8d(nonconformity: Nonconformity, *, by: Person, because: str) -> EightD:
    """Decide that a serious case is closed without an 8D, for a reason that is kept."""
    nc: Nonconformity = Nonconformity._base_manager.select_for_update(of=("self",)).get(
        pk=nonconformity.pk
    )
    if not_its_owner(nc, by):
        raise PermissionDenied("The owner of a case does not decide that it needs no 8D.")
    if nc.is_settled:
        raise Refused("It is settled; open it again first.")
    if not nc.asks_for_8d:
        raise Refused("It is neither major nor serious; no 8D is asked for.")
    if EightD.objects.filter(nonconformity=nc).exists():
        raise Refused("Its 8D was begun, or it was decided already that it needs none.")
    if not because.strip():
        raise Refused("Say why it needs no 8D; the reason is kept.", field="because")
    if len(because) > LONGEST:
        raise Refused(f"Say it in up to {LONGEST} characters.", field="because")
    eight_d = EightD(nonconformity=nc, omitted_because=because.strip(), created_by=by)
    eight_d.save()
    return eight_d


def may_omit_8d(nc: Nonconformity, by: Any) -> bool:
    """Whether somebody may decide now that it needs no 8D."""
    may = by.has_perm("capa.omit_eightd") and nc.asks_for_8d and not nc.is_settled
    return bool(may and getattr(nc, "eight_d", None) is None and not not_its_owner(nc, by))


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
    guards=[its_case_is_open, it_was_begun],
)
