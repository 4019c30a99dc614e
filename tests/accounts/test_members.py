from functools import partial
from multiprocessing.pool import ThreadPool

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections
from django.http import Http404

from accounts.access import ROLE_PERMS, SCOPES, Perm, system_actor
from accounts.models import AuditEntry, Invitation, Membership, Notification, Role, User
from accounts.scope import workspace_scope
from accounts.services import (
    change_role,
    create_workspace,
    invite_member,
    mark_read,
    notify,
    remove_member,
    revoke_invitation,
    update_workspace,
)
from accounts.tasks import mail_invitation
from marketing.celery import app as celery

pytestmark = pytest.mark.django_db


def membership(user: User) -> Membership:
    return Membership.objects.get(user=user)


def last_action() -> str:
    return AuditEntry.objects.order_by("-number").values_list("action", flat=True)[0]


# --- the permission table --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.OWNER, Perm.DELETE, None),
        (Role.ADMIN, Perm.MEMBERS, Perm.DELETE),
        (Role.EDITOR, Perm.PUBLISH, Perm.REVIEW),
        (Role.REVIEWER, Perm.REVIEW, Perm.CONTENT_EDIT),
        (Role.VIEWER, Perm.VIEW, Perm.CONTENT_EDIT),
        (Role.GUEST, None, Perm.VIEW),
    ],
)
def test_role_may_what_the_design_says(role, may, may_not):
    assert may is None or may in ROLE_PERMS[role]
    assert may_not is None or may_not not in ROLE_PERMS[role]


def test_every_role_is_in_the_table():
    assert set(ROLE_PERMS) == set(Role.values)


def test_no_scope_of_a_key_reaches_administration():
    reachable = frozenset().union(*SCOPES.values())
    assert not reachable & {Perm.MEMBERS, Perm.SETTINGS, Perm.API_KEYS, Perm.AUDIT, Perm.DELETE, Perm.REVIEW}


@pytest.mark.parametrize("perm", list(Perm))
def test_refusal_says_what_would_help(perm, workspace):
    with pytest.raises(PermissionDenied, match=r"\w+ .+\."):
        system_actor(workspace, "nobody", []).require(perm)


# --- workspaces ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"), [("Tea House", "tea-house"), ("烘焙", "workspace"), ("my_shop", "my_shop"), ("!!!", "workspace")]
)
def test_workspace_gets_an_address_from_its_name(alice, name, slug):
    assert create_workspace(name, owner=alice).slug == slug


def test_second_workspace_of_a_name_gets_another_address(alice):
    slugs = [create_workspace("Tea", owner=alice).slug for _ in range(3)]
    assert slugs == ["tea", "tea-2", "tea-3"]


@pytest.mark.django_db(transaction=True)
def test_workspaces_made_at_once_get_different_addresses(alice):
    def create(_number: int) -> str:
        slug = create_workspace("Tea", owner=alice).slug
        connections.close_all()
        return slug

    with ThreadPool(4) as pool:
        slugs = pool.map(create, range(8))
    assert len(set(slugs)) == 8


def test_workspace_needs_a_name(alice):
    with pytest.raises(ValidationError, match="name"):
        create_workspace("  ", owner=alice)


def test_settings_are_changed_and_audited(in_workspace, alice_actor):
    update_workspace(by=alice_actor, name="Roastery 2", time_zone="UTC", four_eyes=True, late_minutes=5)
    in_workspace.refresh_from_db()
    assert (in_workspace.name, in_workspace.four_eyes, in_workspace.late_minutes) == ("Roastery 2", True, 5)
    assert last_action() == "workspace.update"


def test_settings_that_stay_the_same_are_no_act(in_workspace, alice_actor):
    update_workspace(by=alice_actor, name="Roastery", time_zone="Europe/Berlin", four_eyes=False, late_minutes=60)
    assert last_action() == "workspace.create"


@pytest.mark.parametrize(("field", "value"), [("name", " "), ("time_zone", "Mars/Olympus"), ("late_minutes", -1)])
def test_wrong_setting_is_named_and_nothing_changes(in_workspace, alice_actor, field, value):
    values = {"name": "Other", "time_zone": "UTC", "four_eyes": True, "late_minutes": 5} | {field: value}
    with pytest.raises(ValidationError) as caught:
        update_workspace(by=alice_actor, **values)
    assert list(caught.value.message_dict) == [field]
    assert alice_actor.workspace.name == "Roastery"


def test_editor_cannot_change_settings(in_workspace, bob_actor):
    with pytest.raises(PermissionDenied, match="Only admins"):
        update_workspace(by=bob_actor, name="Bob's", time_zone="UTC", four_eyes=False, late_minutes=5)


# --- roles -----------------------------------------------------------------------------------------------------


def test_owner_changes_a_role_and_it_is_audited(in_workspace, alice_actor, bob):
    change_role(membership(bob).pk, Role.REVIEWER, by=alice_actor)
    assert membership(bob).role == Role.REVIEWER
    assert last_action() == "member.role"


def test_editor_cannot_change_a_role(in_workspace, bob, bob_actor):
    with pytest.raises(PermissionDenied):
        change_role(membership(bob).pk, Role.ADMIN, by=bob_actor)
    assert membership(bob).role == Role.EDITOR


@pytest.fixture
def adam_actor(join, actor_of):
    return actor_of(join("Adam", Role.ADMIN))


def test_admin_cannot_make_an_owner(in_workspace, adam_actor, bob):
    with pytest.raises(PermissionDenied, match="Only an owner"):
        change_role(membership(bob).pk, Role.OWNER, by=adam_actor)


def test_admin_cannot_demote_or_remove_an_owner(in_workspace, adam_actor, alice):
    with pytest.raises(PermissionDenied, match="Only an owner"):
        change_role(membership(alice).pk, Role.VIEWER, by=adam_actor)
    with pytest.raises(PermissionDenied, match="Only an owner"):
        remove_member(membership(alice).pk, by=adam_actor)
    assert membership(alice).role == Role.OWNER


def test_last_owner_cannot_step_down_or_leave(in_workspace, alice, alice_actor):
    with pytest.raises(ValidationError, match="needs an owner"):
        change_role(membership(alice).pk, Role.ADMIN, by=alice_actor)
    with pytest.raises(ValidationError, match="needs an owner"):
        remove_member(membership(alice).pk, by=alice_actor)


def test_owner_leaves_when_there_is_another(in_workspace, alice, alice_actor, bob):
    change_role(membership(bob).pk, Role.OWNER, by=alice_actor)
    remove_member(membership(alice).pk, by=alice_actor)
    assert not Membership.objects.filter(user=alice).exists()


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_leave_one_behind(workspace, alice, bob, actor_of):
    Membership.objects.filter(user=bob).update(role=Role.OWNER)

    def leave(actor, pk) -> str:
        try:
            with workspace_scope(workspace.pk):
                remove_member(pk, by=actor)
        except ValidationError:
            return "refused"
        finally:
            connections.close_all()
        return "left"

    jobs = [(actor_of(user), membership(user).pk) for user in (alice, bob)]
    with ThreadPool(2) as pool:
        assert sorted(pool.starmap(leave, jobs)) == ["left", "refused"]
    assert Membership.objects.filter(workspace=workspace, role=Role.OWNER).count() == 1


def test_role_that_is_none_is_refused(in_workspace, alice_actor, bob):
    with pytest.raises(ValidationError, match="role"):
        change_role(membership(bob).pk, "emperor", by=alice_actor)


def test_everybody_may_leave(in_workspace, vic, vic_actor):
    remove_member(membership(vic).pk, by=vic_actor)
    assert not Membership.objects.filter(user=vic).exists()
    assert last_action() == "member.remove"


def test_viewer_cannot_remove_somebody(in_workspace, vic_actor, bob):
    with pytest.raises(PermissionDenied):
        remove_member(membership(bob).pk, by=vic_actor)


@pytest.mark.parametrize("act", [remove_member, partial(change_role, role=Role.VIEWER)])
def test_member_of_another_workspace_is_not_found(in_workspace, alice_actor, charlie, other_workspace, act):
    with pytest.raises(Http404):
        act(membership(charlie).pk, by=alice_actor)


# --- invitations -------------------------------------------------------------------------------------------------


@pytest.fixture
def invitation(in_workspace, alice_actor) -> Invitation:
    return invite_member(" New@Example.org", Role.EDITOR, by=alice_actor)


def test_invitation_is_for_a_small_lettered_address_and_audited(invitation):
    assert invitation.email == "new@example.org"
    assert last_action() == "member.invite"


def test_mail_is_sent_after_the_transaction(alice_actor, workspace, django_capture_on_commit_callbacks, monkeypatch):
    monkeypatch.setitem(celery.conf, "task_always_eager", True)
    with django_capture_on_commit_callbacks(execute=True), workspace_scope(workspace.pk):
        invite_member("new@example.org", Role.EDITOR, by=alice_actor)
        assert mail.outbox == []
    assert mail.outbox[0].to == ["new@example.org"]


def test_mail_says_who_invites_where_and_as_what(invitation, settings):
    settings.BASE_URL = "https://rostrum.example"
    mail_invitation(invitation.pk)
    message = mail.outbox[0]
    assert message.subject == "Alice invites you to Roastery"
    assert "as editor" in message.body
    assert "https://rostrum.example/invitations/" in message.body


def test_name_with_a_line_break_writes_no_header(invitation, alice):
    User.objects.filter(pk=alice.pk).update(name="Alice\nBcc: victim@example.org")
    mail_invitation(invitation.pk)
    assert mail.outbox[0].subject == "Alice Bcc: victim@example.org invites you to Roastery"
    assert mail.outbox[0].recipients() == ["new@example.org"]


def test_no_mail_for_an_invitation_that_is_gone(invitation):
    pk = invitation.pk
    invitation.delete()
    mail_invitation(pk)
    assert mail.outbox == []


def test_second_invitation_replaces_the_first(invitation, alice_actor):
    second = invite_member("new@example.org", Role.VIEWER, by=alice_actor)
    assert list(Invitation.objects.all()) == [second]


def test_member_is_not_invited_again(in_workspace, alice_actor, bob):
    with pytest.raises(ValidationError, match="already a member"):
        invite_member("BOB@example.org", Role.VIEWER, by=alice_actor)


def test_wrong_address_is_named(in_workspace, alice_actor):
    with pytest.raises(ValidationError) as caught:
        invite_member("nobody", Role.VIEWER, by=alice_actor)
    assert list(caught.value.message_dict) == ["email"]


def test_admin_cannot_invite_an_owner(in_workspace, adam_actor):
    with pytest.raises(PermissionDenied, match="Only an owner"):
        invite_member("new@example.org", Role.OWNER, by=adam_actor)


def test_editor_cannot_invite(in_workspace, bob_actor):
    with pytest.raises(PermissionDenied):
        invite_member("new@example.org", Role.VIEWER, by=bob_actor)


def test_withdrawn_invitation_is_audited(invitation, alice_actor):
    revoke_invitation(invitation.pk, by=alice_actor)
    assert last_action() == "member.uninvite"
    assert not Invitation.objects.exists()


def test_invitation_of_another_workspace_is_not_found(invitation, charlie_actor, other_workspace):
    with workspace_scope(other_workspace.pk), pytest.raises(Http404):
        revoke_invitation(invitation.pk, by=charlie_actor)


# --- notifications -------------------------------------------------------------------------------------------------


def test_those_who_may_act_are_told(in_workspace, alice, bob, rita, gwen):
    notify(in_workspace, "review.waiting", "A post waits", perm=Perm.REVIEW)
    assert set(Notification.objects.values_list("user__email", flat=True)) == {"alice@example.org", "rita@example.org"}


def test_notification_leads_into_its_workspace(in_workspace, alice):
    notify(in_workspace, "test", "Look", path="/posts/1")
    assert Notification.objects.get().href == "/w/roastery/posts/1"


def test_reading_marks_only_ones_own(in_workspace, alice_actor, bob):
    notify(in_workspace, "test", "Look")
    mark_read(by=alice_actor)
    assert list(Notification.objects.filter(read_at=None).values_list("user", flat=True)) == [bob.pk]
