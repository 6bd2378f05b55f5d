"""Writing the index with the change that causes it, and asking it.

A query finds words by their beginning, in any order, the best first; a word that stands nowhere is
taken for the most similar one that does. What a person may not see is not found: the rows are
joined with the record's own `visible_to`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramSimilarity
from django.db import connection, models
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest, Lower, StrIndex, Substr, Upper

from qms.events import handles
from qms.finding.models import LANGUAGES, Entry, Word
from qms.records import Record, RecordSaved

Describe = TypeVar("Describe", bound=Callable[[Any], "Text | None"])
MOST_WORDS = 150_000  # characters of one record
MOST_TERMS = 8
SNIPPET = 180
ALIKE = 0.4  # how similar a mistyped word must be to a known one, of 1
_TERM = re.compile(r"[^\W_]+", re.UNICODE)


@dataclass(frozen=True)
class Text:
    """What can be found of a record. `keywords` are names beside the title (owner, process)."""

    title: str
    number: str = ""
    keywords: str = ""
    words: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Found:
    """A record that was found: its model, key, and the words around the first match."""

    model: type[models.Model]
    pk: int
    number: str
    title: str
    snippet: str


@dataclass(frozen=True)
class Answer:
    """What was found; `taken_for` are the mistyped words and what they were taken for."""

    hits: list[Found]
    taken_for: dict[str, str]


_described: dict[type[models.Model], Callable[[Any], Text | None]] = {}


def findable(model: type[models.Model]) -> Callable[[Describe], Describe]:
    """Register `(record) -> Text or None`: what can be found of records of this model.

    None takes the record out of the index. The permission to find is the model's `visible_to`.
    """

    def keep(describe: Describe) -> Describe:
        if model in _described:
            raise RuntimeError(f"What is found of {model.__name__} is declared already.")
        _described[model] = describe
        return describe

    return keep


@handles(RecordSaved, order=95)
def write_entry(event: RecordSaved) -> None:
    """Every save of a findable record leaves its words in the index."""
    refresh(event.record)


def refresh(record: Record) -> None:
    """Make the index say of a record what there is to find now."""
    describe = _described.get(type(record))
    if describe is None:
        return
    kind, text = ContentType.objects.get_for_model(record), describe(record)
    mine = Entry.objects.filter(record_type=kind, record_id=record.pk)
    if text is None:
        mine.delete()
        return
    told = _shortened(text)
    stored = mine.values_list("title", "number", "keywords", "words", "language").first()
    if stored == (told.title, told.number, told.keywords, told.words, told.language):
        return
    values = asdict(told)
    Entry.objects.bulk_create(
        [Entry(record_type=kind, record_id=record.pk, **values)],
        update_conflicts=True,
        unique_fields=["record_type", "record_id"],
        update_fields=list(values),
    )
    _learn(told)


def _shortened(text: Text) -> Text:
    clean = {name: str(getattr(text, name)).replace("\0", " ") for name in ("keywords", "words")}
    return replace(
        text,
        title=text.title[:300],
        number=text.number[:60],
        keywords=clean["keywords"][:2_000],
        words=clean["words"][:MOST_WORDS],
    )


def _learn(text: Text) -> None:
    """Keep every word, in one order, so that two writers never wait for each other in a circle."""
    terms = _TERM.findall(f"{text.title} {text.keywords} {text.words}".lower())
    known = sorted({term[:60] for term in terms if len(term) > 2 and not term.isdigit()})
    Word.objects.bulk_create([Word(word=term) for term in known], ignore_conflicts=True)


def rebuild() -> int:
    """Write the whole index anew from the records; returns how many records were read."""
    count = 0
    for model in _described:
        for record in model._base_manager.order_by("pk").iterator(chunk_size=500):
            refresh(record)  # type: ignore[arg-type]
            count += 1
    return count


# Asking


def find(person: Any, query: str, *, of: Iterable[type[models.Model]], limit: int) -> Answer:
    """The records of these models that fit the query and that the person may see, best first."""
    terms = [term.lower() for term in _TERM.findall(query)][:MOST_TERMS]
    if not terms:
        return Answer([], {})
    seen = _visible(person, list(of))
    hits = _matching(seen, query, terms, limit)
    if hits:
        return Answer(hits, {})
    meant = _meant(terms)
    if not meant:
        return Answer([], {})
    corrected = [meant.get(term, term) for term in terms]
    return Answer(_matching(seen, " ".join(corrected), corrected, limit), meant)


def _visible(person: Any, of: list[type[models.Model]]) -> Any:
    allowed = Q(pk__in=())
    for model, kind in ContentType.objects.get_for_models(*of).items():
        rows = model._default_manager.visible_to(person)  # type: ignore[attr-defined]
        allowed |= Q(record_type=kind, record_id__in=rows.values("pk"))
    return Entry.objects.filter(allowed)


def _matching(seen: Any, query: str, terms: list[str], limit: int) -> list[Found]:
    asked = _any_language(terms)
    exact = query.strip().upper()
    first = terms[0]
    at = StrIndex(Lower("words"), Value(first))
    rows = (
        seen.annotate(shouted=Upper("number"))
        .filter(Q(vector=asked) | Q(shouted__startswith=exact))
        .annotate(
            rank=SearchRank(F("vector"), asked),
            is_it=models.Case(
                models.When(shouted=exact, then=2),
                models.When(shouted__startswith=exact, then=1),
                default=0,
            ),
            snippet=Substr("words", Greatest(at - 60, 1), SNIPPET),
        )
        .order_by("-is_it", "-rank", "number", "pk")
        .values_list("record_type_id", "record_id", "number", "title", "snippet")
    )
    return [
        Found(_model(kind), pk, number, title, " ".join(snippet.split()))
        for kind, pk, number, title, snippet in rows[:limit]
    ]


def _model(kind: int) -> type[models.Model]:
    model = ContentType.objects.get_for_id(kind).model_class()
    if model is None:
        raise LookupError("The index names a kind of record that is no more.")
    return model


def _any_language(terms: list[str]) -> SearchQuery:
    """All words, each by its beginning, in any of the languages. Terms are letters and digits."""
    raw = " & ".join(f"{term}:*" for term in terms)
    asked = SearchQuery(raw, search_type="raw", config="simple")
    for config in sorted(set(LANGUAGES.values())):
        asked = asked | SearchQuery(raw, search_type="raw", config=config)
    return asked


def _alike_enough() -> None:
    """The index of similar words is asked by an operator that reads its threshold here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.similarity_threshold', %s, false)", [str(ALIKE)])


def _meant(terms: list[str]) -> dict[str, str]:
    """For each word that stands nowhere, the most similar one that does, where one is."""
    unknown = [
        term
        for term in terms
        if len(term) > 2 and not Word.objects.filter(word__startswith=term).exists()
    ]
    meant: dict[str, str] = {}
    for term in unknown:
        _alike_enough()
        nearest = (
            Word.objects.filter(word__trigram_similar=term)
            .annotate(likeness=TrigramSimilarity("word", term))
            .order_by("-likeness", "word")
            .first()
        )
        if nearest is not None:
            meant[term] = nearest.word
    return meant
