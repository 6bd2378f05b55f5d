"""Roles and what each may do: one table, in code, read by everyone (ISO 9001 5.3).

A permission stands in one row of `GRANTS` with the roles that hold it. The rules of the standard
that depend on the record (author is not approver, auditors do not audit their own work) are not
here but guards in each chapter's `workflow.py`.
"""

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Role:
    """A role: its name in the database, its label, and what it is for."""

    name: str
    label: str
    purpose: str


EMPLOYEE = Role(
    "employee", "Employee", "Reads and acknowledges documents, reports problems and ideas."
)
AUDITOR = Role("auditor", "Auditor", "Carries out internal audits of work that is not their own.")
PROCESS_OWNER = Role(
    "process_owner",
    "Process owner",
    "Answers for a process: its documents, objectives, nonconformities and actions.",
)
LEAD_AUDITOR = Role(
    "lead_auditor", "Lead auditor", "Plans audits, leads the team, releases findings and reports."
)
QUALITY_MANAGER = Role(
    "quality_manager",
    "Quality manager",
    "Keeps the system: documents, programme, nonconformities, reviews and evidence packs.",
)
TOP_MANAGEMENT = Role(
    "top_management",
    "Top management",
    "Approves scope and policy, holds the management review, decides on resources.",
)
ADMINISTRATOR = Role(
    "administrator", "Administrator", "Keeps accounts, roles and settings; decides nothing else."
)

# Nobody gives this role: who has an end of access holds it and no other.
OUTSIDE_AUDITOR = Role(
    "outside_auditor", "Outside auditor", "Carries out the audits they are named in, to a set day."
)

ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        EMPLOYEE,
        AUDITOR,
        LEAD_AUDITOR,
        PROCESS_OWNER,
        ADMINISTRATOR,
        TOP_MANAGEMENT,
        QUALITY_MANAGER,
    )
}

E, A, LA, PO, AD, TM, QM = ROLES
SYSTEM = "system"  # the person by whom the clock acts
EVERYONE = (E,)  # every active person is an employee
O = OUTSIDE_AUDITOR.name  # noqa: E741 - a column of the table below

GRANTS: dict[str, tuple[str, ...]] = {
    # People and files
    "people.view_person": EVERYONE,
    "people.add_person": (AD, QM),
    "people.change_person": (AD, QM),
    "people.assign_role": (AD,),
    "people.erase_person": (AD,),
    "people.open_admin": (AD,),
    "people.view_absence": EVERYONE,
    "people.add_absence": EVERYONE,  # one's own, or anybody's by managers: a guard says so
    "people.change_absence": EVERYONE,
    "people.hand_over": (QM, AD, TM),
    # Competence: what a role or job asks for, who was found able, trainings
    "competence.view_competence": EVERYONE,
    "competence.add_competence": (QM,),
    "competence.change_competence": (QM,),
    "competence.view_competencerequirement": EVERYONE,
    "competence.add_competencerequirement": (QM,),
    "competence.end_competencerequirement": (QM,),
    "competence.view_competencerecord": EVERYONE,
    "competence.add_competencerecord": (QM, PO, LA, TM),
    "competence.void_competencerecord": (QM,),
    "competence.view_training": EVERYONE,
    "competence.add_training": (QM, PO, TM),
    "competence.change_training": (QM, PO, TM),
    "competence.hold_training": (QM, PO, TM),
    "competence.judge_training": (QM, PO, TM, LA),
    # Suggestions
    "suggestions.view_suggestion": EVERYONE,
    "suggestions.add_suggestion": EVERYONE,
    "suggestions.vote_suggestion": EVERYONE,
    "suggestions.decide_suggestion": (QM, TM, PO),
    "home.share_view": (QM,),  # views of lists that everybody may choose
    "files.view_attachment": EVERYONE,
    "files.add_attachment": (*EVERYONE, SYSTEM),  # what came by mail
    "files.void_attachment": (QM, PO, LA),
    "outbox.view_effect": (AD, QM),
    "outbox.retry_effect": (AD, QM),
    # Actions
    "actions.view_action": EVERYONE,
    "actions.add_action": (PO, LA, QM, TM),
    "actions.change_action": (PO, LA, QM, TM),
    "actions.do_action": EVERYONE,  # only the owner's own: a guard says so
    "actions.verify_action": (PO, LA, QM, TM),
    "actions.void_action": (QM,),
    "actions.fulfil_action": (SYSTEM,),
    "actions.view_extension": EVERYONE,
    "actions.decide_extension": (PO, LA, QM, TM),
    "actions.lapse_extension": (SYSTEM,),
    # Scope: organisation, sites, processes, scope statement
    "scope.view_organisation": EVERYONE,
    "scope.change_organisation": (QM, AD),
    "scope.view_site": EVERYONE,
    "scope.add_site": (QM,),
    "scope.change_site": (QM,),
    "scope.view_closedtime": EVERYONE,
    "scope.view_process": (E, O),
    "scope.add_process": (QM,),
    "scope.change_process": (QM, PO),
    "scope.view_flow": EVERYONE,
    "scope.add_flow": (QM, PO),  # an owner at one of its ends only: a guard says so
    "scope.change_flow": (QM, PO),
    "scope.view_ownership": (QM, TM, LA, PO),
    "scope.view_plannedextension": EVERYONE,
    "scope.add_plannedextension": (QM, TM),
    "scope.change_plannedextension": (QM, TM),
    "scope.view_scopestatement": EVERYONE,
    "scope.add_scopestatement": (QM,),
    "scope.change_scopestatement": (QM,),
    "scope.approve_scopestatement": (TM,),
    "scope.return_scopestatement": (TM, QM),
    "scope.supersede_scopestatement": (SYSTEM,),
    # Context, interested parties, requirements
    "scope.view_issue": EVERYONE,
    "scope.view_interestedparty": EVERYONE,
    "scope.view_partyrequirement": EVERYONE,
    "scope.view_climatedecision": EVERYONE,
    "scope.add_context": (QM, TM, PO),
    "scope.change_context": (QM, TM, PO),
    "scope.decide_climate": (QM, TM),
    "scope.supersede_climatedecision": (SYSTEM,),
    "scope.view_requirement": EVERYONE,
    "scope.add_requirement": (QM, PO),
    "scope.change_requirement": (QM, PO),
    # Risks and opportunities
    "risks.view_risk": (A, LA, PO, QM, TM),
    "risks.add_risk": (PO, LA, QM, TM),
    "risks.change_risk": (PO, QM, TM),  # the owner's own or the keepers': a guard says so
    "risks.judge_risk": (PO, LA, QM, TM),
    "risks.view_riskevaluation": (A, LA, PO, QM, TM),
    "risks.view_opportunity": (A, LA, PO, QM, TM),
    "risks.add_opportunity": (PO, LA, QM, TM),
    "risks.change_opportunity": (PO, QM, TM),
    "risks.judge_opportunity": (PO, LA, QM, TM),
    "risks.view_opportunityevaluation": (A, LA, PO, QM, TM),
    # Planned changes
    "changes.view_change": EVERYONE,
    "changes.add_change": (PO, LA, QM, TM),
    "changes.change_change": (PO, LA, QM, TM),
    "changes.approve_change": (QM, TM),
    "changes.judge_change": (PO, LA, QM, TM),
    "changes.cancel_change": (QM, TM),
    # External providers
    "providers.view_provider": EVERYONE,
    "providers.add_provider": (PO, QM, TM),
    "providers.change_provider": (PO, QM, TM),  # the owner's own or the keepers': a guard says so
    "providers.approve_provider": (QM, TM),
    "providers.view_providerevaluation": EVERYONE,
    "providers.add_providerevaluation": (PO, QM, TM),
    "providers.void_providerevaluation": (QM,),
    # Measuring equipment; technicians are employees, so whose it is says a guard
    "equipment.view_equipment": EVERYONE,
    "equipment.add_equipment": (PO, QM),
    "equipment.change_equipment": EVERYONE,
    "equipment.retire_equipment": (PO, QM),
    "equipment.lock_equipment": (SYSTEM,),
    "equipment.view_calibration": EVERYONE,
    "equipment.add_calibration": EVERYONE,
    "equipment.void_calibration": (QM,),
    "equipment.view_impactassessment": EVERYONE,
    "equipment.change_impactassessment": EVERYONE,
    "equipment.decide_impactassessment": (PO, QM, TM),
    # Customers
    "customers.view_customer": EVERYONE,
    "customers.add_customer": (PO, QM, TM),
    "customers.change_customer": (PO, QM, TM),
    "customers.view_satisfactionreview": EVERYONE,
    "customers.add_satisfactionreview": EVERYONE,
    "customers.void_satisfactionreview": (QM,),
    "customers.view_survey": EVERYONE,
    "customers.add_survey": (PO, QM, TM),
    "customers.change_survey": (PO, QM, TM),  # one's own or the keepers': a guard says so
    "customers.run_survey": (PO, QM, TM),
    "customers.void_survey": (QM,),
    "customers.view_surveyinvitation": (PO, QM, TM),
    "customers.view_surveyanswer": EVERYONE,
    "customers.answer_survey": (SYSTEM,),  # by the link that was mailed
    "customers.view_feedback": EVERYONE,
    "customers.add_feedback": EVERYONE,
    "customers.answer_feedback": EVERYONE,  # who took it or answers for them: a guard says so
    "customers.void_feedback": (QM,),
    # Gap assessment
    "gap.view_assessment": (QM, TM, PO, LA, A),
    "gap.view_gapanswer": (QM, TM, PO, LA, A),
    "gap.add_assessment": (QM,),
    "gap.change_assessment": (QM,),
    "gap.answer_assessment": (QM, PO),
    # Journey: clause catalogue, start-up, opening questions, principles, briefing, plan
    "journey.view_project": EVERYONE,
    "journey.view_planstep": EVERYONE,
    "journey.add_project": (QM, AD),
    "journey.change_project": (QM, TM),
    "journey.set_up": (QM, AD),
    "journey.view_openinganswer": EVERYONE,
    "journey.answer_opening": (QM, TM, AD),
    "journey.view_principleanswer": EVERYONE,
    "journey.answer_principle": (QM, TM),
    "journey.view_briefing": (QM, TM, LA, PO),
    "journey.add_briefing": (QM,),
    "journey.change_briefing": (QM, TM),
    "journey.sign_briefing": (TM,),
    "journey.void_briefing": (QM,),
    # Documents
    "documents.view_document": (E, O),
    "documents.add_document": (QM, PO),
    "documents.change_document": (QM, PO),
    "documents.view_revision": (E, O),
    "documents.add_revision": (QM, PO),
    "documents.change_revision": (QM, PO),
    "documents.review_revision": (QM, PO, TM),
    "documents.approve_revision": (QM, PO, TM),
    "documents.withdraw_revision": (QM, TM),
    "documents.make_effective": (QM, PO, TM, SYSTEM),
    "documents.import_document": (QM,),
    "documents.pass_revision": (SYSTEM,),  # by the last signature, never by hand
    "documents.view_signatory": (E, O),
    "documents.change_signatory": (QM, PO, TM),  # one's own or one's revision's: a guard says so
    "documents.view_comment": (QM, PO, TM),
    "documents.add_comment": (QM, PO, TM),
    "documents.view_evidencepointer": EVERYONE,
    "documents.add_evidencepointer": (QM, PO),
    "documents.change_evidencepointer": (QM, PO),
    "documents.sample_evidencepointer": EVERYONE,  # its owner's, its process's: a guard says so
    "documents.view_legalhold": (QM, TM, PO),
    "documents.add_legalhold": (QM, TM),
    "documents.view_disposition": EVERYONE,
    "documents.add_disposition": (QM,),
    "documents.approve_disposition": (QM, TM),
    "documents.view_audience": EVERYONE,
    "documents.change_audience": (QM, PO),
    "documents.view_readingtask": EVERYONE,  # one's own, or of what one keeps: the rows say so
    "documents.view_readingmatrix": (QM, PO, TM, LA),
    "documents.acknowledge_reading": EVERYONE,  # only one's own: a guard says so
    "documents.keep_reading": (SYSTEM,),
    "documents.reaffirm_document": EVERYONE,  # its owner's, its process's: a guard says so
    "documents.view_reviewflag": EVERYONE,
    "documents.keep_flag": (SYSTEM,),  # by reaffirming or a revision, never by hand
    "documents.simplify": (QM, TM),
    "documents.view_followup": EVERYONE,  # one's own, or of what one keeps: the rows say so
    "documents.keep_followup": (SYSTEM,),
    "documents.do_followup": EVERYONE,  # only who looks after it: a guard says so
    "documents.view_controlledcopy": EVERYONE,
    "documents.add_controlledcopy": (QM, PO),
    "documents.recall_controlledcopy": (QM, PO, SYSTEM),
    "documents.settle_controlledcopy": EVERYONE,  # its holder or who keeps it: a guard says so
    "documents.view_kindrule": EVERYONE,
    "documents.change_kindrule": (QM,),
    # Entries of forms
    "documents.view_entry": (E,),
    "documents.add_entry": (E,),
    "documents.change_entry": (E,),  # one's own draft: a guard says so
    "documents.sign_entry": (E,),
    "documents.void_entry": (QM,),
    "documents.replace_entry": (SYSTEM,),  # by the entry that corrects it
    # Objectives
    "objectives.view_objective": EVERYONE,
    "objectives.add_objective": (QM, PO, TM),
    "objectives.change_objective": (QM, PO, TM),
    "objectives.activate_objective": (QM, TM),
    "objectives.conclude_objective": (QM, TM),
    "objectives.void_objective": (QM,),
    "objectives.view_indicator": EVERYONE,
    "objectives.add_indicator": (QM, PO, TM),
    "objectives.change_indicator": (QM, PO, TM),  # one's own: a guard says so
    "objectives.void_indicator": (QM,),
    "objectives.measure_indicator": EVERYONE,  # only what one answers for: a guard says so
    "objectives.compute_measurement": (SYSTEM,),
    "objectives.view_measurement": EVERYONE,
    "objectives.view_controllimits": EVERYONE,
    "objectives.view_signalanswer": EVERYONE,
    "objectives.import_measurement": (QM, PO, TM),
    "objectives.view_analysis": EVERYONE,
    "objectives.add_analysis": (QM, PO, TM),
    "objectives.change_analysis": (QM, PO, TM),  # one's own or one's process's: a guard says so
    "objectives.conclude_analysis": (QM, PO, TM),
    "objectives.void_analysis": (QM,),
    "objectives.view_readingsheet": (QM, PO, TM),
    "objectives.read_sheet": (SYSTEM,),
    # Audits
    "audits.view_audit": (A, LA, PO, QM, TM, O),
    "audits.add_audit": (LA, QM),
    "audits.view_auditprogramme": (A, LA, PO, QM, TM),
    "audits.add_auditprogramme": (QM,),
    "audits.change_auditprogramme": (QM,),
    "audits.approve_auditprogramme": (TM,),
    "audits.postpone_audit": (LA, QM, TM),
    "audits.change_audit": (LA, QM),
    "audits.conduct_audit": (A, LA, O),
    "audits.report_audit": (LA, O),
    "audits.issue_acknowledged": (SYSTEM,),  # as the lead decided when signing
    "audits.follow_up_audit": (LA, O, SYSTEM),
    "audits.void_audit": (LA, QM),
    "audits.view_auditslot": (A, LA, PO, QM, TM, O),
    "audits.change_auditslot": (LA, QM),
    "audits.view_calendarfeed": (E, O),
    "audits.add_calendarfeed": (E, O),
    "audits.view_auditnote": (A, LA, QM, O),
    "audits.view_checklisttemplate": (A, LA, PO, QM),
    "audits.change_checklisttemplate": (LA, QM),
    "audits.view_finding": (A, LA, PO, QM, TM, O),
    "audits.answer_audit": (A, LA, PO, QM, TM),  # for the auditees only: a guard says so
    "audits.view_findingresponse": (A, LA, PO, QM, TM, O),
    "audits.view_auditreport": (A, LA, PO, QM, TM, O),
    "audits.view_meetingattendance": (A, LA, PO, QM, TM, O),
    "audits.view_reportrecipient": (A, LA, PO, QM, TM, O),
    "audits.view_addendum": (A, LA, PO, QM, TM, O),
    "audits.view_findinggrade": (A, LA, PO, QM, TM),
    "audits.change_findinggrade": (QM,),
    "audits.view_certificate": EVERYONE,
    "audits.view_certificationaudit": EVERYONE,
    "audits.view_certificationbody": EVERYONE,
    "audits.view_visitslot": EVERYONE,
    "audits.view_visitrequest": EVERYONE,
    "audits.add_visitrequest": (A, LA, PO, QM, TM),
    "audits.give_visitrequest": EVERYONE,  # who fetches it: a guard says so
    "audits.view_markuse": EVERYONE,
    "audits.change_markuse": (QM,),
    "audits.check_markuse": EVERYONE,  # who sees to it: a guard says so
    "audits.view_gradechange": (A, LA, PO, QM, TM),
    "audits.view_bodyfinding": (A, LA, PO, QM, TM),
    "audits.change_certificate": (QM,),
    # Nonconformities
    "capa.view_nonconformity": (E, O),
    "capa.add_nonconformity": (E, O),
    "capa.change_nonconformity": (PO, QM, LA),
    "capa.answer_nonconformity": (PO, QM),
    "capa.close_nonconformity": (QM, TM),
    "capa.reopen_nonconformity": (QM, TM, LA),
    "capa.void_nonconformity": (QM, TM),
    "capa.import_nonconformity": (QM,),
    "capa.follow_nonconformity": (SYSTEM,),
    "capa.view_correctiveaction": (E, O),
    "capa.add_correctiveaction": (PO, QM, LA, TM),
    "capa.change_correctiveaction": (PO, QM, TM),  # one's own: a guard says so
    "capa.approve_correctiveaction": (QM, TM, PO),
    "capa.judge_correctiveaction": (QM, LA, PO, TM),
    "capa.void_correctiveaction": (QM,),
    "capa.view_causeanalysis": (E,),
    "capa.view_eightd": (E,),
    "capa.omit_eightd": (QM, TM),  # not of one's own case: a guard says so
    "capa.view_costentry": (PO, QM, TM),
    "capa.add_costentry": (PO, QM),
    "capa.void_costentry": (QM,),
    "capa.view_repeat": (E,),
    "capa.decide_repeat": (QM, TM),  # not of one's own case: a guard says so
    "capa.note_repeat": (E,),  # who is told of it, or top management: a guard says so
    "capa.view_proposal": (E,),
    "capa.decide_proposal": (E,),  # the owner's own, or the quality manager's: a guard says so
    "capa.lapse_proposal": (SYSTEM,),
    # Reports: everybody tells and sees their own
    "capa.view_report": (E, O, SYSTEM),
    "capa.add_report": (E, O),
    "capa.receive_report": (SYSTEM,),  # from the mailbox
    "capa.sort_report": (QM,),
    # Complaints; who answers for the customer or took it handles it: a guard says so
    "capa.view_complaint": (E,),
    "capa.add_complaint": (E,),
    "capa.answer_complaint": (E,),
    "capa.void_complaint": (QM,),
    # Nonconforming outputs; whoever finds one holds it, and reworks or removes it as decided
    "capa.view_nonconformingoutput": (E,),
    "capa.add_nonconformingoutput": (E,),
    "capa.change_nonconformingoutput": (PO, QM),
    "capa.decide_nonconformingoutput": (PO, QM, TM),  # not who made it: a guard says so
    "capa.rework_nonconformingoutput": (E,),
    "capa.verify_nonconformingoutput": (PO, QM, LA),  # not who reworked it: a guard says so
    "capa.void_nonconformingoutput": (QM,),
    # Management review
    "reviews.view_review": (QM, TM, PO, LA),
    "reviews.add_review": (QM,),
    "reviews.change_review": (QM, TM),
    "reviews.hold_review": (QM, TM),
    "reviews.close_review": (TM,),
    "reviews.void_review": (QM,),
    "reviews.view_reviewinput": (QM, TM, PO, LA),
    "reviews.view_reviewedobjective": (QM, TM, PO, LA),
    "reviews.view_decision": (QM, TM, PO, LA),
    "reviews.add_decision": (QM, TM),
    "reviews.void_decision": (QM,),
    # Home and evidence packs
    "home.view_leadership": (TM, QM, LA),
    "pack.view_pack": (QM, TM, LA),
    "pack.add_pack": (QM,),
    "pack.change_pack": (QM,),
    "pack.build_pack": (QM,),
    "pack.assemble_pack": (SYSTEM,),
}


@lru_cache(maxsize=256)
def permissions_of(roles: frozenset[str]) -> frozenset[str]:
    """Every permission that one of the named roles holds."""
    return frozenset(name for name, holders in GRANTS.items() if roles.intersection(holders))


def permissions_of_system() -> frozenset[str]:
    """What the system person may do: only what the table says."""
    return permissions_of(frozenset({SYSTEM}))


def roles_with(permission: str) -> list[Role]:
    """The roles that hold a permission, for sentences such as “ask the quality manager”."""
    return [ROLES[name] for name in GRANTS.get(permission, ()) if name in ROLES]
