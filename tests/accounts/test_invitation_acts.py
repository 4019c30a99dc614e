"""Invitations below the pages: their last second, their races and what accepting them changes."""

from datetime import timedelta
from multiprocessing.pool import ThreadPool

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connections, transaction
from django.http import Http404

from accounts.models import AuditEntry, Invitation, Membership, Role, User
from accounts.scope import workspace_scope
from accounts.services import (
    accept_invitation,
    find_invitation,
    invitation_token,
    invite_member,
    remove_member,
    revoke_invitation,
)
from accounts.tasks import one_line
from lib.clock import now, shifted

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def nora(db) -> User:
    return User.objects.create_user("Nora@Example.org", None)


@pytest.fixture
def invitation(workspace, alice_actor) -> Invitation:
    with workspace_scope(workspace.pk):
        return invite_member("nora@example.org", Role.EDITOR, by=alice_actor)


@pytest.mark.parametrize(
    ("later", "is_open"),
    [
        (timedelta(), True),
        (WEEK - timedelta(minutes=1), True),
        (WEEK, False),
        (WEEK + timedelta(minutes=1), False),
    ],
)
def test_invitation_is_open_for_a_week_and_no_longer(invitation, later, is_open):
    token = invitation_token(invitation)
    with shifted(later):
        assert (find_invitation(token) == invitation) is is_open


def test_link_sent_again_does_not_lengthen_the_week(invitation):
    with shifted(WEEK + timedelta(seconds=1)):
        assert find_invitation(invitation_token(invitation)) is None


def test_second_invitation_begins_a_new_week(invitation, workspace, alice_actor):
    with shifted(timedelta(days=6)):
        with workspace_scope(workspace.pk):
            again = invite_member("nora@example.org", Role.VIEWER, by=alice_actor)
        assert again.expires_at > now() + timedelta(days=6, hours=23)
        assert find_invitation(invitation_token(again)).role == Role.VIEWER


def test_link_of_the_first_invitation_ends_with_the_second(invitation, workspace, alice_actor):
    token = invitation_token(invitation)
    with workspace_scope(workspace.pk):
        invite_member("nora@example.org", Role.VIEWER, by=alice_actor)
    assert find_invitation(token) is None


def test_one_address_is_invited_to_two_workspaces(invitation, other_workspace, charlie_actor, nora):
    with workspace_scope(other_workspace.pk):
        other = invite_member("nora@example.org", Role.VIEWER, by=charlie_actor)
    for each in (invitation, other):
        accept_invitation(each, nora)
    assert set(Membership.objects.filter(user=nora).values_list("workspace__slug", "role")) == {
        ("roastery", "editor"),
        ("bakery", "viewer"),
    }


def test_accepting_minds_no_capitals_and_leads_into_the_workspace(invitation, nora, workspace):
    member = accept_invitation(invitation, nora)
    nora.refresh_from_db()
    assert (member.role, nora.last_workspace_id) == (Role.EDITOR, workspace.pk)


def test_joining_is_recorded_in_the_name_of_the_one_who_joins(invitation, nora, workspace):
    accept_invitation(invitation, nora)
    with workspace_scope(workspace.pk):
        entry = AuditEntry.objects.latest("number")
        assert (entry.action, entry.detail.actor, entry.detail.data) == ("member.join", nora.email, {"role": "editor"})


def test_accepting_needs_no_scope_and_leaves_none_open(invitation, nora):
    accept_invitation(invitation, nora)
    assert not AuditEntry.objects.exists()


def test_somebody_else_cannot_accept_and_the_invitation_stays_open(invitation, bob):
    with pytest.raises(PermissionDenied, match=r"nora@example\.org"):
        accept_invitation(invitation, bob)
    assert find_invitation(invitation_token(invitation)) == invitation


def test_invitation_accepted_in_another_tab_is_said_to_be_used(invitation, nora):
    accept_invitation(Invitation.objects.get(), nora)
    with pytest.raises(ValidationError, match="already used"):
        accept_invitation(invitation, nora)


def test_used_invitation_cannot_be_withdrawn(invitation, nora, workspace, alice_actor):
    accept_invitation(invitation, nora)
    with workspace_scope(workspace.pk), pytest.raises(Http404):
        revoke_invitation(invitation.pk, by=alice_actor)


def test_used_invitation_does_not_let_back_in_who_was_removed(invitation, nora, workspace, alice_actor):
    token = invitation_token(invitation)
    member = accept_invitation(invitation, nora)
    with workspace_scope(workspace.pk):
        remove_member(member.pk, by=alice_actor)
    assert find_invitation(token) is None


def test_person_who_was_removed_can_be_invited_again(invitation, nora, workspace, alice_actor):
    member = accept_invitation(invitation, nora)
    with workspace_scope(workspace.pk):
        remove_member(member.pk, by=alice_actor)
        again = invite_member(nora.email, Role.VIEWER, by=alice_actor)
    assert accept_invitation(again, nora).role == Role.VIEWER


def test_database_keeps_one_open_invitation_of_an_address(invitation, workspace):
    with pytest.raises(IntegrityError, match="one_open_invitation"), transaction.atomic():
        Invitation.objects.create(workspace=workspace, email=invitation.email, role=Role.VIEWER, expires_at=now())


@pytest.mark.parametrize("role", ["", "Owner", "emperor", "owner "])
def test_role_that_is_none_invites_nobody(in_workspace, alice_actor, role):
    with pytest.raises(ValidationError, match="one of the roles"):
        invite_member("new@example.org", role, by=alice_actor)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "address", ["", "a@", "@b.org", "a b@c.org", "a@b.org\nBcc: c@d.org", "a@b.org,c@d.org", "a\0@b.org"]
)
def test_what_is_no_single_address_is_refused_beside_its_field(in_workspace, alice_actor, address):
    with pytest.raises(ValidationError) as caught:
        invite_member(address, Role.VIEWER, by=alice_actor)
    assert list(caught.value.message_dict) == ["email"]


@pytest.mark.parametrize(("name", "line"), [("A\r\nB", "A B"), (" a \t b ", "a b"), ("烘\u2028焙", "烘 焙"), ("", "")])
def test_name_in_a_subject_is_one_line(name, line):
    assert one_line(name) == line


# --- at once -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_invitation_accepted_twice_at_once_is_accepted_once(invitation, nora, workspace):
    def accept(_number: int) -> str:
        try:
            return str(accept_invitation(invitation, nora).role)
        except ValidationError as error:
            return error.messages[0]
        finally:
            connections.close_all()

    with ThreadPool(3) as pool:
        answers = pool.map(accept, range(3))
    assert sorted(answers) == ["This invitation was already used."] * 2 + ["editor"]
    with workspace_scope(workspace.pk):
        assert AuditEntry.objects.filter(action="member.join").count() == 1


@pytest.mark.django_db(transaction=True)
def test_address_invited_twice_at_once_has_one_open_invitation(workspace, alice_actor):
    def invite(role: str) -> str:
        try:
            with workspace_scope(workspace.pk):
                return invite_member("nora@example.org", role, by=alice_actor).role
        finally:
            connections.close_all()

    with ThreadPool(4) as pool:
        assert pool.map(invite, ["viewer", "editor"] * 4, chunksize=1) == ["viewer", "editor"] * 4
    assert Invitation.objects.count() == 1
