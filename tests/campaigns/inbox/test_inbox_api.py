"""/api/inbox"""

import pytest

from campaigns.models import Conversation, Delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob_api(api, bob):
    return api(bob)


def path(talk: Conversation, act: str = "") -> str:
    return f"/api/inbox/{talk.pk}" + (f"/{act}" if act else "")


def test_conversations_are_listed_and_read(bob_api, write):
    talk = write("Do you open on Sunday?").conversation
    [row] = bob_api.get("/api/inbox").data["results"]
    assert (row["id"], row["author_handle"], row["is_unread"]) == (talk.pk, "dana", True)
    assert [one["text"] for one in bob_api.get(path(talk)).data["messages"]] == ["Do you open on Sunday?"]
    assert bob_api.get("/api/inbox", {"q": "monday"}).data["results"] == []


@pytest.mark.parametrize("query", [{"show": "secret"}, {"connection": "x"}, {"q": "x" * 300}])
def test_wrong_filters_are_refused(bob_api, write, query):
    write()
    assert bob_api.get("/api/inbox", query).status_code == 400


def test_conversation_is_done_reopened_and_assigned(bob_api, bob, vic, write):
    talk = write().conversation
    assert bob_api.post(path(talk, "done")).data["status"] == "done"
    assert bob_api.post(path(talk, "reopen")).data["status"] == "open"
    assigned = bob_api.post(path(talk, "assign"), {"person": str(bob.pk)}, format="json")
    assert assigned.data["assigned_to"] == bob.pk
    assert bob_api.post(path(talk, "assign"), {"person": str(vic.pk)}, format="json").status_code == 400


def test_answer_goes_into_review_once(bob_api, write):
    talk = write().conversation
    first = bob_api.post(path(talk, "reply"), {"text": "Yes, we do."}, format="json")
    assert (first.status_code, first.data["state"]) == (201, Delivery.State.IN_REVIEW)
    again = bob_api.post(path(talk, "reply"), {"text": "Yes, we do."}, format="json")
    assert again.status_code == 400


def test_draft_is_a_run_to_ask_about(bob_api, write, sandbox):
    answer = bob_api.post(path(write().conversation, "draft"))
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/runs/{answer.data['run']}/status"


@pytest.mark.parametrize("act", ["done", "reopen", "assign", "reply", "draft"])
def test_who_may_only_look_changes_nothing(api, vic, write, act):
    body = {"assign": {"person": None}, "reply": {"text": "Hi"}}.get(act, {})
    assert api(vic).post(path(write().conversation, act), body, format="json").status_code == 403


@pytest.mark.parametrize("act", ["", "done", "reply", "draft", "assign"])
def test_conversation_of_another_workspace_is_missing(api, charlie, other_workspace, write, act):
    caller, talk = api(charlie), write().conversation
    body = {"text": "x", "person": None}
    answer = caller.post(path(talk, act), body, format="json") if act else caller.get(path(talk))
    assert answer.status_code == 404
