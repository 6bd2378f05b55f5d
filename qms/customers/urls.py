"""Addresses of customers, satisfaction reviews, surveys and feedback."""

from django.urls import path

from qms.customers.views import customers, feedback, surveys

app_name = "customers"
urlpatterns = [
    path("", customers.customer_list, name="customer_list"),
    path("new/", customers.customer_create, name="customer_create"),
    path("<int:pk>/", customers.customer_detail, name="customer_detail"),
    path("<int:pk>/edit/", customers.customer_edit, name="customer_edit"),
    path("<int:pk>/review/", customers.review_create, name="review_create"),
    path("<int:pk>/do/<slug:name>/", customers.customer_transition, name="customer_transition"),
    path("reviews/", customers.review_list, name="review_list"),
    path("reviews/<int:pk>/", customers.review_detail, name="review_detail"),
    path("reviews/<int:pk>/do/<slug:name>/", customers.review_transition, name="review_transition"),
    path("surveys/", surveys.survey_list, name="survey_list"),
    path("surveys/new/", surveys.survey_create, name="survey_create"),
    path("surveys/results/", surveys.results_page, name="results"),
    path("surveys/<int:pk>/", surveys.survey_detail, name="survey_detail"),
    path("surveys/<int:pk>/edit/", surveys.survey_edit, name="survey_edit"),
    path("surveys/<int:pk>/customers/", surveys.survey_customers, name="survey_customers"),
    path("surveys/<int:pk>/do/<slug:name>/", surveys.survey_transition, name="survey_transition"),
    path("feedback/", feedback.feedback_list, name="feedback_list"),
    path("feedback/new/", feedback.feedback_create, name="feedback_create"),
    path("feedback/<int:pk>/", feedback.feedback_detail, name="feedback_detail"),
    path(
        "feedback/<int:pk>/do/<slug:name>/",
        feedback.feedback_transition,
        name="feedback_transition",
    ),
]
