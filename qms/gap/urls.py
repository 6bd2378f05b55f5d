"""Addresses of this chapter."""

app_name = "gap"
urlpatterns: list = []
