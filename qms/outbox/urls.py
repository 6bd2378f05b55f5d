"""Addresses of the outbox."""

from django.urls import path

from qms.outbox import views

app_name = "outbox"
urlpatterns = [
    path("", views.effect_list, name="effect_list"),
    path("<int:pk>/retry/", views.effect_retry, name="effect_retry"),
]
