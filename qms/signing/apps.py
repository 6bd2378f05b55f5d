"""Electronic signatures: who signed what, with which meaning, when (ISO 9001 7.5.2, 7.5.3)."""

from django.apps import AppConfig


class SigningConfig(AppConfig):
    name = "qms.signing"
    label = "signing"
    verbose_name = "Signatures"
