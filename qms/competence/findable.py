"""What is found of competences and trainings."""

from qms.competence.models import Competence, Training
from qms.finding.workflow import Text, findable


@findable(Competence, "Competences", order=72)
def describe_competence(competence: Competence) -> Text:
    """A competence by name and meaning."""
    return Text(
        title=competence.name, words=competence.meaning, note=competence.get_status_display()
    )


@findable(Training, "Trainings", order=73)
def describe_training(training: Training) -> Text:
    """A training by number, title and content."""
    return Text(
        title=training.title,
        number=training.number,
        words=training.content,
        note=training.get_status_display(),
    )
