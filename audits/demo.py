"""The audits of a demo company: a programme by risk, questions, findings, reports, certificates."""

from datetime import time, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

from audits import demo_others as demo_others
from audits import workflow
from audits.independence import objections, objections_to
from audits.models import Audit, ChecklistItem, Finding
from audits.planning import booked_days
from audits.questions import proposed_for
from qms.demo.life import Life, stage
from qms.people.models import Person
from qms.periods import Period, add_months, start_of
from qms.scope.models import Site
from qms.workflow import amend


@stage(69)
def the_programmes_are_approved(life: Life) -> None:
    """A programme for each year from the fourth month on, approved before its first audit."""
    for year in range(4):
        if (begins := life.month(4 + 12 * year)) <= life.today + timedelta(days=40):
            life.on(begins - timedelta(days=48), partial(_begin_programme, life, begins))
            life.on(begins - timedelta(days=20), partial(_approve_programme, life))


@stage(70)
def the_programme_is_carried_out(life: Life) -> None:
    """Every process once a year from the fourth month on; important ones more often."""
    plan: list[tuple[float, str, Any]] = []
    codes = list(life.told["processes"])
    for year in range(4):
        begins = life.month(4 + 12 * year)
        for index, code in enumerate(codes):
            plan.append((4 + 12 * year + index * 0.85, code, begins))
            if life.told["processes"][code]["importance"] >= 4 and index % 2 == year % 2:
                plan.append((9.5 + 12 * year + index * 0.5, code, begins))
    known_by = life.today - timedelta(days=3)
    for month, code, begins in sorted(plan):
        day = life.month(month)
        # Whatever belongs to a programme under way has its day by today.
        if begins <= known_by or day <= life.today + timedelta(days=75):
            life.on(min(day - timedelta(days=40), known_by), partial(_plan, life, code, day))
    # One is going on today, half answered, for whoever wants to try it on a phone.
    life.on(life.today - timedelta(days=30), lambda: _plan_today(life))
    for told in life.told["team"].get("outside", []):
        life.at(life.moment(life.month(told["month"]), 12), partial(_with_outsider, life, told))


def _begin_programme(life: Life, begins: Any) -> None:
    if "programme" not in life.kept:
        _keep_templates(life)
    life.kept["programme"] = workflow.create_programme(
        by=life.who("quality"),
        title=f"Internal audits {begins:%Y}",
        starts_on=begins,
        years=1,
        edition=life.told["organisation"]["edition"],
        objectives="Find out whether each process works as planned and reaches its aims.",
        risks="Auditors fall ill before peak season: two more could lead. Remote audits see less "
        "of the floor: production is always audited on site.",
        methods="On site; records of services also remotely. Samples from the last three months.",
        resources="Four auditors, one day an audit, half a day to report.",
    )


def _approve_programme(life: Life) -> None:
    programme = life.kept["programme"]
    boss = life.who("ceo")
    if not workflow.plans_an_audit(programme, boss):
        workflow.approve(programme, by=boss, proof=life.sign(boss))


def _with_outsider(life: Life, told: dict[str, Any]) -> None:
    """An auditor on contract takes part in one audit, led by one of us."""
    process = life.processes[told["process"]]
    workflow.plan_audit(
        by=life.who("lead"),
        process=process,
        planned_on=life.day() + timedelta(days=told["in_days"]),
        lead=life.who(told["lead"]),
        team=[life.who(told["who"])],
        edition=life.told["organisation"]["edition"],
        objectives=told["objectives"],
        criteria="The procedures of the process and the clauses named.",
        scope=life.voice("audits")["scope"].format(process=process.name),
        auditees=process.owner.name,
    )


def _plan_today(life: Life) -> None:
    if life.told["cast"]["going_on"] not in life.processes:
        return  # a company in its first month has no processes yet
    _plan(life, life.told["cast"]["going_on"], life.today, going_on=True)


def _plan(life: Life, code: str, day: Any, *, going_on: bool = False) -> None:
    process = life.processes[code]
    process.refresh_from_db()
    on, free = _first_free_day(life, process, day, within=1 if going_on else LATER)
    leads = [person for person in free if person.holds("lead_auditor")]
    excused = not leads
    if excused:  # nobody independent can lead: somebody is excused, and balanced
        leads = [person for person in life.cast("auditors") if person.holds("lead_auditor")]
    lead = leads[len(life.kept.setdefault("audits", [])) % len(leads)]
    others = [person for person in free if person != lead]
    audit = workflow.plan_audit(
        by=life.who("lead"),
        process=process,
        planned_on=on,
        lead=lead,
        team=others[:1],
        edition=life.told["organisation"]["edition"],
        objectives="Find out whether the process works as planned and reaches its aims.",
        criteria="The procedures of the process and the clauses named.",
        scope=life.voice("audits")["scope"].format(process=process.name),
        auditees=process.owner.name,
        site=life.sites[life.told["processes"][code]["sites"][0]],
        **_place(life, on),
    )
    life.kept["audits"].append(audit)
    if excused:
        _excuse(life, audit)
    if audit.planned_on >= life.today:
        _ask_what_the_records_say(audit)
        _plan_its_hours(life, audit)
    if going_on:
        life.kept["going_on"] = audit.pk
    life.on(on - timedelta(days=18), lambda: _confirm(life, audit))


LATER = 30  # days within which somebody independent is waited for


def _first_free_day(life: Life, process: Any, day: Any, *, within: int) -> tuple[Any, list[Person]]:
    """The first working day on which somebody who may lead is free, and everybody free on it."""
    first = life.moment(day).astimezone(life.zone).date()
    waits = [life.moment(first + timedelta(days=n)) for n in range(within)]
    for on in dict.fromkeys(each.astimezone(life.zone).date() for each in waits):
        free = _free(life, process, on)
        if any(person.holds("lead_auditor") for person in free):
            return on, free
    return first, _free(life, process, first)


def _free(life: Life, process: Any, on: Any) -> list[Person]:
    """Auditors who are in no other audit on a day, and independent of a process."""
    cast = life.cast("auditors")
    taken = booked_days(cast, Period(on, on))
    return [each for each in cast if not (taken[each.pk] or objections(each, process, on))]


def _excuse(life: Life, audit: Audit) -> None:
    """The quality manager decides that somebody audits all the same, and what balances it."""
    for person in workflow.team_of(audit):
        known = audit.exceptions.filter(person=person).exists()
        if not known and objections_to(person, audit, audit.planned_on):
            workflow.record_exception(
                audit,
                by=life.who("quality"),
                person=person,
                reason="Everybody who may lead works in the process or answers for part of it.",
                mitigation="The managing director reads the report against the notes before it is"
                " signed.",
            )


def _somebody_else(life: Life, audit: Audit) -> None:
    """Another lead who took on no work of the process; where there is none, an exception."""
    free = _free(life, audit.process, audit.planned_on)
    leads = [person for person in free if person.holds("lead_auditor")]
    if leads:
        workflow.set_team(audit, by=life.who("lead"), lead=leads[0], team=[])
    else:
        _excuse(life, audit)


def _ask_what_the_records_say(audit: Audit) -> None:
    """The questions that have a reason of today join those of the clauses, a few of each kind."""
    found = [each for each in proposed_for(audit, audit.lead) if each.is_pressing]
    kinds = dict.fromkeys(each.source for each in found)
    few = [each.key for kind in kinds for each in [e for e in found if e.source == kind][:3]]
    if few:
        workflow.take_over_questions(audit, by=audit.lead, chosen=few)


def _plan_its_hours(life: Life, audit: Audit) -> None:
    """A usual day whose records are looked at from afar, before anybody is on the floor."""
    slots = workflow.begin_usual_agenda(audit, by=life.who("lead"))
    team = workflow.team_of(audit)
    for slot in slots:
        slot.refresh_from_db()
        changes: dict[str, Any] = {"place": "Meeting room"}
        if slot.kind == slot.Kind.BREAK:
            continue
        if slot.kind == slot.Kind.PART:
            changes |= {"process": audit.process, "auditor": team[0]}
            changes["place"] = "" if slot.starts_at.hour == 9 else str(audit.site or "On site")
            if slot.starts_at.hour == 9:
                changes["remote_link"] = "https://meet.example/audit"
        amend(slot, by=life.who("lead"), changes=changes)


def _keep_templates(life: Life) -> None:
    edition = life.told["organisation"]["edition"]
    for name, kind, asked in TEMPLATES:
        workflow.keep_template(
            by=life.who("lead"), name=name, edition=edition, process_kind=kind, questions=asked
        )


TEMPLATES = (
    (
        "Every process, on the floor",
        "",
        "7.2 Ask two people at work what they do when something looks wrong.\n"
        "7.5.3 Which documents lie at the place of work, and which revision is each?\n"
        "8.7 Show the last thing that was set aside. Who decided what became of it?\n"
        "What would you change first, and who knows it?",
    ),
    (
        "Support processes",
        "support",
        "7.1.5 Which instruments are used here, and until when is each calibrated?\n"
        "8.4.1 Show the last evaluation of a provider this process depends on.\n"
        "Which of your customers inside the house waited longest last month?",
    ),
)


def _place(life: Life, day: Any) -> dict[str, Any]:
    """The programme of the year an audit lies in, with its window; none where there is none."""
    programme = life.kept.get("programme")
    planned = day
    if programme is None or planned not in programme.period:
        return {}
    window = Period(planned - timedelta(days=20), planned + timedelta(days=40))
    return {"programme": programme, "window": window}


def _confirm(life: Life, audit: Audit) -> None:
    if workflow.team_is_independent(audit, audit.lead):
        _somebody_else(life, audit)  # somebody took on work of the process meanwhile
    if workflow.team_is_free(audit, audit.lead):
        _postpone(life, audit, _working_day(audit.planned_on + timedelta(days=3)))
        return
    workflow.confirm(audit, by=life.who("lead"))
    if audit.pk != life.kept.get("going_on") and life.often(0.12):
        new = audit.planned_on + timedelta(days=21)
        life.after(2, lambda: _postpone(life, audit, new))
    else:
        early = 6 if audit.pk == life.kept.get("going_on") else 9
        life.at(life.moment(audit.planned_on, early), lambda: _start(life, audit))


def _working_day(day: Any) -> Any:
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() > 4 else day


def _postpone(life: Life, audit: Audit, new: Any) -> None:
    reason = life.pick(life.voice("audits")["postponed"])
    workflow.postpone(audit, by=life.who("lead"), planned_on=new, reason=reason)
    life.on(new - timedelta(days=7), lambda: _confirm_again(life, audit))


def _confirm_again(life: Life, audit: Audit) -> None:
    if workflow.team_is_independent(audit, audit.lead):
        _somebody_else(life, audit)
    if workflow.team_is_free(audit, audit.lead):
        _postpone(life, audit, _working_day(audit.planned_on + timedelta(days=3)))
        return
    workflow.confirm(audit, by=life.who("lead"))
    life.at(life.moment(audit.planned_on, 9), lambda: _start(life, audit))


def _start(life: Life, audit: Audit) -> None:
    if workflow.team_is_independent_today(audit, audit.lead):
        _excuse(life, audit)
        if workflow.team_is_independent_today(audit, audit.lead):
            return  # excused for something else before: the plan waits for a decision
    workflow.start(audit, by=audit.lead)
    life.after(0.02, lambda: _ask(life, audit))


def _ask(life: Life, audit: Audit) -> None:
    """Answer the questions of the morning; the afternoon brings the rest."""
    items = list(audit.items.order_by("position"))
    half = len(items) // 2
    for item in items[:half]:
        _answer(life, audit, item)
    if audit.pk == life.kept.get("going_on"):
        _note_on_the_way(audit)
    if audit.pk != life.kept.get("going_on"):
        life.after(0.15, lambda: _afternoon(life, audit, items[half:]))


def _note_on_the_way(audit: Audit) -> None:
    """Two notes of a line of inquiry: one has its clause, one is still to be placed."""
    edition = audit.edition
    workflow.take_note(
        audit,
        by=audit.lead,
        words="Asked two people which revision they work by. One looked it up, one knew it.",
        clause=f"{edition}:7.5.3",
    )
    workflow.take_note(
        audit,
        by=audit.lead,
        words="The list of open orders on the wall is from the day before yesterday. Ask who "
        "keeps it, and what people work by.",
    )


def _afternoon(life: Life, audit: Audit, items: list[ChecklistItem]) -> None:
    for item in items:
        _answer(life, audit, item)
    for _ in range(life.chance.choice([1, 2, 2, 3, 3])):
        _remark(life, audit)
    life.after(0.05, lambda: _report(life, audit))
    days = life.chance.choice([2, 4, 6, 9, 12, 16])
    fresh = life.today - timedelta(days=2)
    if fresh - timedelta(days=24) < life.day() < fresh:
        life.on(fresh, lambda: _sign(life, audit))  # the newest waits for its auditee today
    else:
        life.after(days, lambda: _sign(life, audit))


def _answer(life: Life, audit: Audit, item: ChecklistItem) -> None:
    person = _who(life, audit)
    code = audit.process.code if audit.process else ""
    told = life.problem_of_today(code) if code and life.often(0.17) else None
    if told is not None:
        workflow.answer(item, by=person, answer="nonconforming", note="See the finding.")
        facts = life.problem(told)
        workflow.record_finding(
            audit,
            by=person,
            item=item,
            grade=facts["grade"],
            clause=facts["clause"],
            requirement=facts["requirement"],
            evidence=facts["evidence"],
            statement=facts["statement"],
        )
    elif life.often(0.13):
        workflow.answer(item, by=person, answer="opportunity", note="See the remark.")
        _remark(life, audit, item)
    else:
        answer = "not_applicable" if life.often(0.03) else "conforms"
        workflow.answer(
            item, by=person, answer=answer, note=life.pick(life.voice("audits")["notes"])
        )


def _remark(life: Life, audit: Audit, item: ChecklistItem | None = None) -> None:
    grade, text = life.pick(life.told["remarks"])
    text = text.format(p=audit.subject.name.lower())
    workflow.record_finding(
        audit,
        by=_who(life, audit),
        item=item,
        grade=grade,
        clause="" if item or not audit.clauses else audit.clauses[0],
        statement=text,
        evidence="Seen on the day of the audit.",
    )


def _who(life: Life, audit: Audit) -> Person:
    team: list[Person] = workflow.team_of(audit)
    chosen: Person = life.pick(team)
    return chosen


def _report(life: Life, audit: Audit) -> None:
    """Who met, and when, is written down while everybody still knows."""
    audit.refresh_from_db()
    report = workflow.report_of(audit)
    day = audit.conducted_on
    if report is None or day is None or audit.is_signed:
        return
    met = [*workflow.team_of(audit), *workflow.answerers_of(audit)]
    workflow.set_people(
        audit,
        by=audit.lead,
        opening=met,
        closing=met,
        recipients=workflow.recipients_of(audit),
    )
    amend(
        report,
        by=audit.lead,
        changes={
            "opened_at": start_of(day, at=time(9)),
            "closed_at": start_of(day, at=time(15, 30)),
            "not_covered": life.voice("audits").get("not_covered", ""),
            "closing_outsiders": "Two colleagues from the team next door",
        },
    )


def _sign(life: Life, audit: Audit) -> None:
    """The report goes to whoever answers for the process, who nearly always agrees."""
    lead = audit.lead
    _soften(life, audit)
    workflow.sign_report(
        audit,
        by=lead,
        conclusions=life.voice("audits")["conclusions"],
        issues_itself=True,
        proof=life.sign(lead),
    )
    count = life.kept["signed"] = life.kept.get("signed", 0) + 1
    due = audit.answer_due
    if life.day() >= life.today - timedelta(days=2):
        return
    if count == 4 and due:  # nobody answers: the lead issues it once the days have passed
        life.on(due + timedelta(days=1), lambda: _issue(life, audit))
    else:
        life.after(2, lambda: _acknowledge(life, audit, agrees=count != 2))


def _soften(life: Life, audit: Audit) -> None:
    """One minor turned out to be less, before it was released."""
    minor = audit.findings.filter(status="draft", grade="minor").order_by("position").first()
    if minor is None or life.kept.get("softened"):
        return
    workflow.soften(
        minor,
        by=audit.lead,
        grade="observation",
        softened_because="What was shown the day after met the requirement; only its trace was"
        " missing on the day.",
    )
    life.kept["softened"] = True


def _acknowledge(life: Life, audit: Audit, *, agrees: bool) -> None:
    who = workflow.answerers_of(audit)[0]
    _respond(life, audit, who)
    if agrees:
        workflow.acknowledge(audit, by=who)
        _after_the_issue(life, audit)
        return
    workflow.disagree(
        audit,
        by=who,
        answer_reason="The sample was drawn in our busiest week. We accept what was seen, and do"
        " not think that it says how we work in the other fifty-one.",
    )
    life.after(1, lambda: _issue(life, audit))


def _respond(life: Life, audit: Audit, who: Person) -> None:
    """Once somebody says what they think of a finding."""
    serious = audit.findings.released().nonconformities().order_by("position").first()
    if serious is None or life.kept.get("responded", 0) > 1:
        return
    life.kept["responded"] = life.kept.get("responded", 0) + 1
    apart = life.kept["responded"] == 2
    text = (
        "We see the gap, but not that it touches what we deliver; a minor would do."
        if apart
        else "That is right. We knew of it and had no time to mend it."
    )
    workflow.respond(serious, by=who, text=text, disagrees=apart)


def _issue(life: Life, audit: Audit) -> None:
    audit.refresh_from_db()
    if audit.status == Audit.Status.RELEASED:
        workflow.issue(audit, by=audit.lead)
        _after_the_issue(life, audit)


def _after_the_issue(life: Life, audit: Audit) -> None:
    for each in audit.findings.to_answer().order_by("position"):
        life.after(life.chance.choice([5, 9, 14, 21]), partial(_decide, life, each))
    if not life.kept.get("corrected") and audit.findings.released().exists():
        life.kept["corrected"] = True
        life.after(6, lambda: _correct(life, audit))
    life.after(60, lambda: _try_to_close(life, audit))


def _decide(life: Life, observation: Finding) -> None:
    """Most observations are accepted; each fourth is declined with the reason."""
    who = workflow.answerers_of(observation.audit)[0]
    count = life.kept["decided"] = life.kept.get("decided", 0) + 1
    if count % 4 == 2:
        text = "What it names is replaced in spring anyway; until then it stays as it is."
        workflow.decline(observation, by=who, decision_text=text)
    else:
        workflow.accept(observation, by=who, decision_text="We do it within the month.")


def _correct(life: Life, audit: Audit) -> None:
    """One report names something wrongly; it stands, and an addendum says what holds."""
    finding = audit.findings.released().order_by("position").first()
    if finding is None:
        return
    addendum = workflow.draft_addendum(
        audit,
        by=audit.lead,
        finding=finding,
        text=f"Finding {finding.position} was seen in the morning, not in the afternoon.",
        reason="Both auditors compared their notes after the report had gone out.",
    )
    workflow.issue_addendum(addendum, by=audit.lead, proof=life.sign(audit.lead))


def _try_to_close(life: Life, audit: Audit) -> None:
    audit.refresh_from_db()
    if workflow.everything_is_settled(audit, audit.lead):
        life.after(30, lambda: _try_to_close(life, audit))
    else:
        workflow.close(audit, by=audit.lead)


# Certification


@stage(75)
def the_certification_cycle(life: Life) -> None:
    """Application, stage 1 and 2, certificate, surveillance; recertification is planned."""
    told = life.told["certification"]
    first = life.month(told["visits"][0]["month"] - 3)
    life.on(first, lambda: _apply(life, told))


def _apply(life: Life, told: dict[str, Any]) -> None:
    quality = life.who("quality")
    certificate = workflow.apply_for_certificate(
        by=quality,
        body=workflow.enter_body(
            by=quality,
            name=told["body"],
            contract_from=life.day(),
            contract_until=add_months(life.day(), 42),
        ),
        scope_text=told["scope"],
        edition=life.told["organisation"]["edition"],
        sites=Site.objects.filter(status=Site.Status.ACTIVE),
    )
    for visit in told["visits"]:
        planned = life.month(visit["month"] - 2)
        life.on(planned, partial(_visit, life, certificate, visit))
    granted = life.month(told["granted"]["month"])
    life.on(granted, lambda: _grant(life, certificate, told))
    following = told["next"]
    life.on(life.today - timedelta(days=20), lambda: _plan_the_next(life, certificate, following))


def _plan_the_next(life: Life, certificate: Any, told: dict[str, Any]) -> None:
    """The next visit, with its plan; its auditor asks for something beforehand."""
    visit = workflow.plan_visit(
        by=life.who("quality"),
        certificate=certificate,
        kind=told["kind"],
        planned_on=life.month(told["month"]),
        auditors=told["auditors"],
        **_days_and_cost(told["kind"]),
    )
    _plan_the_visit(life, visit)
    workflow.note_request(
        by=life.who("quality"),
        visit=visit,
        what="The list of processes with their owners and sites, before the visit",
        asked_by_whom=told["auditors"].split(",")[0],
        fetcher=life.who("quality"),
    )


def _visit(life: Life, certificate: Any, told: dict[str, Any]) -> None:
    day = life.moment(life.month(told["month"])).astimezone(life.zone).date()
    visit = workflow.plan_visit(
        by=life.who("quality"),
        certificate=certificate,
        kind=told["kind"],
        planned_on=day,
        auditors=told["auditors"],
        **_days_and_cost(told["kind"]),
    )
    _plan_the_visit(life, visit)
    life.on(day, lambda: _record_visit(life, visit, told))


DAYS = {"stage1": "1.5", "stage2": "4", "surveillance": "2", "recertification": "3"}
A_DAY_COSTS = Decimal(1450)


def _days_and_cost(kind: str) -> dict[str, Decimal]:
    """Audit days as the body offered them, and what they cost."""
    days = Decimal(DAYS.get(kind, "1"))
    return {"audit_days": days, "cost": days * A_DAY_COSTS}


def _plan_the_visit(life: Life, visit: Any) -> None:
    """The body's plan for its first day: who of us answers, and who walks along."""
    quality, body = life.who("quality"), visit.auditors.split(",")[0]
    hours: list[dict[str, Any]] = [
        {"what": "Opening meeting", "auditee": life.who("ceo")},
        *({"process": each, "auditee": each.owner} for each in list(life.processes.values())[:4]),
        {"what": "Closing meeting", "auditee": life.who("ceo")},
    ]
    busy = [time(8, 30), time(9), time(10, 30), time(13), time(14, 30), time(16), time(16, 30)]
    for hour, (begins, ends) in zip(hours, pairwise(busy), strict=False):
        workflow.plan_hour(
            visit,
            by=quality,
            starts_at=begins,
            ends_at=ends,
            body_auditor=body,
            escort=quality if hour["auditee"] != quality else None,
            place="Meeting room" if "what" in hour else "",
            **hour,
        )


ASKED_FOR = (
    ("The last three calibrations of one instrument", "Shown in the register", "/equipment/"),
    ("Two nonconformities from their report to their closure", "Shown", "/nonconformities/"),
    ("The competence of the last person who joined", "", ""),
)


def _ask_for_things(life: Life, visit: Any) -> None:
    """What the auditors want to see in between; the last one is given without a word."""
    quality, body = life.who("quality"), visit.auditors.split(",")[0]
    for what, shown, link in ASKED_FOR:
        asked = workflow.note_request(
            by=quality, visit=visit, what=what, asked_by_whom=body, fetcher=quality
        )
        workflow.give(asked, by=quality, shown=shown, link=link)


def _what_it_found(life: Life, visit: Any, told: dict[str, Any]) -> None:
    """The findings of its report: majors, minors, and one remark."""
    quality, edition = life.who("quality"), life.told["organisation"]["edition"]
    problems = life.told["problems"]
    for at, grade in enumerate(["major"] * told["majors"] + ["minor"] * told["minors"], start=1):
        # Every visit finds something else, and the same whenever the company is told again.
        code, clause, requirement, evidence, statement, *_rest = problems[
            (7 * at + told["month"]) % len(problems)
        ]
        life.kept.setdefault("problems told", {})[statement] = life.day()
        finding = workflow.record_body_finding(
            by=quality,
            visit=visit,
            reference=f"NC {at}",
            grade=grade,
            clause=f"{edition}:{clause}",
            requirement=requirement,
            statement=statement,
            evidence=evidence.format(n=12, m=3, o="40217", d=2),
            found_on=life.day(),
            process=life.processes.get(code),
        )
        life.after(9, partial(_answer_the_body, life, finding))
    remark = workflow.record_body_finding(
        by=quality,
        visit=visit,
        reference="OFI 1",
        grade="opportunity",
        statement="Indicators could be looked at where the work is done, not only in the review.",
        found_on=life.day(),
    )
    said = "The boards at work show them since the last review."
    life.after(25, lambda: workflow.settle_remark(remark, by=quality, reason=said))


def _answer_the_body(life: Life, finding: Any) -> None:
    """Send the answer once correction, cause and action are there; the body takes its time."""
    finding.refresh_from_db()
    quality = life.who("quality")
    if workflow.lacking_of(finding):
        life.after(5, partial(_answer_the_body, life, finding))
        return
    workflow.send_answer(finding, by=quality, answered_on=life.day())
    life.after(8, partial(_accepted_by_the_body, life, finding))


def _accepted_by_the_body(life: Life, finding: Any) -> None:
    workflow.accept_answer(finding, by=life.who("quality"), accepted_on=life.day())
    life.after(45, partial(_verified_by_the_body, life, finding))


def _verified_by_the_body(life: Life, finding: Any) -> None:
    name = finding.visit.auditors.split(",")[0]
    workflow.verify_answer(
        finding, by=life.who("quality"), verified_on=life.day(), verified_by_whom=name
    )
    life.after(20, partial(_close_with_the_body, life, finding))


def _close_with_the_body(life: Life, finding: Any) -> None:
    finding.refresh_from_db()
    if workflow.it_is_settled(finding, None):
        life.after(20, partial(_close_with_the_body, life, finding))
        return
    workflow.close_body_finding(finding, by=life.who("quality"))


def _record_visit(life: Life, visit: Any, told: dict[str, Any]) -> None:
    _ask_for_things(life, visit)
    workflow.record_visit(
        visit,
        by=life.who("quality"),
        done_on=life.day(),
        result=told["result"],
        majors=told["majors"],
        minors=told["minors"],
    )
    _what_it_found(life, visit, told)


def _grant(life: Life, certificate: Any, told: dict[str, Any]) -> None:
    workflow.grant(
        certificate,
        by=life.who("quality"),
        number=told["number"],
        decided_on=life.day(),
        issued_on=life.day(),
        expires_on=add_months(life.day(), 36) - timedelta(days=1),
    )
    life.at(life.moment(life.day() + timedelta(days=3), 9.5), partial(_show_it, life, certificate))


USES = (
    ("website", "The page about us", "mark"),
    ("letters", "Foot of offers and invoices", "words"),
    ("mail", "Signature of everybody's mails", "words"),
)


def _show_it(life: Life, certificate: Any) -> None:
    """Three places show it; one was found wrong at the first look and put right."""
    quality = life.who("quality")
    body, name = certificate.body.name, life.told["organisation"]["name"]
    edition = life.told["organisation"]["edition"]
    for at, (medium, place, shows) in enumerate(USES):
        use = workflow.enter_mark_use(
            by=quality,
            certificate=certificate,
            medium=medium,
            place=place,
            shows=shows,
            wording=f"{name}: quality management system certified by {body} to ISO 9001:{edition}.",
            owner=quality,
        )
        life.at(life.moment(life.day() + timedelta(days=20), 9.75), partial(_look, life, use, at))


def _look(life: Life, use: Any, at: int) -> None:
    """Once a year each; the signature of mails named no body at first."""
    use.refresh_from_db()
    wrong = at == len(USES) - 1 and use.last_on is None
    workflow.check_use(
        use,
        by=use.owner,
        checked_on=life.day(),
        found="wrong" if wrong else "right",
        note="It does not name the certification body." if wrong else "",
    )
    life.at(life.moment(use.next_due - timedelta(days=2), 9.75), partial(_look, life, use, at))
