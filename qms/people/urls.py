"""Addresses of this chapter."""

app_name = "people"
urlpatterns: list = []
