"""Shares of a whole, as figures tell them: so many of so many, and the percent of it."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

GOOD = 90  # percent; below, a figure that ought to be whole asks to be looked at


@dataclass(frozen=True)
class Share:
    """So many of so many; without any there is no share."""

    part: int
    whole: int

    @property
    def percent(self) -> int | None:
        """Whole percent, halves upwards; None of nothing."""
        if not self.whole:
            return None
        exact = Decimal(100 * self.part) / self.whole
        return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))

    @property
    def words(self) -> str:
        """The percent as people read it; a dash for nothing."""
        return "–" if self.percent is None else f"{self.percent} %"

    @property
    def is_good(self) -> bool:
        return self.percent is not None and self.percent >= GOOD
