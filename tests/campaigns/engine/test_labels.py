"""What goes along with a text: polls, who may answer, and what the post says about its making."""

from dataclasses import replace

import pytest

from campaigns.models import Delivery, Post
from campaigns.services import PartDraft, PostDraft, create_post, duplicate_post, update_post

POLL = {"options": ["Filter", "Espresso"], "minutes": 90}


@pytest.fixture
def first_on_x(sandbox):
    return lambda: sandbox.posts("roastery")[0]


def test_a_poll_reaches_x(due, tick, first_on_x):
    due(PartDraft("How do you like it?", poll=POLL))
    tick()
    assert first_on_x()["poll"] == {"options": ["Filter", "Espresso"], "duration_minutes": 90}


@pytest.mark.parametrize("who", ["following", "mentionedUsers"])
def test_who_may_answer_reaches_x(due, tick, first_on_x, who):
    due("For some", options={"x": {"reply_settings": who}})
    tick()
    assert first_on_x()["options"]["reply_settings"] == who


def test_only_the_first_part_of_a_thread_says_who_may_answer(due, tick, sandbox):
    due("One", "Two", options={"x": {"reply_settings": "following"}})
    tick()
    assert [post["options"].get("reply_settings") for post in sandbox.posts("roastery")] == ["following", None]


def test_a_paid_partnership_is_said_on_every_part(due, tick, sandbox):
    due("One", "Two", options={"x": {"paid_partnership": True}})
    tick()
    assert [post["options"]["paid_partnership"] for post in sandbox.posts("roastery")] == [True, True]


def test_made_with_ai_is_said_on_every_part(due, tick, sandbox):
    due("One", "Two", made_with_ai=True)
    tick()
    assert [post["options"]["made_with_ai"] for post in sandbox.posts("roastery")] == [True, True]


def test_without_options_nothing_is_said(due, tick, first_on_x):
    due("Plain")
    tick()
    assert first_on_x()["options"] == {}


# --- the label of an agent --------------------------------------------------------------------------------------


@pytest.fixture
def agent(in_workspace, alice_actor):
    return replace(alice_actor, is_agent=True, label="the copywriter")


@pytest.fixture
def written_by_agent(agent, in_workspace, connection) -> Post:
    return create_post(PostDraft((PartDraft("Words of a model"),), connections=(connection.pk,)), by=agent)


def test_what_an_agent_writes_carries_the_label(written_by_agent):
    assert (written_by_agent.has_agent_text, written_by_agent.made_with_ai) == (True, True)


def test_a_person_cannot_take_the_label_off(written_by_agent, connection, alice_actor):
    draft = PostDraft((PartDraft("Words of a person"),), connections=(connection.pk,), made_with_ai=False)
    assert update_post(written_by_agent, draft, by=alice_actor).made_with_ai is True


def test_a_text_that_an_agent_touches_gets_the_label(draft, agent, connection):
    post = draft("Words of a person").post
    changed = PostDraft((PartDraft("Better words"),), connections=(connection.pk,))
    assert update_post(post, changed, by=agent).made_with_ai is True


def test_a_copy_keeps_the_label(written_by_agent, alice_actor):
    assert duplicate_post(written_by_agent, by=alice_actor).has_agent_text is True


def test_the_label_reaches_x(written_by_agent, approve, alice_actor, tick, first_on_x):
    from campaigns.deliveries import publish_now

    publish_now(approve(Delivery.objects.get(post=written_by_agent)), by=alice_actor)
    tick()
    assert first_on_x()["options"]["made_with_ai"] is True
