"""No way around: what must not go out is tried at every door there is, and X's own ledger stays empty.

The doors are read from the URL table, the admin's registry, Celery's task list and the commands, so that a door which
is new tomorrow is tried as well.
"""

import inspect
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID
from zlib import crc32
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command, get_commands
from django.db import transaction
from django.http import HttpRequest
from django.template.backends.django import Template
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.access import SCOPES, Actor
from accounts.models import Switch, User, Workspace
from accounts.scope import workspace_scope
from accounts.services import create_api_key
from accounts.tenancy import TenantModel
from campaigns import deliveries
from campaigns.engine import dispatch
from campaigns.engine.publish import publish_delivery
from campaigns.models import Campaign, Delivery, Post, PostPart
from campaigns.services import create_campaign
from compliance.models import Review
from compliance.services import approve_review, reject_review
from lib import clock
from lib.clock import now
from marketing.celery import app
from social.models import Connection
from tests.campaigns.engine.conftest import approve, draft, live, quick_engine  # noqa: F401
from tests.social.conftest import begin, connected, connection, sandbox, sandbox_process  # noqa: F401

pytestmark = pytest.mark.django_db
State = Delivery.State
DUE = {State.SCHEDULED, State.RETRY_WAIT, State.UNCONFIRMED, State.PUBLISHING}
OURS = {config.name for config in apps.get_app_configs() if "/site-packages/" not in config.path}
# Stacks of their own, and the test runner.
OTHER_COMMANDS = {"up", "bench", "storm", "prove", "lab", "test"}
ACTIONS = ["approve", "send", "publish", "schedule", "resume", "release"]


@dataclass
class World:
    """One delivery, everything around it, and who may not send it."""

    workspace: Workspace
    delivery: Delivery
    ids: dict[str, Any] = field(default_factory=dict)

    @property
    def post(self) -> Post:
        return self.delivery.post

    def fill(self, names: list[str]) -> dict[str, Any]:
        return {name: self.ids.get(name, "018f0000-0000-7000-8000-000000000000") for name in names}

    def local_time(self) -> str:
        return now().astimezone(ZoneInfo(self.workspace.time_zone)).strftime("%Y-%m-%dT%H:%M")

    def form(self, action: str) -> dict[str, Any]:
        """What any form here might want to hear."""
        pk, review = str(self.delivery.pk), self.ids["review"]
        at = (now() + timedelta(seconds=1)).isoformat()
        return {
            "delivery": pk,
            "deliveries": [pk],
            "delivery_id": pk,
            "posts": [str(self.post.pk)],
            "review": str(review.pk),
            "reviews": [str(review.pk)],
            "seen": [f"{review.pk}:{review.action_hash}"],
            "hash": review.action_hash,
            "seen_hash": review.action_hash,
            "reason": "Because",
            "comment": "Because",
            "name": "Somebody",
            "action": action,
            "decision": action,
            "at": at,
            "now": "on",
            "day": now().date().isoformat(),
            "time": "00:00",
            "days": "0",
            "hours": "0",
            "place": "0",
            "status": "running",
            "confirm": "yes",
            "four_eyes": "on",
            # For answers of agents nobody has to wait here.
            "wait": "0",
        }


# --- doors -------------------------------------------------------------------------------------------------


def walk(patterns: list[Any], namespace: str = "", route: str = "") -> Iterator[tuple[str, str, list[str], Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, inner, route + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            names = list(pattern.pattern.converters)
            yield f"{namespace}{pattern.name}", route + str(pattern.pattern), names, pattern


def methods_of(pattern: URLPattern) -> list[str]:
    its_class = getattr(pattern.callback, "cls", None)
    return [method for method in ("POST", "PUT", "PATCH", "DELETE") if hasattr(its_class, method.lower())]


# allauth is about the person alone; the admin has its own walk below. A log-out would end the walk.
SKIPPED = ("admin:", "account_", "socialaccount_", "mfa_", "accounts:workspace-switch")
ROUTES = [
    (name, route.startswith("api/"), names, methods_of(pattern))
    for name, route, names, pattern in walk(get_resolver().url_patterns)
    if not name.startswith(SKIPPED)
]


def address(world: World, name: str, names: list[str]) -> str | None:
    with suppress(NoReverseMatch):
        return reverse(name, kwargs=world.fill(names))
    return None


def page_acts(world: World, client: Client, lifts: set[str]) -> Iterator[tuple[str, Callable[[], object]]]:
    for name, is_api, names, _methods in ROUTES:
        where = address(world, name, names)
        if is_api or where is None or name in lifts:
            continue
        for action in ACTIONS if any(word in name for word in ("act", "bulk", "outage")) else ACTIONS[:1]:
            form = world.form(action) | {"at": world.local_time()}
            if "calendar" in name:
                # There it is the time that the person saw.
                del form["seen"]
            yield f"page {name} {action}", lambda where=where, form=form: client.post(where, form)


def api_acts(world: World, headers: dict[str, str], lifts: set[str]) -> Iterator[tuple[str, Callable[[], object]]]:
    client = Client(headers=headers)
    for name, is_api, names, methods in ROUTES:
        where = address(world, name, names)
        if not is_api or where is None or name in lifts:
            continue
        for method in methods:
            body = json.dumps(world.form("send"))

            def act(where: str = where, method: str = method, body: str = body) -> object:
                return client.generic(method, where, body, content_type="application/json")

            yield f"api {method} {name}", act


def admin_acts(world: World, staff: Client, user: User, lifts: set[str]) -> Iterator[tuple[str, Callable[[], object]]]:
    request = RequestFactory().get("/admin/")
    request.user = user
    for model, its_admin in admin.site._registry.items():
        rows = {Workspace: [world.workspace.pk], Delivery: [world.delivery.pk], Post: [world.post.pk]}.get(model)
        with workspace_scope(world.workspace.pk):
            if rows is None and (issubclass(model, TenantModel) or model is Switch):
                rows = list(model._default_manager.values_list("pk", flat=True)[:3])
        options = model._meta
        for action in its_admin.get_actions(request) if rows else {}:
            if action in lifts or action == "delete_selected":
                continue
            where = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
            chosen = {"action": action, "_selected_action": [str(pk) for pk in rows or []], "reason": "Because"}
            yield (
                f"admin {options.label} {action}",
                lambda where=where, chosen=chosen: staff.post(where, chosen | {"confirm": "yes", "post": "yes"}),
            )


def task_acts(world: World) -> Iterator[tuple[str, Callable[[], object]]]:
    app.loader.import_default_modules()
    known = {"workspace_id": str(world.workspace.pk), "delivery_id": str(world.delivery.pk)}
    known |= {"post_id": str(world.post.pk), "review_id": str(world.ids["review"].pk)}
    for name, task in sorted(app.tasks.items()):
        if name.split(".")[0] not in OURS:
            continue
        wanted = [item for item in inspect.signature(task.run).parameters.values() if item.default is item.empty]
        for fence in (0, world.delivery.fence, world.delivery.fence + 1):
            values = [known.get(item.name, fence if item.name == "fence" else str(UUID(int=1))) for item in wanted]
            yield f"task {name}", lambda task=task, values=values: task.run(*values)


def command_acts(world: World) -> Iterator[tuple[str, Callable[[], object]]]:
    for name, owner in sorted(get_commands().items()):
        if owner in OURS and name not in OTHER_COMMANDS:
            yield f"command {name}", lambda name=name: call_command(name)


# --- the walk ----------------------------------------------------------------------------------------------


def run_engine() -> None:
    """All that is due within the next hours, twice, with the work done at once."""
    for later in (0, 30, 7200):
        with clock.shifted(timedelta(seconds=later)):
            for claim in dispatch.tick().publish:
                publish_delivery(*claim)


class Undo(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """Whatever the door did is taken back, so that the next one finds the same state."""
    with suppress(Undo), transaction.atomic():
        yield
        raise Undo


# A refusal may be anything; what counts is what the network heard.
REFUSED = (SystemExit, Exception)


# Doors that handle posts are all tried in the plainest cases, and a quarter of them in each other; of the rest, a
# sixteenth in each. ALL_DOORS tries every door in every case.
NEAR = re.compile(r"deliver|review|publish|submit|calendar|queue|attention|outage|post-|live|autonomy|^task|^admin")
PLAIN = re.compile(r"stays_here\[in review|vic-in review|text changed|workspace suspended|their_own|opens_the_door")


def is_tried(name: str, case: str) -> bool:
    turn = crc32(f"{case} {name}".encode())
    if NEAR.search(name):
        return bool(PLAIN.search(case)) or turn % 4 == 0 or "same_doors" in case or "ALL_DOORS" in os.environ
    return turn % 16 == 0 or "ALL_DOORS" in os.environ


@pytest.fixture(autouse=True)
def pages_left_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view has done what it does before its page is drawn, which would be a fifth of the time of the walk."""
    draw = Template.render

    def render(self: Template, context: dict[str, Any] | None = None, request: HttpRequest | None = None) -> str:
        return draw(self, context) if request is None else ""

    monkeypatch.setattr(Template, "render", render)


def try_doors(
    world: World,
    acts: Iterator[tuple[str, Callable[[], object]]],
    sent: Callable[[], int],
    afterwards: Callable[[], None] = run_engine,
) -> set[str]:
    """The doors after which the network was asked to publish."""
    through, before = set(), sent()
    case = os.environ["PYTEST_CURRENT_TEST"]
    for name, act in acts:
        if not is_tried(name, case):
            continue
        with undone():
            with suppress(*REFUSED), transaction.atomic():
                act()
            with workspace_scope(world.workspace.pk):
                is_due = Delivery.objects.filter(state__in=DUE).exists()
            if is_due:
                afterwards()
                if sent() > before:
                    through.add(name)
                before = sent()
    return through


@pytest.fixture
def eager() -> Iterator[None]:
    """A task that hands work on does it itself."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def sent(sandbox) -> Callable[[], int]:  # noqa: F811
    """How often X was asked to publish, whatever it answered."""
    return lambda: sum(entry["method"] == "POST" and entry["path"].endswith("/2/tweets") for entry in sandbox.ledger())


@pytest.fixture
def world(workspace, draft, campaign, alice_actor, connection, vic, gwen, charlie, other_workspace) -> World:  # noqa: F811
    """A post by bob in a running campaign."""
    delivery = draft("Fresh beans on Monday", campaign=campaign)
    made = World(workspace, delivery)
    Post.objects.filter(pk=delivery.post_id).update(created_by=None, authors=[])
    made.ids = {
        "delivery_id": delivery.pk,
        "post_id": delivery.post_id,
        "connection_id": delivery.connection_id,
        "campaign_id": campaign.pk,
        "position": 0,
        "revision": 1,
        "act": "resume",
        "review": Review(pk=UUID(int=1), action_hash="0" * 64),
        "review_id": UUID(int=1),
    }
    return made


@pytest.fixture
def campaign(alice_actor: Actor, in_workspace: Workspace) -> Campaign:
    made = create_campaign(by=alice_actor, name="Spring")
    Campaign.objects.update(status=Campaign.Status.RUNNING)
    return made


def submit(world: World, by: Actor) -> Review:
    deliveries.submit_post(world.post, by=by)
    review = Review.objects.get(object_id=world.delivery.pk, status="waiting")
    world.ids |= {"review": review, "review_id": review.pk}
    return review


def plan(world: World, by: Actor) -> None:
    deliveries.schedule_delivery(world.delivery, now() + timedelta(seconds=5), by=by)


def give_approval(world: World, by: Actor, reviewer: Actor) -> None:
    review = submit(world, by)
    approve_review(review, by=reviewer, seen_hash=review.action_hash)
    world.delivery.refresh_from_db()
    plan(world, by)
    world.delivery.refresh_from_db()


# --- what must not go out ----------------------------------------------------------------------------------


def never_submitted(world: World, author: Actor, reviewer: Actor) -> None:
    """A draft."""


def in_review(world: World, author: Actor, reviewer: Actor) -> None:
    submit(world, author)


def rejected(world: World, author: Actor, reviewer: Actor) -> None:
    reject_review(submit(world, author), by=reviewer, reason="No")


def expired(world: World, author: Actor, reviewer: Actor) -> None:
    submit(world, author)
    Review.objects.update(expires_at=now() - timedelta(minutes=1))


def forged(world: World, author: Actor, reviewer: Actor) -> None:
    """Somebody with a hand in the database said it was approved, and could not know the hash."""
    submit(world, author)
    Delivery.objects.update(state=State.SCHEDULED, due_at=now(), scheduled_at=now(), approved_hash="f" * 64)


def changed(what: Callable[[World], object]) -> Callable[[World, Actor, Actor], None]:
    """Approved and planned; then the content is another one, behind the services' back."""

    def arrange(world: World, author: Actor, reviewer: Actor) -> None:
        give_approval(world, author, reviewer)
        what(world)

    return arrange


def set_text(world: World) -> None:
    PostPart.objects.filter(post=world.post).update(text="Something else entirely")


def add_part(world: World) -> None:
    PostPart.objects.create(workspace=world.workspace, post=world.post, position=1, text="One more thing")


def set_flag(world: World) -> None:
    Post.objects.update(made_with_ai=True)


def set_option(world: World) -> None:
    Post.objects.update(options={"x": {"reply_settings": "following"}})


def set_override(world: World) -> None:
    Delivery.objects.update(override_texts=["Another text on X"])


def swap_account(world: World) -> None:
    Connection.objects.update(remote_id="999", origin_id="999")


WITHOUT_APPROVAL = {
    "never submitted": never_submitted,
    "in review": in_review,
    "rejected": rejected,
    "expired": expired,
    "forged": forged,
    "text changed": changed(set_text),
    "part added": changed(add_part),
    "flag changed": changed(set_flag),
    "option changed": changed(set_option),
    "override changed": changed(set_override),
    "account swapped": changed(swap_account),
}


@pytest.fixture
def keys(alice_actor: Actor, in_workspace: Workspace) -> dict[str, str]:
    _, key = create_api_key("All", list(SCOPES), by=alice_actor)
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("case", WITHOUT_APPROVAL)
def test_what_nobody_approved_stays_here(
    case, world, bob_actor, rita_actor, bob_client, client_of, staff, keys, eager, sent
):
    WITHOUT_APPROVAL[case](world, bob_actor, rita_actor)
    run_engine()
    for acts in (
        page_acts(world, bob_client, set()),
        api_acts(world, keys, set()),
        admin_acts(world, client_of(staff), staff, set()),
        task_acts(world),
    ):
        assert try_doors(world, acts, sent) == set()
    assert sent() == 0


@pytest.mark.parametrize("case", ["never submitted", "in review"])
@pytest.mark.parametrize("name", ["vic", "gwen", "charlie", "rita"])
def test_wrong_role_opens_no_door(case, name, request, world, bob_actor, rita_actor, client_of, sent):
    """A reviewer may approve; but to plan or to send is not theirs."""
    WITHOUT_APPROVAL[case](world, bob_actor, rita_actor)
    client = client_of(request.getfixturevalue(name))
    assert try_doors(world, page_acts(world, client, set()), sent) == set()
    assert sent() == 0


@pytest.mark.parametrize("name", ["vic", "gwen", "charlie"])
def test_wrong_role_sends_nothing_that_is_approved_either(name, request, world, bob_actor, rita_actor, client_of, sent):
    review = submit(world, bob_actor)
    approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    client = client_of(request.getfixturevalue(name))
    assert try_doors(world, page_acts(world, client, set()), sent) == set()


SETTINGS = {"accounts:settings"}


def test_nobody_approves_their_own_where_four_eyes_are_wanted(world, alice_actor, alice_client, keys, sent):
    Workspace.objects.update(four_eyes=True)
    world.workspace.refresh_from_db()
    alice_actor.workspace.four_eyes = True
    Post.objects.update(authors=[str(alice_actor.user.pk)], created_by=alice_actor.user)
    submit(world, alice_actor)
    plan(world, alice_actor)
    assert try_doors(world, page_acts(world, alice_client, SETTINGS), sent) == set()
    assert try_doors(world, api_acts(world, keys, SETTINGS), sent) == set()
    assert sent() == 0


# --- what may not go out now -------------------------------------------------------------------------------

STOPS: dict[str, tuple[Callable[[], object], set[str]]] = {
    "workspace suspended": (lambda: Workspace.objects.update(is_suspended=True), {"unsuspend"}),
    "workspace stopped": (lambda: Workspace.objects.update(is_stopped=True), {"accounts:release"}),
    "instance stopped": (
        lambda: Switch.objects.update_or_create(name=Switch.PUBLISHING, defaults={"is_on": True}),
        {"release"},
    ),
    "account suspended": (lambda: Connection.objects.update(status=Connection.Status.SUSPENDED), {"unsuspend"}),
    "account paused": (
        lambda: Connection.objects.update(status=Connection.Status.PAUSED),
        {"social:connection-resume", "social-api:connection-resume", "connection-resume"},
    ),
    "campaign paused": (
        lambda: Campaign.objects.update(status=Campaign.Status.PAUSED),
        {"campaigns:campaign-status", "campaigns:campaign-edit"},
    ),
}


@pytest.mark.parametrize("stop", STOPS)
def test_what_is_stopped_stays_here(
    stop, world, bob_actor, rita_actor, alice_client, client_of, staff, keys, eager, sent
):
    give_approval(world, bob_actor, rita_actor)
    arrange, lifts = STOPS[stop]
    arrange()
    run_engine()
    for acts in (
        page_acts(world, alice_client, lifts),
        api_acts(world, keys, lifts),
        admin_acts(world, client_of(staff), staff, lifts),
        task_acts(world),
    ):
        assert try_doors(world, acts, sent) == set()
    assert sent() == 0


# --- the walk itself ---------------------------------------------------------------------------------------


OPEN = {"campaigns:delivery-schedule", "campaigns:delivery-publish", "campaigns:calendar-move"}


def test_the_same_doors_let_through_what_is_approved(world, bob_actor, rita_actor, bob_client, keys, eager, sent):
    """Otherwise the walk would prove nothing."""
    review = submit(world, bob_actor)
    approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    pages = [item for item in page_acts(world, bob_client, set()) if item[0].split()[1] in OPEN]
    assert {name.split()[1] for name in try_doors(world, iter(pages), sent)} == OPEN
    calls = [item for item in api_acts(world, keys, set()) if "publish" in item[0] or "schedule" in item[0]]
    assert len(try_doors(world, iter(calls), sent)) >= 3
    plan(world, bob_actor)
    dispatches = [item for item in task_acts(world) if item[0] == "task campaigns.dispatch_due"]
    with clock.shifted(timedelta(seconds=10)):
        assert try_doors(world, iter(dispatches), sent, afterwards=lambda: None)


def test_a_reviewer_opens_the_door_by_approving(world, bob_actor, rita_client, sent):
    submit(world, bob_actor)
    plan(world, bob_actor)
    through = try_doors(world, page_acts(world, rita_client, set()), sent)
    assert "page campaigns:review-approve approve" in through


def test_the_walk_sees_every_kind_of_door(world, staff, client_of):
    assert sum(not is_api for _, is_api, *_ in ROUTES) >= 100
    assert sum(is_api for _, is_api, *_ in ROUTES) >= 60
    assert len(list(admin_acts(world, client_of(staff), staff, set()))) >= 5
    assert len({name for name, _ in task_acts(world)}) >= 15
    assert len(list(command_acts(world))) >= 3


def test_no_command_sends_it(world, bob_actor, sent):
    submit(world, bob_actor)
    plan(world, bob_actor)
    assert try_doors(world, command_acts(world), sent) == set()
    assert sent() == 0
