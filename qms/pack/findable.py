"""What is found of evidence packs."""

from qms.finding.workflow import Text, findable
from qms.pack.models import Pack


@findable(Pack, "Evidence packs", order=90)
def describe(pack: Pack) -> Text:
    """A pack by number and whom it is for."""
    return Text(title=pack.title, number=pack.number, note=str(pack.period))
