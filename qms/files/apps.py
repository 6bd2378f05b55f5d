"""Attachments: content-addressed, typed by content (ISO 9001 7.5.3)."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "qms.files"
    label = "files"
    verbose_name = "Files"
