"""Counting, caching, embedding and filling, without a server."""

import base64
import math
import random
import sqlite3
import struct
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.llm import cache, tokens
from sandbox.llm.embeddings import DIMENSIONS, embed
from sandbox.llm.events import Event, after_tokens, split_characters
from sandbox.llm.filling import Filler, fill
from sandbox.llm.prompt import Answer, Part, Prompt, call_answer, text_answer
from sandbox.llm.schema import SCHEMA
from sandbox.llm.tokens import Segment
from tests.sandbox.cast import Sandbox
from tests.sandbox.llm_cast import KEY, MESSAGES, Models, error_of, prompt


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:")
    opened.executescript(SCHEMA)
    yield opened
    opened.close()


@given(st.text())
def test_pieces_are_the_whole_text(text: str) -> None:
    assert "".join(tokens.pieces(text)) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("word", 1), ("two words", 2), ("热玛吉", 3), ("marketing", 2), ("a, b!", 4), ("2026", 2)],
)
def test_tokens_are_counted(text: str, count: int) -> None:
    assert tokens.count(text) == count


@given(st.text(max_size=80), st.integers(0, 40))
def test_answer_never_exceeds_its_limit(text: str, limit: int) -> None:
    asked = Prompt("openai", "m", (), max_tokens=limit)
    cut = tokens.cut_to_limits(text_answer(text), asked)
    assert tokens.count_answer(cut) <= limit
    assert text.startswith(cut.text)
    assert (cut.stop == "length") == (tokens.count(text) > limit)


def test_call_that_does_not_fit_is_not_made() -> None:
    asked = Prompt("openai", "m", (), max_tokens=3)
    cut = tokens.cut_to_limits(call_answer([("publish", {"text": "long " * 9})]), asked)
    assert (cut.calls, cut.stop) == ([], "length")


@pytest.mark.parametrize(
    ("text", "stop", "said", "mark"),
    [
        ("a b c", ("b",), "a ", "b"),
        ("a b c", ("c", "b"), "a ", "b"),
        ("a b c", ("x",), "a b c", None),
        ("a", ("",), "a", None),
    ],
)
def test_text_ends_at_the_first_stop(text: str, stop: tuple[str, ...], said: str, mark: str | None) -> None:
    cut = tokens.cut_to_limits(text_answer(text), Prompt("anthropic", "m", (), stop=stop))
    assert (cut.text, cut.stop_sequence) == (said, mark)


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 30))
def test_cut_stream_has_so_many_tokens(marks: list[bool], count: int) -> None:
    events = [Event(str(place), is_token=mark) for place, mark in enumerate(marks)]
    kept = after_tokens(events, count)
    assert events[: len(kept)] == kept
    assert sum(event.is_token for event in kept) == min(count, sum(marks))


@given(st.text())
def test_split_characters_are_the_same_bytes(text: str) -> None:
    parts = split_characters(text.encode("utf-8", "replace"))
    assert b"".join(parts) == text.encode("utf-8", "replace")
    assert len(parts) >= sum(ord(letter) > 127 for letter in text)


def segments(*sizes: int, marks: dict[int, str] | None = None) -> list[Segment]:
    return [Segment(f"s{place}:{size}", size, (marks or {}).get(place)) for place, size in enumerate(sizes)]


def use(db: sqlite3.Connection, given_: list[Segment], now: float = 0.0, scope: str = "k") -> tuple[int, int, int, int]:
    usage = cache.use_marks(db, now, scope, given_)
    return usage.input, usage.cached, usage.written_5m, usage.written_1h


def test_marked_beginning_is_written_once_and_then_read(store: sqlite3.Connection) -> None:
    asked = segments(2000, 500, 100, marks={1: "5m"})
    assert use(store, asked) == (2600, 0, 2500, 0)
    assert use(store, asked) == (2600, 2500, 0, 0)
    assert use(store, segments(2000, 500, 900, marks={1: "5m"})) == (3400, 2500, 0, 0)


def test_longer_beginning_reads_the_old_and_writes_the_new(store: sqlite3.Connection) -> None:
    use(store, segments(2000, 100, marks={0: "5m"}))
    assert use(store, segments(2000, 100, 300, marks={0: "5m", 2: "1h"})) == (2400, 2000, 0, 400)


def test_changed_beginning_is_read_up_to_the_change(store: sqlite3.Connection) -> None:
    use(store, segments(2000, 600, marks={0: "5m", 1: "5m"}))
    assert use(store, segments(2000, 700, marks={0: "5m", 1: "5m"})) == (2700, 2000, 700, 0)


@pytest.mark.parametrize(("seconds", "cached"), [(299, 2000), (301, 0)])
def test_cache_lasts_five_minutes_from_its_last_use(store: sqlite3.Connection, seconds: float, cached: int) -> None:
    asked = segments(2000, marks={0: "5m"})
    use(store, asked)
    assert use(store, asked, seconds)[1] == cached
    assert use(store, asked, seconds + 299)[1] == 2000


def test_cache_of_an_hour_lasts_an_hour(store: sqlite3.Connection) -> None:
    asked = segments(2000, marks={0: "1h"})
    assert use(store, asked)[3] == 2000
    assert use(store, asked, 3_599)[1] == 2000


def test_cache_belongs_to_one_key(store: sqlite3.Connection) -> None:
    asked = segments(2000, marks={0: "5m"})
    use(store, asked, scope="a")
    assert use(store, asked, scope="b")[1] == 0


@pytest.mark.parametrize("asked", [segments(1000, marks={0: "5m"}), segments(5000)])
def test_short_or_unmarked_beginnings_are_not_cached(store: sqlite3.Connection, asked: list[Segment]) -> None:
    assert use(store, asked)[1:] == (0, 0, 0)
    assert use(store, asked)[1:] == (0, 0, 0)


def test_cached_parts_add_up_over_the_wire(models: Models) -> None:
    system = [{"type": "text", "text": "brand " * 2000, "cache_control": {"type": "ephemeral"}}]
    first = models.ask(MESSAGES, system=system).json()["usage"]
    second = models.ask(MESSAGES, system=system).json()["usage"]
    assert first["cache_creation_input_tokens"] == second["cache_read_input_tokens"] > 2000
    assert first["cache_creation"]["ephemeral_5m_input_tokens"] == first["cache_creation_input_tokens"]
    assert first["input_tokens"] == second["input_tokens"]


def test_mark_for_the_whole_request_covers_its_last_block(models: Models) -> None:
    more = {"cache_control": {"type": "ephemeral"}}
    models.ask(MESSAGES, "brand " * 2000, **more)
    usage = models.ask(MESSAGES, "brand " * 2000, **more).json()["usage"]
    assert (usage["input_tokens"], usage["cache_creation_input_tokens"]) == (0, 0)
    assert usage["cache_read_input_tokens"] > 2000


def similarity(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(embed(one), embed(other), strict=True))


@given(st.text(max_size=60))
def test_embedding_is_a_unit_vector_and_always_the_same(text: str) -> None:
    vector = embed(text)
    assert len(vector) == DIMENSIONS
    assert math.isclose(sum(value * value for value in vector), 1, rel_tol=1e-9)
    assert vector == embed(text)


@pytest.mark.parametrize(
    ("one", "near", "far"),
    [
        ("opening hours on Sunday", "Sunday opening hour", "refund for damaged parcel"),
        ("防晒霜适合敏感肌", "敏感肌可以用防晒霜吗", "发票的税号填哪里"),
    ],
)
def test_alike_texts_lie_near(one: str, near: str, far: str) -> None:
    assert similarity(one, near) > similarity(one, far) + 0.2


def test_sdk_gets_embeddings_labelled_as_the_sandboxes(models: Models) -> None:
    client = models.openai()
    answer = client.embeddings.create(model="text-embedding-3-small", input=["tea", "coffee"])
    assert answer.model == "sandbox-embed"
    assert [len(one.embedding) for one in answer.data] == [256, 256]
    assert answer.data[0].embedding == pytest.approx(embed("tea"), abs=1e-6)
    assert len(client.embeddings.create(model="sandbox-embed", input="x", dimensions=32).data[0].embedding) == 32


def test_embedding_comes_as_floats_or_as_their_bytes(models: Models) -> None:
    def ask(form: str) -> Any:
        body = {"model": "sandbox-embed", "input": "tea", "encoding_format": form}
        url = f"{models.sandbox.url}/openai/v1/embeddings"
        return requests.post(url, json=body, headers={"Authorization": f"Bearer {KEY}"}, timeout=10).json()["data"][0]

    packed = struct.unpack("<256f", base64.b64decode(ask("base64")["embedding"]))
    assert list(packed) == pytest.approx(ask("float")["embedding"], abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"input": []}, 400, "'$.input' is invalid"),
        ({"input": ""}, 400, "'$.input' is invalid"),
        ({"input": [1]}, 400, "'$.input' is invalid"),
        ({"input": ["x"] * 2_049}, 400, "at most 2048"),
        ({"model": "ada"}, 404, "does not exist"),
        ({"dimensions": 0}, 400, "dimensions"),
        ({"encoding_format": "hex"}, 400, "encoding_format"),
    ],
)
def test_senseless_embedding_is_refused(sandbox: Sandbox, changes: dict[str, Any], status: int, words: str) -> None:
    body = {"model": "sandbox-embed", "input": "x", **changes}
    url = f"{sandbox.url}/openai/v1/embeddings"
    answer = requests.post(url, json=body, headers={"Authorization": f"Bearer {KEY}"}, timeout=10)
    assert answer.status_code == status
    assert words in error_of(answer)["message"]


NAMES = st.sampled_from(
    [
        "text",
        "title",
        "lines",
        "score",
        "sentiment",
        "language",
        "network",
        "is_ok",
        "issues",
        "tags",
        "url",
        "hour",
        "ids",
    ]
)


def _ranged(kind: str, numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(numbers, numbers).map(lambda two: {"type": kind, "minimum": min(two), "maximum": max(two)})


SIMPLE = st.one_of(
    st.builds(lambda most: {"type": "string", "maxLength": most}, st.integers(0, 90)),
    st.builds(lambda least: {"type": "string", "minLength": least}, st.integers(0, 90)),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.just({"type": ["string", "null"]}),
    st.just({"anyOf": [{"type": "null"}, {"type": "integer"}]}),
    st.builds(lambda labels: {"enum": labels}, st.lists(st.sampled_from(["a", "praise", "x", 3, None]), min_size=1)),
    st.builds(lambda value: {"const": value}, st.sampled_from(["a", 1, None])),
    _ranged("integer", st.integers(-50, 50)),
    _ranged("number", st.floats(-5, 5)),
    st.builds(lambda low: {"type": "integer", "exclusiveMinimum": low}, st.integers(-5, 200)),
)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.builds(
        lambda fields: {
            "type": "object",
            "properties": fields,
            "required": list(fields),
            "additionalProperties": False,
        },
        st.dictionaries(NAMES, inner, max_size=4),
    )
    arrays = st.builds(
        lambda items, least, more: {"type": "array", "items": items, "minItems": least, "maxItems": least + more},
        inner,
        st.integers(0, 3),
        st.integers(0, 3),
    )
    return objects | arrays


@settings(max_examples=60, deadline=None)
@given(schema=st.recursive(SIMPLE, _nested, max_leaves=6), text=st.text(max_size=60))
def test_filled_schema_is_obeyed(schema: dict[str, Any], text: str) -> None:
    jsonschema.validate(fill(schema, prompt(text or "x")), schema)


def test_references_are_followed_and_loops_end() -> None:
    schema = {
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": []}},
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}},
    }
    jsonschema.validate(fill(schema, prompt()), schema)


def test_bounds_in_a_description_are_kept() -> None:
    schema = {"type": "integer", "description": "How many\n\n{minimum: 40, maximum: 42}"}
    assert 40 <= fill(schema, prompt()) <= 42


def test_free_texts_may_be_chosen_by_the_caller() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"enum": ["x", "y"]}}}
    filler = Filler(prompt(), random.Random(1), lambda name: name * 2, lambda labels, name: labels[-1])
    assert filler.fill(schema) == {"a": "aa", "b": "y"}


def test_answer_knows_its_parts() -> None:
    answer = Answer([Part("text", "a"), Part("call", name="f"), Part("text", "b")])
    assert (answer.text, [part.name for part in answer.calls]) == ("ab", ["f"])
