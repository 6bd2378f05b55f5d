"""Addresses of this chapter."""

app_name = "files"
urlpatterns: list = []
