import multiprocessing
from datetime import timedelta

import pytest
from django.db import connections as databases

from accounts.models import Notification
from accounts.scope import workspace_scope
from lib.clock import now
from social import credentials
from social.connect import connect_with_keys, finish_connect
from social.credentials import mark_reconnect, open_client, refresh_credential, store_tokens
from social.models import Connection, Credential, NetworkApp
from social.networks.port import Failure, NetworkError, OutgoingPart
from social.networks.x.oauth import Tokens
from social.services import check_connection
from tests.social.conftest import SESSION, visit_x

pytestmark = pytest.mark.django_db
Status = Connection.Status


def refresh(connection):
    return refresh_credential(connection, seen_version=credentials.credential_version(connection))


def refused(connection) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        refresh(connection)
    return caught.value


def test_a_refresh_swaps_both_tokens_and_counts_up(connection, credential_of):
    before = credential_of(connection)
    refresh(connection)
    after = credential_of(connection)
    assert after.access_token != before.access_token
    assert after.refresh_token != before.refresh_token
    assert after.version == before.version + 1


def test_the_new_token_works(connection):
    refresh(connection)
    assert open_client(connection).me().handle == "roastery"


def test_who_saw_an_older_version_gets_the_stored_result(connection, credential_of, token_calls):
    seen = credential_of(connection).version
    refresh_credential(connection, seen_version=seen)
    again = refresh_credential(connection, seen_version=seen)
    assert again.version == seen + 1
    assert len(token_calls()) == 2  # the code exchange and one refresh


def test_a_client_is_opened_without_a_refresh_while_the_token_lasts(connection, token_calls):
    open_client(connection)
    assert len(token_calls()) == 1


def test_a_client_is_opened_with_a_new_token_when_the_old_one_is_about_to_end(
    connection, change_credential, token_calls
):
    change_credential(connection, expires_at=now() + timedelta(seconds=90))
    open_client(connection).me()
    assert len(token_calls()) == 2


def test_an_empty_refresh_token_never_replaces_a_good_one(connection, credential_of):
    with workspace_scope(connection.workspace_id):
        credential = credential_of(connection)
        kept = credential.refresh_token
        store_tokens(credential, Tokens("new", "", now(), ()))
    assert credential_of(connection).refresh_token == kept


def test_a_revoked_family_marks_the_connection(sandbox, connection, reloaded):
    sandbox.fault("refresh_family_revoked")
    assert refused(connection).failure is Failure.UNAUTHORIZED
    assert reloaded(connection).status == Status.RECONNECT


def test_the_admins_are_told_once_that_it_has_to_be_reconnected(sandbox, connection, bob):
    sandbox.fault("refresh_family_revoked")
    refused(connection)
    refused(connection)
    with workspace_scope(connection.workspace_id):
        told = list(Notification.objects.values_list("user__email", "text"))
    assert told == [("alice@example.org", "@roastery has to be connected again; its posts wait.")]


def test_a_refresh_that_was_lost_is_uncertain_and_marks_nothing(sandbox, connection, reloaded):
    sandbox.fault("refresh_rotated_but_lost")
    assert refused(connection).failure is Failure.UNKNOWN
    assert reloaded(connection).status == Status.ACTIVE


def test_after_a_lost_refresh_the_next_try_finds_the_family_dead(sandbox, connection, reloaded):
    sandbox.fault("refresh_rotated_but_lost")
    refused(connection)
    assert refused(connection).code == "token_refused"
    assert reloaded(connection).status == Status.RECONNECT


def test_reconnecting_heals_a_dead_family_and_keeps_the_row(sandbox, connection, begin, alice, alice_actor, reloaded):
    sandbox.fault("refresh_family_revoked")
    refused(connection)
    back = visit_x(begin(alice_actor))
    healed = finish_connect(state=back.state, code=back.code, user=alice, session_key=SESSION)
    assert healed.pk == connection.pk
    assert reloaded(connection).status == Status.ACTIVE
    assert open_client(connection).me().handle == "roastery"


@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("html_5xx", {}),
        ("html_5xx", {"status": 403}),
        ("html_5xx", {"status": 400}),
        ("status", {"status": 500}),
        ("status", {"status": 429}),
        ("json_list_error", {}),
    ],
)
def test_only_xs_own_word_about_the_token_ends_a_connection(sandbox, connection, reloaded, fault, params):
    sandbox.fault(fault, route="POST /2/oauth2/token", **params)
    assert refused(connection).failure is Failure.TEMPORARY
    assert reloaded(connection).status == Status.ACTIVE


def test_a_wrong_client_secret_is_the_operators_fault_and_ends_no_connection(connection, reloaded, settings):
    settings.X_CLIENT_SECRET = "wrong"
    error = refused(connection)
    assert (error.failure, error.code) == (Failure.TEMPORARY, "app_refused")
    assert reloaded(connection).status == Status.ACTIVE


def test_a_rate_limited_token_call_says_when_to_come_back(sandbox, connection):
    sandbox.fault("status", route="POST /2/oauth2/token", status=429, headers={"retry-after": "40"})
    assert 38 < (refused(connection).retry_at - now()).total_seconds() <= 41


def test_a_token_endpoint_that_cannot_be_reached_used_nothing_up(connection, settings, credential_of):
    before = credential_of(connection).version
    settings.X_API_BASE_URL = "http://127.0.0.1:9"
    assert refused(connection).failure is Failure.TEMPORARY
    assert credential_of(connection).version == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": "a", "expires_in": "soon"},
    ],
)
def test_a_good_status_without_a_usable_token_is_uncertain(sandbox, connection, credential_of, body):
    before = credential_of(connection).access_token
    sandbox.fault("status", route="POST /2/oauth2/token", status=200, body=body)
    assert refused(connection).failure is Failure.UNKNOWN
    assert credential_of(connection).access_token == before


def test_without_a_refresh_token_x_is_not_even_asked(connection, change_credential, token_calls, reloaded):
    change_credential(connection, refresh_token="")
    assert refused(connection).code == "no_refresh_token"
    assert len(token_calls()) == 1
    assert reloaded(connection).status == Status.RECONNECT


def test_a_disconnected_account_opens_no_client(connection):
    with workspace_scope(connection.workspace_id):
        Connection.objects.update(status=Status.DISCONNECTED)
    with pytest.raises(NetworkError, match="not connected any more"):
        open_client(connection)


def test_a_suspended_account_opens_no_client(connection):
    with workspace_scope(connection.workspace_id):
        Connection.objects.update(status=Status.SUSPENDED)
    with pytest.raises(NetworkError, match="suspended") as caught:
        open_client(connection)
    assert caught.value.failure is Failure.PAUSED


def test_an_account_without_credentials_opens_no_client(connection):
    with workspace_scope(connection.workspace_id):
        Credential.objects.all().delete()
    with pytest.raises(NetworkError) as caught:
        open_client(connection)
    assert caught.value.code == "no_credential"
    assert credentials.credential_version(connection) == 0


@pytest.mark.parametrize("status", [Status.PAUSED, Status.SUSPENDED, Status.DISCONNECTED, Status.RECONNECT])
def test_only_an_active_connection_can_come_to_need_reconnecting(connection, reloaded, status):
    with workspace_scope(connection.workspace_id):
        Connection.objects.update(status=status)
        assert mark_reconnect(connection, "X said no.") is False
    assert reloaded(connection).status == status


def test_the_first_to_mark_is_told_so(connection, reloaded):
    with workspace_scope(connection.workspace_id):
        assert mark_reconnect(connection, "X said no.") is True
        assert mark_reconnect(connection, "X said no again.") is False
    assert reloaded(connection).status_text == "X said no."


def test_a_token_refused_before_its_time_is_refreshed_and_the_check_succeeds(
    sandbox, connection, token_calls, reloaded
):
    sandbox.fault("token_expired", route="GET /2/users/me")
    check_connection(connection)
    assert len(token_calls()) == 2
    assert reloaded(connection).status == Status.ACTIVE


def test_keys_of_oauth1_cannot_be_refreshed(connection, change_credential, token_calls):
    with workspace_scope(connection.workspace_id):
        app = NetworkApp.objects.create(workspace=connection.workspace, network="x", name="Keys")
    change_credential(connection, kind=Credential.Kind.OAUTH1, app=app, refresh_token="")
    assert refused(connection).failure is Failure.UNAUTHORIZED
    assert len(token_calls()) == 1


def _refresh_in_process(connection: Connection, seen: int, start, results) -> None:
    databases.close_all()
    start.wait()
    try:
        results.put(refresh_credential(connection, seen_version=seen).version)
    except NetworkError as error:
        results.put(error.code)


@pytest.mark.django_db(transaction=True)
def test_many_workers_that_refresh_at_once_call_x_once(connection, credential_of, token_calls):
    seen = credential_of(connection).version
    databases.close_all()
    fork = multiprocessing.get_context("fork")
    start, results = fork.Event(), fork.Queue()
    workers = [fork.Process(target=_refresh_in_process, args=(connection, seen, start, results)) for _ in range(8)]
    for worker in workers:
        worker.start()
    start.set()
    versions = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(10)
    assert versions == [seen + 1] * 8
    assert len(token_calls()) == 2


def test_keys_of_oauth1_open_a_client(sandbox, own_keys_allowed, alice_actor):
    app = sandbox.post("/apps", client_id="key-client")["oauth1"]
    account = sandbox.post("/accounts", handle="keyholder")["oauth1"]
    connection = connect_with_keys(
        by=alice_actor,
        consumer_key=app["consumer_key"],
        consumer_secret=app["consumer_secret"],
        access_token=account["access_token"],
        token_secret=account["access_token_secret"],
    )
    open_client(connection).publish(OutgoingPart(text="Signed"))
    assert [post["text"] for post in sandbox.posts("keyholder")] == ["Signed"]
