"""Addresses of measuring equipment."""

from django.urls import path

from qms.equipment import views

app_name = "equipment"
urlpatterns = [
    path("", views.equipment_list, name="equipment_list"),
    path("new/", views.equipment_create, name="equipment_create"),
    path("<int:pk>/", views.equipment_detail, name="equipment_detail"),
    path("<int:pk>/edit/", views.equipment_edit, name="equipment_edit"),
    path("<int:pk>/calibrate/", views.calibration_create, name="calibration_create"),
    path("<int:pk>/do/<slug:name>/", views.equipment_transition, name="equipment_transition"),
    path("calibrations/", views.calibration_list, name="calibration_list"),
    path("calibrations/<int:pk>/", views.calibration_detail, name="calibration_detail"),
    path(
        "calibrations/<int:pk>/do/<slug:name>/",
        views.calibration_transition,
        name="calibration_transition",
    ),
    path("impacts/", views.impact_list, name="impact_list"),
    path("impacts/<int:pk>/", views.impact_detail, name="impact_detail"),
    path("impacts/<int:pk>/edit/", views.impact_edit, name="impact_edit"),
    path("impacts/<int:pk>/action/", views.impact_action, name="impact_action"),
    path("impacts/<int:pk>/do/<slug:name>/", views.impact_transition, name="impact_transition"),
]
