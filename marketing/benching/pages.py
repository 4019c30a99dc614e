"""The lists that people look at all day, with as many rows as wanted: one of each by its service, the rest copied."""

import copy
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from django.db.models import Model
from django.db.models.base import ModelState

from accounts.access import Actor
from accounts.scope import workspace_scope
from campaigns.deliveries import submit_post
from campaigns.inbox.collect import Heard, record
from campaigns.models import Campaign, InboxMessage, PostPart
from campaigns.services import PartDraft, PostDraft, create_campaign, create_post
from compliance.models import Review
from experiments.models import Arm, Experiment
from lib.clock import now
from social.models import Connection, Network

PAGES = {
    "dashboard": "/",
    "calendar": "/calendar",
    "posts": "/posts",
    "campaigns": "/campaigns",
    "inbox": "/inbox",
    "experiments": "/experiments",
    "reviews": "/reviews",
}
Row = TypeVar("Row", bound=Model)


def fill_pages(rows: int, *, by: Actor) -> None:
    """So many posts that wait for review, campaigns, conversations and experiments more, in the workspace of `by`."""
    with workspace_scope(by.workspace.pk):
        mark = uuid4().hex[:8]
        connection = Connection.objects.create(
            workspace=by.workspace, network=Network.X, remote_id=mark, handle=mark, name="Rows", app_key="x:rows"
        )
        campaign = create_campaign(by=by, name=f"Campaign {mark}", brief="A brief of some words.")
        copy_rows(campaign, rows - 1, lambda n: {"name": f"Campaign {mark} {n}"})
        _fill_posts(rows, connection, campaign, by)
        _fill_inbox(rows, connection, mark)
        _fill_experiments(rows, by)


def _fill_posts(rows: int, connection: Connection, campaign: Campaign, by: Actor) -> None:
    """Over the coming month, an hour apart, each with its delivery and its review."""
    # No two texts may be alike: X's rule against repeats holds here, too.
    text = PartDraft(f"Beans {uuid4().hex} {uuid4().hex}")
    draft = PostDraft(parts=(text,), connections=(connection.pk,), campaign=campaign)
    post = create_post(draft, by=by)
    (delivery,) = submit_post(post, by=by)
    review = Review.objects.get(object_id=delivery.pk)
    at = now()
    posts = copy_rows(post, rows - 1, lambda n: {"title": f"Post {n}"})
    part = PostPart.objects.get(post=post)
    copy_rows(part, rows - 1, lambda n: {"post": posts[n]})
    deliveries = copy_rows(
        delivery, rows - 1, lambda n: {"post": posts[n], "scheduled_at": at + timedelta(hours=n % 700)}
    )
    copy_rows(review, rows - 1, lambda n: {"object_id": deliveries[n].pk})


def _fill_inbox(rows: int, connection: Connection, mark: str) -> None:
    heard = Heard("mention", f"{mark}-0", f"{mark}-0", "7", "dana", "Dana", "Is it open?", now(), is_summons=True)
    record(connection, heard)
    message = InboxMessage.objects.get(connection=connection)
    said = copy_rows(message.conversation, rows - 1, lambda n: {"remote_id": f"{mark}-{n + 1}"})
    copy_rows(message, rows - 1, lambda n: {"conversation": said[n], "remote_id": f"{mark}-{n + 1}"})


def _fill_experiments(rows: int, by: Actor) -> None:
    fields = {"design": "A", "name": "Landing page", "hypothesis": "The new one is better.", "metric": "conversions"}
    first = Experiment.objects.create(workspace=by.workspace, created_by=by.user, **fields)
    arms = [
        Arm.objects.create(workspace=by.workspace, experiment=first, key=key, name=key, position=n, is_control=n == 0)
        for n, key in enumerate("ab")
    ]
    tests = copy_rows(first, rows - 1, lambda n: {"name": f"Landing page {n}"})
    for arm in arms:
        copy_rows(arm, rows - 1, lambda n: {"experiment": tests[n]})


def copy_rows(row: Row, count: int, change: Callable[[int], dict[str, Any]]) -> list[Row]:
    """`change(n)` gives what the nth copy has of its own; written with one statement."""
    copies = list(_copies(row, count, change))
    return type(row)._default_manager.bulk_create(copies)


def _copies(row: Row, count: int, change: Callable[[int], dict[str, Any]]) -> Iterator[Row]:
    for number in range(count):
        one = copy.copy(row)
        one._state = ModelState()
        one.pk = row._meta.pk.get_default()
        for name, value in change(number).items():
            setattr(one, name, value)
        yield one
