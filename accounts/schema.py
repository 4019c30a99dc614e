"""The OpenAPI document: every route also names the errors it may answer and the headers it takes."""

from inspect import cleandoc, getdoc
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import AllowAny

from accounts.problems import MEDIA_TYPE
from accounts.rest import WRITES, WorkspaceView
from accounts.serializers import ProblemSerializer

MEANINGS = {
    400: "The request cannot be understood, or some fields are not right.",
    401: "Nobody is logged in, or the credentials are wrong.",
    402: "The money set for assistants is used up.",
    403: "Your role or key does not allow it.",
    404: "There is no such object, or it is not yours.",
    409: "The state of the object does not allow it, or it changed meanwhile.",
    413: "The text is too long for the model.",
    414: "The address, with all that is asked in it, is too long for the server: about 4,000 bytes.",
    422: "This Idempotency-Key was used for a different request.",
    429: "Too many requests: wait as long as Retry-After says.",
    502: "The model's provider, or the network, answered with an error.",
    503: "The run ended without a result, or no provider can be reached.",
    504: "The model did not answer in time.",
}
WORKSPACE = OpenApiParameter(
    "X-Workspace",
    str,
    OpenApiParameter.HEADER,
    description="Slug of the workspace. By default the one used last; an API key knows its own.",
)
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="At most 200 characters. The same request with the same key is done once and answered alike.",
)
RATE_HEADERS = {
    "RateLimit-Limit": "Requests allowed in the window.",
    "RateLimit-Remaining": "Requests left in it.",
    "RateLimit-Reset": "Seconds until it starts anew.",
}
DEPRECATION_HEADERS = {
    "Deprecation": "Since when nobody should begin with this route, as RFC 9745 writes it.",
    "Sunset": "When it is gone.",
    "Link": "What to use instead: rel successor-version.",
}


class ProblemSchema(AutoSchema):
    def is_deprecated(self) -> bool:
        return getattr(self.view, "deprecated", None) is not None

    def get_description(self) -> str:  # type: ignore[override]
        """The method's or the view's own words: those of a base class are for whoever reads the code."""
        words = getdoc(getattr(self.view, self.method.lower())) or vars(type(self.view)).get("__doc__")
        return cleandoc(words or "")

    def _get_paginator(self) -> Any:
        """What is made comes as a whole: only lists that are read have pages."""
        return super()._get_paginator() if self.method == "GET" else None

    def get_override_parameters(self) -> list[Any]:
        if not isinstance(self.view, WorkspaceView):
            return []
        return [WORKSPACE, IDEMPOTENCY] if self.method in WRITES else [WORKSPACE]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        responses = super()._get_response_bodies(direction)
        for answer in responses.values():
            answer["headers"] = {**_headers(RATE_HEADERS, "integer"), **answer.get("headers", {})}
            if self.is_deprecated():
                answer["headers"] |= _headers(DEPRECATION_HEADERS, "string")
        for status in self._problem_statuses():
            problem = self._get_response_for_code(ProblemSerializer, str(status), [MEDIA_TYPE], direction)
            responses.setdefault(str(status), {**problem, "description": MEANINGS[status]})
        # Said by the server in front of us, in its own words.
        responses["414"] = {"description": MEANINGS[414]}
        return responses

    def _problem_statuses(self) -> list[int]:
        is_write, in_workspace = self.method in WRITES, isinstance(self.view, WorkspaceView)
        is_open = AllowAny in self.view.permission_classes
        statuses = {429: True, 400: True, 401: True, 403: not is_open or is_write}
        statuses |= {404: in_workspace or "{" in self.path, 409: in_workspace and is_write}
        statuses |= {422: in_workspace and is_write}
        return sorted({code for code, holds in statuses.items() if holds} | set(getattr(self.view, "problems", ())))


def _headers(texts: dict[str, str], kind: str) -> dict[str, Any]:
    return {name: {"schema": {"type": kind}, "description": text} for name, text in texts.items()}
