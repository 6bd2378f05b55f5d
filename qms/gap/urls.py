"""Addresses of gap assessments."""

from django.urls import path

from qms.gap.views import answers, assessments, roadmap

app_name = "gap"
urlpatterns = [
    path("", assessments.assessment_list, name="assessment_list"),
    path("new/", assessments.assessment_create, name="assessment_create"),
    path("delta/", assessments.delta_create, name="delta_create"),
    path("<int:pk>/", assessments.assessment_detail, name="assessment_detail"),
    path("<int:pk>/edit/", assessments.assessment_edit, name="assessment_edit"),
    path("<int:pk>/assign/", assessments.assessment_assign, name="assessment_assign"),
    path("<int:pk>/compare/", assessments.assessment_compare, name="assessment_compare"),
    path("<int:pk>/delta/", assessments.assessment_delta, name="assessment_delta"),
    path("<int:pk>/signals/", assessments.assessment_signals, name="assessment_signals"),
    path("<int:pk>/signals/take/", assessments.signal_take, name="signal_take"),
    path("<int:pk>/roadmap/", roadmap.assessment_roadmap, name="assessment_roadmap"),
    path("<int:pk>/roadmap/time/", roadmap.capacity_edit, name="capacity_edit"),
    path(
        "<int:pk>/do/<slug:name>/", assessments.assessment_transition, name="assessment_transition"
    ),
    path("answers/<int:pk>/", answers.answer_edit, name="answer_edit"),
    path("answers/<int:pk>/find/", answers.answer_find, name="answer_find"),
]
