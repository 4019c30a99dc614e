"""Log-in and sign-up without a browser session. The rules, limits and mails are those of the pages."""

from dataclasses import dataclass
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.forms import SignupForm
from allauth.account.internal.flows.email_verification import (
    send_verification_email_for_user,
    send_verification_email_to_address,
)
from allauth.account.models import EmailAddress
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest

from accounts.models import User

# The pages and the API name the same thing differently.
FIELD_NAMES = {"password1": "password"}


@dataclass
class LoginRefused(Exception):
    code: str
    message: str


TOO_MANY = ("too_many_attempts", "Too many failed attempts. Try again in a few minutes.")
WRONG = ("invalid_credentials", "The e-mail address or the password is wrong.")
UNVERIFIED = ("email_unverified", "Confirm your e-mail address first: we sent you a link.")
NO_CODE = ("mfa_required", "Send the code of your authenticator app, or a recovery code, as `code`.")
WRONG_CODE = ("invalid_code", "This code is wrong or was used already.")


def check_login(request: HttpRequest, *, email: str, password: str, code: str) -> User:
    """The person behind these credentials; raises LoginRefused with the same answer for a wrong and an unknown one."""
    try:
        user = get_adapter(request).authenticate(request, email=email, password=password)
    except ValidationError as error:
        raise LoginRefused(*TOO_MANY) from error
    # allauth also hands out people who are switched off, for a page of theirs.
    if user is None or not user.is_active:
        raise LoginRefused(*WRONG)
    if is_mfa_enabled(user):
        _check_code(user, code)
    if _wants_verified() and not EmailAddress.objects.filter(user=user, verified=True).exists():
        send_verification_email_for_user(request, user)
        raise LoginRefused(*UNVERIFIED)
    return user


def _check_code(user: User, code: str) -> None:
    if not code:
        raise LoginRefused(*NO_CODE)
    form = AuthenticateForm(user=user, data={"code": code})
    if form.is_valid():
        form.authenticator.record_usage()
    elif form.has_error("code", "too_many_login_attempts"):
        raise LoginRefused(*TOO_MANY)
    else:
        raise LoginRefused(*WRONG_CODE)


def _wants_verified() -> bool:
    return app_settings.EMAIL_VERIFICATION == app_settings.EmailVerificationMethod.MANDATORY


def register(request: HttpRequest, data: dict[str, Any]) -> User | None:
    """A new person with a workspace; None where the address must be confirmed first, whether it was free or not."""
    if not get_adapter(request).is_open_for_signup(request):
        raise PermissionDenied("Sign-up is closed.")
    form = SignupForm({**data, "password1": data["password"]})
    if not form.is_valid():
        raise ValidationError({FIELD_NAMES.get(name, name): list(errors) for name, errors in _errors(form).items()})
    user = None if form.account_already_exists else form.save(request)
    address = EmailAddress.objects.get(user=user) if user else EmailAddress(email=form.cleaned_data["email"])
    # To a taken address this mails "you already have an account", so that the answer tells nobody which it was.
    send_verification_email_to_address(request, address, signup=True)
    return None if _wants_verified() else user


def _errors(form: SignupForm) -> dict[str, list[str]]:
    return {name: [str(error) for error in errors] for name, errors in form.errors.items()}
