"""Programs register themselves, or are read from the address that is their id."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.models import OAuthClient
from integrations.oauth.clients import UnknownClient, find_client, host_of_client, is_document
from integrations.oauth.redirects import check_redirect_uri, host_of, is_registered, origin_of
from lib.clock import now, shifted
from tests.integrations.oauth.conftest import REDIRECT, Program

pytestmark = pytest.mark.django_db


# --- where to ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "https://client.example/callback",
        "https://client.example:8443/a/b?c=d&e=%20",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:33418/",
        "http://localhost:1234/callback",
        "http://[::1]:8080/x",
    ],
)
def test_usable_redirect_is_taken_as_it_is(uri):
    assert check_redirect_uri(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        None,
        7,
        "",
        "/callback",
        "//client.example/x",
        "client.example/x",
        "http://client.example/callback",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.2/",
        "http://10.0.0.1/",
        "https://client.example/#fragment",
        "https://client.example/#",
        "https://user@client.example/",
        "https://user:pw@client.example/",
        "https://client.example\\@evil.example/",
        "https://client.example/a b",
        "https://client.example/\r\nLocation: x",
        "https://client.example;script-src/",
        "https://*/",
        "https://client.example:99999/",
        "https://client.example:0/",
        "https:///path",
        "https://",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://client.example/",
        "cursor://callback",
        "https://exämple.de/",
        "https://client.example/" + "a" * 500,
    ],
)
def test_unusable_redirect_is_refused(program, uri):
    with pytest.raises(ValidationError):
        check_redirect_uri(uri)
    answer = program.register(redirect_uris=[uri])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    ("asked", "registered", "matches"),
    [
        ("https://c.example/a", "https://c.example/a", True),
        ("https://c.example/a/", "https://c.example/a", False),
        ("https://c.example/A", "https://c.example/a", False),
        ("https://c.example/a?x=1", "https://c.example/a", False),
        ("https://c.example:444/a", "https://c.example/a", False),
        ("https://C.example/a", "https://c.example/a", False),
        ("https://c.example.evil.example/a", "https://c.example/a", False),
        ("http://127.0.0.1:5000/a", "http://127.0.0.1/a", True),
        ("http://127.0.0.1:5000/a", "http://127.0.0.1:6000/a", True),
        ("http://[::1]:5000/a", "http://[::1]/a", True),
        ("http://127.0.0.1:5000/b", "http://127.0.0.1/a", False),
        ("http://127.0.0.1:5000/a?x=1", "http://127.0.0.1/a", False),
        ("http://localhost:5000/a", "http://127.0.0.1/a", False),
        ("https://127.0.0.1:5000/a", "http://127.0.0.1/a", False),
        ("https://127.0.0.1:5000/a", "https://127.0.0.1/a", False),
        ("http://127.0.0.1:5000@evil.example/a", "http://127.0.0.1/a", False),
        ("http://127.0.0.1:5000/a#x", "http://127.0.0.1/a", False),
    ],
)
def test_only_the_port_of_a_program_on_the_same_machine_is_free(asked, registered, matches):
    assert is_registered(asked, [registered]) is matches


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ht ps:/127.01[]@#?;\\%\n\x00client.example", max_size=60))
def test_what_passes_can_never_name_a_second_source_in_a_policy(text):
    try:
        uri = check_redirect_uri(text)
    except ValidationError:
        return
    assert not set(origin_of(uri)) & set(" ;,'\"\n*")


def test_where_it_leads_is_told_in_words():
    assert host_of("http://127.0.0.1:9/x") == "a program on this computer"
    assert host_of("https://client.example/x") == "client.example"
    assert origin_of("http://[::1]:9/x") == "http:"


# --- registering ------------------------------------------------------------------------------------------


def test_registration_answers_what_was_kept(program):
    answer = program.register(client_uri="https://client.example", token_endpoint_auth_method="client_secret_post")
    data = answer.json()
    row = OAuthClient.objects.get(client_id=data["client_id"])
    assert answer.status_code == 201
    assert (row.name, row.redirect_uris[0], row.uri) == ("Scribe", REDIRECT, "https://client.example")
    assert data["token_endpoint_auth_method"] == "none"
    assert "client_secret" not in data
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://client.example/"}, "invalid_redirect_uri"),
        ({"redirect_uris": [REDIRECT] * 11}, "invalid_redirect_uri"),
        ({"redirect_uris": [REDIRECT, "http://client.example/"]}, "invalid_redirect_uri"),
        ({"client_name": ["Scribe"]}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": "authorization_code"}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
    ],
)
def test_registration_with_a_mistake_says_which(program, change, error):
    before = OAuthClient.objects.count()
    answer = program.register(**change)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert OAuthClient.objects.count() == before


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '{"a":' * 20_000, '{"redirect_uris": "' + "x" * 20_000 + '"}'])
def test_registration_takes_one_small_object(program, body):
    answer = program.http.post("/oauth/register", body, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("", "A program"),
        ("  Two \n lines ", "Two lines"),
        ("\u202eedualC", "edualC"),
        ("Nul\x00", "Nul"),
        ("n" * 300, "n" * 120),
        ("\u200b", "A program"),
    ],
)
def test_name_is_one_plain_line(program, name, kept):
    assert program.register(client_name=name).json()["client_name"] == kept


def test_registrations_of_one_address_are_limited(program):
    answers = [program.register().status_code for _ in range(20)]
    last = program.register()
    assert (answers[0], last.status_code) == (201, 429)
    assert int(last.headers["Retry-After"]) > 0
    assert OAuthClient.objects.count() == 20


def test_registration_that_nobody_used_makes_room_after_a_week(program):
    OAuthClient.objects.create(client_id="used", name="Used", last_used_at=now())
    with shifted(timedelta(days=8)):
        program.register()
    assert set(OAuthClient.objects.values_list("client_id", flat=True)) == {"used", program.client_id}


# --- an address as id -------------------------------------------------------------------------------------


class Document(BaseHTTPRequestHandler):
    body, asked = b"", 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def document(settings) -> Iterator[str]:
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    server = HTTPServer(("127.0.0.1", 0), Document)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/client.json"
    Document.asked = 0
    Document.body = json.dumps({"client_id": url, "client_name": "Roamer", "redirect_uris": [REDIRECT]}).encode()
    yield url
    server.shutdown()
    server.server_close()


def test_document_is_read_once_an_hour_and_what_it_says_then_counts(document):
    assert (find_client(document).name, find_client(document).redirect_uris, Document.asked) == (
        "Roamer",
        [REDIRECT],
        1,
    )
    assert host_of_client(find_client(document)) == "127.0.0.1"
    Document.body = Document.body.replace(b"Roamer", b"Wanderer")
    cache.clear()
    assert (find_client(document).name, OAuthClient.objects.count()) == ("Wanderer", 1)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"client_id": "https://client.example/other.json"}, "name itself"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["http://client.example/"]}, "http is only for"),
        ({"client_secret": "s"}, "secret"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "secret"),
        (None, "not JSON"),
    ],
)
def test_document_that_cannot_be_used_is_refused_and_not_asked_for_again_at_once(document, change, text):
    Document.body = b"<html>" if change is None else json.dumps(json.loads(Document.body) | change).encode()
    for _ in range(3):
        with pytest.raises(UnknownClient, match=text):
            find_client(document)
    assert (Document.asked, OAuthClient.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    "client_id",
    [
        # Another script's a, a full-width one, a stop that is no dot, a mark that turns what follows.
        "https://\u0430pple.example/client.json",
        "https://\uff41pple.example/client.json",
        "https://apple.example\u3002evil.example/client.json",
        "https://apple.example/\u202enosj.tneilc",
        "https://apple.example\\@evil.example/client.json",
    ],
)
def test_address_whose_host_could_be_read_wrong_names_no_program(client_id):
    assert not is_document(client_id)
    with pytest.raises(UnknownClient, match="not registered"):
        find_client(client_id)


def test_document_on_an_inner_address_is_not_read(document, settings):
    settings.OUTBOUND_ALLOW_CIDRS = []
    with pytest.raises(UnknownClient, match="not on the public internet"):
        find_client(document)
    assert Document.asked == 0


@pytest.mark.parametrize(
    "client_id", ["", "unknown", "https://client.example", "http://client.example/c.json", "a\x00b", "x" * 501]
)
def test_unknown_id_is_unknown(client_id):
    with pytest.raises(UnknownClient):
        find_client(client_id)


# --- metadata ---------------------------------------------------------------------------------------------


def test_metadata_names_what_there_is(client, settings):
    settings.BASE_URL = "https://rostrum.example"
    answer = client.get("/.well-known/oauth-authorization-server")
    data = answer.json()
    assert data["issuer"] == "https://rostrum.example"
    assert data["code_challenge_methods_supported"] == ["S256"]
    assert data["authorization_response_iss_parameter_supported"] is True
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    for name in ("authorization", "token", "registration", "revocation"):
        path = data[f"{name}_endpoint"].removeprefix("https://rostrum.example")
        assert client.get(path).status_code in {302, 405}, name


@pytest.mark.parametrize("path", ["/oauth/register", "/oauth/token", "/oauth/revoke"])
def test_pages_of_other_sites_may_call_without_cookies(client, path):
    answer = client.options(path)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    refused = client.get(path)
    assert (refused.status_code, refused.json()["error"]) == (405, "invalid_request")


def test_program_of_the_tests_is_registered():
    program = Program()
    assert program.register().status_code == 201
