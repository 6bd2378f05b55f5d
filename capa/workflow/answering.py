"""The simple way: a whole answer at once, each part the step of the procedure that it is."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction as db

from capa.models import Nonconformity
from capa.workflow.deciding import plan
from capa.workflow.nonconformities import contain, find_cause
from qms.people.models import Person
from qms.refusals import Refused
from qms.workflow import amend

PARTS = {"contain": contain, "find_cause": find_cause, "plan": plan}


def answer(
    nc: Nonconformity,
    *,
    by: Person,
    parts: Mapping[str, Mapping[str, Any]],
    complete: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> Nonconformity:
    """Make the steps that were filled in, in their order: all of them, or none.

    `parts` has what each step asks, by its name; `complete` what the report still lacked
    (requirement, evidence, statement). Raises what the first step that does not hold raises.
    """
    given = [name for name in PARTS if parts.get(name)]
    if not given:
        raise Refused("Fill in at least what was done at once.")
    with db.atomic():
        if complete:
            nc = amend(
                nc,
                by=by,
                changes=complete,
                reason="Completed with the answer.",
                version=version,
            )
            version = None
        for name in given:
            nc = PARTS[name](nc, by=by, version=version, **parts[name])
            version = None
    return nc
