"""One shape for every error of the API, whatever raised it."""

from http import HTTPStatus

import pytest
from django.core import exceptions as core
from django.http import Http404
from django.urls import path
from rest_framework import exceptions

from accounts import problems
from accounts.rest import ApiView, Conflict, Unprocessable

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.test_problems")]
PROBLEM = "application/problem+json"


class Spilled(Exception):
    """What a higher floor raises."""


class SpilledTwice(Spilled):
    pass


RAISED: dict[str, Exception] = {
    "parse": exceptions.ParseError(),
    "nobody": exceptions.NotAuthenticated(),
    "wrong": exceptions.AuthenticationFailed(),
    "forbidden": exceptions.PermissionDenied(),
    "django-forbidden": core.PermissionDenied("Ask an admin."),
    "django-forbidden-silent": core.PermissionDenied(),
    "missing": exceptions.NotFound(),
    "django-missing": Http404("Campaign 7 of Bakery"),
    "method": exceptions.MethodNotAllowed("BREW"),
    "conflict": Conflict(),
    "spilled": Spilled("The cup is empty."),
    "spilled-twice": SpilledTwice("So is the other."),
    "media": exceptions.UnsupportedMediaType("text/tea"),
    "unprocessable": Unprocessable("Not twice."),
    "throttled": exceptions.Throttled(wait=7),
    "suspicious": core.SuspiciousOperation("secret detail"),
    "broken": RuntimeError("secret detail"),
    "field": core.ValidationError({"name": ["Too short.", "Too plain."]}),
    "fields": core.ValidationError({"name": "No.", "zone": core.ValidationError("Nor %(x)s.", params={"x": "this"})}),
    "sentence": core.ValidationError("A workspace needs an owner."),
    "list": core.ValidationError(["One.", "Two."]),
    "drf-list": exceptions.ValidationError(["One."]),
    "drf-nested": exceptions.ValidationError({"parts": [{}, {"text": ["Too long."]}]}),
}


class Raising(ApiView):
    authentication_classes = []
    permission_classes = []

    def get(self, request, name):
        raise RAISED[name]

    post = get


urlpatterns = [path("api/raise/<str:name>", Raising.as_view()), path("raise/<str:name>", Raising.as_view())]
handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.not_found
handler500 = problems.server_error


@pytest.fixture
def answer_to(api, monkeypatch):
    monkeypatch.setitem(problems.CONFLICTS, Spilled, "spilled")
    return lambda name, **headers: api().get(f"/api/raise/{name}", **headers)


@pytest.mark.parametrize(
    ("name", "status", "code", "detail"),
    [
        ("parse", 400, "parse_error", "Malformed request."),
        ("nobody", 403, "not_authenticated", "Authentication credentials were not provided."),
        ("wrong", 403, "authentication_failed", "Incorrect authentication credentials."),
        ("forbidden", 403, "permission_denied", "You do not have permission to perform this action."),
        ("django-forbidden", 403, "permission_denied", "Ask an admin."),
        ("django-forbidden-silent", 403, "permission_denied", "You do not have permission to perform this action."),
        ("missing", 404, "not_found", "Not found."),
        ("django-missing", 404, "not_found", "Not found."),
        ("method", 405, "method_not_allowed", 'Method "BREW" not allowed.'),
        ("conflict", 409, "conflict", "The state of this object does not allow it."),
        ("spilled", 409, "spilled", "The cup is empty."),
        ("spilled-twice", 409, "spilled", "So is the other."),
        ("media", 415, "unsupported_media_type", 'Unsupported media type "text/tea" in request.'),
        ("unprocessable", 422, "idempotency_mismatch", "Not twice."),
        ("throttled", 429, "throttled", "Request was throttled. Expected available in 7 seconds."),
        ("suspicious", 400, "bad_request", "This request cannot be understood."),
        ("broken", 500, "error", "Something went wrong on our side. It was recorded."),
    ],
)
def test_problem_has_type_title_status_code_and_detail(answer_to, name, status, code, detail):
    answer = answer_to(name)
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
    assert answer.json() == {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        ("field", {"name": ["Too short.", "Too plain."]}),
        ("fields", {"name": ["No."], "zone": ["Nor this."]}),
        ("sentence", {"detail": ["A workspace needs an owner."]}),
        ("list", {"detail": ["One.", "Two."]}),
        ("drf-list", {"detail": ["One."]}),
        ("drf-nested", {"parts": [{}, {"text": ["Too long."]}]}),
    ],
)
def test_wrong_fields_stand_under_errors_by_their_names(answer_to, name, errors):
    answer = answer_to(name)
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert answer.json()["code"] == "invalid"
    assert answer.json()["errors"] == errors
    assert answer.json()["detail"] == "Some fields are not right."


def test_throttled_caller_reads_the_wait_in_the_header_too(answer_to):
    assert answer_to("throttled")["Retry-After"] == "7"


def test_conflict_that_nobody_registered_is_a_fault_of_ours(answer_to, monkeypatch):
    monkeypatch.delitem(problems.CONFLICTS, Spilled)
    assert answer_to("spilled").status_code == 500


@pytest.mark.parametrize("accept", ["application/json", "*/*", PROBLEM, "text/html,*/*;q=0.1"])
def test_problem_is_a_problem_whatever_the_caller_accepts(answer_to, accept):
    assert answer_to("conflict", HTTP_ACCEPT=accept)["Content-Type"] == PROBLEM


def test_answer_to_head_has_the_status_and_no_body(api):
    answer = api().head("/api/raise/missing")
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize("name", ["suspicious", "broken"])
def test_fault_shows_nothing_of_itself(answer_to, name):
    assert b"secret detail" not in answer_to(name).content


@pytest.mark.parametrize(("name", "status"), [("suspicious", 400), ("broken", 500)])
def test_fault_of_a_page_is_a_page(api, name, status):
    answer = api().get(f"/raise/{name}")
    assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (status, "text/html")
    assert b"secret detail" not in answer.content


def test_every_conflict_of_the_higher_floors_has_a_code_of_its_own():
    codes = list(problems.CONFLICTS.values())
    assert codes
    assert all(code == code.lower() and " " not in code for code in codes)
