"""No secret of a connection reaches a log, whatever happens and however much is logged."""

import io
import logging
import logging.config
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import AuditDetail, Event, IdempotencyKey, Notification
from accounts.scope import all_workspaces_scope
from marketing.logs import logging_config
from social import credentials, services
from social.models import Connection, Credential, OAuthState
from social.networks.port import NetworkError, OutgoingPart
from social.networks.x.oauth import App, Tokens
from tests.social.conftest import visit_x

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["json", "text"])
def log(request) -> Iterator[io.StringIO]:
    """All that is logged at DEBUG, in the form of production."""
    stream = io.StringIO()
    config = logging_config("DEBUG", request.param)
    config["handlers"]["out"]["stream"] = stream
    config["loggers"].pop("django.db.backends", None)
    logging.config.dictConfig(config)
    yield stream
    logging.config.dictConfig(django_settings.LOGGING)


class Secrets(set):
    """Everything that was secret at some moment of the test."""

    def note(self) -> None:
        with all_workspaces_scope("test"):
            for row in Credential.objects.all():
                self.update(filter(None, (row.access_token, row.refresh_token, row.token_secret)))
            self.update(OAuthState.objects.values_list("verifier", flat=True))

    def found_in(self, text: str) -> list[str]:
        return [secret for secret in self if secret in text]


@pytest.fixture
def secrets(sandbox, settings) -> Secrets:
    return Secrets({settings.X_CLIENT_SECRET, settings.SECRET_KEY, settings.FIELD_KEYS})


@pytest.fixture
def walk(sandbox, alice_client: Client, workspace, secrets: Secrets):
    """Connects in the browser and uses the account in every way, failures included."""
    back = visit_x(alice_client.post("/connections/x/connect")["location"])
    secrets.update({back.code, back.state})
    secrets.note()
    alice_client.get("/" + back.url.split("/", 3)[3])
    with all_workspaces_scope("test"):
        connection = Connection.objects.select_related("workspace").get()
    secrets.note()
    credentials.open_client(connection).publish(OutgoingPart(text="Hello"))
    fail(sandbox, connection, "POST /2/tweets", "json_list_error", "html_5xx", "accept_then_drop", "token_expired")
    fail_refresh(sandbox, connection, "html_5xx", "json_list_error")
    credentials.refresh_credential(connection, seen_version=credentials.credential_version(connection))
    secrets.note()
    fail_refresh(sandbox, connection, "refresh_rotated_but_lost", "refresh_family_revoked")
    alice_client.post(f"/connections/{connection.pk}/check")
    alice_client.post(f"/connections/{connection.pk}/disconnect")
    services.revoke_tokens(connection.workspace_id, connection.pk)
    return connection


def fail(sandbox, connection, route: str, *faults: str) -> None:
    for number, fault in enumerate(faults):
        sandbox.fault(fault, route=route)
        with pytest.raises(NetworkError):
            credentials.open_client(connection).publish(OutgoingPart(text=f"Number {number}"))


def fail_refresh(sandbox, connection, *faults: str) -> None:
    for fault in faults:
        sandbox.fault(fault, route="POST /2/oauth2/token")
        with pytest.raises(NetworkError):
            credentials.refresh_credential(connection, seen_version=credentials.credential_version(connection))


def test_no_log_line_carries_a_secret(log, walk, secrets):
    assert "/connections/x/callback" in log.getvalue()
    assert len(secrets) >= 9
    assert secrets.found_in(log.getvalue()) == []


def test_an_unexpected_error_prints_no_local_variables(log, connection, secrets):
    secrets.note()
    access_token = next(iter(secrets))
    try:
        raise RuntimeError("unexpected")
    except RuntimeError:
        logging.getLogger("social").exception("failed")
    assert "RuntimeError" in log.getvalue()
    assert access_token not in log.getvalue()


def test_libraries_that_would_print_tokens_stay_silent_at_debug(log, connection):
    logging.getLogger("tweepy.client").debug("Headers: Bearer token")
    logging.getLogger("requests_oauthlib.oauth1_auth").debug("secret")
    logging.getLogger("social").debug("ours")
    assert "Bearer" not in log.getvalue()
    assert "ours" in log.getvalue()


def test_without_that_care_the_lines_come_and_the_token_is_still_hidden(log, connection, credential_of):
    logging.getLogger("tweepy").setLevel(logging.DEBUG)
    credentials.open_client(connection).me()
    assert "Making API request" in log.getvalue()
    assert credential_of(connection).access_token not in log.getvalue()


@pytest.mark.parametrize(
    "line",
    [
        "GET /connections/x/callback?state=s3cret&code=s3cret",
        "/accounts/login/?next=/connections/x/callback%3Fstate%3Ds3cret%26code%3Ds3cret",
        "POST https://api.x.com/2?oauth_token=s3cret&oauth_signature=s3cret",
    ],
)
def test_secrets_in_addresses_are_hidden_wherever_they_are_logged(log, line):
    logging.getLogger("django.request").warning("Not found: %s", line)
    assert "s3cret" not in log.getvalue()
    assert "***" in log.getvalue()


def test_no_table_of_texts_carries_a_secret(walk, secrets):
    with all_workspaces_scope("test"):
        rows = [
            str(row)
            for model in (AuditDetail, Event, Notification, IdempotencyKey, Connection)
            for row in model.objects.values()
        ]
    assert len(rows) >= 4
    assert secrets.found_in("\n".join(rows)) == []


def test_no_repr_carries_a_secret(connection, credential_of, secrets):
    secrets.note()
    credential = credential_of(connection)
    tokens = Tokens(credential.access_token, credential.refresh_token, credential.expires_at, ())
    client = credentials.open_client(connection)
    shown = [repr(item) for item in (credential, tokens, App("id", "sandbox-secret"), client, connection)]
    assert secrets.found_in("\n".join(shown)) == []


def test_no_error_for_staff_carries_a_secret(sandbox, connection, secrets):
    secrets.note()
    raws = []
    for fault in ("json_list_error", "html_5xx", "accept_then_drop", "token_expired", "rate_limit"):
        sandbox.fault(fault, route="POST /2/tweets")
        with pytest.raises(NetworkError) as caught:
            credentials.open_client(connection).publish(OutgoingPart(text="Hello"))
        raws.append(repr(vars(caught.value)))
    assert secrets.found_in("\n".join(raws)) == []
