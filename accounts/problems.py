"""Errors of the API as problem+json (RFC 9457). Field errors stand under `errors`, by field."""

import math
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler

from accounts.plans import PlanLimit
from accounts.rate import RateLimited

MEDIA_TYPE = "application/problem+json"
# Exceptions of the higher floors that answer 409, with the code of their problem; their apps.py fills this in.
CONFLICTS: dict[type[Exception], str] = {}


def problem_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    exc = _as_api_exception(exc)
    response = drf_handler(exc, context)
    if response is None:
        return None
    response.data = _problem(exc, response)
    response.content_type = MEDIA_TYPE
    return response


def _as_api_exception(exc: Exception) -> Exception:
    if isinstance(exc, RateLimited):
        return _throttled(exc)
    if isinstance(exc, PlanLimit):
        return exceptions.PermissionDenied(" ".join(exc.messages), code="plan_limit")
    if isinstance(exc, ValidationError):
        return exceptions.ValidationError(exc.message_dict if hasattr(exc, "error_dict") else {"detail": exc.messages})
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied(str(exc) or None)
    if isinstance(exc, Http404):
        return exceptions.NotFound()
    code = next((CONFLICTS[kind] for kind in type(exc).__mro__ if kind in CONFLICTS), "")
    return _conflict(str(exc), code) if code else exc


def _throttled(limited: RateLimited) -> exceptions.Throttled:
    throttled: Any = exceptions.Throttled(detail=" ".join(limited.messages), code="rate_limited")
    # For the header Retry-After; given to the constructor it would be said twice.
    throttled.wait = math.ceil(limited.retry_after_s)
    return throttled


def _conflict(detail: str, code: str) -> exceptions.APIException:
    conflict = exceptions.APIException(detail, code)
    conflict.status_code = HTTPStatus.CONFLICT
    return conflict


def _problem(exc: Exception, response: Response) -> dict[str, Any]:
    problem = _shell(response.status_code)
    if isinstance(exc, exceptions.APIException):
        codes = exc.get_codes()
        problem["code"] = codes if isinstance(codes, str) else "invalid"
    if isinstance(exc, exceptions.ValidationError):
        errors = response.data if isinstance(response.data, dict) else {"detail": response.data}
        return problem | {"detail": "Some fields are not right.", "errors": errors}
    return problem | {"detail": str(response.data.get("detail", ""))}


def _shell(status: int) -> dict[str, Any]:
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}


# --- addresses that no view answers -------------------------------------------------------------------------


def _plain(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse | None:
    if not request.path_info.startswith(("/api/", "/v1/")):
        return None
    body = _shell(status) | {"code": code, "detail": detail}
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    problem = _plain(request, 400, "bad_request", "This request cannot be understood.")
    return problem or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    problem = _plain(request, 403, "permission_denied", str(exception) or "Not allowed.")
    return problem or defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # The same words as for an object that is missing or somebody else's.
    return _plain(request, 404, "not_found", "Not found.") or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    problem = _plain(request, 500, "error", "Something went wrong on our side. It was recorded.")
    return problem or defaults.server_error(request)
