"""Staff suspend a workspace: at once, at every door, and the people are told why."""

import pytest
from django.core.exceptions import ValidationError

from accounts import notifications, staff
from accounts.models import AuditEntry, Event, Notification
from accounts.scope import all_workspaces_scope

pytestmark = pytest.mark.django_db
REASON = "Complaints about spam"


@pytest.fixture
def suspend(staff_client, workspace):
    """By the admin's action, as a moderator does it."""

    def run(action: str = "suspend", reason: str = REASON):
        data = {"action": action, "_selected_action": [str(workspace.pk)], "reason": reason}
        return staff_client.post("/admin/accounts/workspace/", data)

    return run


def test_the_action_asks_why_before_anything_happens(staff_client, workspace):
    data = {"action": "suspend", "_selected_action": [str(workspace.pk)]}
    page = staff_client.post("/admin/accounts/workspace/", data)
    html = page.content.decode()
    assert page.status_code == 200
    assert "Roastery" in html
    assert 'name="reason"' in html
    assert 'role="alert"' not in html
    workspace.refresh_from_db()
    assert not workspace.is_suspended


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_without_a_good_reason_nothing_happens(suspend, workspace, reason):
    page = suspend(reason=reason)
    assert 'role="alert"' in page.content.decode()
    workspace.refresh_from_db()
    assert not workspace.is_suspended


def test_open_sessions_and_keys_are_refused_with_the_reason(suspend, alice_client, api, api_key, alice, workspace):
    doors = [
        lambda: alice_client.get("/settings"),
        lambda: api(secret).get("/api/campaigns"),
        lambda: api(alice).get("/api/campaigns"),
        lambda: api(alice).post("/api/campaigns", {"name": "New"}, format="json"),
    ]
    secret = api_key()
    assert all(door().status_code < 300 for door in doors)
    suspend()
    for door in doors:
        answer = door()
        assert answer.status_code == 403
        assert REASON in answer.content.decode()
    suspend("unsuspend", "Settled")
    assert all(door().status_code < 300 for door in doors)


def test_another_workspace_of_the_same_person_stays_open(suspend, api, alice, workspace):
    from accounts.services import create_workspace

    other = create_workspace("Second", owner=alice)
    suspend()
    assert api(alice, workspace=other).get("/api/campaigns").status_code == 200
    assert api(alice, workspace=workspace).get("/api/campaigns").status_code == 403


def test_everybody_in_it_is_told_and_mailed(suspend, bob, vic, gwen, workspace, mailoutbox):
    suspend()
    with all_workspaces_scope("test"):
        told = Notification.objects.filter(kind="workspace.suspend").select_related("user")
        assert {row.user.name for row in told} == {"Alice", "Bob", "Vic"}
        assert {row.text for row in told} == {f"Staff suspended this workspace: {REASON}"}
        assert Event.objects.get(kind="workspace.suspended").payload == {"reason": REASON}
    notifications.mail_alerts()
    assert any(REASON in mail.body for mail in mailoutbox)


def test_both_trails_know_and_only_that_of_staff_says_who(suspend, workspace):
    suspend()
    with all_workspaces_scope("test"):
        entries = AuditEntry.objects.filter(action="workspace.suspend").select_related("detail")
        found = {entry.workspace_id: (entry.detail.actor, entry.detail.data["reason"]) for entry in entries}
    assert found == {None: ("staff@example.org", REASON), workspace.pk: ("staff", REASON)}


def test_an_erased_trail_still_shuts_the_door(suspend, alice_client, workspace):
    suspend()
    with all_workspaces_scope("test"):
        from accounts.models import AuditDetail

        AuditDetail.objects.all().delete()
    page = alice_client.get("/settings")
    assert page.status_code == 403
    assert "Staff suspended this workspace. Please contact support." in page.content.decode()


def test_the_last_reason_counts(suspend, alice_client, workspace):
    for action, reason in (("suspend", "First"), ("unsuspend", "Settled"), ("suspend", "Second")):
        suspend(action, reason)
    html = alice_client.get("/settings").content.decode()
    assert "Second" in html
    assert "First" not in html


def test_a_service_wants_a_reason_too(workspace, staff_client, django_user_model):
    by = django_user_model.objects.get(email="staff@example.org")
    with all_workspaces_scope("test"), pytest.raises(ValidationError, match="Say why"):
        staff.suspend_workspace(workspace, staff=by, reason=" ")
