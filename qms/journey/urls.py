"""Addresses of the journey, the clause catalogue and the start-up path."""

app_name = "journey"
urlpatterns: list[object] = []
