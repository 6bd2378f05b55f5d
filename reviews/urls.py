"""Addresses of management reviews."""

from django.urls import path

from reviews import views

app_name = "reviews"
urlpatterns = [
    path("", views.review_list, name="review_list"),
    path("new/", views.review_create, name="review_create"),
    path("<int:pk>/", views.review_detail, name="review_detail"),
    path("<int:pk>/edit/", views.review_edit, name="review_edit"),
    path("<int:pk>/pdf/", views.review_pdf, name="review_pdf"),
    path("<int:pk>/decision/", views.decision_create, name="decision_create"),
    path("<int:pk>/objectives/", views.review_objectives, name="review_objectives"),
    path("<int:pk>/do/<slug:name>/", views.review_transition, name="review_transition"),
    path("inputs/<int:pk>/", views.input_edit, name="input_edit"),
    path("objectives/<int:pk>/", views.reviewed_objective_edit, name="reviewed_objective_edit"),
    path("decisions/<int:pk>/", views.decision_detail, name="decision_detail"),
    path(
        "decisions/<int:pk>/do/<slug:name>/", views.decision_transition, name="decision_transition"
    ),
]
