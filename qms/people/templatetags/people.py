"""What the sign-in page asks about people."""

from django import template

from qms.people.models import Person

register = template.Library()


@register.simple_tag
def nobody_yet() -> bool:
    """Whether nobody has an account, so that the page says how the first one is made."""
    return not Person.objects.people().exists()
