"""What a page of the workspace's own tells us, from the visitor's browser."""

from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.models import Workspace
from accounts.scope import workspace_scope
from analytics.models import Conversion, Event, Tracking
from analytics.tracking import conversions, visitors
from analytics.tracking.bots import why_bot
from analytics.tracking.ingest import EventRow, add_event
from lib.clock import now

GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
# The last calls, for whoever sets the pixel up.
HITS, HITS_S = 10, 86_400
# Values that name the same thing, for those who write the address by hand.
NAMES = {"key": ("key", "order", "k"), "goal": ("goal", "g"), "value": ("value", "v"), "click": ("rcid", "click", "c")}
SCRIPT = """(function () {
  "use strict";
  var tag = document.currentScript, base = tag.src.replace(/\\.js.*$/, ".gif"), name = "rcid", store = null;
  // Only a page whose visitor agreed keeps the click beyond this page.
  try { if (tag.hasAttribute("data-consent")) store = window.localStorage; } catch (error) { store = null; }
  var click = new URLSearchParams(location.search).get(name), came = !!click;
  if (store && click) store.setItem(name, click);
  if (store && !click) click = store.getItem(name);
  function send(data) {
    if (click) data.rcid = click;
    new Image().src = base + "?" + new URLSearchParams(data) + "&_=" + Date.now();
  }
  window.rostrum = function (goal, more) { send(Object.assign({ goal: goal }, more || {})); };
  if (came) send({ view: 1 });
})();
"""


def take_call(request: HttpRequest, tracking: Tracking, workspace: Workspace) -> str:
    """What became of it, in words for whoever sets the pixel up. Never an error: it is only a picture."""
    said = {name: _first(request, names) for name, names in NAMES.items()}
    try:
        with workspace_scope(workspace.pk):
            outcome = _take(request, tracking, workspace, said)
    except ValidationError as error:
        outcome = " ".join(error.messages)
    except conversions.KeyReused as error:
        outcome = str(error)
    _note(request, workspace, said, outcome)
    return outcome


def _first(request: HttpRequest, names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := request.GET.get(name, "").strip())), "")


def _take(request: HttpRequest, tracking: Tracking, workspace: Workspace, said: dict[str, str]) -> str:
    at, click_id = now(), conversions.read_click(said["click"])
    visitor = _visitor(request, tracking, workspace)
    if request.GET.get("view"):
        return _view(request, workspace, click_id, visitor)
    goal = said["goal"] or "purchase"
    # Without a key of its own it is one conversion per click and goal, or per visitor, goal and day.
    whose = f"{click_id}" if click_id else f"{visitor}:{at.date()}"
    row, is_new = conversions.book(
        workspace,
        key=said["key"] or f"pixel:{whose}:{goal}"[:120],
        goal=goal,
        source=Conversion.Source.PIXEL,
        value_micro=conversions.read_value(said["value"]),
        click_id=click_id,
        # With a click's id everything follows from it, and the same call stays the same call tomorrow.
        visitor="" if click_id else visitor,
    )
    if not is_new:
        return "Known already: counted once."
    return "Booked for a click." if row.click_id else "Booked, but no click of ours came before it."


def _visitor(request: HttpRequest, tracking: Tracking, workspace: Workspace) -> str:
    known = visitors.known_visitor(request, workspace.pk) if tracking.uses_cookie else ""
    if known and not visitors.wants_no_tracking(request):
        return known
    return visitors.daily_visitor(request, workspace.pk, now(), workspace.time_zone)


def _view(request: HttpRequest, workspace: Workspace, click_id: UUID | None, visitor: str) -> str:
    at, reason = now(), why_bot(request)
    click = conversions.find_click(workspace.pk, click_id, "", at, conversions.MAX_AGE)
    row: dict[str, Any] = {"visitor": visitor}
    if click:
        row = {name: getattr(click, name) for name in ("link_id", "campaign_id", "post_id", "arm", "visitor")}
    device = visitors.device_of(request, reason)
    add_event(
        workspace.pk,
        EventRow(Event.Kind.VIEW.value, at, is_bot=bool(reason), bot_reason=reason, device=device, **row),
    )
    return "A page was seen."


def _note(request: HttpRequest, workspace: Workspace, said: dict[str, str], outcome: str) -> None:
    host = visitors.referrer_of(request)
    hit = {"at": now(), "goal": said["goal"], "value": said["value"][:20], "host": host, "outcome": outcome}
    cache.set(_hits_key(workspace), [hit, *last_calls(workspace)][:HITS], HITS_S)


def last_calls(workspace: Workspace) -> list[dict[str, Any]]:
    """Newest first, of the last day."""
    return cache.get(_hits_key(workspace)) or []


def _hits_key(workspace: Workspace) -> str:
    return f"pixel-hits:{workspace.pk}"
