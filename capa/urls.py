"""Addresses of nonconformities."""

from django.urls import path

from capa.views import causes, corrective_actions, figures, nonconformities, proposals, repeats

app_name = "capa"
urlpatterns = [
    path("", nonconformities.nc_list, name="nc_list"),
    path("report/", nonconformities.problem_create, name="problem_create"),
    path("new/", nonconformities.nc_create, name="nc_create"),
    path("<int:pk>/", nonconformities.nc_detail, name="nc_detail"),
    path("board/", figures.board, name="board"),
    path("figures/", figures.figures_page, name="figures"),
    path("alike/", repeats.alike_typed, name="alike_typed"),
    path("recurring/", repeats.recurring, name="recurring"),
    path("repeats/", repeats.repeat_list, name="repeat_list"),
    path("repeats/<int:pk>/", repeats.repeat_detail, name="repeat_detail"),
    path("repeats/<int:pk>/do/<slug:name>/", repeats.repeat_transition, name="repeat_transition"),
    path("<int:pk>/alike/", repeats.nc_alike, name="nc_alike"),
    path("<int:pk>/edit/", nonconformities.nc_edit, name="nc_edit"),
    path("<int:pk>/pdf/", nonconformities.nc_pdf, name="nc_pdf"),
    path("<int:pk>/answer/", nonconformities.nc_answer, name="nc_answer"),
    path("<int:pk>/cause/", causes.nc_cause, name="nc_cause"),
    path("<int:pk>/8d/", causes.nc_8d, name="nc_8d"),
    path("<int:pk>/8d/pdf/", nonconformities.nc_8d_pdf, name="nc_8d_pdf"),
    path("<int:pk>/bundle/", nonconformities.nc_bundle, name="nc_bundle"),
    path("<int:pk>/do/<slug:name>/", nonconformities.nc_transition, name="nc_transition"),
    path("from-complaint/<int:pk>/", nonconformities.nc_from_complaint, name="nc_from_complaint"),
    path("proposals/", proposals.proposal_list, name="proposal_list"),
    path("proposals/<int:pk>/", proposals.proposal_detail, name="proposal_detail"),
    path(
        "proposals/<int:pk>/do/<slug:name>/",
        proposals.proposal_transition,
        name="proposal_transition",
    ),
    path(
        "corrective-actions/",
        corrective_actions.corrective_action_list,
        name="corrective_action_list",
    ),
    path(
        "corrective-actions/new/",
        corrective_actions.corrective_action_create,
        name="corrective_action_create",
    ),
    path(
        "corrective-actions/<int:pk>/",
        corrective_actions.corrective_action_detail,
        name="corrective_action_detail",
    ),
    path(
        "corrective-actions/<int:pk>/edit/",
        corrective_actions.corrective_action_edit,
        name="corrective_action_edit",
    ),
    path(
        "corrective-actions/<int:pk>/cases/",
        corrective_actions.corrective_action_cases,
        name="corrective_action_cases",
    ),
    path(
        "corrective-actions/<int:pk>/task/",
        corrective_actions.corrective_action_task,
        name="corrective_action_task",
    ),
    path(
        "corrective-actions/<int:pk>/do/<slug:name>/",
        corrective_actions.corrective_action_transition,
        name="corrective_action_transition",
    ),
]
