"""The nonconformities of a demo company: reported, answered, verified, closed, some too late."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from capa import demo_voices as demo_voices
from capa import workflow
from capa.demo_cases import TOLD
from capa.models import CaseAction, CorrectiveAction, Nonconformity, Proposal, Repeat
from qms.actions import workflow as actions
from qms.demo.life import Life, stage
from qms.events import handles
from qms.records import RecordSaved

_living: list[Life] = []


@stage(60)
def problems_are_reported(life: Life) -> None:
    """A problem every two weeks or so, from the third month to today; of few kinds less often."""
    _living[:] = [life]
    usual = max(8, 600 // len(life.told["problems"]))
    day = life.month(3)
    while day < life.today:
        life.on(day, lambda: _report(life))
        day += timedelta(days=life.chance.randint(usual // 2, 2 * usual))


def _report(life: Life) -> None:
    told = life.problem_of_today()
    if told is None:
        return
    reporter = life.pick(life.cast("reporters"))
    workflow.raise_nonconformity(
        by=reporter,
        **life.problem(told),
        source=life.voice("capa")["sources"].get(told[0], "process"),
    )


@handles(RecordSaved, order=95)
def its_owner_takes_it_up(event: RecordSaved) -> None:
    """While a demo is lived, whoever owns a new nonconformity will answer it."""
    nc = event.record
    if _living and event.created and isinstance(nc, Nonconformity):
        life = _living[0]
        if nc.title in life.kept.get(TOLD, ()):
            return
        life.after(life.chance.choice([0.2, 1, 1, 2, 3, 6]), lambda: _contain(life, nc))


@handles(RecordSaved, order=96)
def its_owner_decides(event: RecordSaved) -> None:
    """A proposal is decided within two days; the first of every three becomes a nonconformity."""
    proposal = event.record
    if _living and event.created and isinstance(proposal, Proposal):
        _living[0].after(1.5, lambda: _decide(proposal))


def _decide(proposal: Proposal) -> None:
    proposal.refresh_from_db()
    if proposal.is_settled:
        return
    if Proposal.objects.exclude(status=Proposal.Status.OPEN).count() % 3 == 0:
        workflow.take_up(proposal, by=proposal.owner)
        return
    workflow.decline(proposal, by=proposal.owner, reason="Put right at once; the provider knows.")


def _told(life: Life, nc: Nonconformity) -> list[Any]:
    """What the company's file tells about this problem; audits word theirs alike."""
    return next(
        (each for each in life.told["problems"] if each[4].rstrip(".") == nc.title.rstrip(".")),
        life.told["problems"][0],
    )


def _contain(life: Life, nc: Nonconformity) -> None:
    told = _told(life, nc)
    nc.refresh_from_db()
    by = _closer(life, nc)
    if life.often(0.03) and not workflow.void.obstacles(nc, by):
        workflow.void(nc, by=by, reason="Reported twice.")
        return
    done = life.fill(told[8])
    # The certification body asks for the correction, too.
    corrected = done if nc.source == Nonconformity.Source.CERTIFICATION else ""
    workflow.contain(nc, by=nc.owner, containment=done, correction=corrected)
    life.after(life.chance.choice([2, 4, 7, 9, 12, 13, 20]), lambda: _analyse(life, nc))


def _analyse(life: Life, nc: Nonconformity) -> None:
    told = _told(life, nc)
    similar = life.pick(life.voice("capa")["similar"])
    workflow.find_cause(
        nc,
        by=nc.owner,
        root_cause=told[6],
        category=told[7],
        similar=similar,
        why_chain="\n".join(told[5]),
    )
    life.after(2, lambda: _decide_repeats(life, nc))
    small = not nc.asks_for_8d
    if life.often(0.05) and small and not workflow.closed_without_action(nc, life.day()):
        life.after(2, lambda: _close_what_is_small(life, nc))
    else:
        life.after(life.chance.choice([0.3, 1, 2, 3]), lambda: _plan(life, nc))


def _close_what_is_small(life: Life, nc: Nonconformity) -> None:
    """Without an action, where nothing was tried before and nothing like it was closed so."""
    quality = life.who("quality")
    tried = CaseAction.objects.filter(nonconformity=nc).exists()
    if nc.owner == quality or tried or workflow.closed_without_action(nc, life.day()):
        _plan(life, nc)
        return
    because = "A single slip without effect; the instruction is clear and was talked through."
    workflow.close_without_action(nc, by=quality, because=because)


def _decide_repeats(life: Life, nc: Nonconformity) -> None:
    """Somebody other than the owner says whether it is the same cause; mostly it is."""
    for repeat in Repeat.objects.open().filter(nonconformity=nc):
        by = _closer(life, nc)
        if life.often(0.3):
            workflow.dismiss_repeat(
                repeat, by=by, reason="Alike in words; another cause behind it."
            )
            continue
        workflow.confirm_repeat(repeat, by=by)
        life.after(3, partial(_note, life, repeat))


def _note(life: Life, repeat: Repeat) -> None:
    follows = (
        "What was decided then is looked at again with the owner before anything new is planned."
    )
    workflow.note_repeat(repeat, by=repeat.manager or life.who("ceo"), follows=follows)


def _plan(life: Life, nc: Nonconformity) -> None:
    told = _told(life, nc)
    due = life.day() + timedelta(days=life.chance.choice([14, 21, 30, 30, 45]))
    workflow.plan(
        nc,
        by=nc.owner,
        action=life.fill(told[9]),
        action_due=due,
        effectiveness_criterion=life.fill(life.pick(life.voice("capa")["criteria"])),
    )
    late = life.chance.choice([-6, -3, -1, 0, 0, 2, 9, 20])
    life.on(due + timedelta(days=late), lambda: _act(life, nc))


def _act(life: Life, nc: Nonconformity) -> None:
    for action in workflow.actions_of(nc).open():
        actions.complete(action, by=action.owner, result="Done as planned; see the new record.")
    [serving] = CorrectiveAction.objects.serving(nc).filter(status="planned")[:1] or [None]
    if serving is None:
        return
    workflow.implement_action(serving, by=serving.owner)
    if life.often(0.5):
        kind = life.chance.choice(["scrap", "rework", "inspection", "replacement", "freight"])
        amount = Decimal(life.chance.randrange(40, 2_400))
        quality = life.who("quality")
        workflow.enter_cost(by=quality, nonconformity=nc, kind=kind, amount=amount)
    if serving.check_day:
        late = life.chance.choice([0, 1, 3, 7, 16])
        life.on(serving.check_day + timedelta(days=late), lambda: _verify(life, nc, serving))


def _judge_of(life: Life, serving: CorrectiveAction) -> Any:
    """Somebody who owns and did none of it."""
    known = [life.who("quality"), life.who("lead"), life.who("ceo")]
    return next(each for each in known if not workflow.did_none_of_it(serving, each))


def _verify(life: Life, nc: Nonconformity, serving: CorrectiveAction) -> None:
    serving.refresh_from_db()
    if serving.status != CorrectiveAction.Status.IMPLEMENTED:
        return  # judged with another case it serves
    if serving.check_day and serving.check_day > life.day():  # it serves another case by now
        life.on(serving.check_day, lambda: _verify(life, nc, serving))
        return
    judge = _judge_of(life, serving)
    proof = life.sign(judge)
    nc.refresh_from_db()
    if life.often(0.08) and not nc.reopened:
        workflow.judge_not_effective(
            serving,
            by=judge,
            proof=proof,
            verdict="It happened again within the time of the criterion.",
            aftermath="cause",
        )
        life.after(9, lambda: _analyse(life, nc))
        return
    workflow.judge_effective(
        serving,
        by=judge,
        proof=proof,
        verdict=life.fill(life.pick(life.voice("capa")["verdicts"])),
    )
    life.after(1, lambda: _close(life, nc))


def _close(life: Life, nc: Nonconformity) -> None:
    closer = _closer(life, nc)
    nc.refresh_from_db()
    if workflow.may_omit_8d(nc, closer):
        because = "One cause, found and removed on the spot; a team would add nothing to it."
        workflow.omit_8d(nc, by=closer, because=because)
        nc = Nonconformity.objects.get(pk=nc.pk)
    workflow.close(nc, by=closer)


def _closer(life: Life, nc: Nonconformity) -> Any:
    """The quality manager, or top management where it is their own."""
    quality = life.who("quality")
    return life.who("ceo") if nc.owner == quality else quality
