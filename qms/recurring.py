"""What comes round again: so many months after it was last done, or sooner where somebody asks.

The next day follows from the last one and the interval, whoever saves the record and however, and
is stored with it, so that lists, reminders and the calendar can ask for it (7.1.5.2, 8.4.1, 9.1.2).
"""

from datetime import date, timedelta
from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from qms.periods import add_months
from qms.records import RecordQuerySet
from qms.refusals import Refused

LONGEST_MONTHS = 120
INTERVAL = f"Give an interval of 1 to {LONGEST_MONTHS} months."
SOME_MONTHS = [MinValueValidator(1, INTERVAL), MaxValueValidator(LONGEST_MONTHS, INTERVAL)]


class RecurringQuerySet(RecordQuerySet):
    def overdue(self, on: date) -> Self:
        """To be done again before a day."""
        return self.filter(next_due__lt=on)

    def due_between(self, start: date, end: date) -> Self:
        """To be done again on one of these days, both included."""
        return self.filter(next_due__range=(start, end))


class Recurring(models.Model):
    """Mixed in before a record that is looked at again and again.

    Until it was done for the first time it is due `FIRST_DAYS` after it was entered.
    """

    FIRST_DAYS: ClassVar[int] = 30

    every_months = models.PositiveSmallIntegerField(
        "again every (months)", default=12, validators=SOME_MONTHS
    )
    sooner_on = models.DateField(
        "or sooner, by", null=True, blank=True, help_text="Once; afterwards the interval counts."
    )
    entered_on = models.DateField("entered on", editable=False)
    last_on = models.DateField("last done on", null=True, editable=False)
    next_due = models.DateField("next due", editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.next_due = self.due_again()
        super().save(*args, **kwargs)

    @staticmethod
    def interval_constraint(name: str) -> models.CheckConstraint:
        """The promise that an interval is some months and never none."""
        return models.CheckConstraint(
            condition=Q(every_months=None) | Q(every_months__range=(1, LONGEST_MONTHS)),
            name=name,
            violation_error_message=INTERVAL,
        )

    def due_again(self) -> Any:
        """The next day by interval or wish, whichever comes first; None where neither says one."""
        months: int | None = self.every_months
        if months is None:
            return self.sooner_on
        first = self.entered_on + timedelta(days=self.FIRST_DAYS)
        regular = add_months(self.last_on, months) if self.last_on else first
        return min(regular, self.sooner_on) if self.sooner_on else regular

    def done(self, day: date | None, next_due: date | None) -> None:
        """It was done on a day, and is due again by the interval or, as was said then, sooner."""
        self.last_on, self.sooner_on = day, None
        if next_due != self.due_again():
            self.sooner_on = next_due

    def is_overdue(self, on: date) -> bool:
        return self.next_due is not None and self.next_due < on


def check_months(months: int | None) -> None:
    """Refuse an interval of no months, or of more than anybody plans for."""
    if months is not None and not 1 <= months <= LONGEST_MONTHS:
        raise Refused(INTERVAL, field="every_months")


def check_day(day: date, last: date | None, *, today: date, what: str, field: str) -> None:
    """Refuse a day ahead, and one before the last: the newest says when it is due again."""
    if day > today:
        raise Refused(f"That day is still ahead; record the {what} when it was done.", field=field)
    if last is not None and day < last:
        raise Refused(
            f"The last {what} was on {last:%-d %B %Y}; an earlier one changes nothing. Check the"
            " day.",
            field=field,
        )


def check_sooner(day: date, sooner: date | None) -> None:
    """Refuse a next day that is not after the day itself."""
    if sooner is not None and sooner <= day:
        raise Refused("The next one comes after this one. Check the day.", field="sooner_on")
