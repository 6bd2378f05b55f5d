"""The secret address a calendar program reads."""

from django.urls import path

from audits.views import agenda

urlpatterns = [path("<str:token>.ics", agenda.calendar_feed, name="calendar_feed")]
