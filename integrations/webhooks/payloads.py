"""The body of a webhook: {id, type, created_at, workspace, data}."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import Event, Workspace
from integrations.webhooks.facts import EXAMPLE_AT, EXAMPLE_ID, Facts, example_facts, facts_of, read_facts
from integrations.webhooks.kinds import KINDS, subject_of
from lib.ids import uuid7

# What an example's object is in, where that is not the last word of the kind.
STATES = {"campaign.created": "draft", "import.applied": "applied", "report.ready": "ready"}


def payloads_of(workspace: Workspace, events: list[Event]) -> dict[UUID, dict[str, Any]]:
    """By the event's id: one look at each kind of object, inside the workspace's scope."""
    ids: dict[str, set[str]] = {}
    for event in events:
        subject = subject_of(event.kind)
        if subject in event.payload:
            ids.setdefault(subject, set()).add(str(event.payload[subject]))
    facts = {subject: read_facts(workspace, subject, known) for subject, known in ids.items()}
    return {event.pk: _of_event(workspace, event, facts) for event in events}


def _of_event(workspace: Workspace, event: Event, facts: dict[str, dict[str, Facts]]) -> dict[str, Any]:
    data = facts_of(facts, subject_of(event.kind), event.payload)
    return envelope(workspace, str(event.pk), event.kind, event.created_at.isoformat(), data)


def envelope(workspace: Workspace, pk: str, kind: str, at: str, data: dict[str, Any]) -> dict[str, Any]:
    owner = {"id": str(workspace.pk), "slug": workspace.slug, "name": workspace.name}
    return {"id": pk, "type": kind, "created_at": at, "workspace": owner, "data": data}


def example_of(workspace: Workspace, name: str) -> dict[str, Any]:
    kind = KINDS[name]
    state = STATES.get(name, name.partition(".")[2])
    about = {kind.subject: facts} if (facts := example_facts(workspace, kind.subject, state)) else {}
    return envelope(workspace, EXAMPLE_ID, name, EXAMPLE_AT, kind.extra | about)


def trial_payload(workspace: Workspace, kind: str, at: datetime) -> dict[str, Any]:
    return envelope(workspace, str(uuid7()), kind, at.isoformat(), {"text": "This is a test."})


def body_of(payload: dict[str, Any]) -> bytes:
    """The same bytes with every try, although the database keeps no order of names."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
