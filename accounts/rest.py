"""What every API route shares: the workspace, problem+json, cursor pages, throttling, idempotent writes."""

import json
from contextlib import ExitStack
from datetime import timedelta
from http import HTTPStatus
from typing import Any, NoReturn

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from accounts import rate
from accounts.access import Actor
from accounts.api_auth import ServiceAuthentication, api_actor
from accounts.deprecation import Deprecation
from accounts.idempotency import KeyInFlight, KeyReused, claim_key, keep_answer
from accounts.models import IdempotencyKey, Workspace
from accounts.paging import CursorPages
from accounts.rate import Limit
from accounts.scope import workspace_scope
from accounts.staff import suspension_text

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
LIMIT_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


class Conflict(exceptions.APIException):
    status_code = 409
    default_detail = "The state of this object does not allow it."
    default_code = "conflict"


class Unprocessable(exceptions.APIException):
    status_code = 422
    default_code = "idempotency_mismatch"


class Replay(Exception):
    """Ends the request early with the answer it got the first time."""

    def __init__(self, response: Response) -> None:
        self.response = response


class ApiView(APIView):
    """An API view that tells the caller how much of the rate limit is left, also whom it refuses."""

    deprecated: Deprecation | None = None
    # Statuses of errors that not every route has; the document names them.
    problems: tuple[int, ...] = ()

    def perform_authentication(self, request: Request) -> None:
        """Who is turned away is counted as well, by address."""
        try:
            super().perform_authentication(request)
        except exceptions.AuthenticationFailed:
            self.check_throttles(request)
            raise

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        self.check_throttles(request)
        super().permission_denied(request, message, code)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        plain: HttpRequest = request._request if isinstance(request, Request) else request
        limit = getattr(plain, "rate_limit", None)
        if limit is not None:
            for name, value in zip(LIMIT_HEADERS, limit, strict=True):
                response.headers[name] = str(value)
        for name, value in self.deprecated.headers().items() if self.deprecated else ():
            response.headers.setdefault(name, value)
        return response


class WorkspaceView(ApiView):
    """An API view inside the caller's workspace, in one transaction, with `self.actor`."""

    actor: Actor
    # Left out of the answer that is kept for repeated requests: secrets are shown once and stored nowhere.
    secret_fields: frozenset[str] = frozenset()
    _is_inside = False
    _idempotency: IdempotencyKey | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with ExitStack() as self._scope:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        actor = api_actor(request)
        if actor is None:
            raise exceptions.NotFound
        if actor.workspace.is_suspended:
            raise exceptions.PermissionDenied(suspension_text(actor.workspace))
        if request.method in WRITES:
            # Outside the scope: nobody waits for the row until this request has ended.
            rate.require(workspace_writes(actor.workspace), text="This workspace changes too much at once.")
        self.actor = actor
        self._scope.enter_context(workspace_scope(actor.workspace.pk))
        self._is_inside = True
        self._claim_key(request)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Replay):
            return exc.response
        # What failed leaves nothing behind, its Idempotency-Key included: the caller may try again.
        self._idempotency = None
        if self._is_inside:
            transaction.set_rollback(True)
        return super().handle_exception(exc)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self._idempotency is not None:
            self._remember(self._idempotency, response)
        return super().finalize_response(request, response, *args, **kwargs)

    def _remember(self, row: IdempotencyKey, response: Any) -> None:
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            row.delete()
            return
        # As the caller will see it: the database knows no UUIDs or dates inside JSON.
        body = None if response.data is None else json.loads(JSONRenderer().render(self._without_secrets(response)))
        keep_answer(row, response.status_code, body)

    def _without_secrets(self, response: Any) -> Any:
        if not self.secret_fields:
            return response.data
        return {name: None if name in self.secret_fields else value for name, value in response.data.items()}

    def _claim_key(self, request: Request) -> None:
        """Claim the Idempotency-Key in this transaction: a second request waits for the first, then repeats it."""
        key = request.headers.get("Idempotency-Key", "")
        if not key or request.method not in WRITES:
            return
        body = f"{request.method} {request.get_full_path()} ".encode() + request._request.body
        caller = str(getattr(request.auth, "pk", None) or request.user.pk)
        try:
            row, is_new = claim_key(self.actor.workspace, caller, key, body, field="Idempotency-Key")
        except KeyReused as error:
            raise Unprocessable(str(error)) from error
        except KeyInFlight as error:
            raise Conflict(str(error), "idempotency_in_flight") from error
        if not is_new:
            raise Replay(Response(row.body, status=row.status, headers={"Idempotent-Replayed": "true"}))
        self._idempotency = row


class TenantView(WorkspaceView):
    """A view that integrators may call, too, naming one of their tenants in X-Tenant-Id."""

    authentication_classes = [ServiceAuthentication, *ApiView.authentication_classes]


class NetworkView(WorkspaceView):
    """A view that talks to a network: outside of any transaction, its Idempotency-Key claimed before.

    A request that dies on the way keeps its key: nobody knows what it has done.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._scope.close()
        self._is_inside = False

    def handle_exception(self, exc: Exception) -> Response:
        claimed = self._idempotency
        response = super().handle_exception(exc)
        if claimed is not None:
            with workspace_scope(self.actor.workspace.pk):
                IdempotencyKey.objects.filter(pk=claimed.pk).delete()
        return response

    def _remember(self, row: IdempotencyKey, response: Any) -> None:
        with workspace_scope(self.actor.workspace.pk):
            super()._remember(row, response)


def workspace_writes(workspace: Workspace) -> Limit:
    """All keys and people of a workspace together; each of them alone is held back by CallerThrottle."""
    return Limit(("api", workspace.pk), 1200, timedelta(minutes=1), burst=600)


def paged(view: Any, rows: QuerySet[Any], serializer: type[BaseSerializer[Any]]) -> Response:
    """One cursor page of the rows, newest first. `view.pagination_class` is what the OpenAPI document reads."""
    pages: CursorPages = view.pagination_class()
    page = pages.paginate_queryset(rows, view.request, view=view)
    return pages.get_paginated_response(serializer(page, many=True).data)
