"""From what people have at hand, an address or a number, to the record; and links to any record.

Whatever the search finds can be linked, so a chapter needs to do nothing for it. What a person may
not see cannot be found here either (ISO 9001 7.5.3). Serves every record that says what it touches
(6.1, 6.3).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.urls import NoReverseMatch, Resolver404, resolve, reverse_lazy

from qms.contributions import Hit, search_everywhere
from qms.links import Link
from qms.origins import is_visible
from qms.records import Record
from qms.refusals import Refused

MOST_LINKS = 20
FOUND_OF_A_KIND = 5
NAMED_BY = ("document", "form", "audit", "process", "party", "review", "person")


class AnyLink(Link):
    """That a record touches another of any kind; `OWNER` is the field of the side it is of."""

    OWNER: ClassVar[str]

    record_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    record_id = models.PositiveBigIntegerField()
    record = GenericForeignKey("record_type", "record_id")

    class Meta(Link.Meta):
        abstract = True


@dataclass(frozen=True)
class Shown:
    """A linked record as a page shows it; without an address where the reader may not see it."""

    title: str
    kind: str
    url: str
    record: Any = None


@dataclass(frozen=True)
class Shelf:
    """The records that may be linked: those with a page of their own, but of some chapters.

    `field` is the form's field that a refusal belongs to.
    """

    field: str = "touches"
    but_of: tuple[str, ...] = ()

    def records_at(self, texts: Iterable[str], person: Any) -> list[Any]:
        """The records of addresses, numbers or words, each once.

        Refuses what is not found, what fits several records, and more than `MOST_LINKS`.
        """
        found: dict[tuple[type[models.Model], int], Any] = {}
        for text in filter(None, (each.strip() for each in texts)):
            record = self.record_at(text, person)
            if record is None:
                raise Refused(
                    f"“{text}” was not found. Give the number of a record, or its address.",
                    field=self.field,
                )
            found[type(record), record.pk] = record
        if len(found) > MOST_LINKS:
            raise Refused(f"Link at most {MOST_LINKS} records.", field=self.field)
        return list(found.values())

    def record_at(self, text: str, person: Any) -> Any:
        """The record of an address (“/documents/7/”, with or without host), number or word.

        None when nothing is found; refuses a word that fits several records.
        """
        if "/" in text:
            return self.at_address(text, person)
        wanted, hits = text.casefold(), self.found_by(text, person, guess=False)
        exact = [hit for hit in hits if hit.number.casefold() == wanted]
        fitting = exact or hits
        if len(fitting) > 1:
            named = ", ".join(hit.number or hit.title for hit in fitting[:4])
            raise Refused(
                f"“{text}” fits several records: {named}. Give the number.", field=self.field
            )
        return self.at_address(fitting[0].url, person) if fitting else None

    def found_by(self, text: str, person: Any, *, guess: bool = True) -> list[Hit]:
        """What the search finds that can be linked, a few of each kind.

        It may guess what was meant.
        """
        text = " ".join(text.split())  # a tab, or the wide space of a copied text, parts words too
        if len(text) < 2 or not text.isprintable():
            return []
        answer = search_everywhere(person, text, FOUND_OF_A_KIND)
        if answer.taken_for and not guess:
            return []
        hits = [hit for _order, _kind, found in answer.groups for hit in found]
        return [hit for hit in hits if self.holds(hit.url)]

    def holds(self, address: str) -> bool:
        """Whether the address is that of the own page of a record that may be linked."""
        return self._model_at(address) is not None

    def at_address(self, address: str, person: Any) -> Any:
        """The record whose own page has this address, if the person may see it; else None."""
        known = self._model_at(address)
        if known is None:
            return None
        model, key = known
        return model._default_manager.visible_to(person).filter(pk=key).first()  # type: ignore[attr-defined]

    def _model_at(self, address: str) -> tuple[type[models.Model], int] | None:
        """The kind and key of the record whose own page has this address."""
        try:
            match = resolve(urlsplit(address).path)
        except (Resolver404, ValueError):  # nothing there, or no address at all, as “http://[”
            return None
        key = match.kwargs.get("pk")
        model = _models_by_page().get(match.view_name)
        if model is None or model._meta.app_label in self.but_of or not isinstance(key, int):
            return None
        return model, key


ANY_RECORD = Shelf()


@cache
def _models_by_page() -> dict[str, type[models.Model]]:
    """The kinds of records that have a page of their own, by the name of that page."""
    found: dict[str, type[models.Model]] = {}
    for model in apps.get_models():
        if issubclass(model, Record):
            try:
                blank: Any = model(pk=1)  # type: ignore[misc]
                match = resolve(blank.get_absolute_url())
            except (AttributeError, NoReverseMatch, Resolver404, models.ObjectDoesNotExist):
                continue  # a part of another record: it has no page
            if set(match.kwargs) == {"pk"}:
                found.setdefault(match.view_name, model)
    return found


def set_any_links(
    link: type[AnyLink], *, owner: dict[str, Any], records: Iterable[Any], by: Any
) -> bool:
    """Make the links that `by` sees exactly `records`; returns whether anything changed.

    What the person does not see stays linked. Refuses a record they may not see.
    """
    wanted: dict[tuple[int, int], Any] = {}
    for record in records:
        if not is_visible(record, by):
            raise Refused("A record to link was not found.", field="touches")
        wanted[ContentType.objects.get_for_model(record).pk, record.pk] = record
    if len(wanted) > MOST_LINKS:
        raise Refused(f"Link at most {MOST_LINKS} records.", field="touches")
    changed = False
    for existing in link._base_manager.filter(**owner).select_for_update(of=("self",)):
        pair = (existing.record_type_id, existing.record_id)
        keep = wanted.pop(pair, None) is not None
        if existing.ended == keep and (keep or _seen(existing, by)):
            existing.ended = not keep
            existing.save_because("Linked." if keep else "Unlinked.", by=by)
            changed = True
    for (kind, key), _record in wanted.items():
        link(**owner, record_type_id=kind, record_id=key, created_by=by).save()
        changed = True
    return changed


def _seen(link: AnyLink, by: Any) -> bool:
    return link.record is not None and is_visible(link.record, by)


def shown(links: Iterable[Any], person: Any = None) -> dict[int, Shown]:
    """Each link as it may be shown to a person, by its key; without one as paper tells it.

    One question for each kind of record.
    """
    by_kind: dict[int, list[Any]] = {}
    for link in links:
        by_kind.setdefault(link.record_type_id, []).append(link)
    told: dict[int, Shown] = {}
    for kind, group in by_kind.items():
        model: Any = ContentType.objects.get_for_id(kind).model_class()
        rows = model._default_manager.all() if person is None else model.objects.visible_to(person)
        known = rows.select_related(*_names_need(model)).in_bulk([e.record_id for e in group])
        for link in group:
            told[link.pk] = _shown(kind, known.get(link.record_id), person)
    return told


def touched(links: Iterable[AnyLink], person: Any) -> list[Shown]:
    """The linked records as they may be shown to a person, in order."""
    rows = list(links)
    told = shown(rows, person)
    return [told[link.pk] for link in rows]


def _names_need(model: Any) -> list[str]:
    """The relations a record's name is made of: a revision is called by its document."""
    fields = {each.name: each for each in model._meta.fields if each.is_relation}
    return [name for name in NAMED_BY if name in fields]


def _shown(kind: int, record: Any, person: Any) -> Shown:
    name = str(ContentType.objects.get_for_id(kind).name)
    name = name[:1].upper() + name[1:]
    if record is None:
        return Shown("A record that not everybody sees", name, "")
    if person is None:
        return Shown(record.called_outside, name, record.get_absolute_url(), record)
    number, title = getattr(record, "number", ""), str(getattr(record, "title", record))
    words = title if not number or str(number) in title else f"{number} {title}"
    return Shown(words, name, record.get_absolute_url(), record)


def owners_touching(record: Any, link: type[AnyLink]) -> list[int]:
    """The keys of the owning records whose live links of a kind touch a record.

    The links of all kinds are read in one question, and kept with the record as it was read.
    """
    kept: dict[str, list[int]] | None = record.__dict__.get("_touching")
    if kept is None:
        kept = record.__dict__["_touching"] = _owners_touching(record)
    return kept[link.__name__]


def _owners_touching(record: Any) -> dict[str, list[int]]:
    kind = ContentType.objects.get_for_model(record)
    parts = [
        link.objects.live()
        .filter(record_type=kind, record_id=record.pk)
        .values_list(models.Value(link.__name__), f"{link.OWNER}_id")
        for link in AnyLink.__subclasses__()
    ]
    found: dict[str, list[int]] = {link.__name__: [] for link in AnyLink.__subclasses__()}
    for link, key in parts[0].union(*parts[1:], all=True):
        found[link].append(key)
    return found


def touches_field(find_url_name: str) -> forms.CharField:
    """Records by numbers or addresses; what is typed is searched at `find_url_name`."""
    search = {
        "autocomplete": "off",
        "hx-trigger": "input changed delay:250ms",
        "hx-target": "#found-records",
        "hx-swap": "innerHTML",
        "hx-get": reverse_lazy(find_url_name),
    }
    return forms.CharField(
        label="What it bears on",
        required=False,
        max_length=2000,
        help_text="Type a word and tick what is found, or give numbers with commas between.",
        widget=forms.TextInput(attrs=search),
    )


class TouchingForm:
    """Mixed in before a form with `touches`: the words become records, or are refused in words."""

    cleaned_data: dict[str, Any]
    data: Any
    by: Any

    @property
    def picked(self) -> list[str]:
        """The addresses that were ticked; they stay when the form comes back."""
        return list(self.data.getlist("picked")) if hasattr(self.data, "getlist") else []

    def clean_touches(self) -> list[Any]:
        """The records of the words and of the ticks; one that is not found or seen is refused."""
        words = self.cleaned_data["touches"].replace("\n", ",").split(",")
        try:
            return ANY_RECORD.records_at([*self.picked, *words], self.by)
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
