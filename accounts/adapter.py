from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from accounts.middleware import find_actor, root_addresses
from accounts.models import User
from accounts.services import create_workspace
from accounts.web import workspace_path
from lib.crypto import ring


class AccountAdapter(DefaultAccountAdapter):
    def save_user(self, request: HttpRequest, user: User, form: object, commit: bool = True) -> User:
        data = getattr(form, "cleaned_data", {})
        user.name = data.get("name", "")
        user = super().save_user(request, user, form, commit)
        # Somebody who signs up to accept an invitation does not need a workspace of their own.
        if commit and "invitation" not in request.session:
            name = data.get("workspace") or f"{user.name or user.email.split('@')[0]}'s workspace"
            create_workspace(name, owner=user, time_zone=data.get("time_zone") or "UTC")
        return user

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        actor = find_actor(cast(User, request.user), "")
        return workspace_path(actor.workspace) if actor else super().get_login_redirect_url(request)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        with root_addresses():
            return super().get_email_confirmation_url(request, emailconfirmation)

    def get_reset_password_from_key_url(self, key: str) -> str:
        with root_addresses():
            return super().get_reset_password_from_key_url(key)


class MFAAdapter(DefaultMFAAdapter):
    """TOTP secrets and recovery codes are stored encrypted."""

    def encrypt(self, text: str) -> str:
        return ring().encrypt(text).hex()

    def decrypt(self, encrypted_text: str) -> str:
        return ring().decrypt(bytes.fromhex(encrypted_text))
