import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry, Notification
from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import now
from social import services, tasks
from social.models import Connection, Credential, OAuthState
from social.networks.port import Failure, NetworkError

pytestmark = pytest.mark.django_db
Status = Connection.Status


@pytest.fixture
def put(connection):
    """Sets fields of the connection behind everybody's back."""

    def change(**fields) -> None:
        with workspace_scope(connection.workspace_id):
            Connection.objects.filter(pk=connection.pk).update(**fields)

    return change


@pytest.fixture
def scoped(connection):
    with workspace_scope(connection.workspace_id):
        yield connection


def audited() -> list[str]:
    with all_workspaces_scope("test"):
        return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def told() -> list[str]:
    with all_workspaces_scope("test"):
        return list(Notification.objects.values_list("text", flat=True))


# --- pausing ------------------------------------------------------------------------------------------------


def test_pausing_and_resuming_are_audited(scoped, alice_actor):
    assert services.set_paused(scoped, True, by=alice_actor)
    assert scoped.status == Status.PAUSED
    assert services.set_paused(scoped, False, by=alice_actor)
    assert scoped.status == Status.ACTIVE
    assert audited()[-2:] == ["connection.pause", "connection.resume"]


def test_the_card_says_who_paused(scoped, alice_actor):
    services.set_paused(scoped, True, by=alice_actor)
    assert scoped.status_text == "Paused by alice@example.org."


def test_resuming_clears_the_text(scoped, alice_actor):
    services.set_paused(scoped, True, by=alice_actor)
    services.set_paused(scoped, False, by=alice_actor)
    assert scoped.status_text == ""


@pytest.mark.parametrize("status", [Status.RECONNECT, Status.SUSPENDED, Status.DISCONNECTED, Status.ACTIVE])
def test_only_a_paused_connection_can_be_resumed(scoped, put, alice_actor, status):
    put(status=status)
    assert services.set_paused(scoped, False, by=alice_actor) is False
    assert scoped.status == status


def test_an_editor_cannot_pause(scoped, bob_actor):
    with pytest.raises(PermissionDenied):
        services.set_paused(scoped, True, by=bob_actor)


def test_the_network_pauses_and_people_are_told_once(scoped, reloaded):
    error = NetworkError(Failure.PAUSED, "credits", "No credits left.")
    services.pause_by_network(scoped, error)
    services.pause_by_network(scoped, error)
    assert reloaded(scoped).status_text == "No credits left."
    assert told() == ["@roastery is paused: No credits left."]


# --- staff --------------------------------------------------------------------------------------------------


def test_a_suspension_stops_the_account_at_once_and_tells_its_admins(connection, reloaded):
    with all_workspaces_scope("test"):
        assert services.suspend(connection, staff="staff@example.org", reason="Spam")
    assert reloaded(connection).status == Status.SUSPENDED
    assert reloaded(connection).health == "error"
    assert told() == ["@roastery was suspended by staff: Spam"]


def test_a_suspension_says_why_on_the_card_and_in_both_trails(connection, reloaded):
    with all_workspaces_scope("test"):
        services.suspend(connection, staff="staff@example.org", reason="Spam")
        entries = AuditEntry.objects.filter(action="connection.suspend").select_related("detail")
        actors = {(entry.workspace_id is None, entry.detail.actor, entry.detail.data["reason"]) for entry in entries}
    assert reloaded(connection).status_text.endswith("The reason: Spam")
    assert actors == {(True, "staff@example.org", "Spam"), (False, "staff", "Spam")}


@pytest.mark.parametrize("act", [services.suspend, services.unsuspend])
@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_staff_have_to_say_why(connection, reloaded, act, reason):
    with all_workspaces_scope("test"), pytest.raises(ValidationError, match="Say why"):
        act(connection, staff="staff@example.org", reason=reason)
    assert reloaded(connection).status == Status.ACTIVE


def test_a_second_suspension_changes_nothing(connection):
    with all_workspaces_scope("test"):
        services.suspend(connection, staff="staff@example.org", reason="Spam")
        assert services.suspend(connection, staff="staff@example.org", reason="Spam") is False


def test_the_end_of_a_suspension_leaves_the_account_paused(connection, reloaded):
    with all_workspaces_scope("test"):
        services.suspend(connection, staff="staff@example.org", reason="Spam")
        assert services.unsuspend(connection, staff="staff@example.org", reason="Spam")
    assert reloaded(connection).status == Status.PAUSED


def test_only_a_suspension_can_be_ended(connection, reloaded):
    with all_workspaces_scope("test"):
        assert services.unsuspend(connection, staff="staff@example.org", reason="Spam") is False
    assert reloaded(connection).status == Status.ACTIVE


# --- disconnecting ------------------------------------------------------------------------------------------


@pytest.fixture
def disconnect(connection, alice_actor, django_capture_on_commit_callbacks, celery_eager):
    def run() -> None:
        with django_capture_on_commit_callbacks(execute=True), workspace_scope(connection.workspace_id):
            services.disconnect(connection, by=alice_actor)

    return run


def credentials_left() -> int:
    with all_workspaces_scope("test"):
        return Credential.objects.count()


def test_disconnecting_revokes_the_tokens_at_x_and_deletes_them(sandbox, disconnect, connection, credential_of):
    token = credential_of(connection).access_token
    disconnect()
    assert len(sandbox.ledger(effect="revoke")) == 2
    assert credentials_left() == 0
    assert (
        sandbox.sign_in("other").call("GET", "/2/users/me", headers={"Authorization": f"Bearer {token}"}).status_code
        == 401
    )


def test_disconnecting_keeps_the_row(disconnect, connection, reloaded):
    disconnect()
    assert reloaded(connection).status == Status.DISCONNECTED
    assert reloaded(connection).status_text == "Disconnected by alice@example.org."


def test_disconnecting_twice_is_recorded_once(disconnect):
    disconnect()
    disconnect()
    assert audited().count("connection.disconnect") == 1


def test_tokens_that_cannot_be_revoked_now_are_revoked_by_the_sweep(sandbox, disconnect):
    sandbox.fault("html_5xx", route="POST /2/oauth2/revoke")
    disconnect()
    assert credentials_left() == 1
    tasks.sweep_revocations()
    assert credentials_left() == 0


def test_a_token_that_x_does_not_know_needs_no_revoking(sandbox, disconnect):
    body = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
    sandbox.fault("status", route="POST /2/oauth2/revoke", count=2, status=400, body=body)
    disconnect()
    assert credentials_left() == 0


def test_the_sweep_leaves_connected_accounts_alone(sandbox, connection):
    tasks.sweep_revocations()
    assert credentials_left() == 1
    assert sandbox.ledger(effect="revoke") == []


def test_keys_of_oauth1_are_deleted_but_not_revoked(sandbox, disconnect, connection, change_credential):
    change_credential(connection, kind=Credential.Kind.OAUTH1)
    disconnect()
    assert credentials_left() == 0
    assert sandbox.ledger(effect="revoke") == []


def test_reconnecting_while_the_tokens_are_being_revoked_keeps_the_new_ones(
    connected, connection, alice_actor, monkeypatch
):
    with workspace_scope(connection.workspace_id):
        services.disconnect(connection, by=alice_actor)
    revoke = services._revoke

    def reconnect_meanwhile(keys, token) -> None:
        monkeypatch.setattr(services, "_revoke", revoke)
        connected()

    monkeypatch.setattr(services, "_revoke", reconnect_meanwhile)
    services.revoke_tokens(connection.workspace_id, connection.pk)
    assert credentials_left() == 1


def test_an_editor_cannot_disconnect(scoped, bob_actor, reloaded):
    with pytest.raises(PermissionDenied):
        services.disconnect(scoped, by=bob_actor)
    assert reloaded(scoped).status == Status.ACTIVE


# --- checking -----------------------------------------------------------------------------------------------


def test_a_check_brings_the_account_up_to_date(sandbox, connection, put, reloaded):
    put(checked_at=None)
    sandbox.post("/accounts", handle="roastery", name="Renamed", followers=99, premium=True)
    services.check_connection(connection)
    fresh = reloaded(connection)
    assert (fresh.name, fresh.followers, fresh.is_premium) == ("Renamed", 99, True)
    assert fresh.checked_at is not None


def test_a_check_that_works_heals_a_connection(connection, put, reloaded):
    put(status=Status.RECONNECT, status_text="X said no.")
    services.check_connection(connection)
    assert (reloaded(connection).status, reloaded(connection).status_text) == (Status.ACTIVE, "")


def test_a_check_does_not_resume_a_paused_connection(connection, put, reloaded):
    put(status=Status.PAUSED)
    services.check_connection(connection)
    assert reloaded(connection).status == Status.PAUSED


def test_a_check_that_x_refuses_for_good_marks_the_connection(sandbox, connection, reloaded):
    sandbox.fault("token_expired", route="GET /2/users/me")
    sandbox.fault("refresh_family_revoked")
    with pytest.raises(NetworkError):
        services.check_connection(connection)
    assert reloaded(connection).status == Status.RECONNECT
    assert len(told()) == 1


def test_a_token_that_is_refused_even_when_new_marks_the_connection(sandbox, connection, reloaded):
    sandbox.fault("token_expired", route="GET /2/users/me", count=2)
    with pytest.raises(NetworkError):
        services.check_connection(connection)
    assert reloaded(connection).status == Status.RECONNECT


def test_a_check_while_x_is_down_changes_nothing_but_the_time(sandbox, connection, put, reloaded):
    put(checked_at=None)
    sandbox.fault("html_5xx", route="GET /2/users/me")
    with pytest.raises(NetworkError):
        services.check_connection(connection)
    assert reloaded(connection).status == Status.ACTIVE
    assert reloaded(connection).checked_at is not None


def test_a_disconnected_account_is_not_checked(scoped, put, alice_actor):
    put(status=Status.DISCONNECTED)
    scoped.refresh_from_db()
    with pytest.raises(ValidationError, match="disconnected"):
        services.request_check(scoped, by=alice_actor)


def test_the_daily_check_asks_for_what_is_old_and_active(sandbox, connection, put, celery_eager, reloaded):
    put(checked_at=now() - tasks.CHECK_AGE * 2)
    tasks.check_connections()
    assert now() - reloaded(connection).checked_at < tasks.CHECK_AGE


@pytest.mark.parametrize("status", [Status.PAUSED, Status.RECONNECT, Status.SUSPENDED, Status.DISCONNECTED])
def test_the_daily_check_spends_nothing_on_the_others(sandbox, connection, put, celery_eager, status):
    put(status=status, checked_at=now() - tasks.CHECK_AGE * 2)
    before = len(sandbox.ledger())
    tasks.check_connections()
    assert len(sandbox.ledger()) == before


def test_the_daily_check_spends_nothing_on_what_was_just_checked(sandbox, connection, celery_eager):
    before = len(sandbox.ledger())
    tasks.check_connections()
    assert len(sandbox.ledger()) == before


def test_a_failed_check_does_not_fail_the_task(sandbox, connection):
    sandbox.fault("html_5xx", route="GET /2/users/me")
    tasks.check_connection(str(connection.workspace_id), str(connection.pk))


def test_a_check_of_an_account_that_is_gone_does_nothing(sandbox, workspace):
    tasks.check_connection(str(workspace.pk), str(workspace.pk))
    assert sandbox.ledger() == []


# --- leftovers ----------------------------------------------------------------------------------------------


def test_expired_states_are_deleted_and_open_ones_kept(begin, alice_actor):
    begin(alice_actor)
    begin(alice_actor)
    with all_workspaces_scope("test"):
        expired = OAuthState.objects.first()
        OAuthState.objects.filter(pk=expired.pk).update(expires_at=now())
    tasks.forget_oauth_states()
    with all_workspaces_scope("test"):
        assert [state.pk == expired.pk for state in OAuthState.objects.all()] == [False]


def test_tasks_carry_ids_and_nothing_else(connection, alice_actor, django_capture_on_commit_callbacks, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.revoke_credential, "apply_async", lambda args=(), kwargs=None, **_: sent.append(args))
    with django_capture_on_commit_callbacks(execute=True), workspace_scope(connection.workspace_id):
        services.disconnect(connection, by=alice_actor)
    assert sent == [(str(connection.workspace_id), str(connection.pk))]
