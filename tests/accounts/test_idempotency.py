"""Idempotency-Key: what is one request, what is another, and what is forgotten."""

from multiprocessing.pool import ThreadPool

import pytest
from django.db import connections
from django.urls import path
from rest_framework import exceptions
from rest_framework.response import Response

from accounts.models import Event, IdempotencyKey
from accounts.rest import WorkspaceView
from accounts.scope import workspace_scope
from accounts.services import create_workspace, emit


class Bell(WorkspaceView):
    """Rings once per request, and then answers as it is told."""

    def post(self, request):
        emit(self.actor.workspace, "bell.rung")
        if request.data.get("refuse"):
            raise exceptions.ValidationError({"refuse": ["No."]})
        return Response(request.data.get("answer"), status=request.data.get("status", 200))

    put = patch = post

    def get(self, request):
        emit(self.actor.workspace, "bell.rung")
        return Response()


urlpatterns = [path("api/bell", Bell.as_view()), path("api/other-bell", Bell.as_view())]
pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.test_idempotency")]


@pytest.fixture
def ring(api, alice, workspace):
    def send(body=None, *, key="one", client=None, method="post", address="/api/bell"):
        call = getattr(client or api(alice), method)
        return call(address, body or {}, format="json", HTTP_IDEMPOTENCY_KEY=key)

    return send


@pytest.fixture
def rings(workspace):
    def count() -> int:
        with workspace_scope(workspace.pk):
            return Event.objects.count()

    return count


@pytest.mark.parametrize("answer", [{"名": "烘焙 🥐"}, [1, None, "x"], "text", 0, False, {}, []])
def test_answer_is_repeated_as_it_was(ring, rings, answer):
    first, second = (ring({"answer": answer, "status": 202}) for _ in range(2))
    assert (second.status_code, second.content) == (202, first.content)
    assert [a.get("Idempotent-Replayed") for a in (first, second)] == [None, "true"]
    assert rings() == 1


@pytest.mark.parametrize(
    "other",
    [{"address": "/api/other-bell"}, {"address": "/api/bell?a=1"}, {"method": "put"}, {"body": {"answer": "b"}}],
)
def test_what_differs_in_method_address_or_body_is_another_request(ring, rings, other):
    ring({"answer": "a"})
    answer = ring(**({"body": {"answer": "a"}} | other))
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert rings() == 1


def test_refusal_of_a_mismatch_keeps_the_first_answer(ring):
    ring({"answer": "a"})
    ring({"answer": "b"})
    assert ring({"answer": "a"}).json() == "a"


def test_another_key_is_another_act(ring, rings):
    assert [ring(key=key).status_code for key in ("one", "two", "One")] == [200] * 3
    assert rings() == 3


def test_request_without_a_key_is_done_each_time(ring, rings):
    assert [ring(key="").status_code for _ in range(2)] == [200] * 2
    assert rings() == 2


def test_reading_takes_no_notice_of_a_key(api, alice, workspace, rings):
    for _ in range(2):
        assert "Idempotent-Replayed" not in api(alice).get("/api/bell", HTTP_IDEMPOTENCY_KEY="one")
    assert rings() == 2


@pytest.mark.parametrize(("length", "status"), [(1, 200), (200, 200), (201, 400), (5000, 400)])
def test_key_has_at_most_two_hundred_characters(ring, rings, length, status):
    assert ring(key="k" * length).status_code == status
    assert rings() == (status == 200)


def test_refused_request_is_undone_and_may_be_sent_again(ring, rings):
    assert [ring({"refuse": True}).status_code for _ in range(2)] == [400, 400]
    assert rings() == 0


def test_key_of_a_refused_request_may_be_used_for_the_corrected_one(ring, rings):
    ring({"refuse": True})
    assert "Idempotent-Replayed" not in ring({"refuse": False})
    assert rings() == 1


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500, 503])
def test_answer_with_an_error_status_is_not_kept(ring, workspace, status):
    assert ring({"status": status}).status_code == status
    with workspace_scope(workspace.pk):
        assert not IdempotencyKey.objects.exists()


def test_person_and_key_of_theirs_are_two_callers(ring, rings, api, api_key):
    ring()
    secret = api_key()
    assert "Idempotent-Replayed" not in ring(client=api(secret))
    assert ring(client=api(secret))["Idempotent-Replayed"] == "true"
    assert rings() == 2


def test_two_keys_of_one_person_are_two_callers(ring, rings, api, api_key):
    for secret in (api_key("read"), api_key("write")):
        ring(client=api(secret))
    assert rings() == 2


def test_same_key_in_two_workspaces_is_two_requests(ring, api, alice, workspace):
    second = create_workspace("Second", owner=alice)
    answers = [ring(client=api(alice, workspace=each)) for each in (workspace, second)]
    assert [a.get("Idempotent-Replayed") for a in answers] == [None, None]


def test_page_session_and_token_of_one_person_are_one_caller(ring, rings, alice_client):
    ring()
    answer = alice_client.post("/api/bell", b"{}", content_type="application/json", headers={"Idempotency-Key": "one"})
    assert answer["Idempotent-Replayed"] == "true"
    assert rings() == 1


def test_key_says_what_it_is(ring, workspace):
    ring(key="order-7")
    with workspace_scope(workspace.pk):
        assert [str(row) for row in IdempotencyKey.objects.all()] == ["order-7"]


@pytest.mark.django_db(transaction=True)
def test_different_requests_at_once_with_one_key_are_one_act_and_refusals(ring, rings):
    def send(number: int) -> int:
        try:
            return ring({"answer": number}).status_code
        finally:
            connections.close_all()

    with ThreadPool(4) as pool:
        assert sorted(pool.map(send, range(6), chunksize=1)) == [200] + [422] * 5
    assert rings() == 1
