"""Addresses of this chapter."""

app_name = "audits"
urlpatterns: list = []
