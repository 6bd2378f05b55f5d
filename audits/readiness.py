"""What the certification body will ask at a visit, with what can be shown or what is in the way.

Everything is read from the records by `qms.proofs`; there is no score, and nothing is ticked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse

from audits.models import Audit, BodyFinding, CertificationAudit, MarkUse
from audits.planning import applicable_clauses
from qms.clauses import same_in
from qms.periods import today
from qms.proofs import Blocker, Example, Proofs, proofs_for, seen_by
from qms.scope.models import Process

REPORTED = Audit.REPORTED
MOST_NAMED = 12
MOST_EXAMPLES = 6

SYSTEM = (
    ("The scope, with what does not apply and why", ("4.3",)),
    ("The processes and how they work together", ("4.4",)),
    ("The quality policy", ("5.2",)),
    ("Risks and opportunities", ("6.1",)),
    ("The quality objectives and their plans", ("6.2",)),
    ("The documents of the system", ("7.5",)),
)
CHECKED = (
    ("The internal audits", ("9.2",)),
    ("The management review", ("9.3",)),
)
AT_WORK = (
    ("Who is competent for what", ("7.2",)),
    ("Instruments that are fit for what they measure", ("7.1.5",)),
    ("External providers under control", ("8.4",)),
    ("How products and services are provided", ("8.1", "8.2", "8.3", "8.5", "8.6")),
    ("What was nonconforming, and what was done", ("8.7", "10.2")),
    ("How satisfied customers are", ("9.1.2",)),
)
KEPT_ALIVE = (
    ("What changed, and how it was planned", ("6.3",)),
    ("The quality objectives and what came of them", ("6.2",)),
    ("What was nonconforming, and what was done", ("8.7", "10.2")),
    ("How satisfied customers are", ("9.1.2",)),
)
ASKED = {
    "stage1": SYSTEM + CHECKED,
    "stage2": SYSTEM + AT_WORK + CHECKED,
    "surveillance": CHECKED + KEPT_ALIVE,
    "recertification": SYSTEM + AT_WORK + CHECKED,
    "special": (("What was nonconforming, and what was done", ("8.7", "10.2")),),
}


@dataclass(frozen=True)
class Asked:
    """One thing the body will ask for: what shows it, and what is in the way."""

    question: str
    counts: list[str]
    examples: list[Example]
    blockers: list[Blocker]


def asked_at(visit: CertificationAudit, as_of: datetime, person: Any) -> list[Asked]:
    """What the body will ask at a visit of this kind, with what this person may see."""
    edition = visit.certificate.edition
    proofs = proofs_for(edition, as_of)
    found = [
        _asked(question, _within(proofs, numbers), person)
        for question, numbers in ASKED[visit.kind]
    ]
    if visit.kind in ("stage2", "recertification"):
        found.insert(0, Asked("Every process and clause was audited", [], [], never(edition)))
    if visit.kind != "stage1":
        found.insert(0, _earlier(visit, person))
    if visit.kind in ("surveillance", "recertification"):
        found.append(_marks(visit, person))
    return found


def _marks(visit: CertificationAudit, person: Any) -> Asked:
    """Where the mark is shown, and what of it is overdue, wrong or to be taken down."""
    rows = MarkUse.objects.visible_to(person).in_use().filter(certificate=visit.certificate_id)
    uses = list(rows.select_related("certificate__body").order_by("place", "pk"))
    day = today()
    down = set(rows.to_take_down(day).values_list("pk", flat=True))
    blockers = [
        Blocker(f"{each.place}: {said}", each.get_absolute_url(), "Open")
        for each in uses
        if (said := _what_is_wrong(each, day, down))
    ]
    told = f"{len(uses)} use{'s' if len(uses) > 1 else ''} in the register"
    counts = [told if uses else "No use is entered"]
    return Asked("How the mark and the certificate are used", counts, [], blockers)


def _what_is_wrong(use: MarkUse, day: date, down: set[int]) -> str:
    if use.pk in down:
        return "it is to be taken down."
    if use.found == MarkUse.Found.WRONG:
        return "it is to be put right."
    if use.changed_since:
        return "it changed, or the certificate did, and nobody has compared them since."
    return "nobody has looked at it in time." if use.is_overdue(day) else ""


def _within(proofs: dict[str, list[Proofs]], numbers: Sequence[str]) -> list[Proofs]:
    """The proofs of these clauses and of those below them, each once."""
    found: dict[Proofs, None] = {}
    for number in sorted(proofs):
        if any(number == each or number.startswith(f"{each}.") for each in numbers):
            found |= dict.fromkeys(proofs[number])
    return list(found)


def _asked(question: str, proofs: Iterable[Proofs], person: Any) -> Asked:
    told = sorted(proofs, key=lambda each: each.rank)
    shown = [each for each in told if each.count]
    examples = seen_by((example for each in shown for example in each.examples), person)
    blockers = seen_by((blocker for each in told for blocker in each.blockers), person)
    most: dict[str, int] = {}
    for each in shown:
        most[each.what] = max(each.count, most.get(each.what, 0))
    if not shown and not blockers:
        nothing = Blocker("No record shows it yet.", reverse("readiness:show"), "See the readiness")
        blockers = [nothing]
    return Asked(
        question,
        [f"{count} {what}" for what, count in most.items()],
        list(dict.fromkeys(examples))[:MOST_EXAMPLES],
        list({each.sentence: each for each in blockers}.values()),
    )


def never(edition: str) -> list[Blocker]:
    """Each running process no audit was ever reported of, and the clauses none ever looked at."""
    audits = Audit.objects.counting().filter(status__in=REPORTED)
    missed = Process.objects.active().exclude(pk__in=audits.values("process_id"))
    add = reverse("audits:audit_create")
    found = [
        Blocker(f"{each.name} was never audited.", f"{add}?process={each.pk}", "Plan its audit")
        for each in missed.order_by("code")
    ]
    keys = {key for each in audits.values_list("clauses", flat=True) for key in each}
    looked = [ref for key in keys for ref in same_in(key, edition)]
    unseen = [
        ref.number
        for ref in applicable_clauses(edition)
        if not any(ref.is_within(other) for other in looked)
    ]
    if unseen:
        named = ", ".join(unseen[:MOST_NAMED])
        more = f" and {len(unseen) - MOST_NAMED} more" if len(unseen) > MOST_NAMED else ""
        sentence = f"No audit ever looked at {named}{more}."
        found.append(Blocker(sentence, reverse("audits:audit_list"), "Plan an audit"))
    return found


def _earlier(visit: CertificationAudit, person: Any) -> Asked:
    """What the body found before and has to look at again."""
    rows = BodyFinding.objects.visible_to(person).filter(
        visit__certificate__body=visit.certificate.body_id, visit__planned_on__lt=visit.planned_on
    )
    left = rows.open().exclude(status=BodyFinding.Status.VERIFIED).order_by("found_on", "pk")
    settled = rows.count() - left.count()
    return Asked(
        "What the body found before",
        [f"{settled} of {rows.count()} findings settled" if rows else "No finding is recorded"],
        [],
        [
            Blocker(
                f"{each.reference} is not settled: {each.get_status_display().lower()}.",
                each.get_absolute_url(),
                "Open",
            )
            for each in left
        ],
    )
