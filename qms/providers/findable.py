"""What is found of external providers."""

from qms.finding.workflow import Text, findable
from qms.providers.models import Provider


@findable(Provider, "External providers", order=60)
def describe(provider: Provider) -> Text:
    """A provider by number, name, what they provide and their certificate."""
    return Text(
        title=provider.name,
        number=provider.number,
        keywords=provider.get_kind_display(),
        words="\n".join(filter(None, (provider.provides, provider.criteria, provider.certificate))),
        note=provider.get_status_display(),
    )
