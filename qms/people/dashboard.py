"""What the frame and the search get from people."""

from typing import Any

from django.db.models import Q

from qms import contributions
from qms.contributions import Hit
from qms.people.models import Person

contributions.navigation(
    "Do", "People", "people:person_list", icon="users", permission="people.view_person", order=70
)


@contributions.search("People", order=70)
def find_people(person: Any, query: str, limit: int) -> list[Hit]:
    """Colleagues by name, job title or address."""
    words = Q(name__icontains=query) | Q(job_title__icontains=query) | Q(email__icontains=query)
    rows = Person.objects.visible_to(person).filter(words, is_system=False, is_active=True)
    return [
        Hit(each.name, "Person", "", each.get_absolute_url(), each.job_title)
        for each in rows.order_by("name", "pk")[:limit]
    ]
