"""Addresses of this chapter."""

app_name = "documents"
urlpatterns: list = []
