"""What is too old goes, at its time and not before; holds and other sweepers are respected."""

from datetime import timedelta

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.inventory import INVENTORY
from accounts.models import AuditEntry, Invitation, Notification
from accounts.scope import all_workspaces_scope
from compliance.models import Consent, LegalHold, PrivacyRequest
from compliance.models.privacy import SubjectKind
from compliance.privacy import retention
from lib.clock import now, shifted
from tests.campaigns.cast import database_address
from tests.compliance.privacy_cast import add_contact
from tests.compliance.privacy_markers import build, mark_user, values_of

pytestmark = pytest.mark.django_db
SWEPT = [declaration for declaration in INVENTORY.values() if declaration.keep.since]


@pytest.fixture
def dated(workspace):
    """A row of each swept model, as old as it may just be, or a little older."""

    def make(older_by: timedelta) -> dict[str, object]:
        keys = {}
        with all_workspaces_scope("seeding"):
            marked = mark_user(f"old{older_by.days % 97}", workspace, 60_000 + older_by.days)
            for declaration in SWEPT:
                if declaration.label in {"sessions.Session", "account.EmailConfirmation"}:
                    continue
                at = now() - timedelta(days=declaration.keep.days) - older_by
                values = values_of(declaration, marked, workspace) | {declaration.keep.since: at}
                row = build(declaration.model, workspace, **values)
                declaration.model._base_manager.bulk_create([row])
                keys[declaration.label] = row.pk
        return keys

    return make


def left(keys: dict[str, object]) -> set[str]:
    with all_workspaces_scope("look"):
        models = {d.label: d.model for d in SWEPT}
        return {label for label, pk in keys.items() if models[label]._base_manager.filter(pk=pk).exists()}


def test_each_model_is_swept_at_its_own_age(dated):
    old, young = dated(timedelta(days=2)), dated(timedelta(days=-2))
    assert len(old) >= 20
    deleted = retention.sweep(batch=1)
    assert left(old) == set()
    assert left(young) == young.keys()
    assert {label for label in deleted if label != "files"} >= old.keys()
    assert retention.sweep() == {}


def test_nothing_is_swept_that_has_no_end():
    endless = {d.label for d in INVENTORY.values() if not d.keep.since}
    assert {"accounts.AuditEntry", "accounts.AuditDetail", "compliance.Consent", "compliance.Erasure"} <= endless
    assert {"campaigns.Post", "accounts.User"} <= endless


@pytest.mark.parametrize("kind", [SubjectKind.WORKSPACE, SubjectKind.USER])
def test_a_hold_keeps_what_is_old_until_it_is_released(kind, workspace, alice, bob):
    with all_workspaces_scope("seeding"):
        rows = [
            Notification.objects.create(
                workspace=workspace, user=user, kind="t", text="Old", created_at=now() - timedelta(days=400)
            )
            for user in (alice, bob)
        ]
        subject_id = workspace.pk if kind == SubjectKind.WORKSPACE else bob.pk
        hold = LegalHold.objects.create(workspace=workspace, subject_kind=kind, subject_id=subject_id, reason="Case")
    retention.sweep()
    with all_workspaces_scope("look"):
        kept = {*Notification.objects.filter(pk__in=[row.pk for row in rows]).values_list("user_id", flat=True)}
        assert kept == ({alice.pk, bob.pk} if kind == SubjectKind.WORKSPACE else {bob.pk})
        LegalHold.objects.filter(pk=hold.pk).update(released_at=now())
    retention.sweep()
    with all_workspaces_scope("look"):
        assert not Notification.objects.exists()


def test_expired_sessions_and_invitations_go_and_live_ones_stay(alice_client, workspace):
    alice_client.get("/profile")
    with all_workspaces_scope("seeding"):
        Invitation.objects.create(
            workspace=workspace, email="a@example.org", role="viewer", expires_at=now() - timedelta(days=31)
        )
        Invitation.objects.create(workspace=workspace, email="b@example.org", role="viewer", expires_at=now())
    retention.sweep()
    assert Session.objects.count() == 1
    assert [*Invitation.objects.values_list("email", flat=True)] == ["b@example.org"]
    with shifted(timedelta(days=60)):
        retention.sweep()
    assert Session.objects.count() == 0


def test_old_copies_are_deleted_and_their_requests_stay(workspace):
    name = default_storage.save("exports/old.zip", ContentFile(b"PK"))
    with all_workspaces_scope("seeding"):
        row = PrivacyRequest.objects.create(
            kind="export",
            subject_kind="workspace",
            subject_id=workspace.pk,
            workspace=workspace,
            status="done",
            due_at=now(),
            done_at=now(),
            file=name,
            file_expires_at=now() + timedelta(days=7),
        )
    assert retention.sweep() == {}
    with shifted(timedelta(days=8)):
        assert retention.sweep() == {"files": 1}
    assert not default_storage.exists(name)
    with all_workspaces_scope("look"):
        assert PrivacyRequest.objects.get(pk=row.pk).file == ""


def test_consents_and_decisions_are_never_too_old(workspace, alice_actor):
    with all_workspaces_scope("seeding"):
        anna = add_contact(workspace)
        Consent.objects.create(
            workspace=workspace, contact=anna, purpose="n", channel="email", state="given", method="form"
        )
        before = AuditEntry.objects.count()
    with shifted(timedelta(days=20_000)):
        retention.sweep()
    with all_workspaces_scope("look"):
        assert Consent.objects.count() == 1
        assert AuditEntry.objects.count() == before


def test_only_one_sweeper_works_at_a_time(dated):
    old = dated(timedelta(days=2))
    with psycopg.connect(**database_address()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [retention.SWEEPER_LOCK])
        assert retention.sweep() == {}
        assert left(old) == old.keys()
        # Closing alone would free it only when the server notices.
        other.rollback()
    assert retention.sweep()
