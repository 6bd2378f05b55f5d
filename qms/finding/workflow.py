"""Writing the index with the change that causes it, and asking it.

A query finds words by their beginning or stem, in any order, the best first; a word that stands
nowhere is taken for the most similar one that does. What a person may not see is not found: the
rows are joined with the record's own `visible_to`. Everything is asked in one question.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection, models, transaction
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest, Lower, StrIndex, Substr, Upper

from qms import contributions
from qms.contributions import Hit
from qms.events import handles
from qms.finding.models import LANGUAGES, Entry, Indexed, Word
from qms.records import RecordSaved

Describe = TypeVar("Describe", bound=Callable[[Any], "Text | None"])
MOST_WORDS = 150_000  # characters of one record
MOST_TERMS = 8
MOST_HITS = 100
SNIPPET = 180
ALIKE = 0.4  # how similar a mistyped word must be to a known one, of 1
LOCK = 7_302_004  # one filling of the index at a time
_LEARNED = ("title", "keywords", "words")
_TERM = re.compile(r"[^\W_]+", re.UNICODE)


@dataclass(frozen=True)
class Text:
    """What can be found of a record; `note` stands beside it, else the words around the match.

    `keywords` are names beside the title (its kind, its process). Names of people are left out:
    who somebody was can be erased, and an index must not remember it.
    """

    title: str
    number: str = ""
    keywords: str = ""
    words: str = ""
    language: str = "en"
    note: str = ""


@dataclass(frozen=True)
class Found:
    """A record that was found: its model, key, page, and the words around the first match."""

    model: type[models.Model]
    pk: int
    number: str
    title: str
    url: str
    note: str
    snippet: str

    @property
    def hit(self) -> Hit:
        """As the search over everything shows it."""
        kind = str(self.model._meta.verbose_name)
        url = self.url or self.model(pk=self.pk).get_absolute_url()  # type: ignore[attr-defined]
        note = self.note or self.snippet
        return Hit(self.title, kind[:1].upper() + kind[1:], self.number, url, note)


@dataclass(frozen=True)
class Answer:
    """What was found; `taken_for` are the mistyped words and what they were taken for."""

    hits: list[Found]
    taken_for: dict[str, str]


@dataclass(frozen=True)
class Findable:
    """How records of a kind are described, under which heading they are found, in which order.

    A higher `edition` says that the words changed: all records of the kind are read anew.
    """

    describe: Callable[[Any], Text | None]
    group: str
    order: int
    edition: int


_findable: dict[type[models.Model], Findable] = {}


def findable(
    model: type[models.Model], group: str, *, order: int = 50, edition: int = 1
) -> Callable[[Describe], Describe]:
    """Register `(record) -> Text or None`: what can be found of records of this model.

    None takes the record out of the index. The permission to find is the model's `visible_to`.
    """

    def keep(describe: Describe) -> Describe:
        if model in _findable:
            raise RuntimeError(f"What is found of {model.__name__} is declared already.")
        _findable[model] = Findable(describe, group, order, edition)
        return describe

    return keep


@handles(RecordSaved, order=95)
def write_entry(event: RecordSaved) -> None:
    """Every save of a findable record leaves its words in the index."""
    refresh(event.record, is_new=event.created)


def refresh(record: Any, *, is_new: bool = False) -> None:
    """Make the index say of a record what there is to find now."""
    known = _findable.get(type(record))
    if known is None:
        return
    kind, text = ContentType.objects.get_for_model(record), known.describe(record)
    mine = Entry.objects.filter(record_type=kind, record_id=record.pk)
    if text is None:
        if not is_new:
            mine.delete()
        return
    told = _shortened(text)
    values = asdict(told) | {"url": record.get_absolute_url()}
    before = {} if is_new else mine.values(*values).first() or {}
    if before == values:
        return
    Entry.objects.bulk_create(
        [Entry(record_type=kind, record_id=record.pk, **values)],
        update_conflicts=True,
        unique_fields=["record_type", "record_id"],
        update_fields=list(values),
    )
    _learn(_terms(values) - _terms(before))


def _terms(said: Mapping[str, Any]) -> set[str]:
    return set(_TERM.findall(" ".join(said.get(name, "") for name in _LEARNED).lower()))


def _shortened(text: Text) -> Text:
    clean = {name: str(getattr(text, name)).replace("\0", " ") for name in ("keywords", "words")}
    return replace(
        text,
        title=text.title[:300],
        number=text.number[:60],
        note=text.note[:200],
        keywords=clean["keywords"][:2_000],
        words=clean["words"][:MOST_WORDS],
    )


def _learn(terms: set[str]) -> None:
    """Keep every word, in one order, so that two writers never wait for each other in a circle."""
    known = sorted({term[:60] for term in terms if len(term) > 2 and not term.isdigit()})
    Word.objects.bulk_create([Word(word=term) for term in known], ignore_conflicts=True)


def rebuild() -> int:
    """Write the whole index anew from the records; returns how many records were read."""
    with transaction.atomic():
        Indexed.objects.all().delete()
        return fill()


def fill() -> int:
    """Read every kind of record that is not in the index as it is described now.

    After an update or a new chapter this happens by itself; with nothing to do it asks once.
    """
    done = set(Indexed.objects.values_list("record_type_id", "edition"))
    kinds = ContentType.objects.get_for_models(*_findable)
    count = 0
    for model, known in _findable.items():
        if (kinds[model].pk, known.edition) not in done:
            count += _read(model, kinds[model], known.edition)
    return count


def _read(model: type[models.Model], kind: ContentType, edition: int) -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if Indexed.objects.filter(record_type=kind, edition=edition).exists():
            return 0  # another worker was quicker
        count = 0
        for record in model._base_manager.order_by("pk").iterator(chunk_size=500):
            refresh(record)
            count += 1
        Indexed.objects.update_or_create(record_type=kind, defaults={"edition": edition})
    return count


# Asking


@dataclass(frozen=True)
class Query:
    """What was asked, as it was typed and as words, and how many of each kind are wanted."""

    text: str
    terms: list[str]
    limit: int

    @classmethod
    def of(cls, text: str, limit: int) -> "Query":
        asked = text.replace("\0", " ")  # the one character no database takes
        terms = [term.lower() for term in _TERM.findall(asked)]
        return cls(asked.strip(), terms[:MOST_TERMS], limit)


def find(person: Any, query: str, *, of: Iterable[type[models.Model]], limit: int) -> Answer:
    """The records of these models that fit the query and that the person may see, best first.

    At most `limit` of each kind.
    """
    return _find(person, Query.of(query, limit), list(of))


@contributions.finds
def find_all(person: Any, query: str, limit: int) -> contributions.Everything:
    """Every kind of record, and what is asked of its own table, in one question."""
    live = contributions.asked_live()
    answer = _find(person, Query.of(query, limit), list(_findable), live)
    places = {model: (each.order, each.group) for model, each in _findable.items()}
    places |= {each.model: (each.order, each.group) for each in live}
    groups: dict[tuple[int, str], list[Hit]] = {}
    for found in answer.hits:
        groups.setdefault(places[found.model], []).append(found.hit)
    told = [(order, group, hits[:limit]) for (order, group), hits in groups.items()]
    return contributions.Everything(told, answer.taken_for)


def _find(
    person: Any,
    asked: Query,
    of: list[type[models.Model]],
    live: Iterable[contributions.Live] = (),
) -> Answer:
    if not asked.terms:
        return Answer([], {})
    terms = _read_terms(asked.terms)
    tables = [_asked(each, person, asked) for each in live]
    rows = list(_best(_visible(person, of), asked, terms).union(*tables, all=True))
    rows.sort(key=lambda row: (-row["sure"], -row["rank"], row["number"], row["pk"]))
    typed = [row for row in rows if row["sure"]]
    hits = [_found(row) for row in typed or rows]
    taken_for = {term.typed: term.meant for term in terms if term.meant != term.typed}
    return Answer(hits, taken_for if hits and not typed else {})


def _visible(person: Any, of: list[type[models.Model]]) -> Any:
    """The rows of records the person may see; a kind of which they see all needs no question."""
    whole, parts = [], []
    for model, kind in ContentType.objects.get_for_models(*of).items():
        rows = model._default_manager.visible_to(person)  # type: ignore[attr-defined]
        if rows.query.is_empty():
            continue
        if rows.query.where:
            seen = Exists(rows.filter(pk=OuterRef("record_id")))
            parts.append(Q(seen, record_type=kind))
        else:
            whole.append(kind.pk)
    return Entry.objects.filter(reduce(or_, parts, Q(record_type__in=whole)))


COLUMNS = (
    *("kind", "record", "number", "title", "url", "note", "snippet", "begins"),
    *("sure", "rank", "pk"),
)


def _best(seen: Any, query: Query, terms: list["Term"]) -> Any:
    """The best of each kind and of all; `sure`: 3 the number, 2 its beginning, 1 words as typed.

    The words around a match are cut out only for these, not for all that fit.
    """
    asked, exact = Parsed.every(term.asked for term in terms), query.text.upper()
    fits = Q(vector=asked) | Q(shouted__startswith=exact)
    number = [models.When(shouted=exact, then=3), models.When(shouted__startswith=exact, then=2)]
    sure = models.Case(*number, default=1)
    if any(term.meant != term.typed for term in terms):
        sure = models.Case(*number, models.When(vector=asked, then=1), default=0)
        asked = Parsed.every(term.asked_instead for term in terms)
        fits |= Q(vector=asked)
    judged = {"shouted": Upper("number"), "rank": SearchRank(F("vector"), asked), "sure": sure}
    rows = seen.annotate(shouted=judged["shouted"]).filter(fits).annotate(**judged)
    best = _first_of_each_kind(rows, query.limit)
    begins = Greatest(StrIndex(Lower("words"), Value(terms[0].meant)) - 60, 1)
    return (
        Entry.objects.filter(pk__in=best)
        .annotate(**judged)
        .annotate(
            kind=F("record_type_id"),
            record=F("record_id"),
            begins=begins,
            snippet=Substr("words", begins, SNIPPET),
        )
        .values(*COLUMNS)
    )


def _first_of_each_kind(rows: Any, limit: int) -> RawSQL:
    """The keys of the best rows of each kind, and of these the best of all.

    Written by hand: to filter by a window, Django puts the whole question together twice.
    """
    fits, values = rows.values(
        "pk", "record_type_id", "number", "sure", "rank"
    ).query.sql_with_params()
    order = 'sure DESC, rank DESC, number COLLATE "C", pk'
    place = f"row_number() OVER (PARTITION BY record_type_id ORDER BY {order})"
    ranked = f"SELECT fits.*, {place} AS place FROM ({fits}) AS fits"  # noqa: S608 - of the ORM
    chosen = f"SELECT pk FROM ({ranked}) AS ranked WHERE place <= %s ORDER BY {order} LIMIT %s"  # noqa: S608
    return RawSQL(chosen, [*values, limit, MOST_HITS])  # noqa: S611 - values stay parameters


def _asked(live: contributions.Live, person: Any, query: Query) -> Any:
    """Rows of a table that is asked itself, in the columns of the index."""
    nothing = Value("", output_field=models.TextField())
    kind = ContentType.objects.get_for_model(live.model).pk
    rows = live.rows(person, query.text)
    return rows.annotate(
        kind=Value(kind),
        record=F("pk"),
        number=nothing,
        title=F(live.title),
        url=nothing,
        note=F(live.note),
        snippet=nothing,
        begins=Value(1),
        sure=Value(1),
        rank=Value(0.0, output_field=models.FloatField()),
    ).values(*COLUMNS)[: query.limit]


def _found(row: dict[str, Any]) -> Found:
    words = _whole_words(row["snippet"], is_middle=row["begins"] > 1)
    told = (row["record"], row["number"], row["title"], row["url"], row["note"], words)
    return Found(_model(row["kind"]), *told)


def _whole_words(cut: str, *, is_middle: bool) -> str:
    """What was cut out of a text, without the halves of words at its ends."""
    words = cut.split()
    if is_middle and len(words) > 1:
        words[0] = "…"
    if len(cut) == SNIPPET and len(words) > 1:
        words[-1] = "…"
    return " ".join(words)


def _model(kind: int) -> type[models.Model]:
    model = ContentType.objects.get_for_id(kind).model_class()
    if model is None:
        raise LookupError("The index names a kind of record that is no more.")
    return model


def _any_language(word: str) -> str:
    """A word of letters and digits, by its beginning or its stem in any language, as a query."""
    ways = [f"to_tsquery('simple', {word} || ':*')"]
    ways += [f"to_tsquery('{config}', {word})" for config in sorted(set(LANGUAGES.values()))]
    return f"({' || '.join(ways)})::text"


READ_TERMS = f"""
    SELECT t.term, coalesce(near.word, t.term),
      {_any_language("t.term")}, {_any_language("coalesce(near.word, t.term)")}
    FROM unnest(%s::text[]) WITH ORDINALITY AS t(term, place)
    LEFT JOIN LATERAL (
      SELECT w.word FROM finding_word AS w
      WHERE length(t.term) > 2 AND t.term !~ '^[0-9]+$'
        AND NOT EXISTS (SELECT 1 FROM finding_word AS k WHERE k.word LIKE t.term || '%%')
        AND w.word %% t.term AND similarity(w.word, t.term) >= %s
      ORDER BY similarity(w.word, t.term) DESC, w.word LIMIT 1) AS near ON true
    ORDER BY t.place
"""  # noqa: S608 - of constants


@dataclass(frozen=True)
class Term:
    """A word as typed and as it was taken, with the queries that find it (texts of `tsquery`).

    A word that stands nowhere is taken for the most similar one that does, where one is.
    """

    typed: str
    meant: str
    asked: str
    asked_instead: str


def _read_terms(terms: list[str]) -> list[Term]:
    """What the words mean; parsed once here instead of at each place the query stands."""
    with connection.cursor() as cursor:
        cursor.execute(READ_TERMS, [terms, ALIKE])
        return [Term(*row) for row in cursor.fetchall()]


class Parsed(SearchQuery):
    """A query that PostgreSQL has parsed already."""

    template = "%(expressions)s::tsquery"

    @classmethod
    def every(cls, queries: Iterable[str]) -> "Parsed":
        """All of these queries at once; what is no word to PostgreSQL asks for nothing."""
        return cls(" & ".join(f"({each})" for each in queries if each), search_type="raw")
