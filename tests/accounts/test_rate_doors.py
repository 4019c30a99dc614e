"""Where the rates are asked: invitations by mail, and writes through the API."""

from datetime import timedelta

import pytest

from accounts import rest, services
from accounts.models import Invitation
from accounts.rate import Limit, RateLimited
from accounts.services import invite_member
from lib import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def few_invitations(monkeypatch):
    """Two a day for each workspace, one for each address."""

    def limits(workspace, email):
        day = timedelta(days=1)
        return [Limit(("invite", workspace.pk), 2, day, 2), Limit(("invite", email), 1, day, 1)]

    monkeypatch.setattr(services, "invitation_limits", limits)


def invited() -> list[str]:
    return sorted(Invitation.objects.values_list("email", flat=True))


def test_a_workspace_cannot_mail_strangers_without_end(few_invitations, in_workspace, alice_actor):
    for name in ("ann", "ben"):
        invite_member(f"{name}@example.org", "editor", by=alice_actor)
    with pytest.raises(RateLimited, match=r"Too many invitations .* Try again in 12 hours\."):
        invite_member("cid@example.org", "editor", by=alice_actor)
    assert invited() == ["ann@example.org", "ben@example.org"]


def test_it_can_invite_again_when_it_was_told(few_invitations, in_workspace, alice_actor):
    for name in ("ann", "ben"):
        invite_member(f"{name}@example.org", "editor", by=alice_actor)
    with clock.shifted(timedelta(hours=12, seconds=1)):
        invite_member("cid@example.org", "editor", by=alice_actor)
    assert "cid@example.org" in invited()


def test_another_workspace_is_not_held_back(few_invitations, workspace, alice_actor, charlie_actor):
    for name, by in (("ann", alice_actor), ("ben", alice_actor), ("cid", charlie_actor)):
        with services.workspace_scope(by.workspace.pk):
            invite_member(f"{name}@example.org", "editor", by=by)
    assert len(invited()) == 3


def test_one_person_is_not_mailed_again_and_again(few_invitations, in_workspace, alice_actor):
    invite_member("ann@example.org", "editor", by=alice_actor)
    with pytest.raises(RateLimited):
        invite_member("ann@example.org", "editor", by=alice_actor)
    # What was refused was not counted: there is room for one more.
    invite_member("ben@example.org", "editor", by=alice_actor)


def test_the_page_says_when(few_invitations, alice_client, workspace):
    for name in ("ann", "ben", "cid"):
        page = alice_client.post(
            "/settings/members/invite", {"email": f"{name}@example.org", "role": "editor"}, follow=True
        ).content.decode()
    assert "Too many invitations in a short time. Try again in 12 hours." in page
    assert invited() == ["ann@example.org", "ben@example.org"]


def test_real_limits_let_a_team_in_at_once(in_workspace, alice_actor):
    for number in range(50):
        invite_member(f"colleague{number}@example.org", "editor", by=alice_actor)
    with pytest.raises(RateLimited):
        invite_member("one-more@example.org", "editor", by=alice_actor)


# --- the API -------------------------------------------------------------------------------------------------


@pytest.fixture
def few_writes(monkeypatch):
    monkeypatch.setattr(
        rest, "workspace_writes", lambda workspace: Limit(("api", workspace.pk), 2, timedelta(minutes=2), 2)
    )


def write(client):
    return client.post("/api/campaigns", {"name": "Spring"}, format="json")


def test_writes_of_a_workspace_are_counted_together(few_writes, api, api_key, alice, workspace):
    callers = [api(alice), api(api_key()), api(api_key("write"))]
    answers = [write(caller).status_code for caller in callers]
    assert answers == [201, 201, 429]


def test_the_refusal_is_a_problem_that_says_when(few_writes, api, alice, workspace):
    for _ in range(3):
        refused = write(api(alice))
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["detail"].startswith("This workspace changes too much at once. Try again in ")
    assert 50 < int(refused["Retry-After"]) <= 60


def test_reading_is_not_counted(few_writes, api, alice, workspace):
    for _ in range(3):
        write(api(alice))
    assert api(alice).get("/api/campaigns").status_code == 200


def test_other_workspaces_go_on(few_writes, api, alice, charlie, workspace, other_workspace):
    for _ in range(3):
        write(api(alice))
    assert write(api(charlie)).status_code == 201
