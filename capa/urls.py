"""Addresses of nonconformities."""

from django.urls import path

from capa.views import nonconformities, proposals

app_name = "capa"
urlpatterns = [
    path("", nonconformities.nc_list, name="nc_list"),
    path("report/", nonconformities.problem_create, name="problem_create"),
    path("new/", nonconformities.nc_create, name="nc_create"),
    path("<int:pk>/", nonconformities.nc_detail, name="nc_detail"),
    path("<int:pk>/edit/", nonconformities.nc_edit, name="nc_edit"),
    path("<int:pk>/pdf/", nonconformities.nc_pdf, name="nc_pdf"),
    path("<int:pk>/do/<slug:name>/", nonconformities.nc_transition, name="nc_transition"),
    path("from-complaint/<int:pk>/", nonconformities.nc_from_complaint, name="nc_from_complaint"),
    path("proposals/", proposals.proposal_list, name="proposal_list"),
    path("proposals/<int:pk>/", proposals.proposal_detail, name="proposal_detail"),
    path(
        "proposals/<int:pk>/do/<slug:name>/",
        proposals.proposal_transition,
        name="proposal_transition",
    ),
]
