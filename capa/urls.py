"""Addresses of nonconformities."""

from django.urls import path

from capa import views

app_name = "capa"
urlpatterns = [
    path("", views.nc_list, name="nc_list"),
    path("report/", views.problem_create, name="problem_create"),
    path("new/", views.nc_create, name="nc_create"),
    path("<int:pk>/", views.nc_detail, name="nc_detail"),
    path("<int:pk>/edit/", views.nc_edit, name="nc_edit"),
    path("<int:pk>/pdf/", views.nc_pdf, name="nc_pdf"),
    path("<int:pk>/do/<slug:name>/", views.nc_transition, name="nc_transition"),
    path("from-complaint/<int:pk>/", views.nc_from_complaint, name="nc_from_complaint"),
    path("proposals/", views.proposal_list, name="proposal_list"),
    path("proposals/<int:pk>/", views.proposal_detail, name="proposal_detail"),
    path(
        "proposals/<int:pk>/do/<slug:name>/", views.proposal_transition, name="proposal_transition"
    ),
]
