"""Every address that takes an id, with the id of another workspace: the same 404 as for an id that does not exist."""

import re
import uuid
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.access import Actor
from accounts.models import Invitation, Membership, Workspace
from accounts.scope import workspace_scope
from accounts.services import create_api_key, invite_member, notify
from accounts.tenancy import TenantModel
from campaigns.deliveries import submit_post
from campaigns.models import Import, Slot, Source
from campaigns.services import PartDraft, PostDraft, create_campaign, create_post
from social.models import Bot, Connection, Credential, InviteLink

# Not a workspace's objects: the admin has its own test, allauth keys by signed tokens.
# The pages of clients are keyed by their links' tokens, of which few are tried in vain: test_client_review asks them.
SKIPPED = ("admin:", "account_", "socialaccount_", "mfa_", "campaigns:client-")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
MISSING = {"uuid": "018f0000-0000-7000-8000-000000000000", "int": "2147480000"}


def walk(patterns, namespace: str = "", route: str = "") -> Iterator[tuple[str, str, dict[str, object]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, inner, route + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", route + str(pattern.pattern), dict(pattern.pattern.converters)


def routes_with_ids() -> list[tuple[str, dict[str, str]]]:
    found = []
    for name, _route, converters in walk(get_resolver().url_patterns):
        kinds = {
            arg: type(converter).__name__.removesuffix("Converter").lower() for arg, converter in converters.items()
        }
        if any(kind in MISSING for kind in kinds.values()) and not name.startswith(SKIPPED):
            found.append((name, kinds))
    return found


ROUTES = routes_with_ids()


@pytest.fixture
def foreign_ids(workspace: Workspace, alice_actor: Actor, settings) -> dict[str, list[str]]:
    """One object of every kind in Roastery."""
    with workspace_scope(workspace.pk):
        connection = Connection.objects.create(
            workspace=workspace, network="x", remote_id="1", handle="roastery", name="R"
        )
        Credential.objects.create(workspace=workspace, connection=connection, access_token="secret")
        campaign = create_campaign(by=alice_actor, name="Launch")
        post = create_post(
            PostDraft((PartDraft("Hello"),), campaign=campaign, connections=(connection.pk,)), by=alice_actor
        )
        submit_post(post, by=alice_actor)
        Slot.objects.create(workspace=workspace, connection=connection, weekday=0, time="09:00", time_zone="UTC")
        Source.objects.create(workspace=workspace, name="Folder", folder="spring")
        Import.objects.create(workspace=workspace, name="plan.csv", time_zone="UTC")
        Bot.objects.create(
            workspace=workspace, bot_id=700_001, username="roastery_bot", name="R", token="700001:secret"
        )
        InviteLink.objects.create(workspace=workspace, connection=connection, name="Spring", url="https://t.me/+a")
        create_api_key("Key", ["read"], by=alice_actor)
        invite_member("new@example.org", "viewer", by=alice_actor)
        notify(workspace, "test", "News")
        uuids = [
            str(pk)
            for model in apps.get_models()
            if issubclass(model, TenantModel) or model._meta.label in {"accounts.ApiKey", "accounts.AuditEntry"}
            for pk in model.objects.values_list("pk", flat=True)[:1]
        ]
        numbers = [*Membership.objects.filter(workspace=workspace).values_list("pk", flat=True)]
        numbers += Bot.objects.values_list("bot_id", flat=True)
        numbers += Invitation.objects.values_list("pk", flat=True)
    return {"uuid": [pk for pk in uuids if "-" in pk], "int": [str(number) for number in numbers]}


def test_the_walk_sees_pages_and_api_routes():
    names = {name for name, _kinds in ROUTES}
    assert len([name for name in names if name.startswith("campaigns:")]) >= 20
    addresses = [reverse(name, kwargs=missing_kwargs(kinds)) for name, kinds in ROUTES]
    assert len([address for address in addresses if address.startswith("/api/")]) >= 15


def missing_kwargs(kinds: dict[str, str]) -> dict[str, str]:
    """Words in an address (which file, which act) are not ids."""
    return {arg: MISSING.get(kind, "file") for arg, kind in kinds.items()}


TOKENS = re.compile(rb'(csrfmiddlewaretoken" value="|X-CSRFToken&quot;: &quot;|X-CSRFToken\\?": \\?")[^"&\\]+')


def answer(client: Client, method: str, address: str) -> tuple[int, bytes]:
    response = client.generic(method, address, "{}", content_type="application/json")
    body = b"".join(response) if response.streaming else response.content
    return response.status_code, TOKENS.sub(rb"\1", body).replace(address.encode(), b"<address>")


@pytest.mark.parametrize(("name", "kinds"), ROUTES, ids=[name for name, _kinds in ROUTES])
def test_a_foreign_id_answers_like_a_missing_one(name, kinds, foreign_ids, charlie_client, other_workspace):
    missing = missing_kwargs(kinds)
    for method in METHODS:
        expected = answer(charlie_client, method, reverse(name, kwargs=missing))
        assert expected[0] in {404, 405}, (method, expected)
        kind = next(kind for kind in kinds.values() if kind in MISSING)
        # A method that an address does not know never looks at the id.
        for foreign in foreign_ids[kind][: 1 if expected[0] == 405 else None]:
            address = reverse(name, kwargs=missing | {arg: foreign for arg, k in kinds.items() if k == kind})
            assert answer(charlie_client, method, address) == expected, (method, foreign)


def test_a_foreign_workspace_in_the_address_answers_like_a_missing_one(charlie_client, workspace, other_workspace):
    there = charlie_client.get(f"/w/{workspace.slug}/campaigns")
    missing = charlie_client.get(f"/w/{uuid.uuid4().hex}/campaigns")
    assert (there.status_code, missing.status_code) == (404, 404)
    assert there.content.replace(workspace.slug.encode(), b"") == missing.content.replace(workspace.slug.encode(), b"")
