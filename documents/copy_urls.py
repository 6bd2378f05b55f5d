"""The address in the QR code of a controlled copy."""

from django.urls import path

from documents.views import copies

urlpatterns = [path("<str:token>/", copies.copy_standing, name="copy_standing")]
