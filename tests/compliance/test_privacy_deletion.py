"""The end of a workspace: asked for, taken back, carried out; and nothing left of it."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from guardian.models import UserObjectPermission

from accounts.audit import verify_chain
from accounts.inventory import of_workspaces
from accounts.models import AuditEntry, Membership, Notification, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns.services import create_campaign, share_with_invited
from compliance.models import Erasure, LegalHold
from compliance.privacy import deletion, ledger
from compliance.privacy.errors import Held
from compliance.privacy.holds import set_hold
from lib.clock import now, shifted
from tests.compliance.privacy_markers import mark_contact, mark_user, rows_of, seed

pytestmark = pytest.mark.django_db


def end_grace(workspace: Workspace) -> None:
    """As if thirty days had passed: the database's own clock decides, and it cannot be shifted."""
    Workspace.objects.filter(pk=workspace.pk).update(deletes_at=timezone.now() - timedelta(minutes=1))


def test_asking_stops_everything_and_tells_everybody(alice_actor, bob, in_workspace):
    assert deletion.ask_deletion("Roastery", by=alice_actor) is True
    assert deletion.ask_deletion("Roastery", by=alice_actor) is False
    found = Workspace.objects.get(pk=in_workspace.pk)
    assert found.is_stopped
    assert found.deletes_at - now() > timedelta(days=29)
    told = Notification.objects.filter(kind="workspace.deletion")
    assert {row.user_id for row in told} == {alice_actor.user.pk, bob.pk}
    assert all(row.is_alert and "will be deleted on" in row.text for row in told)
    assert AuditEntry.objects.filter(action="workspace.deletion_ask").count() == 1


@pytest.mark.parametrize("typed", ["", "roastery", "Bakery", "Roastery!"])
def test_the_name_must_be_typed(alice_actor, in_workspace, typed):
    with pytest.raises(ValidationError, match="Type the name"):
        deletion.ask_deletion(typed, by=alice_actor)
    assert Workspace.objects.get(pk=in_workspace.pk).deletes_at is None


@pytest.mark.parametrize("role", ["admin", "editor", "reviewer", "viewer", "guest"])
def test_only_the_owner_ends_it(role, join, actor_of, in_workspace):
    somebody = actor_of(join("Somebody", role))
    with pytest.raises(PermissionDenied):
        deletion.ask_deletion("Roastery", by=somebody)
    with pytest.raises(PermissionDenied):
        deletion.cancel_deletion(by=somebody)


def test_it_can_be_taken_back_any_time_before(alice_actor, in_workspace):
    assert deletion.cancel_deletion(by=alice_actor) is False
    deletion.ask_deletion("Roastery", by=alice_actor)
    assert deletion.due_workspaces() == []
    with shifted(timedelta(days=29)):
        assert deletion.cancel_deletion(by=alice_actor) is True
    found = Workspace.objects.get(pk=in_workspace.pk)
    # Somebody looks first, and releases it then.
    assert (found.deletes_at, found.is_stopped) == (None, True)
    with shifted(timedelta(days=40)):
        assert deletion.due_workspaces() == []
        assert deletion.delete_workspace(in_workspace.pk) == {}


def test_past_its_time_it_cannot_be_taken_back(alice_actor, in_workspace):
    deletion.ask_deletion("Roastery", by=alice_actor)
    with shifted(timedelta(days=31)):
        assert deletion.due_workspaces() == [in_workspace.pk]
        assert deletion.cancel_deletion(by=alice_actor) is False


def test_a_hold_forbids_asking_and_delays_the_end(alice_actor, in_workspace):
    hold = set_hold("workspace", in_workspace.pk, "Case", by=alice_actor)
    with pytest.raises(Held):
        deletion.ask_deletion("Roastery", by=alice_actor)
    end_grace(in_workspace)
    assert deletion.delete_workspace(in_workspace.pk) == {}
    assert Workspace.objects.filter(pk=in_workspace.pk).exists()
    assert hold.released_at is None


@pytest.fixture
def two_full_houses(workspace, other_workspace, alice_actor, gwen):
    with all_workspaces_scope("seeding"):
        seed(mark_user("qzxone11", workspace, 71_000_000_001), workspace)
        seed(mark_contact("qzxtwo22", workspace), workspace)
        kept = seed(mark_user("qzxnext3", other_workspace, 71_000_000_002), other_workspace)
        User.objects.update(last_workspace=workspace)
        LegalHold.objects.update(released_at=now())
    with workspace_scope(workspace.pk):
        campaign = create_campaign(by=alice_actor, name="Shared")
        share_with_invited(gwen, campaign.pk)
    default_storage.save(f"{workspace.pk}/ab/file.png", ContentFile(b"x"))
    default_storage.save(f"{workspace.pk}/ab/no-row.png", ContentFile(b"x"))
    default_storage.save(f"{other_workspace.pk}/ab/file.png", ContentFile(b"x"))
    folder = Path(settings.SOURCES_ROOT) / str(workspace.pk) / "launch"
    folder.mkdir(parents=True)
    (folder / "one.png").write_bytes(b"x")
    cache.set("about", {"workspace": str(workspace.pk)})
    return kept


def rows_left(workspace: Workspace) -> dict[str, int]:
    """Rows of any table that hold the workspace's id in any column."""
    found = {}
    with all_workspaces_scope("look"), connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{workspace.pk}%"])
            if count := cursor.fetchone()[0]:
                found[table] = count
    return found


def test_nothing_of_it_is_left_and_nothing_of_others_is_missing(two_full_houses, workspace, other_workspace):
    before = rows_of(two_full_houses)
    assert len(rows_left(workspace)) > 40
    end_grace(workspace)

    counts = deletion.delete_workspace(workspace.pk)

    # The proof by id alone, and what staff and the two people outside did.
    assert set(rows_left(workspace)) == {"compliance_erasure", "accounts_auditentry"}
    assert rows_of(two_full_houses) == before
    assert counts["accounts.AuditEntry"] >= 4
    with all_workspaces_scope("look"):
        entry = AuditEntry.objects.get(action="workspace.delete")
        assert (entry.workspace_id, entry.object_id) == (None, str(workspace.pk))
        assert AuditEntry.objects.filter(object_id=str(workspace.pk)).exclude(workspace=None).count() == 0
        assert [fault for chain in (None, other_workspace) for fault in verify_chain(chain)] == []
        assert Erasure.objects.get(subject_kind="workspace").subject_id == workspace.pk
    assert default_storage.listdir("")[0] == [str(other_workspace.pk)]
    assert not (Path(settings.SOURCES_ROOT) / str(workspace.pk)).exists()
    assert cache.get("about") is None
    assert not UserObjectPermission.objects.filter(user__email="gwen@example.org").exists()
    assert [line.kind for line in ledger.lines()] == ["workspace"]
    # People outlive it.
    assert User.objects.filter(email="alice@example.org", last_workspace=None).exists()
    assert not Membership.objects.filter(workspace_id=workspace.pk).exists()
    assert deletion.delete_workspace(workspace.pk) == {}


def test_a_deletion_that_was_killed_goes_on_where_it_stopped(two_full_houses, workspace):
    end_grace(workspace)
    half = deletion._children_first()[:10]
    for declaration in half:
        deletion._delete_rows(declaration, workspace.pk)
    assert Workspace.objects.filter(pk=workspace.pk).exists()
    assert deletion.due_workspaces() == [workspace.pk]
    counts = deletion.delete_workspace(workspace.pk)
    assert not {d.label for d in half} & counts.keys()
    assert not Workspace.objects.filter(pk=workspace.pk).exists()


def test_whoever_refers_goes_first():
    order = [d.label for d in deletion._children_first()]
    assert len(order) == len(of_workspaces()) - 1
    for child, parent in [
        ("campaigns.PartMedia", "campaigns.MediaAsset"),
        ("campaigns.Delivery", "social.Connection"),
        ("compliance.Consent", "compliance.Contact"),
        ("accounts.AuditDetail", "accounts.AuditEntry"),
        ("social.Credential", "social.Bot"),
    ]:
        assert order.index(child) < order.index(parent), (child, parent)


def test_nobody_lets_publishing_go_on_while_the_end_is_near(workspace, alice_actor, in_workspace, alice_client):
    deletion.ask_deletion(workspace.name, by=alice_actor)
    answer = alice_client.post(f"/w/{workspace.slug}/release", follow=True)
    assert "about to be deleted" in answer.content.decode()
    assert "will be deleted on" in answer.content.decode()
    workspace.refresh_from_db()
    assert workspace.is_stopped
    deletion.cancel_deletion(by=alice_actor)
    alice_client.post(f"/w/{workspace.slug}/release")
    workspace.refresh_from_db()
    assert not workspace.is_stopped
