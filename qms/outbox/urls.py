"""Addresses of this chapter."""

app_name = "outbox"
urlpatterns: list = []
