"""What the organisation calls the grades of findings; what each means is fixed (9.2.2)."""

from django.db import models
from django.db.models import Q
from django.urls import reverse

from audits.models.findings import Finding
from qms.records import Record


class FindingGrade(Record):
    """The organisation's own word and definition for a grade, and whether auditors use it."""

    grade = models.CharField(
        "grade", max_length=12, choices=Finding.Grade, unique=True, editable=False
    )
    label = models.CharField("what we call it", max_length=60)
    definition = models.TextField("when it is given", blank=True)
    is_used = models.BooleanField(
        "auditors use it", default=True, help_text="Findings already graded so keep their grade."
    )

    class Meta(Record.Meta):
        verbose_name = "grade of findings"
        verbose_name_plural = "grades of findings"
        constraints = [
            models.CheckConstraint(condition=~Q(label=""), name="audits_grade_has_a_label")
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def is_released(self) -> bool:
        return True

    def get_absolute_url(self) -> str:
        return reverse("audits:grade_list")
