"""Addresses of changes."""

from django.urls import path

from qms.changes import views

app_name = "changes"
urlpatterns = [
    path("", views.change_list, name="change_list"),
    path("find/", views.record_find, name="record_find"),
    path("new/", views.change_create, name="change_create"),
    path("<int:pk>/", views.change_detail, name="change_detail"),
    path("<int:pk>/edit/", views.change_edit, name="change_edit"),
    path("<int:pk>/touches/", views.change_touch, name="change_touch"),
    path("<int:pk>/action/", views.change_action, name="change_action"),
    path("<int:pk>/do/<slug:name>/", views.change_transition, name="change_transition"),
]
