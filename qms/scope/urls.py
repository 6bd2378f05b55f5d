"""Addresses of the organisation and its scope."""

from django.urls import path

from qms.scope import views

app_name = "scope"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("organisation/", views.organisation, name="organisation"),
    path("organisation/new/", views.organisation_set_up, name="organisation_set_up"),
    path("organisation/edit/", views.organisation_edit, name="organisation_edit"),
    path("sites/", views.site_list, name="site_list"),
    path("sites/new/", views.site_create, name="site_create"),
    path("sites/<int:pk>/", views.site_detail, name="site_detail"),
    path("sites/<int:pk>/edit/", views.site_edit, name="site_edit"),
    path("sites/<int:pk>/do/<slug:name>/", views.site_transition, name="site_transition"),
    path("processes/", views.process_list, name="process_list"),
    path("processes/new/", views.process_create, name="process_create"),
    path("processes/<int:pk>/", views.process_detail, name="process_detail"),
    path("processes/<int:pk>/edit/", views.process_edit, name="process_edit"),
    path("processes/<int:pk>/people/", views.process_staff, name="process_staff"),
    path("processes/<int:pk>/pdf/", views.process_pdf, name="process_pdf"),
    path("processes/<int:pk>/do/<slug:name>/", views.process_transition, name="process_transition"),
    path("statements/", views.statement_list, name="statement_list"),
    path("statements/new/", views.statement_create, name="statement_create"),
    path("statements/<int:pk>/", views.statement_detail, name="statement_detail"),
    path("statements/<int:pk>/edit/", views.statement_edit, name="statement_edit"),
    path("statements/<int:pk>/covers/", views.statement_cover, name="statement_cover"),
    path("statements/<int:pk>/leave-out/", views.statement_leave_out, name="statement_leave_out"),
    path("statements/<int:pk>/revise/", views.statement_revise, name="statement_revise"),
    path("statements/<int:pk>/pdf/", views.statement_pdf, name="statement_pdf"),
    path(
        "statements/<int:pk>/do/<slug:name>/",
        views.statement_transition,
        name="statement_transition",
    ),
    path("not-applicable/<int:pk>/edit/", views.line_edit, name="line_edit"),
    path("not-applicable/<int:pk>/keep-in/", views.line_keep_in, name="line_keep_in"),
]
