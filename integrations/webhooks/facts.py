"""What a webhook says of the object it is about, so that most receivers need no second call. Names no person."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from accounts.middleware import root_addresses
from accounts.models import Workspace
from agents.models import Run
from analytics.models import Report
from campaigns.models import Campaign, Delivery, Import, Post
from compliance.models import Contact, Review
from social.models import Connection

Facts = dict[str, Any]
TEXT_CHARACTERS = 500
EXAMPLE_ID = "01900000-0000-7000-8000-000000000001"
EXAMPLE_AT = "2026-11-21T09:00:00+00:00"


def read_facts(workspace: Workspace, subject: str, ids: Iterable[str]) -> dict[str, Facts]:
    """By id, inside the workspace's scope; nothing of what is gone."""
    read = READERS.get(subject)
    known = {pk for text in ids if (pk := _as_uuid(text))}
    return {str(facts["id"]): facts for facts in read(workspace, known)} if read and known else {}


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def link_to(workspace: Workspace, name: str, *args: object) -> str:
    # Under a page's address, `reverse` would name the workspace a second time.
    with root_addresses():
        return f"{settings.BASE_URL}/w/{workspace.slug}{reverse(name, args=args)}"


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


# --- by subject -------------------------------------------------------------------------------------------


def _deliveries(workspace: Workspace, ids: set[UUID]) -> list[Facts]:
    rows = Delivery.objects.filter(workspace=workspace, pk__in=ids).select_related("post__campaign", "connection")
    return [_delivery(workspace, row) for row in rows.prefetch_related("live_parts", "post__parts")]


def _delivery(workspace: Workspace, row: Delivery) -> Facts:
    live = [part.url for part in row.live_parts.all() if part.url and not part.deleted_at]
    texts = row.override_texts or [part.text for part in row.post.parts.all()]
    return {
        "id": str(row.pk),
        "state": row.state,
        "link": link_to(workspace, "campaigns:delivery-detail", row.pk),
        "url": live[0] if live else None,
        "urls": live,
        "text": texts[0][:TEXT_CHARACTERS] if texts else "",
        "scheduled_at": _at(row.scheduled_at),
        "published_at": _at(row.published_at),
        "problem": {"code": row.problem_code, "text": row.problem_text} if row.problem_code else None,
        "post": _post(workspace, row.post),
        "account": _connection(workspace, row.connection),
    }


def _posts(workspace: Workspace, ids: set[UUID]) -> list[Facts]:
    rows = Post.objects.filter(workspace=workspace, pk__in=ids).select_related("campaign")
    return [_post(workspace, row) for row in rows]


def _post(workspace: Workspace, row: Post) -> Facts:
    return {
        "id": str(row.pk),
        "title": row.title,
        "link": link_to(workspace, "campaigns:post-detail", row.pk),
        "campaign": _campaign(workspace, row.campaign) if row.campaign else None,
    }


def _campaigns(workspace: Workspace, ids: set[UUID]) -> list[Facts]:
    return [_campaign(workspace, row) for row in Campaign.objects.filter(workspace=workspace, pk__in=ids)]


def _campaign(workspace: Workspace, row: Campaign) -> Facts:
    link = link_to(workspace, "campaigns:campaign-detail", row.pk)
    return {"id": str(row.pk), "name": row.name, "state": row.status, "link": link}


def _connections(workspace: Workspace, ids: set[UUID]) -> list[Facts]:
    return [_connection(workspace, row) for row in Connection.objects.filter(workspace=workspace, pk__in=ids)]


def _connection(workspace: Workspace, row: Connection) -> Facts:
    return {"id": str(row.pk), "network": row.network, "handle": row.handle, "name": row.name, "state": row.status}


def _imports(workspace: Workspace, ids: set[UUID]) -> list[Facts]:
    rows = Import.objects.filter(workspace=workspace, pk__in=ids)
    return [_named(workspace, row, row.name, row.status, "campaigns:import-detail") for row in rows]


def _reports(workspace: Workspace, ids: set[UUID]) -> list[Facts]:
    rows = Report.objects.filter(workspace=workspace, pk__in=ids)
    return [_named(workspace, row, row.title, row.status, "analytics:report") for row in rows]


def _runs(workspace: Workspace, ids: set[UUID]) -> list[Facts]:
    rows = Run.objects.filter(workspace=workspace, pk__in=ids)
    return [_named(workspace, row, row.workflow, row.status, "agents:run") for row in rows]


def _reviews(workspace: Workspace, ids: set[UUID]) -> list[Facts]:
    link = link_to(workspace, "campaigns:review-list")
    rows = Review.objects.filter(workspace=workspace, pk__in=ids)
    return [
        {"id": str(row.pk), "kind": row.kind, "state": row.status, "due_at": _at(row.due_at), "link": link}
        for row in rows
    ]


def _contacts(workspace: Workspace, ids: set[UUID]) -> list[Facts]:
    """Who it is, the receiver looks up with its own rights."""
    rows = Contact.objects.filter(workspace=workspace, pk__in=ids)
    return [{"id": str(row.pk), "link": link_to(workspace, "compliance:contact", row.pk)} for row in rows]


def _named(workspace: Workspace, row: Any, name: str, state: str, page: str) -> Facts:
    return {"id": str(row.pk), "name": name, "state": state, "link": link_to(workspace, page, row.pk)}


READERS: dict[str, Callable[[Workspace, set[UUID]], list[Facts]]] = {
    "delivery": _deliveries,
    "post": _posts,
    "campaign": _campaigns,
    "connection": _connections,
    "import": _imports,
    "report": _reports,
    "run": _runs,
    "review": _reviews,
    "contact": _contacts,
}


# --- examples ---------------------------------------------------------------------------------------------


def example_facts(workspace: Workspace, subject: str, state: str) -> Facts:
    """As the readers would give them, of an object that does not exist."""
    pk = UUID(EXAMPLE_ID)
    campaign = Campaign(pk=pk, workspace=workspace, name="Spring", status="running")
    post = Post(pk=pk, workspace=workspace, title="Opening", campaign=campaign)
    connection = Connection(pk=pk, workspace=workspace, network="x", handle="roastery", name="Roastery")
    made: dict[str, Callable[[], Facts]] = {
        "campaign": lambda: _campaign(workspace, campaign) | {"state": state},
        "post": lambda: _post(workspace, post),
        "connection": lambda: _connection(workspace, connection),
        "delivery": lambda: _example_delivery(workspace, post, connection, state),
        "import": lambda: _named(workspace, post, "plan.csv", state, "campaigns:import-detail"),
        "report": lambda: _named(workspace, post, "Weekly", state, "analytics:report"),
        "run": lambda: _named(workspace, post, "draft", state, "agents:run"),
        "review": lambda: {
            "id": EXAMPLE_ID,
            "kind": "delivery",
            "state": "waiting",
            "due_at": EXAMPLE_AT,
            "link": link_to(workspace, "campaigns:review-list"),
        },
        "contact": lambda: {"id": EXAMPLE_ID, "link": link_to(workspace, "compliance:contact", pk)},
    }
    return made[subject]() if subject in made else {}


def _example_delivery(workspace: Workspace, post: Post, connection: Connection, state: str) -> Facts:
    is_live = state in {"published", "edited"}
    url = "https://x.com/roastery/status/1" if is_live else None
    return {
        "id": EXAMPLE_ID,
        "state": state,
        "link": link_to(workspace, "campaigns:delivery-detail", EXAMPLE_ID),
        "url": url,
        "urls": [url] if url else [],
        "text": "We open on Saturday.",
        "scheduled_at": EXAMPLE_AT,
        "published_at": EXAMPLE_AT if is_live else None,
        "problem": {"code": "refused", "text": "The network said no."} if state == "failed" else None,
        "post": _post(workspace, post),
        "account": _connection(workspace, connection),
    }


def facts_of(facts: dict[str, dict[str, Facts]], subject: str, payload: Facts) -> Facts:
    """The body's `data`: the object under its subject's name, and what else the event carries."""
    pk = str(payload.get(subject, ""))
    about = {subject: facts.get(subject, {}).get(pk) or {"id": pk}} if pk else {}
    return {name: value for name, value in payload.items() if name not in READERS} | about
