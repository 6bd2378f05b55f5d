"""Addresses of people and one's own profile."""

from django.urls import path

from qms.people import views

app_name = "people"
urlpatterns = [
    path("", views.person_list, name="person_list"),
    path("new/", views.person_create, name="person_create"),
    path("me/", views.profile, name="profile"),
    path("me/edit/", views.profile_edit, name="profile_edit"),
    path("me/tokens/new/", views.token_create, name="token_create"),
    path("me/tokens/<int:pk>/revoke/", views.token_revoke, name="token_revoke"),
    path("me/sign-out/", views.sign_out_everywhere, name="sign_out_everywhere"),
    path("<int:pk>/", views.person_detail, name="person_detail"),
    path("<int:pk>/edit/", views.person_edit, name="person_edit"),
    path("<int:pk>/deactivate/", views.person_deactivate, name="person_deactivate"),
    path("<int:pk>/reactivate/", views.person_reactivate, name="person_reactivate"),
    path("<int:pk>/erase/", views.person_erase, name="person_erase"),
    path("<int:pk>/invite/", views.person_invite, name="person_invite"),
    path("chart/", views.organisation_chart, name="organisation_chart"),
    path("<int:pk>/place/", views.person_place, name="person_place"),
    path("<int:pk>/hand-over/", views.hand_over, name="hand_over"),
    path("<int:pk>/away/", views.absence_create, name="absence_create"),
    path("absences/<int:pk>/edit/", views.absence_edit, name="absence_edit"),
    path("<int:pk>/outside/", views.outside_access, name="outside_access"),
    path("<int:pk>/roles/new/", views.role_give, name="role_give"),
    path("roles/<int:pk>/do/<slug:name>/", views.role_transition, name="role_transition"),
]
