"""Addresses of the organisation and its scope."""

from django.urls import path

from qms.scope.views import organisation, processes, statements

app_name = "scope"
urlpatterns = [
    path("", statements.overview, name="overview"),
    path("organisation/", organisation.organisation, name="organisation"),
    path("organisation/new/", organisation.organisation_set_up, name="organisation_set_up"),
    path("organisation/edit/", organisation.organisation_edit, name="organisation_edit"),
    path("sites/", organisation.site_list, name="site_list"),
    path("sites/new/", organisation.site_create, name="site_create"),
    path("sites/<int:pk>/", organisation.site_detail, name="site_detail"),
    path("sites/<int:pk>/edit/", organisation.site_edit, name="site_edit"),
    path("sites/<int:pk>/do/<slug:name>/", organisation.site_transition, name="site_transition"),
    path("processes/", processes.process_list, name="process_list"),
    path("processes/map/", processes.process_map, name="process_map"),
    path("processes/map/pdf/", processes.process_map_pdf, name="process_map_pdf"),
    path("processes/checks/", processes.process_checks, name="process_checks"),
    path("processes/new/", processes.process_create, name="process_create"),
    path("processes/<int:pk>/", processes.process_detail, name="process_detail"),
    path("processes/<int:pk>/edit/", processes.process_edit, name="process_edit"),
    path("processes/<int:pk>/people/", processes.process_staff, name="process_staff"),
    path("processes/<int:pk>/pdf/", processes.process_pdf, name="process_pdf"),
    path(
        "processes/<int:pk>/do/<slug:name>/",
        processes.process_transition,
        name="process_transition",
    ),
    path("processes/<int:pk>/inputs/new/", processes.process_input, name="process_input"),
    path("processes/<int:pk>/outputs/new/", processes.process_output, name="process_output"),
    path("processes/flows/", processes.flow_list, name="flow_list"),
    path("processes/flows/new/", processes.flow_create, name="flow_create"),
    path("processes/flows/<int:pk>/", processes.flow_detail, name="flow_detail"),
    path("processes/flows/<int:pk>/edit/", processes.flow_edit, name="flow_edit"),
    path("processes/flows/<int:pk>/end/", processes.flow_end, name="flow_end"),
    path("processes/ownership/", processes.ownership, name="ownership"),
    path("extensions/", statements.extension_list, name="extension_list"),
    path("extensions/new/", statements.extension_create, name="extension_create"),
    path("extensions/<int:pk>/", statements.extension_detail, name="extension_detail"),
    path("extensions/<int:pk>/edit/", statements.extension_edit, name="extension_edit"),
    path(
        "extensions/<int:pk>/do/<slug:name>/",
        statements.extension_transition,
        name="extension_transition",
    ),
    path("statements/", statements.statement_list, name="statement_list"),
    path("statements/new/", statements.statement_create, name="statement_create"),
    path("statements/<int:pk>/", statements.statement_detail, name="statement_detail"),
    path("statements/<int:pk>/edit/", statements.statement_edit, name="statement_edit"),
    path("statements/<int:pk>/covers/", statements.statement_cover, name="statement_cover"),
    path(
        "statements/<int:pk>/leave-out/", statements.statement_leave_out, name="statement_leave_out"
    ),
    path("statements/<int:pk>/revise/", statements.statement_revise, name="statement_revise"),
    path("statements/<int:pk>/compare/", statements.statement_compare, name="statement_compare"),
    path("statements/<int:pk>/advice/", statements.statement_advice, name="statement_advice"),
    path("statements/<int:pk>/pdf/", statements.statement_pdf, name="statement_pdf"),
    path(
        "statements/<int:pk>/do/<slug:name>/",
        statements.statement_transition,
        name="statement_transition",
    ),
    path("not-applicable/<int:pk>/edit/", statements.line_edit, name="line_edit"),
    path("not-applicable/<int:pk>/keep-in/", statements.line_keep_in, name="line_keep_in"),
]
