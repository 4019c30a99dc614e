"""Asking the writing agents for drafts: beside the composer, and by the API."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404

from accounts.access import Actor, Perm
from agents.models import ModelCall, Run
from agents.runs.services import start_run
from campaigns.access import visible_campaigns
from campaigns.draft_checks import LANGUAGES
from campaigns.models import Campaign
from campaigns.origins import DRAFT
from lib.money import dollars
from lib.text import storable
from social.models import Connection, Network

Data = dict[str, Any]
MAX_COUNT, MAX_WISH, MAX_TEXT = 4, 2_000, 6_000
TONES = {
    "": "As the brand speaks",
    "friendly": "Friendly",
    "factual": "Factual",
    "playful": "Playful",
    "urgent": "Urgent",
    "formal": "Formal",
}


@dataclass(frozen=True)
class Wanted:
    """`text`: what stands in the composer already, as material. Without a connection the network says how long."""

    wish: str
    language: str = "en"
    tone: str = ""
    count: int = 1
    connection_id: UUID | None = None
    network: str = ""
    campaign_id: UUID | None = None
    text: str = ""


def start_drafts(wanted: Wanted, *, by: Actor, idem_key: str = "") -> Run:
    """Raises ValidationError beside the field that is wrong."""
    by.require(Perm.CONTENT_EDIT)
    campaign = _find_campaign(wanted.campaign_id, by)
    sent = {
        "wish": _clean(wanted.wish, "wish", MAX_WISH),
        "language": _one_of(wanted.language, LANGUAGES, "language"),
        "tone": storable(wanted.tone).strip()[:80],
        "count": _count(wanted.count),
        "connection": _connection(wanted.connection_id, by),
        "network": _one_of(wanted.network, {"", *Network.values}, "network"),
        "text": storable(wanted.text).strip()[:MAX_TEXT],
    }
    return start_run(DRAFT, sent, by=by, campaign_id=campaign.pk if campaign else None, idem_key=idem_key)


def _clean(text: str, name: str, most: int) -> str:
    text = storable(text).strip()
    if not text or len(text) > most:
        raise ValidationError({name: f"Say what it is about, in up to {most:,} characters."})
    return text


def _one_of(value: str, known: Any, name: str) -> str:
    if value not in known:
        raise ValidationError({name: "Choose one of those there are."})
    return value


def _count(value: int) -> int:
    if not 1 <= value <= MAX_COUNT:
        raise ValidationError({"count": f"From 1 to {MAX_COUNT} drafts."})
    return value


def _connection(connection_id: UUID | None, by: Actor) -> str:
    if connection_id is None:
        return ""
    if not Connection.objects.shown().filter(workspace=by.workspace, pk=connection_id).exists():
        raise ValidationError({"connection": "There is no such account."})
    return str(connection_id)


def _find_campaign(campaign_id: UUID | None, by: Actor) -> Campaign | None:
    if campaign_id is None:
        return None
    campaign = visible_campaigns(by).filter(pk=campaign_id).first()
    if campaign is None:
        raise ValidationError({"campaign": "There is no such campaign."})
    return campaign


def get_draft_run(actor: Actor, run_id: UUID) -> Run:
    """One's own: a draft that nobody took over is nobody else's business."""
    actor.require(Perm.CONTENT_EDIT)
    run = Run.objects.filter(workspace=actor.workspace, workflow=DRAFT, user=actor.user, pk=run_id).first()
    if run is None:
        raise Http404("Not found.")
    return run


def cost_of_run(run: Run) -> str:
    """Of all its calls so far."""
    return dollars(sum(ModelCall.objects.filter(run_id=run.pk).values_list("cost_micro", flat=True)))


def problem_of(run: Run) -> str:
    """Why it brought nothing, for people."""
    if run.status == Run.Status.OVER_BUDGET:
        return "The budget for the assistant is used up. An admin can raise it."
    return str((run.error or {}).get("message") or "It ended without a draft. Try again.")
