"""Uses of the mark: entered, looked at, taken down when the certificate does not hold any more."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django import forms

from audits.models import Certificate, MarkUse
from audits.workflow.certification import NAMED, CertificateChanged
from qms import contributions
from qms.contributions import Holding, Step, held
from qms.events import handles
from qms.files.workflow import guards_attaching
from qms.people.models import Person
from qms.periods import day_of, today
from qms.records import RecordSaved
from qms.recurring import check_day, check_months
from qms.refusals import Refused
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition

MAY = "audits.change_markuse"
MAY_LOOK = "audits.check_markuse"
Status = MarkUse.Status
Found = MarkUse.Found
FIELDS = ("certificate", "medium", "place", "shows", "wording", "owner", "every_months")
ON_PACKAGING = (
    "On packaging the mark looks as if the product were certified. Say in words that the system is,"
    " by whom and by which standard; ask the body whether it agrees."
)


def not_in_force(certificate: Certificate) -> str | None:
    """Why nothing may name a certificate now; None while it is in force."""
    if certificate.status in Certificate.IN_FORCE:
        if certificate.expires_on and certificate.expires_on < today():
            return f"The certificate was valid through {certificate.expires_on:%-d %B %Y}."
        return None
    shown = certificate.get_status_display().lower()
    return f"The certificate is {shown}; nothing may name it."


def only_who_sees_to_it(use: MarkUse, by: Any) -> str | None:
    if by.pk == use.owner_id or by.has_perm(MAY):
        return None
    return "Whoever sees to it does this, or the quality manager."


def its_certificate_holds(use: MarkUse, by: Any) -> str | None:
    return not_in_force(use.certificate)


@guards_attaching(MarkUse)
def while_it_is_in_use(use: MarkUse, by: Any) -> str | None:
    """Pictures of what it looks like; only those who see to it add them."""
    if use.is_settled:
        return "It is taken down; nothing is added to it."
    return only_who_sees_to_it(use, by)


@creates(MarkUse, permission=MAY)
def enter_mark_use(
    *,
    by: Person,
    certificate: Certificate,
    medium: str,
    place: str,
    wording: str,
    owner: Person,
    shows: str = MarkUse.Shows.MARK,
    every_months: int = 12,
) -> MarkUse:
    """Enter a place where the mark or the certificate is shown."""
    if why := not_in_force(certificate):
        raise Refused(why, field="certificate")
    if not place.strip() or not wording.strip():
        raise Refused("Say where it is and what it says.", field="wording")
    if why := on_packaging(medium, shows):
        raise Refused(why, field="shows")
    check_months(every_months)
    use = MarkUse(
        certificate=certificate,
        medium=medium,
        place=place.strip(),
        shows=shows,
        wording=wording.strip(),
        owner=owner,
        every_months=every_months,
        entered_on=today(),
        created_by=by,
    )
    use.save()
    return use


def on_packaging(medium: str, shows: str) -> str | None:
    wrong = medium == MarkUse.Medium.PACKAGING and shows == MarkUse.Shows.MARK
    return ON_PACKAGING if wrong else None


def stays_allowed(use: MarkUse, changed: Mapping[str, Any]) -> str | None:
    """The mark stays off packaging, and what is named is in force."""
    for name in ("place", "wording"):
        if name in changed and not str(changed[name]).strip():
            return "Say where it is and what it says."
    if "certificate" in changed and (why := not_in_force(changed["certificate"])):
        return why
    return on_packaging(changed.get("medium", use.medium), changed.get("shows", use.shows))


def is_looked_at_anew(use: MarkUse, by: Any, changed: Mapping[str, Any]) -> None:
    """A look holds for what it saw: whoever changes that has it compared again."""
    if set(MarkUse.SAYS) & set(changed):
        forget_the_look(use)


def forget_the_look(use: MarkUse) -> None:
    """What was found holds no more; until somebody looks again nothing is said about it."""
    soon = today() + timedelta(days=MarkUse.AGAIN_DAYS)
    use.found, use.note = Found.NONE, ""
    use.sooner_on = min(use.sooner_on or soon, soon)


def says_so_since(use: MarkUse) -> date | None:
    """The day since when the use and its certificate say what they say; None while as entered."""
    told = (
        (MarkUse, use.pk, MarkUse.SAYS),
        (Certificate, use.certificate_id, NAMED),
    )
    days = [_changed_on(model, key, fields) for model, key, fields in told]
    return max((day for day in days if day), default=None)


def _changed_on(model: Any, key: int, fields: Sequence[str]) -> date | None:
    """The day on which one of the fields was last changed, by the history."""
    rows = model.history.filter(id=key).order_by("history_id")
    told = list(rows.values_list("history_date", *fields))
    moments = [now[0] for before, now in pairwise(told) if before[1:] != now[1:]]
    return day_of(moments[-1]) if moments else None


editing_mark_use = amendment(
    MarkUse,
    permission=MAY,
    fields=(*FIELDS, "sooner_on"),
    states=(Status.IN_USE,),
    checks=[stays_allowed],
    follows=is_looked_at_anew,
)


@transition(
    MarkUse,
    source=Status.IN_USE,
    target=Status.IN_USE,
    permission=MAY_LOOK,
    only=only_who_sees_to_it,
    guards=[its_certificate_holds],
    details={
        "checked_on": forms.DateField(label="Looked at on", initial=today),
        "found": forms.ChoiceField(
            label="What was found",
            choices=[each for each in Found.choices if each[0]],
            help_text="Compare it with the certificate: name, standard and edition, scope, sites.",
        ),
        "note": forms.CharField(
            label="What is wrong, or what was seen",
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 2}),
        ),
    },
    label="Look at it",
)
def check_use(use: MarkUse, *, by: Any, checked_on: date, found: str, note: str = "") -> None:
    """Record that it was compared with the certificate; what is wrong comes again in two weeks."""
    check_day(checked_on, use.last_on, today=today(), what="look", field="checked_on")
    since = says_so_since(use)
    if since and checked_on < since:
        raise Refused(
            f"What it says, or the certificate, changed on {since:%-d %B %Y}; a look before that"
            " saw something else. Look at it again.",
            field="checked_on",
        )
    if found not in Found.values or not found:
        raise Refused("Say what was found.", field="found")
    if found == Found.WRONG and not note.strip():
        raise Refused("Say what is wrong.", field="note")
    use.found, use.note = found, note.strip()
    use.done(checked_on, None)
    use.sooner_on = None
    if found == Found.WRONG:
        use.sooner_on = checked_on + timedelta(days=MarkUse.AGAIN_DAYS)


@transition(
    MarkUse,
    source=Status.IN_USE,
    target=Status.DOWN,
    permission=MAY_LOOK,
    only=only_who_sees_to_it,
    details={"down_on": forms.DateField(label="Taken down on", initial=today)},
    label="Taken down",
    primary=False,
)
def take_down(use: MarkUse, *, by: Any, down_on: date) -> None:
    """Record that it is not shown any more."""
    if down_on > today():
        raise Refused("Record it when it is down.", field="down_on")
    if down_on < use.entered_on:
        raise Refused("It cannot be down before it was entered here.", field="down_on")
    use.down_on = down_on


@transition(
    MarkUse,
    source=Status.DOWN,
    target=Status.IN_USE,
    permission=MAY,
    guards=[its_certificate_holds],
    label="Shown again",
)
def show_again(use: MarkUse, *, by: Any) -> None:
    """It is shown again, under a certificate that holds; it is looked at anew."""
    use.down_on, use.found, use.note = None, Found.NONE, ""
    use.done(None, None)
    use.sooner_on = today() + timedelta(days=MarkUse.AGAIN_DAYS)


@handles(RecordSaved, order=92)
def its_uses_follow_a_certificate(event: RecordSaved) -> None:
    """What has to come down, and what says a scope that changed, is somebody's work at once."""
    certificate = event.record
    if not isinstance(certificate, Certificate) or event.created:
        return
    for use in MarkUse.objects.in_use().filter(certificate=certificate).order_by("pk"):
        refresh(use)


@handles(CertificateChanged)
def what_names_it_is_looked_at_again(event: CertificateChanged) -> None:
    """Whatever names a certificate that says something else now is compared with it in two weeks.

    What was wrong before is still to be put right.
    """
    rows = MarkUse._base_manager.select_for_update(of=("self",)).filter(
        certificate=event.certificate.pk, status=Status.IN_USE
    )
    for use in rows.order_by("pk"):
        found, note = use.found, use.note
        forget_the_look(use)
        if found == Found.WRONG:
            use.found, use.note = found, note
        use.save_because("The certificate changed; it is compared with it again.", by=event.by)


def down_by(certificate: Certificate) -> date | None:
    """From which day nothing names a certificate any more; None while it is in force."""
    if not_in_force(certificate) is None:
        return None
    suspended = certificate.suspensions.filter(ended_on=None).first()
    ran_out = certificate.expires_on if certificate.status in EXPIRING else None
    days = [
        suspended.began_on if suspended else None,
        certificate.transferred_on,
        ran_out + timedelta(days=1) if ran_out else None,
    ]
    return next((day for day in days if day), today())


# In these a certificate that is not in force is past its printed day.
EXPIRING = (*Certificate.IN_FORCE, Certificate.Status.EXPIRED)


@contributions.work(MarkUse)
def steps_of_a_use(use: MarkUse) -> list[Step]:
    """Whoever sees to it takes it down, or looks at it in time."""
    if use.is_settled:
        return []
    if day := down_by(use.certificate):
        return [Step("take_down", "Take it down", person=use.owner, due=day)]
    words = "Put it right" if use.found == Found.WRONG else "Look at it"
    days = [use.next_due]
    if use.certificate.expires_on:  # whoever sees to it learns of it then, whoever records what
        days.append(use.certificate.expires_on + timedelta(days=1))
    return [Step("look", words, person=use.owner, due=min(days))]


@contributions.hand_over("Uses of the mark", order=84)
def uses_of(person: Any) -> list[Holding]:
    """What somebody sees to and that is still shown."""
    return held(MarkUse.objects.in_use().filter(owner=person).order_by("pk"), "owner")
