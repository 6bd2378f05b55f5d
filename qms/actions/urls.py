"""Addresses of actions."""

from django.urls import path

from qms.actions import views

app_name = "actions"
urlpatterns = [
    path("", views.action_list, name="action_list"),
    path("new/", views.action_create, name="action_create"),
    path("<int:pk>/", views.action_detail, name="action_detail"),
    path("<int:pk>/edit/", views.action_edit, name="action_edit"),
    path("<int:pk>/waits-for/", views.action_order, name="action_order"),
    path("<int:pk>/do/<slug:name>/", views.action_transition, name="action_transition"),
    path("<int:pk>/extend/", views.action_extend, name="action_extend"),
    path("extensions/<int:pk>/", views.extension_detail, name="extension_detail"),
    path(
        "extensions/<int:pk>/do/<slug:name>/",
        views.extension_transition,
        name="extension_transition",
    ),
]
