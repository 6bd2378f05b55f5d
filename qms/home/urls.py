"""Addresses of this chapter."""

app_name = "home"
urlpatterns: list = []
