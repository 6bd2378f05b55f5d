"""How a cause was looked for (5 whys, Ishikawa, is/is-not), and the full 8D of a serious case."""

from typing import Any

from django.conf import settings
from django.db import models

from qms.links import Link
from qms.records import Record


class CauseAnalysis(Record):
    """What was asked to find the cause of a nonconformity; one for each case.

    `whys` are rows {key, parent, why, evidence, root}: a branching chain, checked by `capa.whys`.
    `fishbone` has the causes by category of `scheme`, `is_is_not` rows of the comparing table.
    """

    class Scheme(models.TextChoices):
        CLASSIC = "classic", "People, machine, method, material, measurement, environment"
        SERVICE = "service", "People, policy, process, place"

    CATEGORIES = {
        "classic": ("People", "Machine", "Method", "Material", "Measurement", "Environment"),
        "service": ("People", "Policy", "Process", "Place"),
    }
    ASKED = ("What", "Where", "When", "How many")

    nonconformity = models.OneToOneField(
        "capa.Nonconformity", models.PROTECT, related_name="cause_analysis", editable=False
    )
    whys = models.JSONField("whys", default=list)
    scheme = models.CharField("categories", max_length=8, choices=Scheme, default=Scheme.CLASSIC)
    fishbone = models.JSONField("Ishikawa", default=dict)
    is_is_not = models.JSONField("is / is not", default=list)

    class Meta(Record.Meta):
        verbose_name = "cause analysis"
        verbose_name_plural = "cause analyses"

    def __str__(self) -> str:
        return f"Cause analysis of {self.nonconformity.number}"

    def get_absolute_url(self) -> str:
        return self.nonconformity.get_absolute_url()

    def told_change(self, name: str, old: Any, new: Any) -> tuple[str, str] | None:
        """Tables are told by what stands in them, not by how they are stored."""
        return (_told(old), _told(new)) if name in ("whys", "fishbone", "is_is_not") else None

    def branches(self) -> list[tuple[str, list[str]]]:
        """Each category of the scheme with its causes."""
        return [(name, list(self.fishbone.get(name, ()))) for name in self.CATEGORIES[self.scheme]]

    @property
    def has_fishbone(self) -> bool:
        return any(causes for _name, causes in self.branches())


def _told(value: Any) -> str:
    """The words in a table, row by row."""
    rows = value.items() if isinstance(value, dict) else enumerate(value or ())
    lines = []
    for _key, row in rows:
        cells = row if isinstance(row, list) else row.values() if isinstance(row, dict) else [row]
        lines.append(" · ".join(str(each) for each in cells if isinstance(each, str) and each))
    return "; ".join(each for each in lines if each) or "–"


class EightD(Record):
    """What the full 8D of a serious case has beside the case itself: team, choice, prevention.

    D2, D3, D5 and D6 stand in the nonconformity and its corrective action. Where `omitted_because`
    is said, it was decided that the case needs none; whoever begins it all the same ends that.
    """

    PARTS = ("emergency", "description", "chosen", "validated", "prevention", "recognition")

    nonconformity = models.OneToOneField(
        "capa.Nonconformity", models.PROTECT, related_name="eight_d", editable=False
    )
    emergency = models.TextField("D0 · what could not wait", blank=True)
    leader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="D1 · leader of the team",
    )
    description = models.TextField("D2 · the problem: what, where, when, how many", blank=True)
    chosen = models.TextField("D5 · why these actions, and how they were tried", blank=True)
    validated = models.TextField("D6 · what shows that they are in place", blank=True)
    prevention = models.TextField("D7 · what the system learned", blank=True)
    recognition = models.TextField("D8 · how the team was thanked", blank=True)
    omitted_because = models.TextField("why no 8D is needed", blank=True, editable=False)

    class Meta(Record.Meta):
        verbose_name = "8D"
        verbose_name_plural = "8D"

    def __str__(self) -> str:
        return f"8D of {self.nonconformity.number}"

    def get_absolute_url(self) -> str:
        return self.nonconformity.get_absolute_url()

    @property
    def is_released(self) -> bool:
        """A decision that none is needed is not taken back silently."""
        return bool(self.omitted_because)

    def lacking(self) -> list[str]:
        """What is still empty of what a closed 8D shows."""
        if self.omitted_because:
            return []
        needed = {
            "leader": "the team (D1)",
            "description": "the problem (D2)",
            "chosen": "the choice of actions (D5)",
            "validated": "what shows that they are in place (D6)",
            "prevention": "what the system learned (D7)",
            "recognition": "the thanks to the team (D8)",
        }
        return [words for name, words in needed.items() if not getattr(self, f"{name}", None)]


class EightDMember(Link):
    """That somebody is of the team of an 8D."""

    eight_d = models.ForeignKey(EightD, models.PROTECT, related_name="member_links")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta(Link.Meta):
        verbose_name = "member of an 8D team"
        constraints = [
            models.UniqueConstraint(fields=["eight_d", "person"], name="capa_8d_member_once")
        ]

    def __str__(self) -> str:
        return f"{self.person.name} in {self.eight_d}"
