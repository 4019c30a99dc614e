"""Arguments that fit the schemas and make little sense: every call is answered or refused in words."""

import random
from collections.abc import Callable
from typing import Any

from integrations.mcp.calls import Answer
from integrations.mcp.registry import TOOLS
from tests.integrations.mcp.tools.cast import NOBODY, Cast, Program
from tests.integrations.mcp.tools.test_walks import undone

CALLS = 120
MOMENTS = (
    *("2031-05-05T09:00:00+02:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-29T02:30:00Z"),
    *("now", "next_slot", "2026-12-01", "T09:00", "9" * 40, "2026-W01-1T00:00:00Z"),
)
DAYS = ("2026-12-01", "0001-01-01", "9999-12-31", "2026-02-30", "20261201", "2000-01-31", "2100-12-31")
TEXTS = (
    *("beans", "", " ", "\n", "“咖啡”", "a'b\"c\\", "%_%", "{0} {x}", "<b>&amp;</b>", "\u202eevil", "🫘" * 30),
    *("https://acme.com/ " * 3, "**bold** [l](https://acme.com)", "' OR 1=1 --", "-", "(", '"', "*", "NOT OR AND"),
)


def draw(schema: dict[str, Any], ids: list[str], rng: random.Random) -> Any:
    if "anyOf" in schema:
        schema = rng.choice(schema["anyOf"])
    if "enum" in schema:
        return rng.choice(schema["enum"])
    return DRAWN[schema["type"]](schema, ids, rng)


def _object(schema: dict[str, Any], ids: list[str], rng: random.Random) -> dict[str, Any]:
    needed = set(schema.get("required", ()))
    chosen = [name for name in schema["properties"] if name in needed or rng.random() < 0.4]
    return {name: draw(schema["properties"][name], ids, rng) for name in chosen}


def _array(schema: dict[str, Any], ids: list[str], rng: random.Random) -> list[Any]:
    least = schema.get("minItems", 0)
    return [draw(schema["items"], ids, rng) for _ in range(rng.randint(least, max(least, min(schema["maxItems"], 3))))]


def _integer(schema: dict[str, Any], _ids: list[str], rng: random.Random) -> int:
    least, most = schema["minimum"], schema["maximum"]
    return rng.choice([least, most, rng.randint(least, most)])


def _string(schema: dict[str, Any], ids: list[str], rng: random.Random) -> str:
    if "format" in schema:
        return rng.choice({"uuid": ids, "date": DAYS, "date-time": MOMENTS}[schema["format"]])
    return rng.choice(TEXTS)[: schema["maxLength"]] or "x" * schema.get("minLength", 0)


DRAWN: dict[str, Callable[[dict[str, Any], list[str], random.Random], Any]] = {
    "object": _object,
    "array": _array,
    "integer": _integer,
    "string": _string,
    "boolean": lambda _schema, _ids, rng: rng.random() < 0.5,
}


def test_nothing_that_fits_the_schema_ends_on_our_side(bobs: Program, cast: Cast, strange: Cast, sandbox) -> None:
    rng = random.Random(7)
    mine = [str(row.pk) for row in vars(cast).values()]
    ids = [*mine * 3, *(str(row.pk) for row in vars(strange).values()), NOBODY, "beans", "0" * 32]
    answered = set()
    for number in range(CALLS):
        name = list(TOOLS)[number % len(TOOLS)]
        args = draw(TOOLS[name].input_schema, ids, rng)
        with undone():
            answer = bobs.answer(name, args)
        if isinstance(answer, Answer):
            answered.add(name)
        else:
            assert answer.code != "error", (name, args, answer)
            assert answer.text, (name, args)
    assert len(answered) > len(TOOLS) / 3
