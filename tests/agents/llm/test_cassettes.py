"""What providers really sent becomes the same neutral words, and costs to a micro-dollar what they charge."""

import json
from fractions import Fraction
from uuid import uuid4

import pytest

from accounts.scope import workspace_scope
from agents import llm
from agents.llm.types import Ask, ModelError, Payer, Said, Stop, Tool, ToolCall, ToolResult, Usage
from agents.models import ModelCall
from tests.agents.llm.cassettes import cassette, needs_vectors, published_prices, telling

pytestmark = [needs_vectors, pytest.mark.django_db]
# The recording's name for a model, as the price table has it; None where neither lists a price.
PRICED_AS = {
    "claude-sonnet-4-0": "claude-sonnet-4-20250514",
    "claude-sonnet-4-5": "claude-sonnet-4-5",
    "gpt-4o": "gpt-4o",
    "gemini-2.0-flash": "gemini-2.0-flash",
}
COUNTRY = Tool("get_user_country", "", {"type": "object", "properties": {}, "additionalProperties": False})
RESULT = Tool(
    "final_result",
    "",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "country": {"type": "string"}},
        "required": ["city", "country"],
    },
)
CAPITAL = Tool(
    "get_capital", "", {"type": "object", "properties": {"country": {"type": "string"}}, "required": ["country"]}
)
DIVIDE = Tool(
    "divide",
    "Divide two numbers.",
    {
        "type": "object",
        "properties": {
            "numerator": {"type": "number"},
            "denominator": {"type": "number"},
            "on_inf": {"type": "string", "enum": ["error", "infinity"]},
        },
        "required": ["numerator", "denominator"],
    },
)
LARGEST = Said("user", "What is the largest city in the user country?")


def rates(model):
    """USD per million tokens, as the catalogue has them."""
    found = published_prices(PRICED_AS.get(model, ""))
    if not found:
        # OpenRouter's own prices are in no table: what counts is that these are used.
        return {"input": 0.35, "output": 0.56} if "mistral" in model else {"input": 0, "output": 0}
    names = {"input": "input", "output": "output"}
    names |= {"cached": "input_cache_read", "cache_write": "input_cache_creation"}
    return {ours: float(found[theirs] * 10**6) for ours, theirs in names.items() if theirs in found}


def expected_micro(model, used):
    """By hand, in fractions: half a micro-dollar up."""
    price = {name: Fraction(str(value)) for name, value in rates(model).items()}
    cached, written = (price.get(name, price["input"]) for name in ("cached", "cache_write"))
    fresh = used.input - used.cached - used.cache_write
    exact = fresh * price["input"] + used.cached * cached + used.cache_write * written + used.output * price["output"]
    return int(exact + Fraction(1, 2))


@pytest.fixture
def play(models_file, settings, workspace):
    """`play(wire, model, url)` answers how to ask it: `ask(*messages, tools=…)`."""

    def point(wire, model, url):
        def change(data):
            data["providers"]["taped"] = {
                "label": "Taped",
                "wire": wire,
                "base_url_setting": "ANTHROPIC_BASE_URL",
                "max_concurrency": 4,
            }
            data["models"][model] = {
                "provider": "taped",
                "context": 200_000,
                "max_output": 8192,
                "capabilities": ["tools"],
                "prices": [{"effective_from": "2025-01-01", **rates(model)}],
            }

        models_file(change)
        settings.ANTHROPIC_BASE_URL = url

        def ask(*messages, tools=(), on_text=None):
            asked = Ask(role="chat", system="", messages=messages, tools=tools, max_output=4096, models=(model,))
            payer = Payer(workspace, str(uuid4()))
            return llm.stream(asked, payer=payer, on_text=on_text) if on_text else llm.complete(asked, payer=payer)

        return ask

    return point


def rows(workspace):
    with workspace_scope(workspace.pk):
        return list(ModelCall.objects.order_by("started_at", "pk"))


def check(answer, model, used):
    assert (answer.usage, answer.cost_micro) == (used, expected_micro(model, used))
    assert not answer.is_estimated


def test_anthropic_tools(play):
    exchanges = cassette("anthropic_tool_output")["exchanges"]
    with telling(exchanges) as (url, heard):
        ask = play("anthropic", "claude-sonnet-4-5", url)
        first = ask(LARGEST, tools=(COUNTRY, RESULT))
        call = ToolCall("toolu_01ECaF1WRmnTui1BpXZXyBds", "get_user_country", {}, "{}")
        assert (first.text, first.stop, first.tool_calls) == ("", Stop.TOOL, (call,))
        check(first, "claude-sonnet-4-5", Usage(input=711, output=23))
        turns = (LARGEST, Said("assistant", tool_calls=first.tool_calls))
        second = ask(*turns, Said("user", tool_results=(ToolResult(call.id, "Mexico"),)), tools=(COUNTRY, RESULT))
        assert [(one.name, one.args) for one in second.tool_calls] == [
            ("final_result", {"city": "Mexico City", "country": "Mexico"})
        ]
        check(second, "claude-sonnet-4-5", Usage(input=762, output=56))
    assert heard[1]["messages"][1:] == exchanges[1]["request"]["messages"][1:]


def test_anthropic_stream_with_thinking(play):
    pieces = []
    with telling(cassette("anthropic_stream_thinking")["exchanges"]) as (url, _heard):
        ask = play("anthropic", "claude-sonnet-4-0", url)
        answer = ask(Said("user", "How do I cross the street?"), on_text=pieces.append)
    assert (pieces, answer.text, answer.stop) == (
        ["Here's", " how to cross the"],
        "Here's how to cross the",
        Stop.END,
    )
    check(answer, "claude-sonnet-4-0", Usage(input=43, output=300))


def test_openai_responses_tools(play):
    exchanges = cassette("openai_responses_tool_call")["exchanges"]
    question = Said("user", "What is the capital of PotatoLand?")
    with telling(exchanges) as (url, heard):
        ask = play("openai_responses", "gpt-4o", url)
        first = ask(question, tools=(CAPITAL,))
        assert [(one.id, one.name, one.args) for one in first.tool_calls] == [
            ("call_61cRAI5gleGxCN89umufHn2a", "get_capital", {"country": "PotatoLand"})
        ]
        check(first, "gpt-4o", Usage(input=256, output=18))
        result = ToolResult(first.tool_calls[0].id, "Potato City")
        second = ask(question, Said("assistant", tool_calls=first.tool_calls), Said("user", tool_results=(result,)))
        assert (second.text, second.stop) == ("The capital of PotatoLand is Potato City.", Stop.END)
        check(second, "gpt-4o", Usage(input=287, output=11))
    told = exchanges[1]["request"]["input"][1:]
    assert [{**item, "arguments": json.loads(item.get("arguments", "{}"))} for item in heard[1]["input"][1:]] == [
        {**item, "arguments": json.loads(item.get("arguments", "{}"))} for item in told
    ]


def test_openai_responses_error(play, workspace):
    with telling(cassette("openai_responses_http_error")["exchanges"]) as (url, heard):
        ask = play("openai_responses", "gpt-4o", url)
        with pytest.raises(ModelError) as caught:
            ask(Said("user", "What?"), on_text=print)
    assert (caught.value.code, caught.value.is_retryable, len(heard)) == ("bad_request", False, 1)
    assert "below minimum value" in caught.value.raw
    assert [(row.cost_micro, row.error) for row in rows(workspace)] == [(0, "bad_request")]


def test_openrouter_tools(play):
    with telling(cassette("openrouter_tool_calling")["exchanges"]) as (url, _heard):
        ask = play("openai_chat", "mistralai/mistral-small", url)
        answer = ask(Said("user", "What is 123 / 456?"), tools=(DIVIDE,))
    raw = '{"numerator": 123, "denominator": 456, "on_inf": "infinity"}'
    assert answer.tool_calls == (ToolCall("3sniiMddS", "divide", json.loads(raw), raw),)
    assert answer.stop == Stop.TOOL
    check(answer, "mistralai/mistral-small", Usage(input=134, output=43))


def test_openrouter_unknown_model(play):
    with telling(cassette("openrouter_404")["exchanges"]) as (url, heard), pytest.raises(ModelError) as caught:
        play("openai_chat", "google/gemini-2.5-flash:free", url)(Said("user", "Tell me a joke."))
    assert (caught.value.code, len(heard)) == ("not_found", 1)


def test_openrouter_error_inside_a_stream_is_an_error_with_its_usage(play, workspace):
    heard_text = []
    with telling(cassette("openrouter_stream_error_inside_200")["exchanges"]) as (url, heard):
        ask = play("openai_chat", "minimax/minimax-m2:free", url)
        with pytest.raises(ModelError) as caught:
            ask(Said("user", "Hello there"), on_text=heard_text.append)
    assert (caught.value.code, heard_text, len(heard)) == ("bad_request", [], 1)
    assert caught.value.usage == Usage(input=43, output=10, reasoning=11)
    (row,) = rows(workspace)
    assert (row.status, row.input_tokens, row.output_tokens, row.reasoning_tokens) == ("failed", 43, 10, 11)
    assert not row.is_estimated


def as_chat(told):
    """Gemini's own form in the one that its compatible endpoint uses, where our wire meets it."""
    (candidate,) = told["candidates"]
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": one["name"], "arguments": json.dumps(one["args"])}}
        for n, one in enumerate(part["functionCall"] for part in candidate["content"]["parts"])
    ]
    used = told["usageMetadata"]
    return {
        "id": told.get("responseId", "r"),
        "object": "chat.completion",
        "model": told["modelVersion"],
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": None, "tool_calls": calls},
            }
        ],
        "usage": {
            "prompt_tokens": used["promptTokenCount"],
            "completion_tokens": used["candidatesTokenCount"],
            "total_tokens": used["totalTokenCount"],
        },
    }


def test_gemini_tools(play):
    taped = cassette("gemini_tool_output")["exchanges"]
    with telling([{"status": 200, "response": as_chat(one["response"])} for one in taped]) as (url, _heard):
        ask = play("openai_chat", "gemini-2.0-flash", url)
        first = ask(LARGEST, tools=(COUNTRY, RESULT))
        assert [(one.name, one.args) for one in first.tool_calls] == [("get_user_country", {})]
        assert first.stop == Stop.TOOL
        check(first, "gemini-2.0-flash", Usage(input=25, output=5))
        result = ToolResult(first.tool_calls[0].id, "Mexico")
        second = ask(
            LARGEST,
            Said("assistant", tool_calls=first.tool_calls),
            Said("user", tool_results=(result,)),
            tools=(COUNTRY, RESULT),
        )
        assert second.tool_calls[0].args == {"city": "Mexico City", "country": "Mexico"}
        check(second, "gemini-2.0-flash", Usage(input=39, output=8))
