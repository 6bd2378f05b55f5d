"""Addresses of competence."""

from django.urls import path

from qms.competence import views

app_name = "competence"
urlpatterns = [
    path("", views.competence_matrix, name="matrix"),
    path("competences/", views.competence_list, name="competence_list"),
    path("competences/new/", views.competence_create, name="competence_create"),
    path("competences/<int:pk>/", views.competence_detail, name="competence_detail"),
    path("competences/<int:pk>/edit/", views.competence_edit, name="competence_edit"),
    path(
        "competences/<int:pk>/do/<slug:name>/",
        views.competence_transition,
        name="competence_transition",
    ),
    path("requirements/new/", views.requirement_create, name="requirement_create"),
    path(
        "requirements/<int:pk>/do/<slug:name>/",
        views.requirement_transition,
        name="requirement_transition",
    ),
    path("findings/", views.record_list, name="record_list"),
    path("findings/new/", views.record_create, name="record_create"),
    path("findings/<int:pk>/", views.record_detail, name="record_detail"),
    path("findings/<int:pk>/do/<slug:name>/", views.record_transition, name="record_transition"),
    path("trainings/", views.training_list, name="training_list"),
    path("trainings/new/", views.training_create, name="training_create"),
    path("trainings/<int:pk>/", views.training_detail, name="training_detail"),
    path("trainings/<int:pk>/edit/", views.training_edit, name="training_edit"),
    path(
        "trainings/<int:pk>/participants/",
        views.training_participants,
        name="training_participants",
    ),
    path(
        "trainings/<int:pk>/do/<slug:name>/", views.training_transition, name="training_transition"
    ),
]
