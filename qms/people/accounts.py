"""How allauth, which keeps sign-in and recovery, meets our persons."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect

from qms.access import address_of


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up alone; passwords are saved without touching what history keeps."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: Any, password: str) -> None:
        user.set_password(password)
        user.save(update_fields=["password"])

    def pre_login(self, request: HttpRequest, user: Any, **more: Any) -> Any:
        """An outside auditor's last day has passed: the sign-in is refused in words."""
        if user.access_has_ended:
            messages.error(request, f"Your access ended after {user.access_until:%-d %B %Y}.")
            return redirect("account_login")
        return super().pre_login(request, user, **more)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Wrong passwords are counted by the same address as looks at public pages."""
        return address_of(request)

    def format_email_subject(self, subject: str) -> str:
        """The subject as it is written; the address of the server says nothing to people."""
        return str(subject)
