"""Addresses of attachments."""

from django.urls import path

from qms.files import views

app_name = "files"
urlpatterns = [
    path("<int:pk>/", views.download, name="download"),
    path("<int:pk>/picture/<slug:size>/", views.thumbnail, name="thumbnail"),
    path("<int:pk>/do/<slug:name>/", views.attachment_transition, name="attachment_transition"),
    path(
        "attach/<int:type_id>/<int:record_id>/",
        views.attachment_create,
        name="attachment_create",
    ),
]
