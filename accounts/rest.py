"""What every API route shares: the workspace, problem+json, cursor pages, throttling, idempotent writes."""

import hashlib
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.views import exception_handler as drf_handler

from accounts.access import Actor
from accounts.api_auth import api_actor
from accounts.models import IdempotencyKey
from accounts.scope import workspace_scope

WRITES = {"POST", "PUT", "PATCH", "DELETE"}


class Conflict(exceptions.APIException):
    status_code = 409
    default_detail = "The state of this object does not allow it."
    default_code = "conflict"


class WorkspaceView(APIView):
    """An API view inside the caller's workspace, in one transaction, with `self.actor`."""

    actor: Actor

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with ExitStack() as self._scope:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        actor = api_actor(request)
        if actor is None:
            raise exceptions.NotFound("No such workspace.")
        if actor.workspace.is_suspended:
            raise exceptions.PermissionDenied("This workspace is suspended.")
        self.actor = actor
        self._scope.enter_context(workspace_scope(actor.workspace.pk))
        self._replay(request)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Replay):
            return exc.response
        if transaction.get_connection().in_atomic_block:
            transaction.set_rollback(True)
        return super().handle_exception(exc)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        if (row := getattr(self, "_idempotency", None)) and response.status_code < HTTPStatus.BAD_REQUEST:
            row.status, row.body = response.status_code, response.data
            row.save(update_fields=["status", "body"])
        response = super().finalize_response(request, response, *args, **kwargs)
        if limit := getattr(request._request if isinstance(request, Request) else request, "rate_limit", None):
            names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
            for name, value in zip(names, limit, strict=True):
                response.headers[name] = str(value)
        return response

    def _replay(self, request: Request) -> None:
        """Claim the Idempotency-Key in this transaction: a second request waits for the first, then repeats it."""
        key = request.headers.get("Idempotency-Key", "")
        if not key or request.method not in WRITES:
            return
        if len(key) > 200:
            raise exceptions.ValidationError({"Idempotency-Key": ["At most 200 characters."]})
        body = f"{request.method} {request.get_full_path()} ".encode() + request._request.body
        row = IdempotencyKey(
            workspace=self.actor.workspace,
            caller=str(self.actor.api_key_id or request.user.pk),
            key=key,
            fingerprint=hashlib.sha256(body).hexdigest(),
        )
        IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
        stored = IdempotencyKey.objects.get(workspace=row.workspace, caller=row.caller, key=key)
        if stored.pk == row.pk:
            self._idempotency = row
        elif stored.fingerprint != row.fingerprint:
            raise Unprocessable("This Idempotency-Key was used for a different request.")
        else:
            raise Replay(Response(stored.body, status=stored.status, headers={"Idempotent-Replayed": "true"}))


class Unprocessable(exceptions.APIException):
    status_code = 422
    default_code = "idempotency_mismatch"


class Replay(Exception):
    """Ends the request early with the answer it got the first time."""

    def __init__(self, response: Response) -> None:
        self.response = response


def problem_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """RFC 9457. Field errors stand under `errors`, by field."""
    if isinstance(exc, ValidationError):
        fields = exc.message_dict if hasattr(exc, "error_dict") else {"detail": exc.messages}
        exc = exceptions.ValidationError(fields)
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied(str(exc) or None)
    elif isinstance(exc, Http404):
        exc = exceptions.NotFound()
    response = drf_handler(exc, context)
    if response is None:
        return None
    response.data = _problem(exc, response)
    response.content_type = "application/problem+json"
    return response


def _problem(exc: Exception, response: Response) -> dict[str, Any]:
    status = response.status_code
    problem: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if isinstance(exc, exceptions.APIException):
        codes = exc.get_codes()
        problem["code"] = codes if isinstance(codes, str) else "invalid"
    if isinstance(exc, exceptions.ValidationError):
        errors = response.data if isinstance(response.data, dict) else {"detail": response.data}
        return problem | {"detail": "Some fields are not right.", "errors": errors}
    return problem | {"detail": str(response.data.get("detail", ""))}
