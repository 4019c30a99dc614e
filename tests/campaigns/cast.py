"""Rows that most tests of this app begin with. Call these inside the workspace's scope."""

from typing import Any

from django.db import connection

from accounts.access import Actor
from accounts.models import Workspace
from campaigns.models import Delivery, MediaAsset, Post, Source, SourceItem
from campaigns.services import PartDraft, PostDraft, create_post
from campaigns.source_scan import sources_root
from lib.clock import now
from social.models import Connection
from social.networks.x.scopes import SCOPES

State = Delivery.State


def database_address() -> dict[str, Any]:
    """For a second session beside the test's own."""
    params = connection.get_connection_params()
    return {name: params[name] for name in ("host", "port", "user", "password", "dbname") if name in params}


def add_connection(workspace: Workspace, handle: str = "roastery", **fields: Any) -> Connection:
    values = {"remote_id": f"id of {handle}", "handle": handle, "name": handle.title(), "scopes": list(SCOPES)}
    return Connection.objects.create(workspace=workspace, network="x", **values | fields)


def add_asset(workspace: Workspace, name: str = "bag.png", **fields: Any) -> MediaAsset:
    values = {"kind": "image", "mime": "image/png", "width": 10, "height": 10, "size_bytes": 100, "file": "bag.png"}
    return MediaAsset.objects.create(workspace=workspace, name=name, sha256=f"{name:0<64}", **values | fields)


def add_post(by: Actor, *connections: Connection, text: str = "Fresh beans.", **fields: Any) -> Post:
    draft = PostDraft(parts=(PartDraft(text),), connections=tuple(c.pk for c in connections), **fields)
    return create_post(draft, by=by)


def set_state(post: Post, state: str, **fields: Any) -> None:
    """As the engine or a reviewer would have left it."""
    Delivery.objects.filter(post=post).update(state=state, **fields)


def mark_published(post: Post) -> None:
    set_state(post, State.PUBLISHED, published_at=now(), fence=1)


def folder_of(source: Source):
    folder = sources_root(source.workspace) / source.folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def items_of(source: Source) -> dict[str, SourceItem]:
    return {item.path: item for item in SourceItem.objects.filter(source=source)}


def post_of(source: Source, path: str) -> Post:
    return Post.objects.get(source_items__source=source, source_items__path=path)


def texts_of(post: Post) -> list[str]:
    return list(post.parts.values_list("text", flat=True))
