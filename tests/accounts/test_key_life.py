"""An API key from its first to its last second, and what it may do meanwhile."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from accounts.access import ROLE_PERMS, SCOPES, Perm
from accounts.api_auth import key_actor
from accounts.models import ApiKey, AuditEntry, Membership, Role
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import create_api_key, hash_key, revoke_api_key
from lib.clock import now, shifted

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def make(workspace, alice_actor):
    def create(*scopes: str, by=alice_actor, lives: timedelta | None = None) -> tuple[ApiKey, str]:
        with workspace_scope(workspace.pk):
            expires_at = now() + lives if lives else None
            return create_api_key("Importer", list(scopes or SCOPES), by=by, expires_at=expires_at)

    return create


def opens(api, secret: str) -> int:
    return api(secret).get("/api/auth/me").status_code


def stored(key: ApiKey) -> ApiKey:
    with workspace_scope(key.workspace_id):
        return ApiKey.objects.get(pk=key.pk)


# --- its life ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("later", "status"), [(timedelta(), 200), (59 * MINUTE, 200), (61 * MINUTE, 401)])
def test_key_opens_until_it_expires(api, make, later, status):
    _key, secret = make(lives=60 * MINUTE)
    with shifted(later):
        assert opens(api, secret) == status


def test_page_and_door_agree_on_when_a_key_is_expired(api, make):
    key, secret = make(lives=60 * MINUTE)
    with shifted(60 * MINUTE):
        assert (stored(key).is_expired, opens(api, secret)) == (True, 401)


def test_key_without_an_end_opens_after_years(api, make):
    key, secret = make()
    with shifted(timedelta(days=3650)):
        assert (stored(key).is_expired, opens(api, secret)) == (False, 200)


def test_key_that_is_expired_unknown_or_revoked_is_answered_alike(api, make, alice_actor, workspace):
    _expired, first = make(lives=MINUTE)
    revoked, second = make()
    with workspace_scope(workspace.pk):
        revoke_api_key(revoked.pk, by=alice_actor)
    with shifted(2 * MINUTE):
        answers = [api(secret).get("/api/auth/me").content for secret in (first, second, "rk_unknown")]
    assert len(set(answers)) == 1


@pytest.mark.parametrize("change", [str.upper, lambda s: s[:-1], lambda s: s + "=", lambda s: s[:9], hash_key])
def test_nothing_but_the_whole_secret_opens(api, make, change):
    _key, secret = make()
    assert opens(api, change(secret)) == 401
    assert opens(api, secret) == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_word_before_the_secret_may_be_written_in_any_letters(api, make, scheme):
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {make()[1]}")
    assert client.get("/api/auth/me").status_code == 200


@pytest.mark.parametrize("scheme", ["", "Basic", "Token", "Bearer\t"])
def test_another_word_before_the_secret_opens_nothing(api, make, scheme):
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {make()[1]}")
    assert client.get("/api/auth/me").status_code == 401


def test_revoking_twice_is_one_act_and_keeps_the_first_moment(make, alice_actor, in_workspace):
    key, _secret = make()
    revoke_api_key(key.pk, by=alice_actor)
    first = stored(key).revoked_at
    with shifted(MINUTE):
        revoke_api_key(key.pk, by=alice_actor)
    assert stored(key).revoked_at == first
    assert AuditEntry.objects.filter(action="api_key.revoke").count() == 1


def test_key_shows_the_beginning_of_its_secret_and_no_more(make):
    key, secret = make()
    assert key.prefix == secret[:9]
    assert str(key) == f"Importer ({secret[:9]}…)"
    assert secret not in repr(key.__dict__)


def test_two_keys_of_one_name_have_different_secrets(make):
    assert make()[1] != make()[1]


def test_trail_of_a_key_holds_its_rights_and_no_part_of_its_secret(make, in_workspace):
    _key, secret = make("write", "read")
    detail = AuditEntry.objects.get(action="api_key.create").detail
    assert detail.data == {"name": "Importer", "scopes": ["read", "write"]}
    assert secret[3:] not in str(detail.__dict__)


# --- when it was used ------------------------------------------------------------------------------------------------


def test_new_key_was_never_used(make):
    assert stored(make()[0]).last_used_at is None


def test_use_is_remembered_anew_after_a_minute(api, make):
    key, secret = make()
    opens(api, secret)
    first = stored(key).last_used_at
    with shifted(MINUTE):
        opens(api, secret)
    assert stored(key).last_used_at >= first + timedelta(seconds=59)


def test_refused_use_is_not_remembered(api, make):
    key, secret = make(lives=MINUTE)
    with shifted(2 * MINUTE):
        opens(api, secret)
    assert stored(key).last_used_at is None


# --- what it may do --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", sorted(SCOPES))
@pytest.mark.parametrize("role", Role.values)
def test_key_may_what_its_scope_and_the_role_of_its_maker_both_allow(make, alice, scope, role):
    key, _secret = make(scope)
    Membership.objects.filter(user=alice).update(role=role)
    assert key_actor(key).perms == SCOPES[scope] & ROLE_PERMS[role]


def test_key_of_several_scopes_may_what_each_of_them_allows(make):
    assert key_actor(make("write", "publish")[0]).perms == {Perm.VIEW, Perm.CONTENT_EDIT, Perm.PUBLISH}


def test_key_gets_back_what_its_maker_gets_back(make, alice):
    key, _secret = make("publish")
    Membership.objects.update(role=Role.VIEWER)
    assert not key_actor(key).can(Perm.PUBLISH)
    Membership.objects.update(role=Role.EDITOR)
    assert key_actor(key).can(Perm.PUBLISH)


def test_key_of_somebody_who_left_stands_for_nobody(make, alice):
    key, _secret = make("read")
    Membership.objects.filter(user=alice).delete()
    assert key_actor(key) is None


def test_key_outlives_a_new_password_of_its_maker(api, make, alice):
    _key, secret = make("read")
    alice.set_password("another long secret")
    alice.save()
    assert opens(api, secret) == 200


def test_key_of_a_deleted_person_opens_nothing(api, make, staff, actor_of, workspace):
    Membership.objects.create(user=staff, workspace=workspace, role=Role.ADMIN)
    key, secret = make("read", by=actor_of(staff))
    with all_workspaces_scope("as in the admin"):
        staff.delete()
    assert (stored(key).created_by, opens(api, secret)) == (None, 401)


def test_key_acts_under_its_own_name(make):
    key, _secret = make("read")
    actor = key_actor(key)
    assert (actor.label, actor.api_key_id) == (f"API key {key.prefix}…", key.pk)
    assert actor.label not in {"", key.created_by.email}


@pytest.mark.parametrize(
    ("perm", "words"),
    [(Perm.PUBLISH, "scope “publish”"), (Perm.REVIEW, "only a person"), (Perm.SETTINGS, "only a person")],
)
def test_a_key_that_may_not_is_told_what_it_lacks(make, perm, words):
    key, _secret = make("read")
    with pytest.raises(PermissionDenied, match=words):
        key_actor(key).require(perm)
