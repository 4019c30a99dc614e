"""Vectors: in order, in batches, paid for, tried again, and never of another model by accident."""

import math

import pytest

from accounts.scope import workspace_scope
from agents.llm import embed, embeddings
from agents.llm.types import ModelError
from agents.models import AISettings, Circuit, ModelCall

OPENAI = ("text-embedding-3-small",)


@pytest.fixture(autouse=True)
def ready(db, sandbox, no_long_pauses):
    pass


@pytest.fixture
def openai(sandbox, settings):
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = f"{sandbox.url}/openai/v1", "sk-test"
    return sandbox


def rows(workspace):
    with workspace_scope(workspace.pk):
        return list(ModelCall.objects.order_by("started_at", "pk"))


def near(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)


def test_vectors_stand_in_the_order_of_their_texts(payer, monkeypatch):
    texts = ["coffee beans", "a rainy day", "coffee bean", "热玛吉"]
    whole = embed(texts, payer=payer()).vectors
    monkeypatch.setattr(embeddings, "AT_ONCE", 2)
    assert embed(texts, payer=payer()).vectors == whole
    assert near(whole[0], whole[2]) > near(whole[0], whole[1])


def test_each_batch_is_a_row_and_the_sum_is_told(payer, workspace, monkeypatch):
    monkeypatch.setattr(embeddings, "AT_ONCE", 2)
    made = embed(["some text about coffee"] * 5, payer=payer())
    booked = rows(workspace)
    assert [(row.role, row.status) for row in booked] == [("embed", "done")] * 3
    assert made.usage.input == sum(row.input_tokens for row in booked)
    assert made.cost_micro == sum(row.cost_micro for row in booked)


def test_nothing_is_asked_for_nothing(payer, sandbox):
    assert embed([], payer=payer()).vectors == ()
    assert sandbox.get("/llm/calls")["calls"] == []


def test_a_provider_with_a_key_is_asked_and_named(openai, payer):
    made = embed(["text"], payer=payer())
    assert (made.model, made.provider, made.is_sandbox) == (*OPENAI, "openai", False)
    assert len(embed(["text"], payer=payer(), dimensions=64).vectors[0]) == 64


def test_trouble_is_tried_again_and_then_told(openai, payer, workspace):
    openai.fault("http", platform="openai", status=529)
    assert embed(["text"], payer=payer()).vectors
    openai.fault("http", platform="openai", status=529, count=3)
    with pytest.raises(ModelError) as caught:
        embed(["text"], payer=payer())
    # Vectors of another model could not be compared: nobody else is asked.
    assert caught.value.code == "overloaded"
    assert [row.error for row in rows(workspace)] == ["overloaded", "", *["overloaded"] * 3]
    assert Circuit.objects.get().open_until


def test_a_refused_key_is_not_tried_again(openai, payer):
    openai.fault("http", platform="openai", status=401)
    with pytest.raises(ModelError) as caught:
        embed(["text"], payer=payer())
    assert (caught.value.code, len(openai.get("/llm/calls")["calls"])) == ("unauthorized", 1)


def test_what_got_lost_on_the_way_back_counts_as_spent(openai, payer, workspace):
    openai.fault("accept_then_drop", platform="openai")
    embed(["some text"], payer=payer())
    lost, done = rows(workspace)
    assert (lost.cost_micro, lost.is_estimated, done.is_estimated) == (lost.reserved_micro, True, False)


def test_a_budget_stops_them(payer, workspace):
    with workspace_scope(workspace.pk):
        AISettings.objects.create(workspace=workspace, monthly_cap_micro=0)
    with pytest.raises(ModelError) as caught:
        embed(["x" * 10_000], payer=payer())
    assert caught.value.code == "over_budget"
    assert rows(workspace) == []
