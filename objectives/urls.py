"""Addresses of objectives, indicators, readings and sheets of readings."""

from django.urls import path

from objectives.views import analyses, control, indicators, objectives, readings, sheets

app_name = "objectives"
urlpatterns = [
    path("", objectives.objective_list, name="objective_list"),
    path("new/", objectives.objective_create, name="objective_create"),
    path("help/", objectives.objective_help, name="objective_help"),
    path("standing/", objectives.objective_standing, name="objective_standing"),
    path("tree/", objectives.objective_tree, name="objective_tree"),
    path("<int:pk>/", objectives.objective_detail, name="objective_detail"),
    path("<int:pk>/edit/", objectives.objective_edit, name="objective_edit"),
    path("<int:pk>/pdf/", objectives.objective_pdf, name="objective_pdf"),
    path("<int:pk>/action/", objectives.objective_action, name="objective_action"),
    path("<int:pk>/do/<slug:name>/", objectives.objective_transition, name="objective_transition"),
    path("indicators/", indicators.indicator_list, name="indicator_list"),
    path("indicators/new/", indicators.indicator_create, name="indicator_create"),
    path("indicators/<int:pk>/", indicators.indicator_detail, name="indicator_detail"),
    path("indicators/<int:pk>/edit/", indicators.indicator_edit, name="indicator_edit"),
    path("indicators/<int:pk>/pdf/", indicators.indicator_pdf, name="indicator_pdf"),
    path(
        "indicators/<int:pk>/do/<slug:name>/",
        indicators.indicator_transition,
        name="indicator_transition",
    ),
    path("indicators/<int:pk>/reading/", readings.measurement_create, name="measurement_create"),
    path("indicators/<int:pk>/limits/", control.limits_create, name="limits_create"),
    path("indicators/<int:pk>/signals/<slug:day>/", control.signal_answer, name="signal_answer"),
    path("limits/<int:pk>/", control.limits_detail, name="limits_detail"),
    path("limits/<int:pk>/do/<slug:name>/", control.limits_transition, name="limits_transition"),
    path("readings/", readings.readings_enter, name="readings_enter"),
    path("readings/<int:pk>/", readings.measurement_detail, name="measurement_detail"),
    path(
        "readings/<int:pk>/do/<slug:name>/",
        readings.measurement_transition,
        name="measurement_transition",
    ),
    path("analyses/", analyses.analysis_list, name="analysis_list"),
    path("analyses/new/", analyses.analysis_create, name="analysis_create"),
    path("analyses/<int:pk>/", analyses.analysis_detail, name="analysis_detail"),
    path("analyses/<int:pk>/edit/", analyses.analysis_edit, name="analysis_edit"),
    path("analyses/<int:pk>/pdf/", analyses.analysis_pdf, name="analysis_pdf"),
    path("analyses/<int:pk>/action/", analyses.analysis_action, name="analysis_action"),
    path(
        "analyses/<int:pk>/do/<slug:name>/",
        analyses.analysis_transition,
        name="analysis_transition",
    ),
    path("imports/", sheets.sheet_list, name="sheet_list"),
    path("imports/new/", sheets.sheet_create, name="sheet_create"),
    path("imports/<int:pk>/", sheets.sheet_detail, name="sheet_detail"),
    path("imports/<int:pk>/progress/", sheets.sheet_progress, name="sheet_progress"),
    path("imports/<int:pk>/do/<slug:name>/", sheets.sheet_transition, name="sheet_transition"),
]
