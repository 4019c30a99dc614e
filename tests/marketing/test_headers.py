"""The frame that every answer leaves in: security headers, error pages, the page of the API."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path
from django_structlog.middlewares.request import sync_streaming_content_wrapper

from accounts.models import User
from marketing import urls
from marketing.middleware import CSP, LOOSER, RequestLogMiddleware, SecurityHeadersMiddleware
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

# One of each kind: landing, log-in, health, JSON, schema, missing page, missing address of the API.
PAGES = ["/", "/accounts/login/", "/healthz", "/api/campaigns", "/api/schema", "/nowhere", "/api/nowhere"]
LOOSE = ["/admin/login/", "/docs"]
FOREIGN = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//[^"']*|url\((?:https?:)?//|@import""")


def policy(response: HttpResponse) -> dict[str, set[str]]:
    parts = (part.split() for part in response.headers["Content-Security-Policy"].split(";"))
    return {name: set(values) for name, *values in parts}


def fail(_request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("geheim")


def forbid(_request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("Only owners.")


def misunderstand(_request: HttpRequest) -> HttpResponse:
    raise BadRequest("geheim")


BROKEN = [path("fail", fail), path("forbid", forbid), path("misunderstand", misunderstand)]
urlpatterns = [path("broken/", include(BROKEN)), path("api/broken/", include(BROKEN)), path("", include(urls))]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.fixture
def broken(settings) -> Iterator[Client]:
    """The product with a few addresses more, which fail."""
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


# --- headers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", PAGES)
def test_no_script_or_style_of_a_page_may_be_inline_or_foreign(client: Client, url: str) -> None:
    found = policy(client.get(url))
    assert found["script-src"] == found["style-src"] == found["default-src"] == {"'self'"}


@pytest.mark.parametrize("url", ["/", "/posts/", "/connections/", "/settings/"])
def test_pages_of_members_are_as_strict(alice_client: Client, url: str) -> None:
    assert policy(alice_client.get(url))["script-src"] == {"'self'"}


@pytest.mark.parametrize(("url", "scripts"), [("/admin/login/", {"'self'", "'unsafe-eval'"}), ("/docs", {"'self'"})])
def test_a_page_that_others_wrote_may_no_more_than_it_needs(client: Client, url: str, scripts: set[str]) -> None:
    found = policy(client.get(url))
    assert found["script-src"] == scripts
    assert found["style-src"] == {"'self'", "'unsafe-inline'"}
    assert found["default-src"] == {"'self'"}


def test_no_path_has_inline_scripts() -> None:
    assert not [
        text for text in (CSP, *LOOSER.values()) if "'unsafe-inline'" in text.split("script-src")[1].split(";")[0]
    ]


@pytest.mark.parametrize("url", PAGES + LOOSE)
def test_no_page_may_be_framed_or_rebased_or_hold_plugins(client: Client, url: str) -> None:
    found = policy(client.get(url))
    assert found["frame-ancestors"] == found["base-uri"] == found["object-src"] == {"'none'"}


@pytest.mark.parametrize("url", PAGES + LOOSE)
def test_every_answer_carries_the_other_headers(client: Client, url: str) -> None:
    headers = client.get(url).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Referrer-Policy"] == headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.fixture
def production(settings) -> Client:
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    return Client(headers={"X-Forwarded-Proto": "https"})


def test_in_production_browsers_remember_https(production: Client) -> None:
    assert production.get("/").headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_in_production_http_leads_to_https(production: Client) -> None:
    answer = production.get("/posts", headers={"X-Forwarded-Proto": "http"})
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/posts")


def test_cookies_stay_with_us(production: Client, alice: User) -> None:
    production.post("/theme", {"theme": "dark"})
    production.get("/accounts/login/")
    production.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert {"session", "csrftoken", "theme"} <= production.cookies.keys()
    for name, cookie in production.cookies.items():
        assert cookie["samesite"] in {"Lax", "Strict"}, name
        assert cookie["secure"], name
        assert cookie["httponly"], name


def test_forms_may_lead_to_the_authorise_page_of_x_and_nowhere_else(client: Client, settings) -> None:
    settings.X_AUTHORIZE_URL = "https://x.test/authorize?hint=1"
    assert policy(client.get("/"))["form-action"] == {"'self'", "https://x.test/authorize"}


def test_view_may_set_a_policy_of_its_own(rf: RequestFactory) -> None:
    own = HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})
    answer = SecurityHeadersMiddleware(lambda _request: own)(rf.get("/"))
    assert policy(answer) == {"default-src": {"'none'"}}


@pytest.mark.parametrize("url", ["/broken/fail", "/api/broken/fail"])
def test_page_that_failed_is_as_strict(broken: Client, url: str) -> None:
    assert policy(broken.get(url))["script-src"] == {"'self'"}


# --- what the log says of a request -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "logged"),
    [
        ("/posts/?q=geheim", "GET /posts/"),
        ("/invitations/geheim/", "GET /invitations/***/"),
        ("/accounts/password/reset/key/1-geheim/", "GET /accounts/password/reset/key/***/"),
        ("/accounts/confirm-email/geheim/", "GET /accounts/confirm-email/***/"),
    ],
)
def test_log_names_the_path_without_its_secrets(rf: RequestFactory, address: str, logged: str) -> None:
    assert RequestLogMiddleware.format_request(rf.get(address)) == logged


@pytest.mark.parametrize("url", ["/", "/api/campaigns", "/nowhere", "/broken/fail"])
def test_answer_has_the_name_of_its_request_and_not_what_a_stranger_calls_it(broken: Client, url: str, caplog) -> None:
    caplog.set_level("INFO")
    name = broken.get(url, headers={"X-Request-Id": "chosen"}).headers["X-Request-Id"]
    assert UUID(name)
    logged = [record.msg for record in caplog.records if isinstance(record.msg, dict) and "request" in record.msg]
    assert {entry["request_id"] for entry in logged} == {name}


def test_answer_keeps_its_name_while_an_older_stream_is_cleaned_up(rf: RequestFactory) -> None:
    older = sync_streaming_content_wrapper(iter([b"first", b"second"]), {"request_id": "older"})
    next(older)

    def answer(_request: HttpRequest) -> HttpResponse:
        older.close()
        return HttpResponse()

    assert UUID(RequestLogMiddleware(answer)(rf.get("/")).headers["X-Request-Id"])


# --- errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status"), [("nowhere", 404), ("forbid", 403), ("misunderstand", 400), ("fail", 500)])
def test_error_page_is_a_whole_page_that_loads_nothing_foreign(broken: Client, name: str, status: int) -> None:
    response = broken.get(f"/broken/{name}")
    html = response.content.decode()
    assert response.status_code == status
    assert "<h1" in html
    assert not FOREIGN.search(html)
    assert "geheim" not in html


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("nowhere", 404, "not_found"),
        ("forbid", 403, "permission_denied"),
        ("misunderstand", 400, "bad_request"),
        ("fail", 500, "error"),
    ],
)
def test_error_of_the_api_is_a_problem_document(broken: Client, name: str, status: int, code: str) -> None:
    response = broken.get(f"/api/broken/{name}")
    assert response.status_code == response.json()["status"] == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert "geheim" not in response.content.decode()


def test_refusal_says_why(broken: Client) -> None:
    assert broken.get("/api/broken/forbid").json()["detail"] == "Only owners."


def test_foreign_host_is_refused(client: Client) -> None:
    assert client.get("/", headers={"Host": "evil.test"}).status_code == 400


# --- the page of the API ------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["/docs", "/", "/accounts/login/"])
def test_page_loads_nothing_from_elsewhere(client: Client, url: str) -> None:
    html = client.get(url).content.decode()
    assert "/static/" in html
    assert not FOREIGN.search(html)


def test_page_of_the_api_reads_our_own_schema(client: Client) -> None:
    script = re.search(r'src="(/docs\?script=)"', client.get("/docs").content.decode())
    assert script is not None
    assert "/api/schema" in client.get(script[1]).content.decode()


def test_schema_is_one_document_with_every_door(client: Client) -> None:
    schema = client.get("/api/schema", headers={"Accept": "application/json"}).json()
    assert schema["openapi"].startswith("3.")
    assert {"/api/campaigns", "/api/auth/login", "/api/twitter/status"} <= schema["paths"].keys()
