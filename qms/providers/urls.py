"""Addresses of external providers."""

from django.urls import path

from qms.providers import views

app_name = "providers"
urlpatterns = [
    path("", views.provider_list, name="provider_list"),
    path("new/", views.provider_create, name="provider_create"),
    path("<int:pk>/", views.provider_detail, name="provider_detail"),
    path("<int:pk>/edit/", views.provider_edit, name="provider_edit"),
    path("<int:pk>/processes/", views.provider_processes, name="provider_processes"),
    path("<int:pk>/evaluate/", views.evaluation_create, name="evaluation_create"),
    path("<int:pk>/do/<slug:name>/", views.provider_transition, name="provider_transition"),
    path("evaluations/", views.evaluation_list, name="evaluation_list"),
    path("evaluations/<int:pk>/", views.evaluation_detail, name="evaluation_detail"),
    path(
        "evaluations/<int:pk>/do/<slug:name>/",
        views.evaluation_transition,
        name="evaluation_transition",
    ),
]
