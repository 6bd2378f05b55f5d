"""Addresses of objectives and their readings."""

from django.urls import path

from objectives import views

app_name = "objectives"
urlpatterns = [
    path("", views.objective_list, name="objective_list"),
    path("new/", views.objective_create, name="objective_create"),
    path("<int:pk>/", views.objective_detail, name="objective_detail"),
    path("<int:pk>/edit/", views.objective_edit, name="objective_edit"),
    path("<int:pk>/pdf/", views.objective_pdf, name="objective_pdf"),
    path("<int:pk>/reading/", views.measurement_create, name="measurement_create"),
    path("<int:pk>/do/<slug:name>/", views.objective_transition, name="objective_transition"),
    path("readings/<int:pk>/", views.measurement_detail, name="measurement_detail"),
    path(
        "readings/<int:pk>/do/<slug:name>/",
        views.measurement_transition,
        name="measurement_transition",
    ),
]
