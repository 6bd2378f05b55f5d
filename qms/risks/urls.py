"""Addresses of risks and opportunities, each below its own word."""

from django.urls import path

from qms.risks import views

app_name = "risks"
urlpatterns = [
    path("risks/", views.risk_list, name="risk_list"),
    path("risks/matrix/", views.risk_matrix, name="risk_matrix"),
    path("risks/find/", views.record_find, name="record_find"),
    path("risks/new/", views.risk_create, name="risk_create"),
    path("risks/<int:pk>/", views.risk_detail, name="risk_detail"),
    path("risks/<int:pk>/edit/", views.risk_edit, name="risk_edit"),
    path("risks/<int:pk>/again/", views.risk_again, name="risk_again"),
    path("risks/<int:pk>/action/", views.risk_action, name="risk_action"),
    path("risks/<int:pk>/touches/", views.risk_touch, name="risk_touch"),
    path("risks/<int:pk>/do/<slug:name>/", views.risk_transition, name="risk_transition"),
    path("opportunities/", views.opportunity_list, name="opportunity_list"),
    path("opportunities/matrix/", views.opportunity_matrix, name="opportunity_matrix"),
    path("opportunities/new/", views.opportunity_create, name="opportunity_create"),
    path("opportunities/<int:pk>/", views.opportunity_detail, name="opportunity_detail"),
    path("opportunities/<int:pk>/edit/", views.opportunity_edit, name="opportunity_edit"),
    path("opportunities/<int:pk>/again/", views.opportunity_again, name="opportunity_again"),
    path("opportunities/<int:pk>/action/", views.opportunity_action, name="opportunity_action"),
    path("opportunities/<int:pk>/touches/", views.opportunity_touch, name="opportunity_touch"),
    path(
        "opportunities/<int:pk>/do/<slug:name>/",
        views.opportunity_transition,
        name="opportunity_transition",
    ),
]
