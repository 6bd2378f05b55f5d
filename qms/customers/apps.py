"""Customers and how satisfied they are (ISO 9001 8.2, 9.1.2)."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "qms.customers"
    label = "customers"
    verbose_name = "Customers"
