"""Addresses of evidence packs."""

from django.urls import path

from qms.pack import views

app_name = "pack"
urlpatterns = [
    path("", views.pack_list, name="pack_list"),
    path("new/", views.pack_create, name="pack_create"),
    path("new/<slug:preset>/", views.pack_quick, name="pack_quick"),
    path("<int:pk>/", views.pack_detail, name="pack_detail"),
    path("<int:pk>/edit/", views.pack_edit, name="pack_edit"),
    path("<int:pk>/progress/", views.pack_progress, name="pack_progress"),
    path("<int:pk>/download/", views.pack_download, name="pack_download"),
    path("<int:pk>/do/<slug:name>/", views.pack_transition, name="pack_transition"),
]
