"""Addresses of this chapter."""

app_name = "objectives"
urlpatterns: list = []
