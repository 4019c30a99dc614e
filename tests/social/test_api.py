import uuid

import pytest
from django.conf import settings as django_settings

from accounts.scope import workspace_scope
from social.connect import finish_connect
from social.models import Connection
from tests.social.conftest import SESSION, visit_x

pytestmark = pytest.mark.django_db
STATUS, CONNECT, DISCONNECT = "/api/twitter/status", "/api/twitter/connect", "/api/twitter/disconnect"
Status = Connection.Status


@pytest.fixture
def alice_api(api, alice, workspace):
    return api(alice)


def test_connecting_answers_with_xs_address_and_its_end(sandbox, alice_api):
    answer = alice_api.post(CONNECT)
    assert answer.status_code == 201
    assert answer.json()["authorize_url"].startswith(django_settings.X_AUTHORIZE_URL)
    assert answer.json()["expires_at"]


def test_what_the_api_started_is_finished_in_the_browser_of_the_same_person(sandbox, alice_api, alice_client):
    back = visit_x(alice_api.post(CONNECT).json()["authorize_url"])
    alice_client.get("/" + back.url.split("/", 3)[3])
    assert [row["handle"] for row in alice_api.get(STATUS).json()["connections"]] == ["roastery"]


def test_an_api_key_may_connect_with_the_scope_for_it(sandbox, api, api_key):
    assert api(api_key("connections")).post(CONNECT).status_code == 201
    assert api(api_key("read", "write", "publish")).post(CONNECT).status_code == 403


def test_what_a_key_started_is_finished_by_the_person_behind_it(sandbox, api, api_key, alice):
    back = visit_x(api(api_key("connections")).post(CONNECT).json()["authorize_url"])
    assert finish_connect(state=back.state, code=back.code, user=alice, session_key=SESSION).handle == "roastery"


def test_an_editor_cannot_connect(sandbox, api, bob):
    answer = api(bob).post(CONNECT)
    assert answer.status_code == 403
    assert answer["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "Only admins can manage connections."


def test_an_instance_without_an_x_app_answers_with_a_problem(alice_api, settings):
    settings.X_CLIENT_ID = ""
    answer = alice_api.post(CONNECT)
    assert answer.status_code == 400
    assert "X_CLIENT_ID" in str(answer.json()["errors"])


def test_a_connect_with_the_same_key_is_done_once(sandbox, alice_api):
    first, second = (alice_api.post(CONNECT, headers={"Idempotency-Key": "one"}) for _ in range(2))
    assert first.json() == second.json()


def test_status_shows_health_and_no_secret(connection, alice_api, credential_of):
    answer = alice_api.get(STATUS)
    row = answer.json()["connections"][0]
    assert (row["health"], row["status"], row["handle"]) == ("ok", "active", "roastery")
    assert (row["is_sandbox"], row["missing_scopes"]) == (True, [])
    assert row["access_ends_at"]
    assert credential_of(connection).access_token not in answer.content.decode()


def test_status_leaves_disconnected_accounts_out(connection, alice_api):
    alice_api.post(DISCONNECT, {"connection": str(connection.pk)}, format="json")
    assert alice_api.get(STATUS).json() == {"connections": []}


def test_a_viewer_may_read_and_a_guest_may_not(connection, api, vic, gwen):
    assert api(vic).get(STATUS).status_code == 200
    assert api(gwen).get(STATUS).status_code == 403


def test_nobody_reads_without_a_token(connection, api):
    assert api().get(STATUS).status_code == 401


def test_disconnecting(connection, alice_api, reloaded):
    answer = alice_api.post(DISCONNECT, {"connection": str(connection.pk)}, format="json")
    assert (answer.status_code, answer.content) == (204, b"")
    assert reloaded(connection).status == Status.DISCONNECTED


def test_disconnecting_again_is_no_error(connection, alice_api):
    alice_api.post(DISCONNECT, {"connection": str(connection.pk)}, format="json")
    assert alice_api.post(DISCONNECT, {"connection": str(connection.pk)}, format="json").status_code == 204


@pytest.mark.parametrize("body", [{}, {"connection": "x"}, {"connection": None}, []])
def test_disconnecting_nothing_names_the_field(connection, alice_api, body):
    answer = alice_api.post(DISCONNECT, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_an_editor_cannot_disconnect(connection, api, bob, reloaded):
    assert api(bob).post(DISCONNECT, {"connection": str(connection.pk)}, format="json").status_code == 403
    assert reloaded(connection).status == Status.ACTIVE


def test_the_list_is_paged(connection, alice_api, workspace):
    with workspace_scope(workspace.pk):
        Connection.objects.create(workspace=workspace, network="x", remote_id="2", handle="second", name="Second")
    first = alice_api.get("/api/connections?page_size=1").json()
    second = alice_api.get(first["next"]).json()
    assert [row["handle"] for row in first["results"] + second["results"]] == ["second", "roastery"]


def test_one_connection(connection, alice_api):
    row = alice_api.get(f"/api/connections/{connection.pk}").json()
    assert (row["id"], row["remote_id"]) == (str(connection.pk), connection.remote_id)


def test_a_disconnected_account_can_still_be_looked_up(connection, alice_api):
    alice_api.post(DISCONNECT, {"connection": str(connection.pk)}, format="json")
    row = alice_api.get(f"/api/connections/{connection.pk}").json()
    assert (row["status"], row["access_ends_at"] is None) == ("disconnected", False)


def test_a_check_is_accepted_and_done_by_a_worker(
    sandbox, connection, alice_api, celery_eager, django_capture_on_commit_callbacks
):
    sandbox.post("/accounts", handle="roastery", followers=7777)
    with django_capture_on_commit_callbacks(execute=True):
        answer = alice_api.post(f"/api/connections/{connection.pk}/check")
    assert answer.status_code == 202
    assert alice_api.get(f"/api/connections/{connection.pk}").json()["followers"] == 7777


def test_an_editor_cannot_spend_money_on_checks(connection, api, bob):
    assert api(bob).post(f"/api/connections/{connection.pk}/check").status_code == 403


def test_a_disconnected_account_cannot_be_checked(connection, alice_api):
    alice_api.post(DISCONNECT, {"connection": str(connection.pk)}, format="json")
    assert alice_api.post(f"/api/connections/{connection.pk}/check").status_code == 400


FOREIGN = [
    ("get", "/api/connections/{id}", None),
    ("post", "/api/connections/{id}/check", None),
    ("post", DISCONNECT, "{id}"),
]


@pytest.mark.parametrize(("method", "path", "field"), FOREIGN)
def test_a_foreign_connection_is_as_missing_as_one_that_never_was(
    connection, api, charlie, other_workspace, reloaded, method, path, field
):
    stranger = api(charlie)
    answers = []
    for key in (connection.pk, uuid.uuid4()):
        body = {"connection": str(key)} if field else None
        answers.append(getattr(stranger, method)(path.format(id=key), body, format="json"))
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert reloaded(connection).status == Status.ACTIVE


def test_the_routes_are_documented(api):
    document = api().get("/api/schema", headers={"accept": "application/json"}).json()
    for path in (CONNECT, STATUS, DISCONNECT, "/api/connections", "/api/connections/{connection_id}/check"):
        assert path in document["paths"]
