"""The life of a demo company: a timeline of events, each lived at its own moment.

Every chapter's `demo.py` puts what its people do on the timeline; the loader runs the events in
order, each in a transaction of its own, with the program's and the database's clock at its moment
(`qms.clock.living_at`). So the demo obeys every rule, and its history is dated as it would be.
"""

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from django.db import transaction

from qms import clock
from qms.journey.models.starters import starter
from qms.periods import add_months
from qms.signing.workflow import Proof, demo_proof

COMPANIES = Path(__file__).parent / "companies"
MONTHS = 36
COMES_AGAIN = timedelta(days=730)  # told again within this time, a problem is a repeat
SOME_COME_AGAIN = 0.05
Event = Callable[[], Any]
_stages: list[tuple[int, Callable[["Life"], None]]] = []
_forms: list[Callable[..., Any]] = []


def stage(order: int) -> Callable[[Callable[["Life"], None]], Callable[["Life"], None]]:
    """Register `(life) -> None`: what a chapter puts on the timeline, in order of the chapters."""

    def keep(begin: Callable[["Life"], None]) -> Callable[["Life"], None]:
        _stages.append((order, begin))
        return begin

    return keep


def fills_in_forms(fill: Callable[..., Any]) -> Callable[..., Any]:
    """Register `(life, about, *, by, values) -> record or None`, for `Life.by_form`."""
    _forms.append(fill)
    return fill


def companies() -> list[str]:
    """The names of the companies there are."""
    return sorted(path.stem for path in COMPANIES.glob("*.yaml"))


@cache
def company(name: str) -> dict[str, Any]:
    """What is written about a company."""
    told: dict[str, Any] = yaml.safe_load((COMPANIES / f"{name}.yaml").read_text())
    if told.get("starter"):
        told["processes"] = _with_starter(told["starter"], told["processes"])
    return told


def _with_starter(key: str, own: dict[str, Any]) -> dict[str, Any]:
    """The processes of a sector's starter, with what the company's file says of each."""
    chosen = starter(key)
    flows = chosen.flows_between([each.code for each in chosen.processes])
    return {
        each.code: {**asdict(each), **flows[each.code], **own[each.code]}
        for each in chosen.processes
    }


@dataclass
class Life:
    """A company while it is being lived: its people, its processes, and what will happen."""

    name: str
    today: date
    seed: int = 9001
    months: int = MONTHS  # how long it has lived by today
    people: dict[str, Any] = field(default_factory=dict)
    sites: dict[str, Any] = field(default_factory=dict)
    processes: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.told = company(self.name)
        self.zone = ZoneInfo(self.told["organisation"]["time_zone"])
        self.start = add_months(self.today, -self.months)
        self.chance = random.Random(self.seed)  # noqa: S311 - the same company every time
        self._events: list[tuple[datetime, int, Event]] = []
        self._order = count()
        self.now = self.moment(self.start, 8)
        # The same company whatever the hour: it is told up to seven in the morning of today.
        self.end = datetime.combine(self.today, time(7), tzinfo=self.zone).astimezone(UTC)

    # --- when ---------------------------------------------------------------------------------

    def moment(self, day: date, hour: float = 9) -> datetime:
        """An hour of a working day in the company's zone; weekends become Monday."""
        day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
        minutes = int(hour * 60)
        at = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=self.zone)
        return at.astimezone(UTC)

    def month(self, months: float) -> date:
        """The day so many months after the start."""
        whole = int(months)
        return add_months(self.start, whole) + timedelta(days=round((months - whole) * 30))

    def hour(self) -> float:
        """Some hour of a working day."""
        return self.chance.randint(8 * 4, 16 * 4) / 4

    def on(self, day: date, event: Event) -> None:
        """Something happens on a day, at some working hour; days to come are left alone."""
        self.at(self.moment(day, self.hour()), event)

    def after(self, days: float, event: Event) -> None:
        """Something happens so many days after now."""
        at = self.now + timedelta(days=days)
        if at.astimezone(self.zone).weekday() > 4:
            at += timedelta(days=2)
        self.at(max(at, self.now + timedelta(minutes=7)), event)

    def at(self, moment: datetime, event: Event) -> None:
        heapq.heappush(self._events, (moment, next(self._order), event))

    def day(self) -> date:
        """The company's day now."""
        return self.now.astimezone(self.zone).date()

    # --- who ----------------------------------------------------------------------------------

    def who(self, key: str) -> Any:
        """A person by the key of the company's file."""
        return self.people[key]

    def cast(self, part: str) -> list[Any]:
        """The people who play a part: "auditors", "reviewers", in the order of the file."""
        return [self.people[key] for key in self.told["cast"][part]]

    def voice(self, chapter: str) -> dict[str, Any]:
        """What this company's people say again and again, in one chapter."""
        said: dict[str, Any] = self.told["voice"][chapter]
        return said

    def sign(self, person: Any) -> Proof:
        """What a password would give."""
        return demo_proof(person)

    def by_form(self, about: Any, *, by: Any, values: dict[str, Any]) -> Any:
        """What became of an entry of the company's form about this; None without one in force.

        `values` are what the register takes, by its own names.
        """
        made = (fill(self, about, by=by, values=values) for fill in _forms)
        return next((each for each in made if each is not None), None)

    def pick(self, choices: Iterable[Any]) -> Any:
        return self.chance.choice(list(choices))

    def often(self, share: float) -> bool:
        """True in about this share of the cases."""
        return self.chance.random() < share

    # --- what -----------------------------------------------------------------------------------

    def fill(self, text: str) -> str:
        """A text of the company's file with its numbers filled in."""
        return text.format(
            n=self.chance.randint(3, 48),
            m=self.chance.randint(2, 9),
            d=self.chance.randint(2, 9),
            o=self.chance.randint(4100, 9800),
        )

    def problem_of_today(self, process: str = "") -> list[Any] | None:
        """One of the company's problems, of a process or of all, that was not told lately.

        Now and then one that was, because some things come again; None where there is no other.
        """
        day = self.day()
        told: dict[str, date] = self.kept.setdefault("problems told", {})
        known = [each for each in self.told["problems"] if process in ("", each[0])]
        recent = [each for each in known if each[4] in told and told[each[4]] > day - COMES_AGAIN]
        fresh = [each for each in known if each not in recent]
        again = recent and self.often(SOME_COME_AGAIN)
        if not (again or fresh):
            return None
        chosen: list[Any] = self.pick(recent if again else fresh)
        told[chosen[4]] = day
        return chosen

    def problem(self, told: list[Any]) -> dict[str, Any]:
        """Requirement, evidence and statement of one of the company's problems."""
        edition = self.told["organisation"]["edition"]
        return {
            "title": told[4].rstrip("."),
            "statement": told[4],
            "requirement": told[2],
            "clause": f"{edition}:{told[1]}",
            "evidence": self.fill(told[3]),
            "process": self.processes[told[0]],
            "grade": "major" if self.often(0.06) else "minor",
            "detected_on": self.day() - timedelta(days=self.chance.randint(0, 2)),
        }

    # --- live ---------------------------------------------------------------------------------

    def run(self, tell: Callable[[int, datetime], None] = lambda done, at: None) -> int:
        """Live through everything that lies in the past; returns how many events there were."""
        for _order, begin in sorted(_stages, key=lambda each: (each[0], each[1].__module__)):
            begin(self)
        done = 0
        while self._events and self._events[0][0] <= self.end:
            self.now, _, event = heapq.heappop(self._events)
            with clock.living_at(self.now), transaction.atomic():
                event()
            done += 1
            if done % 100 == 0:
                tell(done, self.now)
        return done
