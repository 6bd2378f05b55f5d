"""Every address of the program; each chapter keeps its own part."""

from django.urls import include, path

urlpatterns: list = [
    path("", include("qms.health")),
]
