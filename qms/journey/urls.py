"""Addresses of the journey, the clause catalogue and the start-up path."""

from django.urls import path

from qms.journey.views import briefings, catalogue, startup, steps

app_name = "journey"
urlpatterns = [
    # The clause catalogue
    path("clauses/", catalogue.clauses_home, name="clauses"),
    path("clauses/mapping/", catalogue.clause_mapping, name="clause_mapping"),
    path("clauses/<str:edition>/", catalogue.clause_list, name="clause_list"),
    path("clauses/<str:edition>/<str:number>/", catalogue.clause_detail, name="clause_detail"),
    # The ten steps
    path("journey/", steps.journey, name="journey"),
    path("journey/compact/", steps.compact, name="compact"),
    path("journey/momentum/", steps.momentum, name="momentum"),
    path("journey/plan/<int:pk>/", steps.project_detail, name="project_detail"),
    path("journey/plan/<int:pk>/move/", steps.project_replan, name="project_replan"),
    path(
        "journey/plan/<int:pk>/do/<slug:name>/",
        steps.project_transition,
        name="project_transition",
    ),
    path("journey/opening/", steps.opening, name="opening"),
    path("journey/opening/edit/", steps.opening_edit, name="opening_edit"),
    path("journey/principles/", steps.principle_list, name="principles"),
    path("journey/principles/<slug:key>/", steps.principle, name="principle"),
    path("journey/principles/answers/<int:pk>/", steps.principle_history, name="principle_history"),
    # Briefings
    path("journey/briefings/", briefings.briefing_list, name="briefing_list"),
    path("journey/briefings/new/", briefings.briefing_create, name="briefing_create"),
    path("journey/briefings/<int:pk>/", briefings.briefing_detail, name="briefing_detail"),
    path(
        "journey/briefings/<int:pk>/attendees/",
        briefings.briefing_attendees,
        name="briefing_attendees",
    ),
    path("journey/briefings/<int:pk>/edit/", briefings.briefing_edit, name="briefing_edit"),
    path(
        "journey/briefings/<int:pk>/do/<slug:name>/",
        briefings.briefing_transition,
        name="briefing_transition",
    ),
    # The start-up path
    path("start/", startup.start, name="start"),
    path("start/organisation/", startup.start_organisation, name="start_organisation"),
    path("start/people/", startup.start_people, name="start_people"),
    path("start/people/me/", startup.start_take_role, name="start_take_role"),
    path("start/sites/", startup.start_sites, name="start_sites"),
    path("start/questions/", startup.start_opening, name="start_opening"),
    path("start/processes/", startup.start_processes, name="start_processes"),
    path("start/processes/own/", startup.start_own_process, name="start_own_process"),
    path("start/documents/", startup.start_documents, name="start_documents"),
    path("start/scope/", startup.start_scope, name="start_scope"),
    path("start/plan/", startup.start_plan, name="start_plan"),
    path("start/summary/", startup.start_summary, name="start_summary"),
]
