"""Addresses of audits, findings and certificates."""

from django.urls import path

from audits import field
from audits.views import audits, body_findings, certification, findings, programme, reports

app_name = "audits"
urlpatterns = [
    path("programmes/", programme.programme_list, name="programme_list"),
    path("programmes/new/", programme.programme_create, name="programme_create"),
    path("programmes/<int:pk>/", programme.programme_detail, name="programme_detail"),
    path("programmes/<int:pk>/edit/", programme.programme_edit, name="programme_edit"),
    path("programmes/<int:pk>/proposal/", programme.programme_proposal, name="programme_proposal"),
    path("programmes/<int:pk>/coverage/", programme.programme_coverage, name="programme_coverage"),
    path(
        "programmes/<int:pk>/do/<slug:name>/",
        programme.programme_transition,
        name="programme_transition",
    ),
    path("", audits.audit_list, name="audit_list"),
    path("new/", audits.audit_create, name="audit_create"),
    path("<int:pk>/", audits.audit_detail, name="audit_detail"),
    path("<int:pk>/edit/", audits.audit_edit, name="audit_edit"),
    path("<int:pk>/pdf/", audits.audit_pdf, name="audit_pdf"),
    path("<int:pk>/do/<slug:name>/", audits.audit_transition, name="audit_transition"),
    path("<int:pk>/question/", audits.question_create, name="question_create"),
    path("<int:pk>/team/", audits.team_edit, name="team_edit"),
    path("<int:pk>/exception/", audits.exception_create, name="exception_create"),
    path("<int:pk>/finding/", findings.finding_create, name="finding_create"),
    path("<int:pk>/field/", field.field_start, name="field_start"),
    path("<int:pk>/field/<int:position>/", field.field_question, name="field_question"),
    path("findings/", findings.finding_list, name="finding_list"),
    path("findings/<int:pk>/", findings.finding_detail, name="finding_detail"),
    path("findings/<int:pk>/edit/", findings.finding_edit, name="finding_edit"),
    path(
        "findings/<int:pk>/do/<slug:name>/", findings.finding_transition, name="finding_transition"
    ),
    path("findings/<int:pk>/respond/", findings.response_create, name="response_create"),
    path("reports/<int:pk>/edit/", reports.report_edit, name="report_edit"),
    path("<int:pk>/addendum/", reports.addendum_create, name="addendum_create"),
    path("addenda/<int:pk>/", reports.addendum_detail, name="addendum_detail"),
    path("addenda/<int:pk>/edit/", reports.addendum_edit, name="addendum_edit"),
    path(
        "addenda/<int:pk>/do/<slug:name>/", reports.addendum_transition, name="addendum_transition"
    ),
    path("grades/", reports.grade_list, name="grade_list"),
    path("grades/new/", reports.grade_create, name="grade_create"),
    path("grades/<int:pk>/edit/", reports.grade_edit, name="grade_edit"),
    path("certificates/", certification.certificate_list, name="certificate_list"),
    path("certificates/new/", certification.certificate_create, name="certificate_create"),
    path("certificates/<int:pk>/", certification.certificate_detail, name="certificate_detail"),
    path("certificates/<int:pk>/edit/", certification.certificate_edit, name="certificate_edit"),
    path("certificates/<int:pk>/sites/", certification.certificate_sites, name="certificate_sites"),
    path("certificates/<int:pk>/visit/", certification.visit_create, name="visit_create"),
    path(
        "certificates/<int:pk>/do/<slug:name>/",
        certification.certificate_transition,
        name="certificate_transition",
    ),
    path("bodies/", certification.body_list, name="body_list"),
    path("bodies/new/", certification.body_create, name="body_create"),
    path("bodies/<int:pk>/", certification.body_detail, name="body_detail"),
    path("bodies/<int:pk>/edit/", certification.body_edit, name="body_edit"),
    path("visits/<int:pk>/", certification.visit_detail, name="visit_detail"),
    path("visits/<int:pk>/readiness/", certification.visit_readiness, name="visit_readiness"),
    path("visits/<int:pk>/finding/", body_findings.body_finding_create, name="body_finding_create"),
    path("body-findings/", body_findings.body_finding_list, name="body_finding_list"),
    path("body-findings/<int:pk>/", body_findings.body_finding_detail, name="body_finding_detail"),
    path("body-findings/<int:pk>/edit/", body_findings.body_finding_edit, name="body_finding_edit"),
    path(
        "body-findings/<int:pk>/deadline/",
        body_findings.body_finding_extend,
        name="body_finding_extend",
    ),
    path(
        "body-findings/<int:pk>/answer/",
        body_findings.body_finding_answer,
        name="body_finding_answer",
    ),
    path(
        "body-findings/<int:pk>/do/<slug:name>/",
        body_findings.body_finding_transition,
        name="body_finding_transition",
    ),
    path("visits/<int:pk>/edit/", certification.visit_edit, name="visit_edit"),
    path(
        "visits/<int:pk>/do/<slug:name>/", certification.visit_transition, name="visit_transition"
    ),
]
