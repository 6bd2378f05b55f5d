"""What the frame and the search get from people."""

from typing import Any

from django.db.models import Q

from qms import contributions
from qms.people.models import Person

contributions.navigation(
    "Do", "People", "people:person_list", icon="users", permission="people.view_person", order=70
)


@contributions.asks_live(Person, "People", title="name", note="job_title", order=70)
def people_named(person: Any, query: str) -> Any:
    """Colleagues by name, job title or address: who they are stands in no index."""
    words = Q(name__icontains=query) | Q(job_title__icontains=query) | Q(email__icontains=query)
    rows = Person.objects.visible_to(person).filter(words, is_system=False, is_active=True)
    return rows.order_by("name", "pk")
