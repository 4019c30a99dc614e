import pytest

from accounts.scope import workspace_scope
from agents.llm import complete, embed, stream
from agents.llm.types import Ask, Said, Stop
from agents.models import ModelCall

ASK = Ask(role="chat", system="You write short posts.", messages=(Said("user", "Write about coffee."),))


@pytest.fixture(autouse=True)
def use(sandbox, db):
    pass


def test_without_a_key_the_sandbox_answers_and_is_named(payer, workspace):
    answer = complete(ASK, payer=payer())
    assert answer.text
    assert (answer.stop, answer.model, answer.provider, answer.is_sandbox) == (
        Stop.END,
        "sandbox-writer",
        "sandbox",
        True,
    )
    with workspace_scope(workspace.pk):
        row = ModelCall.objects.get()
    assert (row.status, row.cost_micro, row.input_tokens) == ("done", answer.cost_micro, answer.usage.input)


def test_a_stream_says_the_same_piece_by_piece(payer):
    pieces = []
    answer = stream(ASK, payer=payer(), on_text=pieces.append)
    assert len(pieces) > 1
    assert "".join(pieces) == answer.text == complete(ASK, payer=payer()).text


def test_texts_become_vectors(payer):
    made = embed(["coffee beans", "coffee bean"], payer=payer())
    assert [len(vector) for vector in made.vectors] == [256, 256]
    assert (made.model, made.is_sandbox, made.usage.input > 0) == ("sandbox-embed", True, True)
