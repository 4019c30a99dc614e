"""Commands and the staff admin: the same services by other doors."""

import json
from io import StringIO

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, Notification, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from compliance.models import Contact, LegalHold
from compliance.privacy import requests
from compliance.privacy.erase import erase_user
from lib.clock import now
from tests.compliance.privacy_cast import add_contact, again, unzip

pytestmark = pytest.mark.django_db


def call(name: str, *args: str) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def test_erasing_an_account(bob, workspace):
    assert "accounts.Membership: 1" in call("erase_person", "BOB@example.org", "--yes")
    assert not User.objects.filter(pk=bob.pk).exists()


def test_erasing_a_contact(workspace):
    with workspace_scope(workspace.pk):
        add_contact(workspace)
    assert "compliance.Contact: 1" in call("erase_person", "anna@example.net", "--contact-of", workspace.slug, "--yes")
    with all_workspaces_scope("look"):
        assert not Contact.objects.exists()


@pytest.mark.parametrize("answer", ["no", "", "y"])
def test_erasing_asks_first(bob, workspace, monkeypatch, answer):
    monkeypatch.setattr("builtins.input", lambda _question: answer)
    with pytest.raises(CommandError, match="Nothing was erased"):
        call("erase_person", "bob@example.org")
    assert User.objects.filter(pk=bob.pk, is_active=True).exists()


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["nobody@example.org", "--yes"], "no account"),
        (["nobody@example.org", "--contact-of", "roastery", "--yes"], "no contact"),
        (["alice@example.org", "--yes"], "only owner of Roastery"),
    ],
)
def test_erasing_says_why_not(workspace, args, complaint):
    with pytest.raises(CommandError, match=complaint):
        call("erase_person", *args)


def test_copies_by_command(bob, workspace):
    manifest = json.loads(call("export_data", "--email", "bob@example.org"))
    assert unzip(manifest["file"])[0]["subject"] == {"kind": "user", "id": str(bob.pk)}
    call("export_data", "--workspace", workspace.slug, "--name", "exports/mine.zip")
    assert default_storage.exists("exports/mine.zip")
    for args in (["--email", "nobody@example.org"], ["--workspace", "nowhere"]):
        with pytest.raises(CommandError, match="There is no"):
            call("export_data", *args)


def test_sweeping_counts_first(workspace, alice):
    with all_workspaces_scope("seeding"):
        Notification.objects.create(
            workspace=workspace, user=alice, kind="t", text="Old", created_at=now().replace(year=now().year - 2)
        )
    assert call("sweep_retention", "--dry-run") == "accounts.Notification: 1\n"
    assert call("sweep_retention", "--dry-run") == call("sweep_retention")
    assert call("sweep_retention") == ""


def test_replaying_after_a_restore(bob, workspace, other_workspace):
    pk = bob.pk
    erase_user(bob)
    User.objects.create_user("bob@example.org", "correct horse battery", id=pk)
    assert call("replay_erasures") == "1 erased again.\n"
    assert call("replay_erasures") == "0 erased again.\n"
    assert not User.objects.filter(pk=pk).exists()
    assert Workspace.objects.count() == 2


# --- staff ------------------------------------------------------------------------------------------------------


@pytest.fixture
def staff_act(staff_client):
    def act(model: str, action: str, row) -> str:
        data = {"action": action, "_selected_action": [str(row.pk)]}
        return staff_client.post(f"/admin/compliance/{model}/", data, follow=True).content.decode()

    return act


def test_staff_answer_for_an_account(bob, staff, staff_act):
    row = requests.open_request_by_staff("erase", bob, staff=staff)
    assert "who asks" in staff_act("privacyrequest", "start", row)
    staff_act("privacyrequest", "verify", row)
    assert again(row).identity_method == "document seen"
    staff_act("privacyrequest", "start", row)
    assert again(row).status == "running"
    with all_workspaces_scope("look"):
        actions = AuditEntry.objects.filter(workspace=None).order_by("number").values_list("action", flat=True)
        assert [*actions] == ["privacy.open", "privacy.verify", "privacy.start"]


def test_staff_note_what_somebody_wrote(bob, staff_client):
    address = "/admin/compliance/privacyrequest/add/"
    page = staff_client.get(address).content.decode()
    assert "E-mail address of the account" in page
    assert "Correction" not in page
    wrong = staff_client.post(address, {"email": "nobody@example.org", "kind": "erase", "law": "gdpr"})
    assert "no such account" in wrong.content.decode()
    staff_client.post(address, {"email": "BOB@example.org", "kind": "erase", "law": "ccpa"})
    row = requests.own_requests(bob)[0]
    assert (row.kind, row.law, row.status) == ("erase", "ccpa", "verifying")
    assert staff_client.get(f"/admin/compliance/privacyrequest/{row.pk}/change/").status_code == 200
    staff_client.post(address, {"email": "bob@example.org", "kind": "erase", "law": "ccpa"})
    assert len(requests.own_requests(bob)) == 1


def test_staff_refuse_who_cannot_prove_it(bob, staff, staff_act):
    row = requests.open_request_by_staff("export", bob, staff=staff)
    staff_act("privacyrequest", "refuse", row)
    assert (again(row).status, "verify" in again(row).refusal) == ("refused", True)


def test_staff_hold_an_account(bob, staff_client, staff_act):
    data = {"subject_kind": "user", "subject_id": str(bob.pk), "reason": "Order 12"}
    staff_client.post("/admin/compliance/legalhold/add/", data)
    with all_workspaces_scope("look"):
        hold = LegalHold.objects.get()
    assert "this account" in requests.blockers_of(bob)[0]
    assert "1 released" in staff_act("legalhold", "release", hold)
    assert requests.blockers_of(bob) == []


@pytest.mark.parametrize("model", ["privacyrequest", "legalhold", "erasure"])
def test_staff_pages_open_and_members_stay_out(staff_client, bob_client, model):
    assert staff_client.get(f"/admin/compliance/{model}/").status_code == 200
    assert bob_client.get(f"/admin/compliance/{model}/").status_code != 200
