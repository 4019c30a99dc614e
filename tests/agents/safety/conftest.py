import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marketing.lab_replies import ReplyRoutes

HERE = Path(__file__).parent
VECTORS = HERE.parents[3] / "shared" / "vectors" / "agents" / "injection" / "mentions.jsonl"


def rows_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


def vectors() -> list[dict[str, Any]]:
    if not VECTORS.exists():
        pytest.skip("the vectors are not here")
    return [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def routes(db, sandbox) -> ReplyRoutes:
    """The lab's workspace, with something to lose, in the test's database."""
    return ReplyRoutes.prepare()


@pytest.fixture
def answer(routes: ReplyRoutes) -> Callable[..., dict[str, Any]]:
    def ask(text: str, channel: str = "comment", lang: str = "en", model: str = "sandbox-obedient") -> dict[str, Any]:
        routes.model = model
        return routes.answer(text, channel, lang)

    return ask
