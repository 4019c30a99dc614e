"""Each rule of the inventory by itself: what a row says before and after."""

from typing import Any

import pytest
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache

from accounts.inventory import INVENTORY
from accounts.models import AuditDetail, Event, IdempotencyKey, Switch
from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns.models import Campaign, Import, Post, PostVersion, Snippet
from compliance.models import GuardSettings, Review, ReviewEvent, ReviewLink
from compliance.privacy import caches
from compliance.privacy.mentions import scrub
from compliance.privacy.traces import ERASED, Finder, traces_of_contact, traces_of_user
from lib.clock import now
from social.models import BotChat, InboundUpdate
from tests.compliance.privacy_cast import add_contact
from tests.compliance.privacy_markers import build

pytestmark = pytest.mark.django_db
MAIL = "bob@example.org"
# model, what the row says, what it says afterwards; None: the row is gone
ROWS: list[tuple[type, dict[str, Any], dict[str, Any] | None]] = [
    (PostVersion, {"author": "Bob", "content": {}}, {"author": ""}),
    (PostVersion, {"author": MAIL.upper(), "content": {}}, {"author": ""}),
    (PostVersion, {"author": "Bobby", "content": {"by": [MAIL]}}, {"author": "Bobby", "content": {"by": [ERASED]}}),
    (Campaign, {"name": "Bob's spring", "goal": MAIL}, {"name": "Bob's spring", "goal": ERASED}),
    (Campaign, {"name": "Spring", "brief": "Bobsleigh"}, {"name": "Spring", "brief": "Bobsleigh"}),
    (Snippet, {"name": MAIL, "text": f"Write to {MAIL}!"}, {"name": ERASED, "text": f"Write to {ERASED}!"}),
    (Import, {"name": "a.csv", "rows": [[MAIL, 1]], "fates": [{"x": None}]}, {"rows": [[ERASED, 1]]}),
    (GuardSettings, {"facts": {"allowed_contacts": [MAIL, "desk@example.org"]}},
     {"facts": {"allowed_contacts": [ERASED, "desk@example.org"]}}),
    (Review, {"decided_label": "Bob", "reason": f"{MAIL} says no", "snapshot": {"author": "Bob"}},
     {"decided_label": "", "reason": f"{ERASED} says no", "snapshot": {"author": ERASED}}),
    (ReviewEvent, {"label": "Bob", "text": "Ask Bob."}, {"label": "", "text": "Ask Bob."}),
    (ReviewLink, {"name": "Client", "email": MAIL, "scope_label": "x", "expires_at": now()},
     {"name": "Client", "email": ""}),
    (AuditDetail, {"actor": "rita@example.org", "data": {"user": MAIL}, "salt": "s"},
     {"actor": "", "data": {}, "salt": ""}),
    (AuditDetail, {"actor": "rita@example.org", "data": {"user": "x"}, "salt": "s"},
     {"actor": "rita@example.org", "data": {"user": "x"}, "salt": "s"}),
    (Event, {"kind": "t", "payload": {"to": MAIL}}, None),
    (Event, {"kind": "t", "payload": {"to": "joe" + MAIL}}, {"payload": {"to": "joe" + MAIL}}),
    (IdempotencyKey, {"key": "k", "caller": "c", "body": {"x": ["Bob"]}}, None),
    (Switch, {"name": "s", "changed_by": MAIL, "reason": "Bob"}, {"changed_by": "", "reason": ERASED}),
    # Of the installation, and nothing but a first name: anybody's.
    (Switch, {"name": "s", "changed_by": "Bob", "reason": "Bob asked"}, {"changed_by": "Bob", "reason": "Bob asked"}),
    (InboundUpdate, {"kind": "message", "payload": {"text": MAIL}}, None),
    (BotChat, {"title": f"with {MAIL}", "kind": "group", "topics": {"1": "Bob"}},
     {"title": "", "topics": {"1": ERASED}}),
]  # fmt: skip


def name_of(value: object) -> str | None:
    return value.__name__ if isinstance(value, type) else None


@pytest.mark.parametrize(("model", "before", "after"), ROWS, ids=name_of)
def test_a_row_says_what_its_rules_leave(model, before, after, workspace, bob):
    with all_workspaces_scope("seeding"):
        row = build(model, workspace, **before)
        model._base_manager.bulk_create([row])
        traces = traces_of_user(bob)
    changed = scrub(INVENTORY[model], traces)
    with all_workspaces_scope("look"):
        found = model._base_manager.filter(pk=row.pk).first()
        assert (found is None) == (after is None)
        assert {name: getattr(found, name) for name in after or {}} == (after or {})
        assert changed == (0 if after and all(before.get(name) == value for name, value in after.items()) else 1)
        # Done again, there is nothing left to do.
        assert scrub(INVENTORY[model], traces) == 0


def test_a_list_of_ids_loses_only_theirs(workspace, bob, alice):
    with workspace_scope(workspace.pk):
        row = Post.objects.create(workspace=workspace, authors=[str(alice.pk), str(bob.pk)], created_by=bob)
    assert scrub(INVENTORY[Post], traces_of_user(bob)) == 2
    with workspace_scope(workspace.pk):
        row.refresh_from_db()
        assert (row.authors, row.created_by) == ([str(alice.pk)], None)


def test_a_label_beside_a_reference_is_theirs_whatever_it_says(workspace, bob):
    with all_workspaces_scope("seeding"):
        row = build(ReviewEvent, workspace, user=bob, label="The boss", text="Fine.")
        ReviewEvent.objects.bulk_create([row])
    scrub(INVENTORY[ReviewEvent], traces_of_user(bob))
    with workspace_scope(workspace.pk):
        row.refresh_from_db()
        assert (row.label, row.user, row.text) == ("", None, "Fine.")


def test_many_rows_are_done_in_batches(workspace, bob, monkeypatch):
    monkeypatch.setattr("compliance.privacy.mentions.BATCH", 3)
    with all_workspaces_scope("seeding"):
        Campaign.objects.bulk_create(Campaign(workspace=workspace, name=f"{MAIL} {n}") for n in range(10))
    assert scrub(INVENTORY[Campaign], traces_of_user(bob)) == 10
    with workspace_scope(workspace.pk):
        assert not Campaign.objects.filter(name__contains="bob@").exists()


def test_a_contact_is_taken_out_of_its_workspace_only(workspace, other_workspace):
    with all_workspaces_scope("seeding"):
        anna = add_contact(workspace)
        for place in (workspace, other_workspace):
            Campaign.objects.create(workspace=place, name="For anna@example.net")
        traces = traces_of_contact(anna)
    assert scrub(INVENTORY[Campaign], traces) == 1
    assert scrub(INVENTORY[InboundUpdate], traces) == 0
    with all_workspaces_scope("look"):
        names = dict(Campaign.objects.values_list("workspace__name", "name"))
    assert names == {"Roastery": f"For {ERASED}", "Bakery": "For anna@example.net"}


# --- sessions and cache -------------------------------------------------------------------------------------------


def session(**data: object) -> SessionStore:
    store = SessionStore()
    store.update(data)
    store.save()
    return store


def test_only_their_sessions_end(bob, alice):
    own, other = session(_auth_user_id=str(bob.pk)), session(_auth_user_id=str(alice.pk))
    assert caches.end_sessions(str(bob.pk)) == 1
    assert {*Session.objects.values_list("session_key", flat=True)} == {other.session_key}
    assert SessionStore(own.session_key).load() == {}
    assert SessionStore(other.session_key).load()["_auth_user_id"] == str(alice.pk)


def test_the_session_of_somebody_else_stays_without_the_name(alice):
    store = session(_auth_user_id=str(alice.pk), messages=[f"Invitation sent to {MAIL}."])
    caches.scrub_sessions(Finder([MAIL]))
    found = SessionStore(store.session_key).load()
    assert found == {"_auth_user_id": str(alice.pk), "messages": [f"Invitation sent to {ERASED}."]}


@pytest.mark.parametrize(
    ("key", "value", "is_kept"),
    [
        (f"limit:{MAIL}", 1, False),
        ("list", {"to": [MAIL]}, False),
        ("list", "张三丰 wrote", False),
        ("list", {"to": ["alice@example.org"]}, True),
    ],
)
def test_cached_values_that_name_them_go(key, value, is_kept):
    cache.set(key, value)
    assert caches.forget(frozenset({MAIL, "张三丰"})) == (0 if is_kept else 1)
    assert (cache.get(key) == value) == is_kept


def test_the_cache_is_read_in_batches(monkeypatch):
    monkeypatch.setattr(caches, "BATCH", 4)
    cache.set_many({f"k{n}": MAIL if n % 2 else "x" for n in range(30)})
    assert caches.forget(frozenset({MAIL})) == 15
    assert len([key for key in (f"k{n}" for n in range(30)) if cache.get(key)]) == 15
