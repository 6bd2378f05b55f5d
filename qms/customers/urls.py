"""Addresses of customers."""

from django.urls import path

from qms.customers import views

app_name = "customers"
urlpatterns = [
    path("", views.customer_list, name="customer_list"),
    path("new/", views.customer_create, name="customer_create"),
    path("<int:pk>/", views.customer_detail, name="customer_detail"),
    path("<int:pk>/edit/", views.customer_edit, name="customer_edit"),
    path("<int:pk>/review/", views.review_create, name="review_create"),
    path("<int:pk>/do/<slug:name>/", views.customer_transition, name="customer_transition"),
    path("reviews/", views.review_list, name="review_list"),
    path("reviews/<int:pk>/", views.review_detail, name="review_detail"),
    path("reviews/<int:pk>/do/<slug:name>/", views.review_transition, name="review_transition"),
]
