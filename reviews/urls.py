"""Addresses of this chapter."""

app_name = "reviews"
urlpatterns: list = []
