"""The currency amounts are in: that of the organisation's country."""

from qms.scope.models import Organisation

CURRENCIES = {"US": "USD", "GB": "GBP", "CA": "CAD"}


def currency() -> str:
    """The code of the currency; empty before there is an organisation."""
    organisation = Organisation.objects.current()
    return CURRENCIES.get(organisation.country, "") if organisation else ""
