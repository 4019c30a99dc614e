"""Every route of this app, asked by every role, by keys of every scope, by strangers and by nobody."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import Role
from accounts.scope import all_workspaces_scope
from compliance.consent import give_consent
from compliance.contacts import create_contact
from compliance.models import LegalHold, PrivacyRequest
from compliance.notices import publish_notice
from compliance.privacy.holds import set_hold
from compliance.privacy.requests import open_contact_request
from compliance.terms import TermDraft, add_term
from lib.clock import now
from tests.api_walk import Route, ask, expected, label, statuses, wired_names

pytestmark = pytest.mark.django_db
READ, EDIT, ADMIN, OWNER, OWN = "read", "edit", "settings", "delete", "own account"
MAY = {
    "alice": {READ, EDIT, ADMIN, OWNER, OWN},
    "ada": {READ, EDIT, ADMIN, OWN},
    "bob": {READ, EDIT, OWN},
    "rita": {READ, OWN},
    "vic": {READ, OWN},
    "gwen": {OWN},
}
SCOPES = {"read": {READ}, "write": {READ, EDIT}, "publish": {READ}, "connections": {READ}}
CONSENT = {"state": "given", "purpose": "newsletter", "channel": "email", "method": "form", "notice": "{notice}"}
NOTICE = {"purpose": "news", "language": "en", "text": "One mail a month."}
ASKED = {"contact": "{third}", "kind": "restrict"}
REASON = {"reason": "Asked twice"}

ROUTES = [
    Route("contacts", "get", "contacts", READ),
    Route("contacts", "post", "contacts", EDIT, {"name": "Anna", "email": "anna@example.org"}, success=201),
    Route("contacts-import", "post", "contacts/import", EDIT, {"csv": "name,email\nAnna,anna@example.org\n"}),
    Route("contact", "get", "contacts/{contact}", READ),
    Route("contact", "patch", "contacts/{contact}", EDIT, {"name": "May"}),
    Route("contact-consents", "get", "contacts/{contact}/consents", READ),
    Route("contact-consents", "post", "contacts/{contact}/consents", EDIT, CONSENT, success=201),
    Route("contact-may", "get", "contacts/{contact}/may-contact?purpose=newsletter&channel=email", READ),
    Route("notices", "get", "notices", READ),
    Route("notices", "post", "notices", ADMIN, NOTICE, success=201),
    Route("notice", "get", "notices/{notice}", READ),
    Route("notice", "patch", "notices/{unused}", ADMIN, {"text": "One mail a week."}),
    Route("guard-check", "post", "guard/check", READ, {"text": "Fresh beans."}),
    Route("guard-rules", "get", "guard/rules", READ),
    Route("guard-settings", "get", "guard/settings", READ),
    Route("guard-settings", "patch", "guard/settings", ADMIN, {"industry": "cosmetics"}),
    Route("guard-terms", "get", "guard/terms", READ),
    Route("guard-terms", "post", "guard/terms", ADMIN, {"term": "cheapest"}, success=201),
    Route("guard-term", "get", "guard/terms/{term}", READ),
    Route("guard-term", "put", "guard/terms/{term}", ADMIN, {"term": "cheapest"}),
    Route("guard-term", "delete", "guard/terms/{term}", ADMIN, success=204),
    Route("privacy-requests", "get", "privacy/requests", ADMIN),
    Route("privacy-requests", "post", "privacy/requests", ADMIN, ASKED, success=201),
    Route("privacy-request", "get", "privacy/requests/{asked}", ADMIN),
    Route("privacy-verify", "post", "privacy/requests/{asked}/verify", ADMIN, {"reason": "Passport"}),
    Route("privacy-start", "post", "privacy/requests/{verified}/start", ADMIN),
    Route("privacy-refuse", "post", "privacy/requests/{asked}/refuse", ADMIN, REASON),
    Route("privacy-extend", "post", "privacy/requests/{asked}/extend", ADMIN, REASON),
    Route("privacy-file", "get", "privacy/requests/{done}/file", ADMIN),
    Route("privacy-export", "post", "privacy/export", ADMIN, success=202),
    Route("privacy-holds", "get", "privacy/holds", ADMIN),
    Route("privacy-holds", "post", "privacy/holds", ADMIN, {"reason": "A case"}, success=201),
    Route("privacy-hold-release", "post", "privacy/holds/{hold}/release", ADMIN),
    Route("privacy-inventory", "get", "privacy/inventory", READ),
    Route("workspace-deletion", "post", "workspace/deletion", OWNER, {"name": "Roastery"}, success=202),
    Route("workspace-deletion", "delete", "workspace/deletion", OWNER),
    Route("own-privacy", "get", "account/privacy", OWN),
]
# These are about the caller's own account, asked with its password: test_privacy_api.
ELSEWHERE = {"own-privacy-file"}
WITH_ID = [route for route in ROUTES if "{" in route.path]
IN_WORKSPACE = [route for route in ROUTES if route.needs != OWN]


@pytest.fixture
def ada(join):
    return join("Ada", Role.ADMIN)


@pytest.fixture
def ids(in_workspace, alice_actor) -> dict[str, str]:
    """One of everything, in a state in which every act is possible."""
    contact, other, third = (
        create_contact(by=alice_actor, name=name, email=f"{name.lower()}@example.org") for name in ("Mei", "Lu", "Wu")
    )
    used, unused = (
        publish_notice(by=alice_actor, purpose=purpose, language="en", text="One mail a month.")
        for purpose in ("newsletter", "offers")
    )
    give_consent(contact, "newsletter", "email", by=alice_actor, method="form", notice=used)
    asked, verified, done = (open_contact_request("export", one, by=alice_actor) for one in (contact, other, third))
    settle(verified, status="open", verified_at=now(), identity_method="Passport")
    file = default_storage.save("copy.zip", ContentFile(b"PK"))
    settle(done, status="done", file=file, file_expires_at=now() + timedelta(days=1))
    hold = set_hold("contact", third.pk, "A case", by=alice_actor)
    # A standing one would keep the workspace from ending.
    LegalHold.objects.update(released_at=now())
    rows = {
        "contact": contact,
        "third": third,
        "notice": used,
        "unused": unused,
        "asked": asked,
        "verified": verified,
        "done": done,
        "hold": hold,
        "term": add_term(TermDraft("cheap"), by=alice_actor),
    }
    return {name: str(row.pk) for name, row in rows.items()}


def settle(row: PrivacyRequest, **fields: object) -> None:
    with all_workspaces_scope("as after the work"):
        assert PrivacyRequest.objects.filter(pk=row.pk).update(**fields)


def test_every_route_of_this_app_is_walked():
    assert wired_names("compliance-api") == {route.name for route in ROUTES} | ELSEWHERE


@pytest.mark.parametrize("who", MAY)
def test_members_may_do_what_their_role_says(request, api, ids, who):
    assert statuses(api(request.getfixturevalue(who)), ids, ROUTES) == expected(MAY[who], ROUTES)


@pytest.mark.parametrize("scope", SCOPES)
def test_keys_may_do_what_their_scope_says(api, api_key, ids, scope):
    assert statuses(api(api_key(scope)), ids, ROUTES) == expected(SCOPES[scope], ROUTES)


def test_nobody_is_let_in(api, ids):
    assert set(statuses(api(), ids, ROUTES).values()) == {401}


def test_foreign_ids_are_answered_like_missing_ones(api, charlie, other_workspace, ids):
    missing, client = dict.fromkeys(ids, str(uuid4())), api(charlie)
    for route in WITH_ID:
        foreign, absent = ask(client, route, ids), ask(client, route, missing)
        assert (foreign.status_code, foreign.content) == (404, absent.content), label(route)


def test_foreign_ids_inside_a_body_are_answered_like_missing_ones(api, charlie, other_workspace, ids):
    missing, client = dict.fromkeys(ids, str(uuid4())), api(charlie)
    for path, body, status in (
        ("privacy/requests", ASKED, 400),
        ("privacy/holds", {"contact": "{contact}", "reason": "A case"}, 404),
    ):
        route = Route(path, "post", path, ADMIN, body)
        foreign, absent = ask(client, route, ids), ask(client, route, missing)
        assert (foreign.status_code, foreign.content) == (status, absent.content), path


def test_a_suspended_workspace_is_closed(api, alice, ids, workspace):
    type(workspace).objects.filter(pk=workspace.pk).update(is_suspended=True)
    assert set(statuses(api(alice), ids, IN_WORKSPACE).values()) == {403}
