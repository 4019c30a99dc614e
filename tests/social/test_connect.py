import multiprocessing
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection as database
from django.db import connections as databases

from accounts.models import Event, Membership, Role, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import shifted
from social import connect
from social.connect import ConnectRefused, finish_connect, refuse_connect, save_own_app
from social.models import Connection, Credential, OAuthState
from social.networks.port import Failure, NetworkError
from tests.social.conftest import SESSION, visit_x

pytestmark = pytest.mark.django_db


def finish(back, user, session_key=SESSION):
    return finish_connect(state=back.state, code=back.code, user=user, session_key=session_key)


def test_connecting_stores_the_account_as_x_describes_it(sandbox, begin, alice, alice_actor):
    sandbox.post("/accounts", handle="roastery", name="The Roastery", premium=True, followers=4321)
    connection = finish(visit_x(begin(alice_actor)), alice)
    assert (connection.handle, connection.name) == ("roastery", "The Roastery")
    assert (connection.is_premium, connection.followers) == (True, 4321)
    assert connection.status == Connection.Status.ACTIVE
    assert connection.connected_by == alice


def test_a_fresh_connection_has_all_scopes_and_is_labelled_as_sandbox(connection):
    assert connection.missing_scopes == []
    assert connection.is_sandbox
    assert connection.health == "ok"


def test_tokens_are_stored_encrypted(connection, credential_of):
    credential = credential_of(connection)
    with workspace_scope(connection.workspace_id), database.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token FROM social_credential")
        stored = [bytes(value) for value in cursor.fetchone()]
    assert credential.access_token.encode() not in stored[0]
    assert credential.refresh_token.encode() not in stored[1]


def test_connecting_is_audited_and_told_to_other_apps(connection):
    with workspace_scope(connection.workspace_id):
        assert Event.objects.get(kind="connection.connected").payload["handle"] == "roastery"


def test_connecting_again_keeps_the_row_and_its_history(connected):
    first = connected()
    second = connected()
    assert second.pk == first.pk


def test_connecting_again_drops_everything_of_the_old_grant(
    sandbox, connection, change_credential, begin, credential_of, alice, alice_actor
):
    change_credential(connection, refresh_token="of-the-old-grant", token_secret="old")
    url = begin(alice_actor).replace("+offline.access", "")
    finish(visit_x(url), alice)
    credential = credential_of(connection)
    assert (credential.refresh_token, credential.token_secret) == ("", "")


def test_scopes_that_were_not_granted_are_named(begin, alice, alice_actor):
    url = begin(alice_actor).replace("media.write+", "").replace("+offline.access", "")
    connection = finish(visit_x(url), alice)
    assert connection.missing_scopes == ["media.write", "offline.access"]
    assert connection.health == "warning"


def test_an_editor_cannot_start(begin, bob_actor):
    with pytest.raises(PermissionDenied, match="Only admins"):
        begin(bob_actor)


def test_starting_without_an_x_app_says_what_is_missing(begin, alice_actor, settings):
    settings.X_CLIENT_ID = ""
    with pytest.raises(ValidationError, match="X_CLIENT_ID"):
        begin(alice_actor)


def test_the_state_is_not_stored_in_clear(begin, alice_actor):
    back = visit_x(begin(alice_actor))
    with all_workspaces_scope("test"):
        row = OAuthState.objects.get()
    assert back.state not in {row.state_hash, row.session_hash, row.verifier}


def test_a_state_works_once(begin, alice, alice_actor):
    back = visit_x(begin(alice_actor))
    finish(back, alice)
    with pytest.raises(ConnectRefused, match="not valid any more"):
        finish(back, alice)


def test_an_invented_state_is_refused(sandbox, alice, workspace):
    with pytest.raises(ConnectRefused, match="not valid any more"):
        finish_connect(state="invented", code="code", user=alice, session_key=SESSION)


def test_a_state_expires(begin, alice, alice_actor):
    back = visit_x(begin(alice_actor))
    with shifted(timedelta(minutes=16)), pytest.raises(ConnectRefused, match="not valid any more"):
        finish(back, alice)


def test_another_person_cannot_finish_what_alice_started(begin, alice_actor, charlie, other_workspace):
    back = visit_x(begin(alice_actor))
    with pytest.raises(ConnectRefused, match="another browser"):
        finish(back, charlie)


def test_another_session_of_the_same_person_cannot_finish(begin, alice, alice_actor):
    back = visit_x(begin(alice_actor))
    with pytest.raises(ConnectRefused, match="another browser"):
        finish(back, alice, session_key="another")


def test_a_wrong_person_does_not_use_the_state_up(begin, alice, alice_actor, charlie, other_workspace):
    back = visit_x(begin(alice_actor))
    with pytest.raises(ConnectRefused):
        finish(back, charlie)
    assert finish(back, alice).handle == "roastery"


def test_what_the_api_started_may_be_finished_in_any_session(begin, alice, alice_actor):
    back = visit_x(begin(alice_actor, session_key=""))
    assert finish(back, alice, session_key="any").handle == "roastery"


def test_what_the_api_started_still_belongs_to_one_person(begin, alice_actor, charlie, other_workspace):
    back = visit_x(begin(alice_actor, session_key=""))
    with pytest.raises(ConnectRefused, match="another browser"):
        finish(back, charlie)


def test_a_member_who_was_removed_meanwhile_cannot_finish(begin, alice, alice_actor, workspace):
    back = visit_x(begin(alice_actor))
    Membership.objects.filter(user=alice, workspace=workspace).delete()
    with pytest.raises(PermissionDenied, match="no longer a member"):
        finish(back, alice)


def test_a_member_who_lost_the_role_meanwhile_cannot_finish(begin, alice, alice_actor, workspace):
    back = visit_x(begin(alice_actor))
    Membership.objects.filter(user=alice).update(role=Role.EDITOR)
    with pytest.raises(PermissionDenied, match="Only admins"):
        finish(back, alice)


def test_nothing_is_connected_to_a_suspended_workspace(begin, alice, alice_actor, workspace):
    back = visit_x(begin(alice_actor))
    Workspace.objects.filter(pk=workspace.pk).update(is_suspended=True)
    with pytest.raises(PermissionDenied, match="suspended"):
        finish(back, alice)


def test_a_state_stays_in_its_workspace_when_the_person_has_several(begin, alice, alice_actor, other_workspace):
    Membership.objects.create(user=alice, workspace=other_workspace, role=Role.ADMIN)
    back = visit_x(begin(alice_actor))
    assert finish(back, alice).workspace_id == alice_actor.workspace.pk


def test_the_same_account_in_two_workspaces_is_two_connections(begin, connected, charlie, charlie_actor):
    mine = connected()
    theirs = finish(visit_x(begin(charlie_actor)), charlie)
    assert theirs.remote_id == mine.remote_id
    assert theirs.pk != mine.pk


def test_a_code_that_waited_too_long_is_refused_by_x(sandbox, begin, alice, alice_actor):
    back = visit_x(begin(alice_actor))
    sandbox.advance(31)
    with pytest.raises(NetworkError) as caught:
        finish(back, alice)
    assert caught.value.code == "token_refused"


def test_nothing_is_stored_when_x_fails_after_the_exchange(sandbox, begin, alice, alice_actor):
    back = visit_x(begin(alice_actor))
    sandbox.fault("status", route="GET /2/users/me", status=503)
    with pytest.raises(NetworkError):
        finish(back, alice)
    with all_workspaces_scope("test"):
        assert not Credential.objects.exists()


def test_tokens_that_nobody_will_use_are_revoked(sandbox, begin, alice, alice_actor):
    back = visit_x(begin(alice_actor))
    sandbox.fault("status", route="GET /2/users/me", status=503)
    with pytest.raises(NetworkError):
        finish(back, alice)
    assert len(sandbox.ledger(effect="revoke")) == 1


def test_the_first_error_is_told_when_revoking_fails_too(sandbox, begin, alice, alice_actor):
    back = visit_x(begin(alice_actor))
    sandbox.fault("status", route="GET /2/users/me", status=402)
    sandbox.fault("html_5xx", route="POST /2/oauth2/revoke")
    with pytest.raises(NetworkError) as caught:
        finish(back, alice)
    assert caught.value.failure is Failure.PAUSED


def test_saying_no_uses_the_state_up(begin, alice, alice_actor):
    back = visit_x(begin(alice_actor), decision="cancel")
    assert (back.error, back.code) == ("access_denied", "")
    refuse_connect(state=back.state, user=alice, session_key=SESSION)
    with pytest.raises(ConnectRefused):
        finish(back, alice)


def test_a_suspended_connection_stays_suspended_when_it_is_connected_again(connected, reloaded):
    connection = connected()
    with all_workspaces_scope("test"):
        Connection.objects.update(status=Connection.Status.SUSPENDED, status_text="By staff.")
    connected()
    assert reloaded(connection).status == Connection.Status.SUSPENDED


@pytest.fixture
def own_app(sandbox, own_keys_allowed, alice_actor):
    sandbox.post("/apps", client_id="own-client", client_secret="own-secret")
    with workspace_scope(alice_actor.workspace.pk):
        return save_own_app(by=alice_actor, name="Ours", client_id=" own-client ", client_secret="own-secret")


def test_an_app_of_ones_own_is_used_to_connect_and_to_refresh(begin, own_app, alice, alice_actor, credential_of):
    url = begin(alice_actor, app=own_app)
    connection = finish(visit_x(url), alice)
    assert "client_id=own-client" in url
    assert credential_of(connection).app == own_app


def test_a_code_for_an_app_that_was_removed_is_not_given_to_another_app(begin, own_app, alice, alice_actor):
    back = visit_x(begin(alice_actor, app=own_app))
    with workspace_scope(alice_actor.workspace.pk):
        own_app.delete()
    with pytest.raises(ConnectRefused, match="has been removed"):
        finish(back, alice)


def test_saving_an_app_under_the_same_name_replaces_its_keys(own_app, alice_actor):
    with workspace_scope(alice_actor.workspace.pk):
        again = save_own_app(by=alice_actor, name="Ours", client_id="new-client", client_secret="new")
    assert (again.pk, again.client_id) == (own_app.pk, "new-client")


def test_an_app_needs_a_client_id(own_keys_allowed, alice_actor):
    with workspace_scope(alice_actor.workspace.pk), pytest.raises(ValidationError) as caught:
        save_own_app(by=alice_actor, name="Ours", client_id="  ", client_secret="x")
    assert "client_id" in caught.value.message_dict


def test_own_keys_need_the_operators_consent(alice_actor, settings):
    settings.X_OWN_KEYS = False
    with workspace_scope(alice_actor.workspace.pk), pytest.raises(PermissionDenied, match="X_OWN_KEYS"):
        save_own_app(by=alice_actor, name="Ours", client_id="x", client_secret="x")


def test_an_own_app_is_of_no_use_once_the_operator_withdraws_consent(begin, own_app, alice_actor, settings):
    settings.X_OWN_KEYS = False
    with pytest.raises(PermissionDenied, match="X_OWN_KEYS"):
        begin(alice_actor, app=own_app)


@pytest.fixture
def four_keys(sandbox, own_keys_allowed):
    app = sandbox.post("/apps", client_id="key-client")["oauth1"]
    account = sandbox.post("/accounts", handle="keyholder")["oauth1"]
    return {
        "consumer_key": app["consumer_key"],
        "consumer_secret": app["consumer_secret"],
        "access_token": account["access_token"],
        "token_secret": account["access_token_secret"],
    }


def test_four_keys_connect_the_account_they_belong_to(four_keys, alice_actor):
    connection = connect.connect_with_keys(by=alice_actor, **four_keys)
    assert connection.handle == "keyholder"
    assert connection.missing_scopes == []


def test_keys_may_be_pasted_with_blanks_around(four_keys, alice_actor):
    pasted = {name: f"  {value}\n" for name, value in four_keys.items()}
    assert connect.connect_with_keys(by=alice_actor, **pasted).handle == "keyholder"


def test_wrong_keys_are_refused_by_x_and_not_stored(four_keys, alice_actor):
    with pytest.raises(NetworkError) as caught:
        connect.connect_with_keys(by=alice_actor, **{**four_keys, "token_secret": "wrong"})
    assert caught.value.failure is Failure.UNAUTHORIZED
    with all_workspaces_scope("test"):
        assert not Connection.objects.exists()


def test_all_four_keys_are_needed(four_keys, alice_actor):
    with pytest.raises(ValidationError, match="All four"):
        connect.connect_with_keys(by=alice_actor, **{**four_keys, "token_secret": " "})


def test_an_editor_cannot_connect_with_keys(four_keys, bob_actor):
    with pytest.raises(PermissionDenied, match="Only admins"):
        connect.connect_with_keys(by=bob_actor, **four_keys)


def _finish_in_process(back, alice, start, results) -> None:
    databases.close_all()
    start.wait()
    try:
        results.put(str(finish(back, alice).handle))
    except ConnectRefused:
        results.put("refused")


@pytest.mark.django_db(transaction=True)
def test_of_many_tabs_that_come_back_at_once_one_connects(begin, alice, alice_actor, token_calls):
    back = visit_x(begin(alice_actor))
    databases.close_all()
    fork = multiprocessing.get_context("fork")
    start, results = fork.Event(), fork.Queue()
    tabs = [fork.Process(target=_finish_in_process, args=(back, alice, start, results)) for _ in range(6)]
    for tab in tabs:
        tab.start()
    start.set()
    answers = sorted(results.get(timeout=120) for _ in tabs)
    for tab in tabs:
        tab.join(10)
    assert answers == ["refused"] * 5 + ["roastery"]
    assert len(token_calls()) == 1
