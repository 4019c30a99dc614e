"""Calls that come in from X: its challenge, and what happened to an account, signed with the app's consumer secret."""

import base64
import hashlib
import hmac
import json
import re
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from integrations.webhooks.incoming import hear_x

MAX_BYTES = 1024 * 1024
# What is answered is a signature: of a text that could be read as an event, anybody could make one of ours with it.
CHALLENGE = re.compile(r"[A-Za-z0-9+/=_. -]{1,400}")
SIGNATURE = "X-Twitter-Webhooks-Signature"


@csrf_exempt
@require_http_methods(["GET", "POST"])
def x(request: HttpRequest) -> HttpResponse:
    """Without the secret this address does not exist."""
    if not settings.X_CONSUMER_SECRET:
        raise Http404("No such page.")
    return _answer_challenge(request) if request.method == "GET" else _hear(request)


def _answer_challenge(request: HttpRequest) -> HttpResponse:
    token = request.GET.get("crc_token", "")
    if not CHALLENGE.fullmatch(token):
        return HttpResponse(status=400)
    return JsonResponse({"response_token": signature_of(token.encode())})


def _hear(request: HttpRequest) -> HttpResponse:
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        return HttpResponse(status=413)
    given = request.headers.get(SIGNATURE, "")
    # As bytes: what is not ASCII cannot be compared as text.
    if not hmac.compare_digest(given.encode(), signature_of(request.body).encode()):
        return HttpResponse(status=401)
    event = _read(request.body)
    if event is None:
        return HttpResponse(status=400)
    hear_x(event)
    return HttpResponse()


def signature_of(signed: bytes) -> str:
    made = hmac.new(settings.X_CONSUMER_SECRET.encode(), signed, hashlib.sha256).digest()
    return f"sha256={base64.b64encode(made).decode()}"


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
