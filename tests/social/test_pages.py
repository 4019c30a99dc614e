import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Role
from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import now
from social.models import Connection, NetworkApp
from tests.social.conftest import visit_x

pytestmark = pytest.mark.django_db
LIST, CONNECT, KEYS = "/connections", "/connections/x/connect", "/connections/x/keys"
Status = Connection.Status


def body(response) -> str:
    return response.content.decode()


def toasts(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def act(connection: Connection, word: str) -> str:
    return f"/connections/{connection.pk}/{word}"


@pytest.fixture
def put(connection):
    def change(**fields) -> None:
        with workspace_scope(connection.workspace_id):
            Connection.objects.filter(pk=connection.pk).update(**fields)

    return change


# --- the list -----------------------------------------------------------------------------------------------


def test_an_empty_workspace_is_told_what_to_do_next(sandbox, alice_client):
    page = body(alice_client.get(LIST))
    assert "No account is connected yet" in page
    assert f'action="{CONNECT}"' in page


def test_who_may_not_connect_is_told_whom_to_ask(sandbox, bob_client):
    page = body(bob_client.get(LIST))
    assert "Ask an admin" in page
    assert CONNECT not in page


def test_an_instance_without_an_x_app_says_so(alice_client, settings):
    settings.X_CLIENT_ID = ""
    page = body(alice_client.get(LIST))
    assert "X_CLIENT_ID" in page
    assert CONNECT not in page


def test_a_card_shows_the_account_and_its_state(connection, alice_client):
    page = body(alice_client.get(LIST))
    for shown in ("@roastery", "Active", "tweet.write", "1,000", "Sandbox", "by Alice", "Europe/Berlin"):
        assert shown in page


def test_a_real_account_is_not_labelled_as_sandbox(connection, put, alice_client):
    put(api_host="api.x.com")
    assert "badge-sandbox" not in body(alice_client.get(LIST)).split("<article", 1)[1]


def test_a_card_names_the_scopes_that_are_missing(connection, put, alice_client):
    put(scopes=["tweet.read", "users.read"])
    page = body(alice_client.get(LIST))
    assert "Some permissions are missing" in page
    assert '<span class="badge badge-danger">tweet.write</span>' in page


def test_a_card_says_when_access_cannot_be_renewed(connection, put, alice_client):
    put(scopes=["tweet.read", "tweet.write", "users.read", "media.write"])
    assert "then reconnect" in body(alice_client.get(LIST))


@pytest.mark.parametrize(
    ("status", "health"),
    [(Status.RECONNECT, "error"), (Status.PAUSED, "off"), (Status.SUSPENDED, "error"), (Status.ACTIVE, "ok")],
)
def test_a_card_has_a_dot_and_words_for_each_state(connection, put, alice_client, status, health):
    put(status=status)
    assert f'<span class="health health-{health}">{status.label}</span>' in body(alice_client.get(LIST))


def test_a_card_says_until_when_the_rate_limit_holds(connection, put, alice_client):
    put(limited_until=now() + timedelta(minutes=10))
    page = body(alice_client.get(LIST))
    assert "Nothing goes out before" in page
    assert "health-warning" in page


def test_a_rate_limit_that_is_over_is_not_mentioned(connection, put, alice_client):
    put(limited_until=now() - timedelta(minutes=10))
    assert "Nothing goes out before" not in body(alice_client.get(LIST))


def test_a_disconnected_account_leaves_the_list(connection, put, alice_client):
    put(status=Status.DISCONNECTED)
    assert "@roastery" not in body(alice_client.get(LIST))


def test_a_viewer_sees_the_cards_without_buttons(connection, vic_client):
    page = body(vic_client.get(LIST))
    assert "@roastery" in page
    assert "Disconnect" not in page


def test_a_guest_sees_no_connections(connection, gwen_client):
    assert gwen_client.get(LIST).status_code == 403


def test_a_stranger_sees_only_their_own(connection, charlie_client):
    assert "@roastery" not in body(charlie_client.get(LIST))


def test_nobody_sees_the_list_without_logging_in(client):
    assert client.get(LIST).status_code == 302


def test_the_list_needs_as_many_queries_for_ten_accounts_as_for_one(
    connection, alice_client, workspace, alice, django_assert_num_queries
):
    with CaptureQueriesContext(database) as one:
        alice_client.get(LIST)
    with workspace_scope(workspace.pk):
        for number in range(9):
            Connection.objects.create(
                workspace=workspace,
                network="x",
                remote_id=str(number),
                handle=f"h{number}",
                name="N",
                connected_by=alice,
            )
    with django_assert_num_queries(len(one)):
        alice_client.get(LIST)


# --- connecting ---------------------------------------------------------------------------------------------


def connect(alice_client: Client, **how):
    """Press the button, decide on X's page, come back."""
    back = visit_x(alice_client.post(CONNECT, how.pop("form", {}))["location"], **how)
    return alice_client.get(
        back.url.split("testserver")[-1] if "testserver" in back.url else "/" + back.url.split("/", 3)[3]
    )


def test_the_button_leads_to_x_and_back_to_the_workspace(sandbox, alice_client, workspace):
    answer = connect(alice_client)
    assert answer.status_code == 302
    assert answer["location"] == f"/w/{workspace.slug}/connections"
    page = alice_client.get(answer["location"])
    assert toasts(page) == ["@roastery is connected."]
    assert "@roastery" in body(page)


def test_the_content_policy_lets_the_form_go_to_x(sandbox, alice_client):
    policy = alice_client.get(LIST)["content-security-policy"]
    assert f"form-action 'self' {sandbox.url}/x/i/oauth2/authorize" in policy


def test_the_account_lands_in_the_workspace_it_was_started_from(
    sandbox, alice_client, alice, workspace, other_workspace
):
    Membership.objects.create(user=alice, workspace=other_workspace, role=Role.ADMIN)
    back = visit_x(alice_client.post(f"/w/{workspace.slug}{CONNECT}")["location"])
    alice_client.get(f"/w/{other_workspace.slug}{LIST}")
    answer = alice_client.get("/" + back.url.split("/", 3)[3])
    assert answer["location"] == f"/w/{workspace.slug}/connections"


def test_missing_permissions_are_said_at_once(sandbox, alice_client):
    url = alice_client.post(CONNECT)["location"].replace("media.write+", "")
    answer = alice_client.get("/" + visit_x(url).url.split("/", 3)[3])
    assert toasts(alice_client.get(answer["location"])) == [
        "@roastery is connected, but it may not upload images and videos."
    ]


def test_saying_no_on_x_connects_nothing_and_says_so(sandbox, alice_client):
    answer = connect(alice_client, decision="cancel")
    page = alice_client.get(answer["location"])
    assert toasts(page) == ["You did not give access on X, so nothing was connected."]
    assert "No account is connected yet" in body(page)


def test_a_failure_of_x_is_told(sandbox, alice_client):
    sandbox.fault("html_5xx", route="POST /2/oauth2/token")
    page = alice_client.get(connect(alice_client)["location"])
    assert toasts(page) == ["The account was not connected. X is not available right now. Please try again."]


def test_going_back_to_a_used_link_is_told(sandbox, alice_client):
    back = visit_x(alice_client.post(CONNECT)["location"])
    path = "/" + back.url.split("/", 3)[3]
    alice_client.get(path)
    answer = alice_client.get(path)
    messages = toasts(alice_client.get(answer["location"]))
    assert "This connect link is not valid any more. Start again from the connections page." in messages


def test_another_browser_of_the_same_person_cannot_finish(sandbox, alice_client, client_of, alice):
    back = visit_x(alice_client.post(CONNECT)["location"])
    other = client_of(alice)
    answer = other.get("/" + back.url.split("/", 3)[3])
    assert "another browser" in toasts(other.get(answer["location"]))[0]


def test_another_person_cannot_finish(sandbox, alice_client, charlie_client):
    back = visit_x(alice_client.post(CONNECT)["location"])
    charlie_client.get("/" + back.url.split("/", 3)[3])
    with all_workspaces_scope("test"):
        assert not Connection.objects.exists()


def test_a_person_without_the_role_any_more_is_told(sandbox, alice_client, alice):
    back = visit_x(alice_client.post(CONNECT)["location"])
    Membership.objects.filter(user=alice).update(role=Role.VIEWER)
    answer = alice_client.get("/" + back.url.split("/", 3)[3])
    assert toasts(alice_client.get(answer["location"])) == ["Only admins can manage connections."]


def test_a_callback_without_anything_is_told(sandbox, alice_client):
    answer = alice_client.get("/connections/x/callback")
    assert "not valid any more" in toasts(alice_client.get(answer["location"]))[0]


def test_a_callback_is_never_cached(sandbox, alice_client):
    assert "no-store" in alice_client.get("/connections/x/callback")["cache-control"]


def test_a_callback_needs_a_person(sandbox, client):
    assert "/login" in client.get("/connections/x/callback?state=a&code=b")["location"]


def test_connecting_is_no_link(sandbox, alice_client):
    assert alice_client.get(CONNECT).status_code == 405


def test_an_editor_cannot_start(sandbox, bob_client):
    assert bob_client.post(CONNECT).status_code == 403


def test_an_instance_without_an_x_app_cannot_start(alice_client, settings):
    settings.X_CLIENT_ID = ""
    answer = alice_client.post(CONNECT)
    assert "X_CLIENT_ID" in toasts(alice_client.get(answer["location"]))[0]


# --- actions ------------------------------------------------------------------------------------------------


def test_a_check_answers_with_the_fresh_card_and_a_toast(sandbox, connection, alice_client):
    sandbox.post("/accounts", handle="roastery", followers=5555)
    answer = alice_client.post(act(connection, "check"), headers={"hx-request": "true"})
    assert body(answer).strip().startswith("<article")
    assert "5,555" in body(answer)
    assert "@roastery works." in answer["hx-trigger"]


def test_a_check_works_without_script(connection, alice_client):
    answer = alice_client.post(act(connection, "check"))
    assert toasts(alice_client.get(answer["location"])) == ["@roastery works."]


def test_a_check_that_fails_says_why(sandbox, connection, alice_client):
    sandbox.fault("credits_depleted", route="GET /2/users/me")
    answer = alice_client.post(act(connection, "check"), headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert "no credits left" in answer["hx-trigger"]


def test_pausing_and_resuming(connection, alice_client, reloaded):
    alice_client.post(act(connection, "pause"))
    assert reloaded(connection).status == Status.PAUSED
    assert "Resume" in body(alice_client.get(LIST))
    alice_client.post(act(connection, "resume"))
    assert reloaded(connection).status == Status.ACTIVE


def test_pausing_what_is_not_active_says_that_nothing_changed(connection, put, alice_client):
    put(status=Status.RECONNECT)
    answer = alice_client.post(act(connection, "pause"))
    assert toasts(alice_client.get(answer["location"])) == ["Nothing changed: @roastery is not active any more."]


def test_disconnecting_asks_first_and_then_does(connection, alice_client, reloaded):
    assert 'data-confirm="Disconnect @roastery?"' in body(alice_client.get(LIST))
    alice_client.post(act(connection, "disconnect"))
    assert reloaded(connection).status == Status.DISCONNECTED


@pytest.mark.parametrize("word", ["check", "pause", "resume", "disconnect"])
def test_actions_are_only_for_those_who_manage_connections(connection, bob_client, word):
    assert bob_client.post(act(connection, word)).status_code == 403


@pytest.mark.parametrize("word", ["check", "pause", "resume", "disconnect"])
def test_actions_are_no_links(connection, alice_client, word):
    assert alice_client.get(act(connection, word)).status_code == 405


@pytest.mark.parametrize("word", ["check", "pause", "resume", "disconnect"])
def test_a_foreign_connection_is_as_missing_as_one_that_never_was(connection, charlie_client, reloaded, word):
    charlie_client.raise_request_exception = False
    foreign = charlie_client.post(act(connection, word))
    missing = charlie_client.post(f"/connections/{uuid.uuid4()}/{word}")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert without_nonce(foreign) == without_nonce(missing)
    assert reloaded(connection).status == Status.ACTIVE


def without_nonce(response) -> str:
    return re.sub(r'(csrfmiddlewaretoken" value|X-CSRFToken)[^>]*', "", body(response))


# --- keys of one's own --------------------------------------------------------------------------------------

SECRETS = {"consumer_secret": "cs-1234", "access_token": "at-1234", "token_secret": "ts-1234"}


@pytest.fixture
def keys_page(sandbox, own_keys_allowed, alice_client) -> Client:
    return alice_client


@pytest.mark.parametrize("path", [KEYS, f"{KEYS}/connect"])
def test_without_the_operators_consent_the_pages_do_not_exist(sandbox, alice_client, settings, path):
    settings.X_OWN_KEYS = False
    assert alice_client.post(path).status_code == 404
    assert KEYS not in body(alice_client.get(LIST))


def test_the_page_names_the_callback_address(keys_page, settings):
    assert f"{settings.BASE_URL}/connections/x/callback" in body(keys_page.get(KEYS))


def test_an_app_is_saved_and_offered_without_its_secret(keys_page):
    keys_page.post(KEYS, {"name": "Ours", "client_id": "own-client", "client_secret": "own-secret-1234"})
    page = body(keys_page.get(KEYS))
    assert "own-client" in page
    assert "Connect with it" in page
    assert "own-secret-1234" not in page


def test_reconnecting_goes_through_the_same_app(keys_page, connection, change_credential, workspace):
    keys_page.post(KEYS, {"name": "Ours", "client_id": "own-client", "client_secret": "own-secret"})
    with workspace_scope(workspace.pk):
        app = NetworkApp.objects.get()
        change_credential(connection, app=app)
    assert f'name="app" value="{app.pk}"' in body(keys_page.get(LIST))


def test_keys_are_reconnected_on_the_page_for_keys(keys_page, connection, change_credential):
    change_credential(connection, kind="oauth1", expires_at=None)
    assert f'<a class="btn btn-sm" href="{KEYS}">Reconnect</a>' in body(keys_page.get(LIST))


def test_a_card_without_access_says_so(connection, put, alice_client):
    put(status=Status.RECONNECT)
    assert "Ended: reconnect the account" in body(alice_client.get(LIST))


def test_connecting_with_an_own_app(keys_page, sandbox, workspace):
    sandbox.post("/apps", client_id="own-client", client_secret="own-secret")
    keys_page.post(KEYS, {"name": "Ours", "client_id": "own-client", "client_secret": "own-secret"})
    with workspace_scope(workspace.pk):
        app = NetworkApp.objects.get()
    answer = connect(keys_page, form={"app": str(app.pk)})
    assert toasts(keys_page.get(answer["location"]))[-1] == "@roastery is connected."


@pytest.mark.parametrize("app", ["nonsense", "018f0000-0000-7000-8000-000000000000"])
def test_connecting_with_an_app_that_does_not_exist_is_refused(keys_page, app):
    assert keys_page.post(CONNECT, {"app": app}).status_code == 404


def test_a_foreign_app_cannot_be_used(keys_page, charlie_client, workspace):
    keys_page.post(KEYS, {"name": "Ours", "client_id": "own-client", "client_secret": "own-secret"})
    with workspace_scope(workspace.pk):
        app = NetworkApp.objects.get()
    assert charlie_client.post(CONNECT, {"app": str(app.pk)}).status_code == 404


def test_a_mistake_keeps_what_is_no_secret_and_forgets_what_is(keys_page):
    answer = keys_page.post(KEYS, {"name": "", "client_id": "own-client", "client_secret": "own-secret-1234"})
    assert answer.status_code == 422
    assert "This field is required." in body(answer)
    assert "own-client" in body(answer)
    assert "own-secret-1234" not in body(answer)


def test_blanks_are_no_client_id(keys_page):
    answer = keys_page.post(KEYS, {"name": "Ours", "client_id": "   "})
    assert answer.status_code == 422


def test_four_keys_connect(keys_page, sandbox):
    app = sandbox.post("/apps", client_id="key-client")["oauth1"]
    account = sandbox.post("/accounts", handle="keyholder")["oauth1"]
    form = {
        "consumer_key": app["consumer_key"],
        "consumer_secret": app["consumer_secret"],
        "access_token": account["access_token"],
        "token_secret": account["access_token_secret"],
    }
    answer = keys_page.post(f"{KEYS}/connect", form)
    page = keys_page.get(answer["location"])
    assert toasts(page) == ["@keyholder is connected."]
    assert "they do not expire" in body(page)


def test_keys_that_x_refuses_are_explained_and_never_echoed(keys_page):
    answer = keys_page.post(f"{KEYS}/connect", {"consumer_key": "ck-1234", **SECRETS})
    assert answer.status_code == 422
    assert "X did not take these keys." in body(answer)
    assert not [secret for secret in SECRETS.values() if secret in body(answer)]


def test_blank_keys_are_asked_for(keys_page):
    answer = keys_page.post(f"{KEYS}/connect", {"consumer_key": "ck-1234"})
    assert body(answer).count("This field is required.") == 3


@pytest.mark.parametrize("path", [KEYS, f"{KEYS}/connect"])
def test_an_editor_cannot_bring_keys(sandbox, own_keys_allowed, bob_client, path):
    assert bob_client.post(path).status_code == 403
