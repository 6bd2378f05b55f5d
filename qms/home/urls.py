"""Addresses of the pages everybody starts from."""

from django.urls import path

from qms.home import views

app_name = "home"
urlpatterns = [
    path("", views.my_work, name="my_work"),
    path("my-role/", views.my_role, name="my_role"),
    path("leadership/", views.leadership, name="leadership"),
    path("calendar/", views.calendar, name="calendar"),
    path("calendar/year/", views.planner, name="planner"),
    path("views/keep/", views.view_keep, name="view_keep"),
    path("views/<int:pk>/forget/", views.view_forget, name="view_forget"),
    path("search/", views.search, name="search"),
]
