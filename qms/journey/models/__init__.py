"""The facts of the journey: its records, the words of the ten steps, the sector starters."""

from qms.journey.models.records import (
    LONGEST,
    SHORTEST,
    Briefing,
    BriefingAttendee,
    OpeningAnswer,
    PlanStep,
    PrincipleAnswer,
    Project,
)

__all__ = [
    "LONGEST",
    "SHORTEST",
    "Briefing",
    "BriefingAttendee",
    "OpeningAnswer",
    "PlanStep",
    "PrincipleAnswer",
    "Project",
]
