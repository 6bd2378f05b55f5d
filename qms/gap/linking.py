"""From what people have at hand, an address or a number, to the record that is evidence.

Whatever the search finds can be linked, so a chapter needs to do nothing for it. What a person may
not see cannot be found here either (ISO 9001 7.5.3).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.urls import NoReverseMatch, Resolver404, resolve

from qms.contributions import Hit, search_everywhere
from qms.gap.models import EvidenceLink, GapAnswer
from qms.records import Record
from qms.refusals import Refused

MOST_LINKS = 20
FOUND_OF_A_KIND = 5
NO_EVIDENCE = ("gap",)  # an assessment is no evidence for itself
NAMED_BY = ("document", "form", "audit", "process", "review", "person")


@dataclass(frozen=True)
class Shown:
    """A linked record as a page shows it; without an address where the reader may not see it."""

    title: str
    kind: str
    url: str
    record: Any = None


def records_at(texts: Iterable[str], person: Any) -> list[Any]:
    """The records behind addresses or numbers, each once; refuses what is not found."""
    found: dict[tuple[type[models.Model], int], Any] = {}
    for text in filter(None, (each.strip() for each in texts)):
        record = record_at(text, person)
        if record is None:
            raise Refused(
                f"“{text}” was not found. Give the number of a record, or its address.",
                field="links",
            )
        found[type(record), record.pk] = record
    if len(found) > MOST_LINKS:
        raise Refused(f"Link at most {MOST_LINKS} records to an answer.", field="links")
    return list(found.values())


def record_at(text: str, person: Any) -> Any:
    """The record of an address (“/documents/7/”, with or without host), number or word; else None.

    Refuses a word that fits several records.
    """
    if "/" in text:
        return _at_address(text, person)
    wanted, hits = text.casefold(), found_by(text, person, guess=False)
    exact = [hit for hit in hits if hit.number.casefold() == wanted]
    fitting = exact or hits
    if len(fitting) > 1:
        named = ", ".join(hit.number or hit.title for hit in fitting[:4])
        raise Refused(f"“{text}” fits several records: {named}. Give the number.", field="links")
    return _at_address(fitting[0].url, person) if fitting else None


def found_by(text: str, person: Any, *, guess: bool = True) -> list[Hit]:
    """What the search finds that can be linked, a few of each kind; it may guess what was meant."""
    if len(text.strip()) < 2 or not text.isprintable():
        return []
    answer = search_everywhere(person, text.strip(), FOUND_OF_A_KIND)
    if answer.taken_for and not guess:
        return []
    hits = [hit for _order, _kind, found in answer.groups for hit in found]
    return [hit for hit in hits if can_be_linked(hit.url)]


def can_be_linked(address: str) -> bool:
    """Whether the address is that of a record's own page."""
    return _model_at(address) is not None


def _at_address(address: str, person: Any) -> Any:
    try:
        path = urlsplit(address).path
    except ValueError:
        return None  # no address at all, such as “http://[”
    known = _model_at(path)
    if known is None:
        return None
    model, key = known
    return model._default_manager.visible_to(person).filter(pk=key).first()  # type: ignore[attr-defined]


def _model_at(path: str) -> tuple[type[models.Model], int] | None:
    """The kind and key of the record whose own page has this address."""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    key = match.kwargs.get("pk")
    model = _models_by_page().get(match.view_name)
    return (model, key) if model is not None and isinstance(key, int) else None


@cache
def _models_by_page() -> dict[str, type[models.Model]]:
    """The kinds of records that have a page of their own, by the name of that page."""
    found: dict[str, type[models.Model]] = {}
    for model in apps.get_models():
        if issubclass(model, Record) and model._meta.app_label not in NO_EVIDENCE:
            try:
                blank: Any = model(pk=1)  # type: ignore[misc]
                match = resolve(blank.get_absolute_url())
            except (AttributeError, NoReverseMatch, Resolver404, models.ObjectDoesNotExist):
                continue  # a part of another record: it has no page
            if set(match.kwargs) == {"pk"}:
                found.setdefault(match.view_name, model)
    return found


def links_of(answers: Iterable[GapAnswer]) -> dict[int, list[EvidenceLink]]:
    """The live links by answer, oldest first."""
    rows = EvidenceLink.objects.live().filter(answer__in=list(answers))
    found: dict[int, list[EvidenceLink]] = {}
    for link in rows.select_related("record_type").order_by("pk"):
        found.setdefault(link.answer_id, []).append(link)
    return found


def shown(links: Iterable[EvidenceLink], person: Any = None) -> dict[int, Shown]:
    """Each link as it may be shown to a person, by its key; without one as paper tells it.

    One question for each kind of record.
    """
    by_kind: dict[int, list[EvidenceLink]] = {}
    for link in links:
        by_kind.setdefault(link.record_type_id, []).append(link)
    told: dict[int, Shown] = {}
    for kind, group in by_kind.items():
        model: Any = ContentType.objects.get_for_id(kind).model_class()
        rows = model._default_manager.all() if person is None else model.objects.visible_to(person)
        known = rows.select_related(*_names_need(model)).in_bulk([e.record_id for e in group])
        for link in group:
            told[link.pk] = _shown(link, known.get(link.record_id), person)
    return told


def _names_need(model: Any) -> list[str]:
    """The relations a record's name is made of: a revision is called by its document."""
    fields = {each.name: each for each in model._meta.fields if each.is_relation}
    return [name for name in NAMED_BY if name in fields]


def _shown(link: EvidenceLink, record: Any, person: Any) -> Shown:
    kind = str(link.record_type.name)
    kind = kind[:1].upper() + kind[1:]
    if record is None:
        return Shown("A record that not everybody sees", kind, "")
    if person is None:
        return Shown(record.called_outside, kind, record.get_absolute_url(), record)
    number, title = getattr(record, "number", ""), str(getattr(record, "title", record))
    words = title if not number or str(number) in title else f"{number} {title}"
    return Shown(words, kind, record.get_absolute_url(), record)
