"""Addresses of readiness; beside the gap assessments, because it needs none."""

from django.urls import path

from qms.gap.views import readiness

app_name = "readiness"
urlpatterns = [
    path("", readiness.show, name="show"),
    path("pdf/", readiness.as_pdf, name="pdf"),
]
