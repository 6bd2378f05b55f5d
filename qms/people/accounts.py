"""How allauth, which keeps sign-in and recovery, meets our persons."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up alone; passwords are saved without touching what history keeps."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: Any, password: str) -> None:
        user.set_password(password)
        user.save(update_fields=["password"])

    def format_email_subject(self, subject: str) -> str:
        """The subject as it is written; the address of the server says nothing to people."""
        return str(subject)
