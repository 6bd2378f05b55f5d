"""The address in the mail of a survey."""

from django.urls import path

from qms.customers.views import public

urlpatterns = [path("<str:token>/", public.survey_answer, name="survey_answer")]
