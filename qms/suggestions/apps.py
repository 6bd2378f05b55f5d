"""Suggestions: ideas of everybody, each answered (ISO 9001 10.3, 7.3)."""

from django.apps import AppConfig


class SuggestionsConfig(AppConfig):
    name = "qms.suggestions"
    label = "suggestions"
    verbose_name = "Suggestions"
