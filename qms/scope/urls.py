"""Addresses of this chapter."""

app_name = "scope"
urlpatterns: list = []
