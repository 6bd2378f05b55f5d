"""Questions worth asking in an audit, from what the records say of its process (9.2.2).

What the catalogue asks for its clauses stands in the checklist already. Here stand the process
sheet, the documents in force, what was found before, open risks, signals of indicators, templates
and the questions of the last audit; never an answer. Each says where it comes from.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from audits.models import Audit, ChecklistItem, ChecklistTemplate, Finding
from capa.models import Nonconformity
from documents.models import Document, Revision
from qms import contributions
from qms.contributions import AuditQuestion
from qms.periods import add_months
from qms.risks.models import Risk
from qms.scope.models import Flow, Process

Source = ChecklistItem.Source
LOOK_BACK_MONTHS = 24
MOST_OF_A_SOURCE = 40
SHORT = 120
Asked = Iterator[AuditQuestion]


@dataclass(frozen=True)
class Proposed:
    """A question that may be taken over, with where it comes from."""

    source: str
    words: str
    origin: str
    url: str = ""
    clause: str = ""
    is_pressing: bool = False

    @property
    def key(self) -> str:
        """How a page names it: the same while it asks the same."""
        return hashlib.sha256(f"{self.source}\n{self.words}".encode()).hexdigest()[:20]


def proposed_for(audit: Audit, person: Any) -> list[Proposed]:
    """What an audit may ask beside its checklist, by source, the pressing questions first.

    Only what the person may see is asked about. The same records give the same questions.
    """
    asked = {_plain(words) for words in audit.items.values_list("question", flat=True)}
    found: list[Proposed] = []
    for source, rows in _sources(audit, person):
        new = []
        for each in rows:
            if _plain(each.words) not in asked:
                asked.add(_plain(each.words))
                new.append(
                    Proposed(
                        source, each.words, each.origin, each.url, each.clause, each.is_pressing
                    )
                )
        found += sorted(new, key=lambda each: not each.is_pressing)[:MOST_OF_A_SOURCE]
    return found


def _plain(words: str) -> str:
    return " ".join(words.casefold().split())


def _sources(audit: Audit, person: Any) -> Iterator[tuple[str, Asked]]:
    process = audit.process
    before = _audit_before(audit)
    last = before.planned_on if before else add_months(audit.planned_on, -12)
    since = add_months(audit.planned_on, -LOOK_BACK_MONTHS)
    if audit.is_theirs:
        return  # they bring their own questions
    if process is None:
        cases = Nonconformity.objects.visible_to(person).filter(provider=audit.provider)
        yield Source.FINDING, _of_cases(cases, since, last)
        yield Source.TEMPLATE, _of_templates(audit, person)
        yield Source.LAST, _of_the_last(before, audit, person)
        return
    yield Source.FINDING, _of_findings(process, since, last, person)
    yield Source.RISK, _of_risks(process, person)
    yield Source.SIGNAL, iter(contributions.audit_questions(process, last, person))
    yield Source.DOCUMENT, _of_documents(process, last, person)
    yield Source.SHEET, _of_the_sheet(process)
    yield Source.TEMPLATE, _of_templates(audit, person)
    yield Source.LAST, _of_the_last(before, audit, person)


def _audit_before(audit: Audit) -> Audit | None:
    """The last audit of the same that was reported before this one."""
    if audit.provider_id:
        rows = Audit.objects.filter(provider=audit.provider_id)
    else:
        rows = Audit.objects.ours().filter(process=audit.process_id)
    rows = rows.filter(issued_on__isnull=False)
    rows = rows.exclude(pk=audit.pk).filter(conducted_on__lte=audit.planned_on)
    found: Audit | None = rows.order_by("-conducted_on", "-pk").first()
    return found


def _short(text: str) -> str:
    """The beginning of a text, without the full stop a question goes on after."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= SHORT else line[: SHORT - 1].rstrip() + "…"


def _of_findings(process: Process, since: date, last: date, person: Any) -> Asked:
    """Nonconformities of the process from wherever they came, and what audits remarked.

    Pressing is what is open, was a major, or came since the last audit, which saw the rest.
    """
    cases = Nonconformity.objects.visible_to(person).filter(process=process)
    yield from _of_cases(cases, since, last)
    yield from _of_remarks(process, since, last, person)


def _of_cases(cases: Any, since: date, last: date) -> Asked:
    rows = cases.filter(detected_on__gte=since).exclude(status="void")
    for nc in rows.order_by("-detected_on", "-pk")[:MOST_OF_A_SOURCE]:
        ended = "does it hold" if nc.is_settled else "how far is it"
        yield AuditQuestion(
            f"{nc.number}, “{_short(nc.title)}”: was what was decided done, and {ended}?",
            f"{nc.number}, {nc.get_source_display().lower()}, {nc.get_status_display().lower()}",
            nc.get_absolute_url(),
            nc.clause,
            not nc.is_settled or nc.grade == nc.Grade.MAJOR or nc.detected_on >= last,
        )


def _of_remarks(process: Process, since: date, last: date, person: Any) -> Asked:
    remarks = Finding.objects.visible_to(person).released().standing()
    remarks = remarks.filter(
        audit__process=process,
        stands__in=("observation", "opportunity"),
        audit__issued_on__gte=since,
    )
    for each in remarks.select_related("audit").order_by("-audit__issued_on", "position"):
        yield AuditQuestion(
            f"Finding {each.number}, “{_short(each.title)}”: what came of it?",
            f"Finding {each.number}, {Finding.Grade(each.stands).label.lower()}",
            each.get_absolute_url(),
            each.clause,
            each.stands == Finding.Grade.OBSERVATION and each.audit.issued_on >= last,
        )


def _of_risks(process: Process, person: Any) -> Asked:
    rows = Risk.objects.visible_to(person).open().filter(process=process)
    for risk in rows.order_by("-score", "number"):
        yield AuditQuestion(
            f"{risk.number}, “{_short(risk.title)}”: is what was decided against it done, and does"
            " it work?",
            f"{risk.number}, {risk.level.lower()} risk" if risk.level else risk.number,
            risk.get_absolute_url(),
            is_pressing=risk.is_high,
        )


def _of_documents(process: Process, last: date, person: Any) -> Asked:
    """Which revision is in use, and which records are kept; a restricted title is not told."""
    rows = Revision.objects.visible_to(person).filter(
        document__process=process, status=Revision.Status.EFFECTIVE
    )
    for each in rows.select_related("document").order_by("document__number"):
        document = each.document
        named = f"{document.number}, “{document.title}”" if document.is_open else document.number
        new = each.effective_from is not None and each.effective_from > last
        yield AuditQuestion(
            f"{named}: is revision {each.label} the one in use at the place of work, and is the"
            " work done as it says?",
            f"{document.number}, revision {each.label}"
            + (f", new since {last:%-d %B %Y}" if new else ""),
            each.get_absolute_url(),
            is_pressing=new,
        )
        if document.kind == Document.Kind.FORM:
            yield AuditQuestion(
                f"{named}: show three records made with it in the last three months. Are they"
                " whole, legible and to be found?",
                f"{document.number}, records",
                document.get_absolute_url(),
            )


def _of_the_sheet(process: Process) -> Asked:
    """Inputs and outputs, criteria, resources, as the process sheet states them."""
    url, origin = process.get_absolute_url(), f"Sheet of {process.code}"
    flows = Flow.objects.live().with_ends()
    for flow in flows.filter(target=process).order_by("what", "pk"):
        words = f"“{flow.what}”" + (f" from {flow.giver}" if flow.giver else "")
        yield AuditQuestion(
            f"{words}: does it come in complete and in time, and what happens when it does not?",
            f"{origin}, input",
            url,
            is_pressing=not flow.giver,
        )
    for flow in flows.filter(source=process).order_by("what", "pk"):
        words = f"“{flow.what}”" + (f" for {flow.receiver}" if flow.receiver else "")
        yield AuditQuestion(
            f"{words}: who checks that it is as it should be before it leaves, and what shows it?",
            f"{origin}, output",
            url,
            is_pressing=not flow.receiver,
        )
    if process.criteria.strip():
        yield AuditQuestion(
            f"“{_short(process.criteria)}”: show that the work keeps to these criteria.",
            f"{origin}, criteria and methods",
            url,
        )
    if process.resources.strip():
        yield AuditQuestion(
            f"“{_short(process.resources)}”: are these resources there, and fit for the work?",
            f"{origin}, resources",
            url,
        )


def _of_templates(audit: Audit, person: Any) -> Asked:
    kind = audit.process.kind if audit.process else ""
    rows = ChecklistTemplate.objects.visible_to(person).fitting(kind, audit.edition)
    for template in rows.order_by("name"):
        for clause, words in template.lines():
            yield AuditQuestion(
                words,
                f"Template “{template.name}”",
                template.get_absolute_url(),
                clause,
                bool(kind) and template.process_kind == kind,
            )


def _of_the_last(before: Audit | None, audit: Audit, person: Any) -> Asked:
    """The questions of the last audit, never its answers; what its facts brought comes anew."""
    if before is None or not Audit.objects.visible_to(person).filter(pk=before.pk).exists():
        return
    kept = (Source.CLAUSE, Source.OWN, Source.TEMPLATE, Source.LAST, "")
    for item in before.items.filter(source__in=kept).order_by("position"):
        same = item.clause.startswith(f"{audit.edition}:")
        yield AuditQuestion(
            item.question,
            f"{before.number}, question {item.position}",
            before.get_absolute_url(),
            item.clause if same else "",
        )
