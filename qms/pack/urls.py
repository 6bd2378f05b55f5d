"""Addresses of this chapter."""

app_name = "pack"
urlpatterns: list = []
