"""Addresses of gap assessments."""

from django.urls import path

from qms.gap import views

app_name = "gap"
urlpatterns = [
    path("", views.assessment_list, name="assessment_list"),
    path("new/", views.assessment_create, name="assessment_create"),
    path("<int:pk>/", views.assessment_detail, name="assessment_detail"),
    path("<int:pk>/edit/", views.assessment_edit, name="assessment_edit"),
    path("<int:pk>/compare/", views.assessment_compare, name="assessment_compare"),
    path("<int:pk>/roadmap/", views.assessment_roadmap, name="assessment_roadmap"),
    path("<int:pk>/do/<slug:name>/", views.assessment_transition, name="assessment_transition"),
    path("answers/<int:pk>/", views.answer_edit, name="answer_edit"),
]
