from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from accounts.models import User
from accounts.services import create_workspace
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


class MFAAdapter(DefaultMFAAdapter):
    """TOTP secrets and recovery codes are stored encrypted."""

    def encrypt(self, text: str) -> str:
        return ring().encrypt(text).hex()

    def decrypt(self, encrypted_text: str) -> str:
        return ring().decrypt(bytes.fromhex(encrypted_text))
