"""Reading everything a pack needs in one snapshot of the database, into a plan of plain values.

What the worker draws and writes afterwards comes from the plan alone, so a pack that takes minutes
still shows one instant. The chapters say what belongs to it (`qms.contributions`).
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils.text import slugify

from qms import clauses, contributions, pdf
from qms.contributions import GAP, ClauseLine, RecordPrint, Section
from qms.files.models import Attachment
from qms.files.workflow import attachments_of, missing
from qms.listing import harmless
from qms.pack import layout, shelf
from qms.pack.models import Pack
from qms.periods import Period, zone
from qms.records import Numbered
from qms.scope.models import Organisation, Process, ScopeStatement, Site
from qms.signing.models import Signature

SIGNATURES = ("Record", "Version", "Meaning", "Signed by", "Signed at", "How", "SHA-256 of content")
INDEX = ("Clause", "Title", "Status", "What is shown", "Number", "Checked by", "Checked on")
PART = "pack/section_print.html"
STAYS_INSIDE = "It is not open to everybody and was not asked for in this pack."


# One snapshot ------------------------------------------------------------------------------


@contextmanager
def snapshot() -> Iterator[datetime]:
    """One consistent, read-only view of the database; gives its instant by the database's clock."""
    if connection.in_atomic_block:
        raise RuntimeError("A snapshot is taken outside every transaction.")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT qms_now()")
            (moment,) = cursor.fetchone()
        yield moment


def gather(pack: Pack, folder: str, *, requested_by: str) -> datetime:
    """Write the plan of a pack into `folder` and return the instant everything was read at."""
    with snapshot() as as_of:
        plan = read(pack, folder, as_of)
    plan["requested_by"] = requested_by
    shelf.put_json(f"{folder}/plan.json", plan)
    return as_of


def read(pack: Pack, folder: str, as_of: datetime) -> dict[str, Any]:
    """The plan: organisation, sections, records, files, registers, clause index, what is left out.

    HTML and registers are written beside it, so that the plan stays small.
    """
    return _Reader(pack, folder, as_of).plan()


class _Reader:
    """What is being gathered for one pack."""

    def __init__(self, pack: Pack, folder: str, as_of: datetime) -> None:
        self.pack, self.folder, self.as_of = pack, folder, as_of
        self.period = pack.period
        self.takes = layout.TAKES[pack.preset]
        self.organisation = Organisation.objects.current()
        self.names = Names()
        self.parts: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []
        self.missing: list[dict[str, str]] = []

    def plan(self) -> dict[str, Any]:
        index = clause_index(self.edition)
        registers = self._registers(index)
        sections = self._sections()
        self._records()
        held_back = [
            {"folder": each.folder, "what": each.name, "why": each.why}
            for each in contributions.withheld_in(self.period, self.as_of)
            if each.folder in self.takes
        ] + self._not_asked_for()
        filled = {part["folder"] for part in self.parts}
        return {
            "pack": self.pack.number,
            "preset": self.pack.preset,
            "title": self.pack.title,
            "period": [self.period.start.isoformat(), self.period.end.isoformat()],
            "period_words": str(self.period),
            "as_of": self.as_of.isoformat(),
            "as_of_words": f"{self.as_of.astimezone(zone()):%-d %B %Y, %H:%M:%S %Z}",
            "replaces": self.pack.replaces.number if self.pack.replaces else "",
            "accepted_because": self.pack.accepted_because,
            "edition": clauses.standard(self.edition),
            "paper": self.paper,
            "organisation": self._organisation(),
            "index": index,
            "sections": sections,
            "parts": sorted(self.parts, key=lambda part: part["path"]),
            "files": sorted(self.files, key=lambda file: file["path"]),
            "missing": self.missing,
            "held_back": held_back,
            "registers": registers,
            "left_out": layout.not_taken(self.pack.preset, filled),
        }

    @property
    def edition(self) -> str:
        return edition_in_use(self.organisation)

    @property
    def paper(self) -> str:
        return self.organisation.paper if self.organisation else "A4"

    def _organisation(self) -> dict[str, Any]:
        statement = ScopeStatement.objects.approved().select_related("approved_by").first()
        sites = Site.objects.filter(status=Site.Status.ACTIVE).order_by("name")
        outsourced = Process.objects.active().filter(is_outsourced=True).order_by("code")
        return {
            "name": self.organisation.name if self.organisation else "",
            "headcount": self.organisation.headcount if self.organisation else 0,
            "sites": [[s.name, s.address, s.headcount, s.shifts] for s in sites],
            "outsourced": [str(process) for process in outsourced],
            "scope": statement.statement if statement else "",
            "scope_number": statement.number if statement else "",
            "scope_approved": f"{statement.approved_by}, {statement.approved_on:%-d %B %Y}"
            if statement and statement.approved_on
            else "",
        }

    # Sections and records

    def _sections(self) -> list[dict[str, Any]]:
        found = []
        for at, section in enumerate(contributions.sections()):
            if section.folder not in self.takes or not self._asked_for(section):
                continue
            body = render_to_string(section.template, section.gather(self.period, self.as_of))
            numbers = list(section.clauses)
            found.append(
                {
                    "folder": section.folder,
                    "title": section.title,
                    "clauses": numbers,
                    "anchor": f"s{at}",
                    "html": body,
                }
            )
            context = {
                "organisation": self.organisation.name if self.organisation else "",
                "kind": f"{section.folder[:2]} {layout.FOLDERS[section.folder]}",
                "title": section.title,
                "clauses": ", ".join(numbers),
                "period": str(self.period),
                "body": body,
            }
            self._part(section.folder, f"00-{slugify(section.title)}", section.title, context, PART)
        return found

    def _asked_for(self, section: Section) -> bool:
        return not section.permission or section.title in self.pack.extras

    def _not_asked_for(self) -> list[dict[str, str]]:
        """Sections that stay inside, as the cover says it."""
        return [
            {"folder": each.folder, "what": each.title, "why": STAYS_INSIDE}
            for each in contributions.restricted_sections()
            if each.folder in self.takes and not self._asked_for(each)
        ]

    def _records(self) -> None:
        for kind in contributions.prints():
            if kind.folder not in self.takes:
                continue
            chosen = list(kind.select(self.period, self.as_of))
            attached = files_of(kind, [record for record, _ in chosen])
            for record, name in chosen:
                context = kind.context(record, self.as_of)
                title = f"{name} {context.get('title', '')}".strip()
                self._part(kind.folder, name, title, context, kind.template, level=2)
                for attachment in attached.get(record.pk, []):
                    self._file(kind, name, attachment)

    def _part(
        self,
        folder: str,
        name: str,
        title: str,
        context: dict[str, Any],
        template: str,
        *,
        level: int = 1,
    ) -> None:
        html = pdf.html_of(template, context)
        key = f"{self.folder}/{len(self.parts):05d}.html"
        shelf.put(key, html.encode())
        self.parts.append(
            {
                "folder": folder,
                "path": self.names.free(f"{folder}/{safe(name)}.pdf"),
                "title": title,
                "level": level,
                "name": name if level > 1 else "",
                "html": key,
                "fingerprint": pdf.fingerprint(html, paper=self.paper),
            }
        )

    def _file(self, kind: RecordPrint, record: str, attachment: Attachment) -> None:
        what = f"{attachment.name} of {record}"
        if why := missing(attachment):
            self.missing.append({"what": what, "why": why})
            return
        self.files.append(
            {
                "path": self.names.free(
                    f"{kind.folder}/files/{safe(record)}/{safe(attachment.name)}"
                ),
                "title": attachment.caption or attachment.name,
                "record": record,
                "blob": attachment.blob.path,
                "sha256": attachment.blob.sha256,
                "size": attachment.blob.size,
            }
        )

    # Registers

    def _registers(self, index: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        found = [
            self._register("90-registers", each.name, each.title, each.columns, rows)
            for each in contributions.registers()
            if (rows := [tuple(row) for row in each.rows(self.period, self.as_of)]) is not None
        ]
        found.append(
            self._register("01-clause-index", "clause-index", "Clause index", INDEX, flat(index))
        )
        signatures = list(signature_rows(self.period, self.as_of))
        found.append(
            self._register(
                "99-integrity", "signatures", "Signatures of the period", SIGNATURES, signatures
            )
        )
        return found

    def _register(
        self,
        folder: str,
        name: str,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
    ) -> dict[str, Any]:
        files = []
        for ending, content in (
            ("csv", as_csv(columns, rows)),
            ("xlsx", as_xlsx(title, columns, rows, self.as_of)),
        ):
            key = f"{self.folder}/{name}.{ending}"
            shelf.put(key, content)
            files.append({"path": self.names.free(f"{folder}/{name}.{ending}"), "key": key})
        return {
            "folder": folder,
            "name": name,
            "title": title,
            "population": len(rows),
            "files": files,
        }


# Names -------------------------------------------------------------------------------------


class Names:
    """Paths that stay different where capital and small letters are the same."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def free(self, path: str) -> str:
        """The path, or one that differs by a number."""
        stem, dot, ending = path.rpartition(".")
        if not dot or "/" in ending:
            stem, ending = path, ""
        candidate, count = path, 1
        while candidate.casefold() in self.taken:
            count += 1
            candidate = f"{stem}-{count}{dot}{ending}" if dot else f"{stem}-{count}"
        self.taken.add(candidate.casefold())
        return candidate


def safe(name: Any) -> str:
    """A name that is a file name everywhere: letters, digits, and a few signs."""
    text = unicodedata.normalize("NFC", str(name))
    text = re.sub(r"[^\w.()+ -]", "-", text).strip(" .-") or "file"
    return text[:100]


# Files -------------------------------------------------------------------------------------


def files_of(kind: RecordPrint, records: Sequence[Any]) -> dict[int, list[Attachment]]:
    """What is attached to records of one kind and to what they bring, by the record's key."""
    found: dict[int, list[Attachment]] = {}
    if not records:
        return found
    for each in attachments_of(*records):
        found.setdefault(each.record_id, []).append(each)
    parts: dict[type[Any], dict[int, tuple[int, Any]]] = {}
    for record, part in kind.brings(records):
        parts.setdefault(type(part), {})[part.pk] = (record.pk, part)
    for whole in parts.values():
        for each in attachments_of(*(part for _, part in whole.values())):
            found.setdefault(whole[each.record_id][0], []).append(each)
    return found


def missing_files(pack: Pack) -> list[dict[str, str]]:
    """Attachments of this pack whose content is not in the storage (a quick look, no reading)."""
    found, place = [], shelf.place()
    takes = layout.TAKES[pack.preset]
    for kind in contributions.prints():
        if kind.folder not in takes:
            continue
        chosen = list(kind.select(pack.period, pack.as_of))
        names = {record.pk: name for record, name in chosen}
        for key, attached in files_of(kind, [record for record, _ in chosen]).items():
            found += [
                {"what": f"{each.name} of {names[key]}", "url": each.get_absolute_url()}
                for each in attached
                if not place.exists(each.blob.path)
            ]
    return found


# The clause index --------------------------------------------------------------------------


def edition_in_use(organisation: Organisation | None) -> str:
    """The edition the organisation works to; the latest before it is set up."""
    return organisation.edition if organisation else clauses.EDITIONS[-1]


def clause_index(edition: str) -> list[dict[str, Any]]:
    """Every clause that can be assessed, with what is shown for it and its status.

    "evidence" needs a person and a day; a gap that somebody named stays a gap until it is closed;
    what was left out of the scope says why. Never a score.
    """
    shown = contributions.evidence_for(edition)
    left_out = _not_applicable(edition)
    return [_row(clause, shown, left_out) for clause in clauses.clauses(edition, assessable=True)]


def _not_applicable(edition: str) -> dict[str, str]:
    statement = ScopeStatement.objects.approved().first()
    lines = statement.left_out() if statement else []
    return {
        ref.number: line.justification
        for line in lines
        if (ref := clauses.ClauseRef.parse(line.clause)).edition == edition
    }


def _row(
    clause: clauses.Clause, shown: dict[str, list[ClauseLine]], left_out: dict[str, str]
) -> dict[str, Any]:
    above = clause.number.split(".")
    numbers = [".".join(above[:n]) for n in range(len(above), 0, -1)]
    lines = [line for number in numbers for line in shown.get(number, [])]
    why = next((left_out[number] for number in numbers if number in left_out), "")
    return {
        "number": clause.number,
        "title": clause.title,
        "status": status_of(lines, why),
        "why": why,
        "lines": [
            {
                "kind": line.kind,
                "title": line.title,
                "record": line.record_number,
                "person": line.person,
                "day": line.day.isoformat() if line.day else "",
                "day_words": f"{line.day:%-d %b %Y}" if line.day else "",
                "open": line.kind == GAP,
            }
            for line in lines
        ],
    }


def status_of(lines: Sequence[ClauseLine], left_out_because: str) -> str:
    """ "not applicable", "gap" or "evidence"."""
    if left_out_because:
        return "not applicable"
    if any(line.kind == GAP for line in lines):
        return "gap"
    checked = any(line.person and line.day for line in lines)
    return "evidence" if checked else "gap"


def flat(index: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The clause index as rows of a register: one for each thing shown."""
    nothing = {"kind": "", "title": "", "record": "", "person": "", "day": ""}
    return [
        (
            row["number"],
            row["title"],
            row["status"],
            f"{line['kind']}: {line['title']}" if line["title"] else row["why"],
            line["record"],
            line["person"],
            date.fromisoformat(line["day"]) if line["day"] else None,
        )
        for row in index
        for line in row["lines"] or [nothing]
    ]


# Registers as files ------------------------------------------------------------------------


def signature_rows(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """Every signature given in the period, oldest first."""
    start, before = period.instants()
    rows = Signature.objects.filter(signed_at__gte=start, signed_at__lt=min(before, as_of))
    names = _names_of(rows.values_list("record_type_id", "record_id").distinct())
    for each in rows.order_by("pk"):
        yield (
            names.get((each.record_type_id, each.record_id), ""),
            each.record_version,
            each.meaning,
            each.printed_name,
            each.signed_at,
            each.get_method_display(),
            each.content_hash,
        )


def _names_of(keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """A record goes by its number: its title may be for its readers only."""
    by_kind: dict[int, list[int]] = {}
    for kind, key in keys:
        by_kind.setdefault(kind, []).append(key)
    found = {}
    for kind, record_keys in by_kind.items():
        model = ContentType.objects.get_for_id(kind).model_class()
        if model is None:
            continue
        rows = model._base_manager.filter(pk__in=record_keys)
        related = [f.name for f in model._meta.concrete_fields if f.name == "document"]
        for record in rows.select_related(*related) if related else rows:
            found[kind, record.pk] = record.number if isinstance(record, Numbered) else str(record)
    return found


def plain(value: Any) -> Any:
    """A value as a spreadsheet holds it; instants in the organisation's zone."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return value.astimezone(zone()).replace(tzinfo=None)
    if value is None or isinstance(value, int | float | Decimal | date):
        return value
    return str(value)


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A register as CSV (UTF-8 with its mark, so that a spreadsheet opens it right)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv(plain(value)) for value in row])
    return ("\ufeff" + buffer.getvalue()).encode()


def _csv(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return harmless(value) if isinstance(value, str) else value


def as_xlsx(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], as_of: datetime
) -> bytes:
    """A register as a workbook; the same rows and instant give the same bytes."""
    import xlsxwriter  # here, so that web pages do not pay for it

    target = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(target, options)
    book.set_properties({"title": title, "created": as_of.replace(tzinfo=None, microsecond=0)})
    sheet = book.add_worksheet("Register")
    head = book.add_format({"bold": True, "bottom": 1})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    day = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "valign": "top"})
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(columns):
        sheet.set_column(at, at, 28)
        sheet.write_string(0, at, column, head)
    for number, row in enumerate(rows, start=1):
        for at, value in enumerate(map(plain, row)):
            if isinstance(value, datetime):
                sheet.write_datetime(number, at, value, moment)
            elif isinstance(value, date):
                sheet.write_datetime(number, at, value, day)
            elif isinstance(value, str):
                sheet.write_string(number, at, value[:32_767], wrap)
            elif value is not None:
                sheet.write_number(number, at, value)
    sheet.autofilter(0, 0, max(1, len(rows)), len(columns) - 1)
    book.close()
    return target.getvalue()
