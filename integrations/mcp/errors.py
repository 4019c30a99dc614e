"""What services raise, as words for the program that called, and never as a traceback."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from jsonschema import Draft202012Validator
from rest_framework.exceptions import APIException

from accounts.idempotency import KeyInFlight, KeyReused
from accounts.problems import CONFLICTS
from accounts.rate import RateLimited
from lib.text import storable

log = structlog.get_logger(__name__)
ON_OUR_SIDE = "Something went wrong on our side. It was recorded; nothing was changed."
# Of what a caller sent, in an answer to it.
QUOTED_CHARACTERS = 200
MOST_FAULTS = 20


@dataclass(frozen=True)
class Failure:
    """`code` as in problem+json; `fields` by argument."""

    code: str
    text: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    retry_after_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"code": self.code, "message": self.text}
        if self.fields:
            found["fields"] = self.fields
        if self.retry_after_s is not None:
            found["retry_after_s"] = self.retry_after_s
        return found

    @property
    def words(self) -> str:
        lines = [f"{name}: {text}" for name, texts in self.fields.items() for text in texts]
        return "\n".join([self.text, *lines])


class CallFailed(Exception):
    """Ends a call that was understood but not done."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def failure_of(error: Exception) -> Failure:
    if isinstance(error, CallFailed):
        return error.failure
    if isinstance(error, ValidationError):
        return _invalid(error)
    return _refused(error) or _conflict(error) or _unknown(error)


def _invalid(error: ValidationError) -> Failure:
    if isinstance(error, RateLimited):
        return Failure("rate_limited", " ".join(error.messages), retry_after_s=round(error.retry_after_s, 3))
    if hasattr(error, "error_dict"):
        return Failure("invalid", "Some arguments are not right.", error.message_dict)
    return Failure(getattr(error, "code", None) or "invalid", " ".join(error.messages))


def _refused(error: Exception) -> Failure | None:
    if isinstance(error, PermissionDenied):
        return Failure("permission_denied", str(error) or "This is not allowed.")
    if isinstance(error, Http404):
        # The same words for what is missing and for what is somebody else's.
        return Failure("not_found", "Not found.")
    if isinstance(error, APIException):
        return Failure(str(error.default_code), str(error.detail))
    return None


def _conflict(error: Exception) -> Failure | None:
    if isinstance(error, KeyReused):
        return Failure("idempotency_mismatch", str(error))
    if isinstance(error, KeyInFlight):
        return Failure("conflict", str(error))
    code = next((CONFLICTS[kind] for kind in type(error).__mro__ if kind in CONFLICTS), "")
    return Failure(code, str(error)) if code else None


def _unknown(error: Exception) -> Failure:
    log.error("mcp_call_failed", exc_info=error)
    return Failure("error", ON_OUR_SIDE)


def check_arguments(validator: Draft202012Validator, args: dict[str, Any]) -> None:
    """Raises CallFailed with a sentence per argument."""
    fields: dict[str, list[str]] = {}
    # Not all of them: a list of a hundred thousand wrong items would take seconds, and answer many times its size.
    for place, text in islice(_faults(validator, args), MOST_FAULTS):
        fields.setdefault(place, []).append(_shortened(text))
    if fields:
        raise CallFailed(Failure("invalid", "Some arguments are not right.", fields))


def _shortened(text: str) -> str:
    text = storable(text)
    return text if len(text) <= QUOTED_CHARACTERS else f"{text[: QUOTED_CHARACTERS - 1]}…"


def _faults(validator: Draft202012Validator, args: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for error in validator.iter_errors(args):
        yield ".".join(map(str, error.absolute_path)) or "arguments", error.message
    yield from ((place, "These characters cannot be stored.") for place, text in _texts(args) if storable(text) != text)


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of the arguments and where it stands, names of fields included."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{place}.{number}".lstrip("."))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield place or "arguments", name
            yield from _texts(item, f"{place}.{name}".lstrip("."))
