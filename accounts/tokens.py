"""JWTs for users of the API. They end when they expire, when the password changes or when the person is deactivated."""

from typing import Any, TypedDict, cast

from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from accounts.models import User


class Tokens(TypedDict):
    access: str
    refresh: str
    expires_in: int


class RefreshRefused(Exception):
    """The refresh token is wrong, expired, or no longer stands for anybody."""


def issue_tokens(user: User) -> Tokens:
    return _tokens(RefreshToken.for_user(user))


def refresh_tokens(raw: str) -> Tokens:
    try:
        token = RefreshToken(cast(Any, raw))
    except TokenError as error:
        raise RefreshRefused from error
    user = User.objects.filter(pk=str(token.payload.get(api_settings.USER_ID_CLAIM)), is_active=True).first()
    claim = str(token.payload.get(api_settings.REVOKE_TOKEN_CLAIM, ""))
    if user is None or not constant_time_compare(claim, get_md5_hash_password(user.password)):
        raise RefreshRefused
    return _tokens(token)


def _tokens(token: RefreshToken) -> Tokens:
    life = int(api_settings.ACCESS_TOKEN_LIFETIME.total_seconds())
    return {"access": str(token.access_token), "refresh": str(token), "expires_in": life}
