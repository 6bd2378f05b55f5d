"""Addresses of audits, findings and certificates."""

from django.urls import path

from audits import field, views

app_name = "audits"
urlpatterns = [
    path("", views.audit_list, name="audit_list"),
    path("new/", views.audit_create, name="audit_create"),
    path("<int:pk>/", views.audit_detail, name="audit_detail"),
    path("<int:pk>/edit/", views.audit_edit, name="audit_edit"),
    path("<int:pk>/pdf/", views.audit_pdf, name="audit_pdf"),
    path("<int:pk>/do/<slug:name>/", views.audit_transition, name="audit_transition"),
    path("<int:pk>/question/", views.question_create, name="question_create"),
    path("<int:pk>/team/", views.team_edit, name="team_edit"),
    path("<int:pk>/exception/", views.exception_create, name="exception_create"),
    path("<int:pk>/finding/", views.finding_create, name="finding_create"),
    path("<int:pk>/field/", field.field_start, name="field_start"),
    path("<int:pk>/field/<int:position>/", field.field_question, name="field_question"),
    path("findings/", views.finding_list, name="finding_list"),
    path("findings/<int:pk>/", views.finding_detail, name="finding_detail"),
    path("findings/<int:pk>/edit/", views.finding_edit, name="finding_edit"),
    path("findings/<int:pk>/do/<slug:name>/", views.finding_transition, name="finding_transition"),
    path("certificates/", views.certificate_list, name="certificate_list"),
    path("certificates/new/", views.certificate_create, name="certificate_create"),
    path("certificates/<int:pk>/", views.certificate_detail, name="certificate_detail"),
    path("certificates/<int:pk>/visit/", views.visit_create, name="visit_create"),
    path(
        "certificates/<int:pk>/do/<slug:name>/",
        views.certificate_transition,
        name="certificate_transition",
    ),
    path("visits/<int:pk>/do/<slug:name>/", views.visit_transition, name="visit_transition"),
]
