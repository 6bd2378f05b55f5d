"""Addresses of this chapter."""

app_name = "capa"
urlpatterns: list = []
