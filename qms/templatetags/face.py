"""The small words of our templates: icons, badges, dates, people, and the record page's parts.

Loaded into every template (a builtin of the engine). A state and a due date are two badges, and
colour never speaks without a word (WCAG 2.2, 1.4.1).
"""

import html
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from qms import origins, periods
from qms.listing import Cell, Column, state_words
from qms.story import Change, Entry

register = template.Library()
TONES = ("fine", "soon", "late", "info", "void")
EN_DASH = "\N{EN DASH}"


def _markup(text: str) -> SafeString:
    """What was put together here of constants and of parts that are escaped."""
    return mark_safe(text)  # noqa: S308 - see above


def _escaped(value: Any) -> str:
    """As Django's `conditional_escape`, without its way through lazy texts: lists ask it a lot."""
    return value.__html__() if hasattr(value, "__html__") else html.escape(str(value))


NUMERIC = ' class="numeric"'
MISSING = _markup(f'<span class="muted">{EN_DASH}</span>')
NOBODY = _markup('<span class="muted">Nobody yet</span>')


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """An icon from the sprite; decoration unless it has a `label`. `size` may be "large"."""
    return _drawn(name, str(label), size)


@lru_cache(maxsize=1000)
def _drawn(name: str, label: str, size: str) -> SafeString:
    """A page has some ninety icons, the same ones again and again."""
    about = format_html('role="img" aria-label="{}"', label) if label else 'aria-hidden="true"'
    return format_html(
        '<svg class="icon{}" {}><use href="{}#{}"></use></svg>',
        f" icon-{size}" if size else "",
        mark_safe(about),  # noqa: S308  (either constant or made by format_html)
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag
def state(record: Any, field: str = "", tone: str = "") -> SafeString:
    """The state of a record as a quiet badge, in the tone of the model's STATE_TONES."""
    name = field or getattr(record, "STATE_FIELD", "status")
    value = str(getattr(record, name, ""))
    tone = tone or getattr(record, "STATE_TONES", {}).get(value, "")
    if value == "void":
        tone = "void"
    return badge(state_words(record, name), tone)


@register.simple_tag
def badge(words: str, tone: str = "") -> SafeString:
    """Words in a badge; tone: "fine", "soon", "late", "info", "void" or nothing."""
    mark = f" state-{tone}" if tone in TONES else ""
    return _markup(f'<span class="state{mark}">{_escaped(words)}</span>')


@register.simple_tag
def due(day: date | None, settled: bool = False, today: date | None = None) -> SafeString:
    """A due date as a dot with words; a settled one is only a date."""
    if day is None:
        return MISSING
    if settled:
        return _time(day)
    now = today or periods.today()
    return _markup(
        f'<span class="due due-{periods.due_state(day, now)}">{_deadline(day, now)}</span>'
    )


@lru_cache(maxsize=4000)
def _deadline(day: date, now: date) -> str:
    return f'<time datetime="{day.isoformat()}">{periods.in_words(day, now)}</time>'


@register.filter
def day_words(value: date | datetime | None) -> str:
    """A date in words: 24 Nov 2026; a datetime gives its day in the organisation's zone."""
    if value is None:
        return EN_DASH
    return periods.day_in_words(periods.day_of(value) if isinstance(value, datetime) else value)


@register.filter
def day(value: date | datetime | None) -> SafeString:
    """A date as a <time> element."""
    if value is None:
        return MISSING
    return _time(periods.day_of(value) if isinstance(value, datetime) else value)


@lru_cache(maxsize=4000)
def _time(value: date) -> SafeString:
    return _markup(f'<time datetime="{value.isoformat()}">{periods.day_in_words(value)}</time>')


@register.filter
def moment(value: datetime | None) -> SafeString:
    """An instant as a <time> element, in the organisation's zone: 24 Nov 2026, 14:32."""
    if value is None:
        return MISSING
    local = value.astimezone(periods.zone())
    stamp = local.isoformat(timespec="seconds")
    words = f"{periods.day_in_words(local.date())}, {local:%H:%M}"
    return _markup(f'<time datetime="{stamp}">{words}</time>')


@register.filter
def figure(value: Decimal | float | None) -> str:
    """A number as people of this place write it, without needless zeros."""
    if value is None:
        return EN_DASH
    if isinstance(value, Decimal):
        value = value.normalize() if value % 1 else value.quantize(Decimal(1))
    return formats.number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def breakable(address: str) -> SafeString:
    """An address that may go on in the next line after its signs instead of within a word."""
    parts = re.split(r"(?<=[@./_-])", address)
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts if part))


@register.simple_tag
def person(someone: Any, mark: bool = False) -> SafeString:
    """A person's name; `mark=True` puts their initials before it."""
    if not someone:
        return NOBODY
    name = person_name(someone)
    if not mark:
        return _markup(_escaped(name))
    return format_html(
        '<span class="person"><span class="person-mark" aria-hidden="true">{}</span>{}</span>',
        initials(name),
        name,
    )


@register.filter
def person_name(someone: Any) -> str:
    """The name of a person, or what they are called where there is none."""
    return str(getattr(someone, "name", "") or someone)


@register.filter
def initials(name: str) -> str:
    """Up to two first letters of a name."""
    words = re.findall(r"\w+", name)
    ends = words[:1] + words[-1:] if len(words) > 1 else words
    return "".join(word[0] for word in ends).upper()


@register.simple_tag
def number(record: Any, words: str = "") -> SafeString:
    """The number of a record as a link to it."""
    if not record:
        return MISSING
    shown = words or getattr(record, "number", "") or str(record)
    return format_html('<a class="number" href="{}">{}</a>', record.get_absolute_url(), shown)


@register.simple_tag
def cell(each: Cell, url: str = "", first: bool = False, today: date | None = None) -> SafeString:
    """A list's cell as its column's kind draws it; the first one leads to the record."""
    drawn = _draw(each, today)
    return _markup(
        f'<a class="row-link" href="{_escaped(url)}">{drawn}</a>' if first and url else drawn
    )


@register.simple_tag
def list_rows(rows: Sequence[tuple[Any, str, Sequence[Cell]]], today: date) -> SafeString:
    """The rows of a list, drawn at once: a template's loop over cells took many times as long."""
    return _markup("".join(_row(url, cells, today) for _record, url, cells in rows))


def _row(url: str, cells: Sequence[Cell], today: date) -> str:
    drawn = []
    for place, each in enumerate(cells):
        if place == 0:
            drawn.append(f'<th scope="row" class="fw-normal">{cell(each, url, True, today)}</th>')
        else:
            empty = " is-empty" if each.is_empty else ""
            drawn.append(f'{_frame(each.column)}{empty}">{_draw(each, today)}</td>')
    return f"<tr>{''.join(drawn)}</tr>"


@lru_cache(maxsize=1000)
def _frame(column: Column) -> str:
    """The beginning of a column's cells, which is the same in every row."""
    marks = f"is-{column.kind}{' numeric' if column.numeric else ''}"
    return f'<td data-label="{_escaped(column.label)}" class="{marks}'


@register.simple_tag
def history_entries(entries: Sequence[Entry]) -> SafeString:
    """The lines of a record's history, drawn at once: there are dozens, each with its changes."""
    return _markup("".join(map(_history_entry, entries)))


def _history_entry(entry: Entry) -> str:
    when = f'<div class="history-when">{moment(entry.when)} · {person(entry.who)}</div>'
    return f"<li><div>{_escaped(entry.reason)}</div>{when}{_changes(entry.changes)}</li>"


def _changes(changes: Sequence[Change]) -> str:
    if not changes:
        return ""
    count = len(changes)
    lines = "".join(
        f'<li>{_escaped(each.label)}: <del><span class="visually-hidden">from </span>'
        f'{_escaped(each.old)}</del> <span aria-hidden="true">→</span> '
        f'<ins><span class="visually-hidden">to </span>{_escaped(each.new)}</ins></li>'
        for each in changes
    )
    return (
        f'<details class="disclosure"{" open" if count < 3 else ""}>'
        f"<summary>{count} field{'' if count == 1 else 's'} changed</summary>"
        f'<ul class="changes">{lines}</ul></details>'
    )


@register.simple_tag
def table_rows(rows: Sequence[Sequence[Any]], numeric_from: int | None = None) -> SafeString:
    """The rows of a plain table, drawn at once: a chart may have hundreds."""
    return _markup("".join(_table_row(row, numeric_from) for row in rows))


def _table_row(row: Sequence[Any], numeric_from: int | None) -> str:
    first = len(row) if numeric_from is None else numeric_from
    cells = (
        f"<td{NUMERIC if at >= first else ''}>{_escaped(in_words(value))}</td>"
        for at, value in enumerate(row)
    )
    return f"<tr>{''.join(cells)}</tr>"


@register.simple_tag(takes_context=True)
def asks(context: template.Context, **changes: Any) -> str:
    """This page's address asked otherwise: `{% asks page=2 sort=None as address %}`.

    As Django's `querystring`, which copies everything asked each time; a list has some twenty.
    """
    given = context["request"].GET.lists()
    kept = [(name, value) for name, values in given if name not in changes for value in values]
    return "?" + urlencode([*kept, *((n, v) for n, v in changes.items() if v is not None)])


@register.simple_tag
def select(widget: dict[str, Any]) -> SafeString:
    """A select with its options, drawn at once: a list has several, some of them long."""
    drawn = [f'<select name="{_escaped(widget["name"])}"{_attributes(widget["attrs"])}>']
    for group, options, _place in widget["optgroups"]:
        inside = "".join(map(_option, options))
        drawn.append(
            f'<optgroup label="{_escaped(group)}">{inside}</optgroup>' if group else inside
        )
    return _markup("".join([*drawn, "</select>"]))


def _option(option: dict[str, Any]) -> str:
    value, attrs = _escaped(option["value"]), _attributes(option["attrs"])
    return f'<option value="{value}"{attrs}>{_escaped(option["label"])}</option>'


def _attributes(attrs: Mapping[str, Any]) -> str:
    return "".join(
        f" {name}" if said is True else f' {name}="{_escaped(said)}"'
        for name, said in attrs.items()
        if said is not False
    )


@register.simple_tag
def side_links(links: Sequence[Any]) -> SafeString:
    """The entries of one group of the navigation, drawn at once: every page has them twice."""
    return format_html_join(
        "",
        '<li><a class="side-link" href="{}"{}>{}<span>{}</span>{}</a></li>',
        (
            (
                link.url,
                mark_safe(' aria-current="page"') if link.current else "",
                icon(link.icon),
                link.label,
                _side_count(link.count) if link.count else "",
            )
            for link in links
        ),
    )


def _side_count(count: int) -> SafeString:
    return format_html(
        '<span class="side-count">{}<span class="visually-hidden"> open</span></span>', count
    )


def _draw(each: Cell, today: date | None) -> str:
    kind, value = each.column.kind, each.value
    if kind == "state":
        source = each.column.value
        return state(each.row, source if isinstance(source, str) else each.column.name)
    if kind == "due":
        return due(value, settled=each.settled, today=today)
    if kind == "person":
        return person(value)
    if kind == "link" and value is not None and hasattr(value, "get_absolute_url"):
        return f'<a href="{_escaped(value.get_absolute_url())}">{_escaped(value)}</a>'
    plain = _escaped(_plain(value))
    if kind == "number" or each.column.name == "number":
        return f'<span class="number">{plain}</span>'
    return plain


def _plain(value: Any) -> Any:
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, int | float | Decimal):
        return figure(value)
    return value


@register.simple_tag(takes_context=True)
def panel(context: template.Context, each: Any) -> SafeString:
    """A panel another chapter contributes to this record page."""
    flat: dict[Any, Any] = context.flatten()
    return render_to_string(each.template, {**flat, **each.context}, request=context.get("request"))


@register.filter
def pairs(values: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Each value with the one before it (None for the first)."""
    return list(zip([None, *values], values, strict=False))


@register.filter
def is_checkbox(field: Any) -> bool:
    """Whether a form's field is one tick box, whose label stands beside it."""
    return getattr(field.field.widget, "input_type", "") == "checkbox" and not hasattr(
        field.field, "choices"
    )


@register.filter
def bare_messages(text: Any) -> str:
    """A message's words without its markup."""
    return re.sub(r"<[^>]+>", "", str(text))


@register.filter
def origin_seen_by(record: Any, person: Any) -> Any:
    """The record another one came from, if this person may see it; else None."""
    origin = record.origin
    return origin if origin is not None and origins.is_visible(origin, person) else None


@register.filter
def roles_in_words(someone: Any) -> str:
    """What a person is here: the titles of their roles."""
    return str(getattr(someone, "role_label", "") or "")


@register.filter
def note_words(value: Any) -> Any:
    """The note under a step of a path: a date in words, anything else as it is."""
    return day_words(value) if isinstance(value, date) else value


@register.filter
def in_words(value: Any) -> Any:
    """A plain value as people read it: dates, numbers, yes or no, people; a dash for nothing."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return _plain(value)


@register.simple_tag
def spark(values: Sequence[float | None], width: int = 120, height: int = 28) -> SafeString:
    """A small line of a series; gaps stay gaps. The numbers belong in a table beside it."""
    known = [float(value) for value in values if value is not None]
    if len(known) < 2:
        return mark_safe("")
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    step = (width - 4) / (len(values) - 1)
    points: list[list[str]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            points.append([])
            continue
        y = height - 3 - (float(value) - low) / span * (height - 6)
        points[-1].append(f"{2 + at * step:.1f},{y:.1f}")
    lines = [" ".join(each) for each in points if each]
    drawn = mark_safe("".join(f'<polyline points="{line}"/>' for line in lines))  # noqa: S308
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" width="{}" height="{}" aria-hidden="true">{}</svg>',
        width,
        height,
        width,
        height,
        drawn,
    )
