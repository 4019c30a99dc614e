"""Every act of accounts by every role, asked of the services: the doors in front of them hold nothing of their own."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.access import ROLE_PERMS, SCOPES, Actor, Perm, actor_for, system_actor
from accounts.models import ApiKey, AuditEntry, Invitation, Membership, Role, User, Workspace
from accounts.services import (
    change_role,
    create_api_key,
    invite_member,
    remove_member,
    revoke_api_key,
    revoke_invitation,
    update_workspace,
)

pytestmark = pytest.mark.django_db
OWNERS = {Role.OWNER}
ADMINS = {Role.OWNER, Role.ADMIN}


@dataclass
class Targets:
    """What the acts act on; the second owner leaves the first one free to step down."""

    viewer: Membership
    owner: Membership
    invitation: Invitation
    key: ApiKey


def rename(by: Actor, _on: Targets) -> object:
    return update_workspace(by=by, name="Renamed", time_zone="UTC", four_eyes=True, late_minutes=5)


ACTS: list[tuple[str, Callable[[Actor, Targets], object], set[Role]]] = [
    ("change the settings", rename, ADMINS),
    ("invite a viewer", lambda by, on: invite_member("new@example.org", Role.VIEWER, by=by), ADMINS),
    ("invite an admin", lambda by, on: invite_member("new@example.org", Role.ADMIN, by=by), ADMINS),
    ("invite an owner", lambda by, on: invite_member("new@example.org", Role.OWNER, by=by), OWNERS),
    ("invite a guest", lambda by, on: invite_member("new@example.org", Role.GUEST, by=by), ADMINS),
    ("withdraw an invitation", lambda by, on: revoke_invitation(on.invitation.pk, by=by), ADMINS),
    ("make a viewer an admin", lambda by, on: change_role(on.viewer.pk, Role.ADMIN, by=by), ADMINS),
    ("make a viewer an owner", lambda by, on: change_role(on.viewer.pk, Role.OWNER, by=by), OWNERS),
    ("make a viewer a guest", lambda by, on: change_role(on.viewer.pk, Role.GUEST, by=by), ADMINS),
    ("make an owner a viewer", lambda by, on: change_role(on.owner.pk, Role.VIEWER, by=by), OWNERS),
    ("leave an owner an owner", lambda by, on: change_role(on.owner.pk, Role.OWNER, by=by), OWNERS),
    ("remove a viewer", lambda by, on: remove_member(on.viewer.pk, by=by), ADMINS),
    ("remove an owner", lambda by, on: remove_member(on.owner.pk, by=by), OWNERS),
    ("make a key", lambda by, on: create_api_key("Key", ["read"], by=by), ADMINS),
    ("revoke a key", lambda by, on: revoke_api_key(on.key.pk, by=by), ADMINS),
    ("leave", lambda by, on: remove_member(Membership.objects.get(user=by.user).pk, by=by), set(Role)),
]
BY_NAME = pytest.mark.parametrize(("name", "act", "allowed"), ACTS, ids=[name for name, _act, _allowed in ACTS])


@pytest.fixture
def enter(workspace) -> Callable[[str, str], Membership]:
    def add(name: str, role: str) -> Membership:
        user = User.objects.create(email=f"{name}@example.org")
        return Membership.objects.create(user=user, workspace=workspace, role=role)

    return add


@pytest.fixture
def targets(in_workspace, alice_actor, enter) -> Targets:
    return Targets(
        enter("viewer.target", Role.VIEWER),
        enter("owner.target", Role.OWNER),
        invite_member("invited@example.org", Role.VIEWER, by=alice_actor),
        create_api_key("Old key", ["read"], by=alice_actor)[0],
    )


@pytest.fixture
def actors(enter) -> dict[Role, Actor]:
    return {role: actor_for(enter(f"acting.{role}", role)) for role in Role}


class Undo(Exception):
    """Ends an act that was allowed, so that the next role finds everything as it was."""


def entries_left_by(act: Callable[[Actor, Targets], object], by: Actor, on: Targets) -> list[str]:
    """Who the trail names for the act: nobody where it was refused."""
    before = AuditEntry.objects.count()
    found: list[str] = []
    try:
        with transaction.atomic():
            act(by, on)
            found = [entry.detail.actor for entry in AuditEntry.objects.order_by("number")[before:]]
            raise Undo
    except (Undo, PermissionDenied):
        return found


@BY_NAME
def test_act_is_done_by_the_roles_of_the_table_and_written_down_once(name, act, allowed, actors, targets):
    trail = {role: entries_left_by(act, actor, targets) for role, actor in actors.items()}
    assert trail == {role: [actor.label] if role in allowed else [] for role, actor in actors.items()}


@BY_NAME
def test_act_is_refused_to_a_system_that_was_given_other_permissions(name, act, allowed, workspace, targets):
    other = set(Perm) - {Perm.MEMBERS, Perm.SETTINGS, Perm.API_KEYS}
    with pytest.raises((PermissionDenied, Membership.DoesNotExist)):
        act(system_actor(workspace, "policy", other), targets)


@pytest.mark.parametrize(
    ("perm", "roles"),
    [
        (Perm.VIEW, {"owner", "admin", "editor", "reviewer", "viewer"}),
        (Perm.CONTENT_EDIT, {"owner", "admin", "editor"}),
        (Perm.PUBLISH, {"owner", "admin", "editor"}),
        (Perm.REVIEW, {"owner", "admin", "reviewer"}),
        (Perm.CONNECTIONS, {"owner", "admin"}),
        (Perm.MEMBERS, {"owner", "admin"}),
        (Perm.SETTINGS, {"owner", "admin"}),
        (Perm.API_KEYS, {"owner", "admin"}),
        (Perm.AUDIT, {"owner", "admin"}),
        (Perm.DELETE, {"owner"}),
    ],
)
def test_permission_belongs_to_these_roles_and_no_other(perm, roles):
    assert {role for role, perms in ROLE_PERMS.items() if perm in perms} == roles


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_scope_of_a_key_is_never_more_than_an_editor_or_admin_may(scope):
    assert SCOPES[scope] <= ROLE_PERMS[Role.ADMIN]
    assert Perm.VIEW in SCOPES[scope]


# --- owners ------------------------------------------------------------------------------------------------------


@pytest.fixture
def second_owner(in_workspace, enter) -> Membership:
    return enter("second", Role.OWNER)


def test_owner_steps_down_where_there_is_another(alice, alice_actor, second_owner):
    mine = Membership.objects.get(user=alice)
    change_role(mine.pk, Role.EDITOR, by=alice_actor)
    assert set(Membership.objects.values_list("user__email", "role")) == {
        ("alice@example.org", "editor"),
        ("second@example.org", "owner"),
    }


def test_two_owners_cannot_both_step_down(alice, alice_actor, second_owner):
    change_role(second_owner.pk, Role.ADMIN, by=alice_actor)
    with pytest.raises(Exception, match="needs an owner"):
        change_role(Membership.objects.get(user=alice).pk, Role.ADMIN, by=alice_actor)
    assert Membership.objects.filter(role=Role.OWNER).count() == 1


def test_owner_of_another_workspace_does_not_count(alice, alice_actor, in_workspace, other_workspace):
    with pytest.raises(Exception, match="needs an owner"):
        remove_member(Membership.objects.get(user=alice).pk, by=alice_actor)


def test_change_of_a_role_is_recorded_with_both(alice_actor, second_owner):
    change_role(second_owner.pk, Role.GUEST, by=alice_actor)
    assert AuditEntry.objects.latest("number").detail.data == {
        "user": "second@example.org",
        "before": "owner",
        "after": "guest",
    }


def test_role_in_one_workspace_says_nothing_about_another(alice, bob, workspace, other_workspace):
    Membership.objects.create(user=bob, workspace=other_workspace, role=Role.OWNER)
    here = actor_for(Membership.objects.get(user=bob, workspace=workspace))
    assert (here.role, here.can(Perm.MEMBERS)) == ("editor", False)


# --- settings ----------------------------------------------------------------------------------------------------

SAME = {"name": "Roastery", "time_zone": "Europe/Berlin", "four_eyes": False, "late_minutes": 60}


@pytest.mark.parametrize(
    ("name", "value"), [("name", "烘焙坊"), ("time_zone", "UTC"), ("four_eyes", True), ("late_minutes", 1)]
)
def test_trail_names_the_one_setting_that_changed_with_both_values(in_workspace, alice_actor, name, value):
    update_workspace(by=alice_actor, **(SAME | {name: value}))
    assert AuditEntry.objects.latest("number").detail.data == {"changed": {name: [SAME[name], value]}}


@pytest.mark.parametrize("name", ["x" * 81, "", "\u3000"])
def test_name_that_is_too_long_or_empty_is_refused_and_not_cut(in_workspace, alice_actor, name):
    with pytest.raises(Exception, match="name"):
        update_workspace(by=alice_actor, **(SAME | {"name": name}))
    assert Workspace.objects.get().name == "Roastery"


def test_new_name_does_not_change_the_address(in_workspace, alice_actor):
    update_workspace(by=alice_actor, **(SAME | {"name": "Tea House"}))
    assert Workspace.objects.get().slug == "roastery"


def test_one_setting_is_saved_without_writing_over_the_others(in_workspace, alice_actor):
    Workspace.objects.update(is_suspended=True)
    update_workspace(by=alice_actor, **(SAME | {"late_minutes": 7}))
    assert Workspace.objects.get().is_suspended is True
