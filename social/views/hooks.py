import json

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from social.telegram import receiver

MAX_BYTES = 1024 * 1024
MAX_NUMBER = 2**63
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105


@csrf_exempt
@require_POST
def telegram(request: HttpRequest, bot_id: int) -> HttpResponse:
    """Keeps the update and answers at once; a worker reads it. Whoever has no secret learns nothing."""
    if not receiver.is_call_of(bot_id, request.headers.get(SECRET_HEADER, "")):
        raise Http404("No such page.")
    update = _read_update(request)
    if update is None:
        return HttpResponse(status=400)
    receiver.append_updates(bot_id, [update])
    return HttpResponse()


def _read_update(request: HttpRequest) -> dict[str, object] | None:
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        return None
    try:
        update = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    number = update.get("update_id") if isinstance(update, dict) else None
    return update if isinstance(number, int) and 0 <= number < MAX_NUMBER else None
