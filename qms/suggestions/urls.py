"""Addresses of suggestions."""

from django.urls import path

from qms.suggestions import views

app_name = "suggestions"
urlpatterns = [
    path("", views.suggestion_list, name="suggestion_list"),
    path("new/", views.suggestion_create, name="suggestion_create"),
    path("<int:pk>/", views.suggestion_detail, name="suggestion_detail"),
    path("<int:pk>/vote/", views.suggestion_vote, name="suggestion_vote"),
    path("<int:pk>/edit/", views.suggestion_edit, name="suggestion_edit"),
    path("<int:pk>/do/<slug:name>/", views.suggestion_transition, name="suggestion_transition"),
]
