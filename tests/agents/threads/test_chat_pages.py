"""The assistant's pages."""

import pytest
from django.urls import reverse

from accounts.models import Workspace
from accounts.scope import workspace_scope
from agents.memory import remember
from agents.models import Message, Run, Thread
from agents.runs.worker import advance
from agents.templatetags.chatting import with_sources

pytestmark = pytest.mark.django_db


def begin(client, message: str = "What could we post?"):
    return client.post("/assistant/begin", {"message": message}, follow=True)


def say(sandbox, *steps: dict) -> None:
    """What every model answers next."""
    sandbox.post("/llm/script", steps=[{"model": "*", **step} for step in steps])


def only_run(workspace: Workspace) -> Run:
    with workspace_scope(workspace.pk):
        return Run.objects.get()


def test_empty_page_says_what_can_be_asked(bob_client):
    text = bob_client.get("/assistant").content.decode()
    assert "What could we post this week?" in text
    assert "Nobody else sees them." in text


def test_first_message_begins_a_conversation_and_gets_an_answer(bob_client, workspace, sandbox):
    page = begin(bob_client)
    assert "data-stream=" in page.content.decode()
    run = only_run(workspace)
    advance(run.pk)
    with workspace_scope(workspace.pk):
        answer = Message.objects.get(role="assistant")
    text = bob_client.get(page.request["PATH_INFO"]).content.decode()
    assert answer.text.split("\n")[0][:20] in text
    assert "Answered by the sandbox model" in text
    assert "data-stream=" not in text


def test_fragment_holds_the_turns_alone(bob_client, workspace, sandbox):
    path = begin(bob_client).request["PATH_INFO"]
    fragment = bob_client.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "What could we post?" in fragment


@pytest.mark.parametrize("message", ["", "  \n ", "x" * 20_001])
def test_message_that_cannot_be_sent_is_explained_and_kept(bob_client, workspace, message):
    answer = begin(bob_client, message)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    with workspace_scope(workspace.pk):
        assert not Thread.objects.exists()


def test_viewer_sees_no_form_and_cannot_ask(vic_client):
    assert "chat-form" not in vic_client.get("/assistant").content.decode()
    assert begin(vic_client).status_code == 403


def test_conversation_of_somebody_else_answers_like_a_missing_one(alice_client, bob_client, workspace, sandbox):
    path = begin(bob_client).request["PATH_INFO"]
    assert alice_client.get(path).status_code == 404


def test_stopped_run_says_so(bob_client, workspace, sandbox):
    begin(bob_client)
    run = only_run(workspace)
    page = bob_client.post(reverse("agents:chat-stop", args=[run.thread_id, run.pk]), follow=True)
    assert "Somebody stopped it." in page.content.decode()
    assert only_run(workspace).status == "canceled"


def test_conversation_is_renamed_and_deleted(bob_client, workspace, sandbox):
    begin(bob_client)
    run = only_run(workspace)
    renamed = bob_client.post(reverse("agents:chat-rename", args=[run.thread_id]), {"title": "Autumn"}, follow=True)
    assert "<h1>Autumn</h1>" in renamed.content.decode()
    refused = bob_client.post(reverse("agents:chat-delete", args=[run.thread_id]))
    assert refused.status_code == 409
    advance(run.pk)
    bob_client.post(reverse("agents:chat-delete", args=[run.thread_id]))
    with workspace_scope(workspace.pk):
        assert not Thread.objects.exists()


def test_stream_is_for_whom_the_conversation_is(alice_client, bob_client, workspace, sandbox):
    begin(bob_client)
    run = only_run(workspace)
    advance(run.pk)
    path = reverse("agents:chat-stream", args=[run.thread_id, run.pk])
    assert alice_client.get(path).status_code == 404
    assert b"event: end" in b"".join(bob_client.get(path).streaming_content)


# --- beside the composer ----------------------------------------------------------------------------------


HTMX = {"HX-Request": "true"}


def test_panel_goes_on_with_its_own_conversation(bob_client, workspace, sandbox):
    assert "names its sources" in bob_client.get("/assistant/panel", headers=HTMX).content.decode()
    for text in ("A first question", "A second question"):
        shown = bob_client.post("/assistant/panel", {"message": text}, headers=HTMX).content.decode()
    assert "A first question" in shown
    assert "data-stream=" in shown
    with workspace_scope(workspace.pk):
        assert Thread.objects.count() == 1


def test_panel_explains_what_it_cannot_send_and_keeps_it(bob_client, sandbox):
    shown = bob_client.post("/assistant/panel", {"message": "x" * 20_001}, headers=HTMX).content.decode()
    assert 'role="alert"' in shown
    assert "x" * 20_001 in shown


def test_panel_stands_beside_the_composer_and_is_not_loaded_before_it_is_opened(bob_client, workspace):
    text = bob_client.get("/posts/new").content.decode()
    assert "Ask the assistant" in text
    assert "names its sources" not in text


# --- asking before it changes something -------------------------------------------------------------------


@pytest.fixture
def asking(bob_client, workspace, sandbox) -> Run:
    """A conversation in which the assistant wants to remember something."""
    begin(bob_client, "Remember that our opening hours are nine to six.")
    run = only_run(workspace)
    call = {"name": "remember", "args": {"text": "We open at nine and close at six.", "subject": "opening hours"}}
    say(sandbox, {"json": {"agent": "memory"}}, {"calls": [call]}, {"text": "I have kept it."})
    advance(run.pk)
    return only_run(workspace)


def answer(client, run: Run, **changes):
    with workspace_scope(run.workspace_id):
        asked = run.interrupts.get()
    data = {"interrupt": str(asked.pk), "sha256": asked.args_sha256, "answer": "approved"} | changes
    return client.post(reverse("agents:chat-answer", args=[run.thread_id, run.pk]), data, follow=True)


def test_card_shows_exactly_what_would_be_done(bob_client, asking):
    text = bob_client.get(reverse("agents:chat", args=[asking.thread_id])).content.decode()
    assert "We open at nine and close at six." in text
    assert "Allow exactly this" in text


def test_allowed_it_is_done_once(bob_client, workspace, asking):
    answer(bob_client, asking)
    advance(asking.pk)
    text = bob_client.get(reverse("agents:chat", args=[asking.thread_id])).content.decode()
    assert "I have kept it." in text
    assert "We open at nine" in bob_client.get(reverse("agents:memory")).content.decode()


def test_refused_it_is_not_done(bob_client, workspace, asking):
    answer(bob_client, asking, answer="rejected")
    advance(asking.pk)
    assert "We open at nine" not in bob_client.get(reverse("agents:memory")).content.decode()


def test_card_that_was_changed_allows_nothing(bob_client, asking):
    page = answer(bob_client, asking, sha256="0" * 64)
    assert page.status_code == 409
    assert "not what you were shown" in page.content.decode()


# --- sources ----------------------------------------------------------------------------------------------


def test_answer_cites_what_it_used(bob_client, bob_actor, workspace, sandbox):
    with workspace_scope(workspace.pk):
        item = remember("Our espresso Gioia costs 12 euros.", by=bob_actor)
    begin(bob_client, "What does the espresso Gioia cost?")
    say(sandbox, {"json": {"agent": "product_expert"}}, {"text": "It costs 12 euros [1]. See also [7]."})
    run = only_run(workspace)
    advance(run.pk)
    text = bob_client.get(reverse("agents:chat", args=[run.thread_id])).content.decode()
    assert reverse("agents:memory-item", args=[item.pk]) in text
    assert "[7]." in text
    assert text.count('class="source-mark"') == 1


def test_what_a_model_writes_is_never_markup():
    message = Message(text='<script>x</script>\n\n<b>[1]</b> & "more"', citations=[{"n": 1}])
    shown = with_sources(message)
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert shown.count("<p>") == 2
    assert 'class="source-mark"' in shown
