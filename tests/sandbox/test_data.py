from itertools import pairwise

import pytest
import requests

from sandbox.data.quotes import STEP_SECONDS, walk
from tests.sandbox.cast import Sandbox

KEY = {"Authorization": "Bearer any"}


def quote(sandbox: Sandbox, symbol: str, **headers: str) -> requests.Response:
    return requests.get(f"{sandbox.url}/data/v1/quotes/{symbol}", headers=headers or KEY, timeout=10)


def test_a_price_is_the_same_for_everybody_until_the_next_step(sandbox: Sandbox) -> None:
    first, again = quote(sandbox, "ACME").json(), quote(sandbox, "acme").json()
    assert first == again
    assert (first["symbol"], first["currency"]) == ("ACME", "USD")
    sandbox.advance(3 * 86_400)
    assert quote(sandbox, "ACME").json()["price"] != first["price"]


@pytest.mark.parametrize("symbol", ["ACME", "BRK.B", "0700.HK", "600519.SS", "BTC-USD"])
def test_prices_walk_slowly_and_stay_above_zero(symbol: str) -> None:
    prices = [walk(7, symbol, step * STEP_SECONDS) for step in range(2_000)]
    assert min(prices) > 0
    assert max(abs(b - a) / a for a, b in pairwise(prices)) < 0.05
    assert len(set(prices)) > 100
    assert walk(8, symbol, 0) != walk(7, symbol, 0)


def test_a_price_that_was_set_stays(sandbox: Sandbox) -> None:
    sandbox.post("/data/prices", symbol="acme", price_cents=1205)
    sandbox.advance(86_400)
    assert quote(sandbox, "ACME").json()["price"] == "12.05"
    assert sandbox.get("/data/prices") == {"prices": {"ACME": 1205}}
    sandbox.post("/data/prices", symbol="ACME", price_cents=None)
    assert sandbox.get("/data/prices") == {"prices": {}}


@pytest.mark.parametrize("order", [{"symbol": "A B"}, {"symbol": "A", "price_cents": 0}, {"price_cents": 3}])
def test_nonsense_sets_no_price(sandbox: Sandbox, order: dict[str, object]) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/data/prices", json=order, timeout=10)
    assert answer.status_code == 400
    assert sandbox.get("/data/prices") == {"prices": {}}


@pytest.mark.parametrize(
    ("symbol", "headers", "status", "code"),
    [
        ("ZZTOP", KEY, 404, "unknown_symbol"),
        ("THISISTOOLONGBYFAR", KEY, 404, "unknown_symbol"),
        ("ACME", {"X-Nothing": "1"}, 401, "unauthorized"),
    ],
)
def test_refusals_name_their_code(sandbox: Sandbox, symbol: str, headers: dict[str, str], status: int, code: str):
    answer = quote(sandbox, symbol, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_faults_come_in_the_words_of_the_provider_and_cost_nothing(sandbox: Sandbox) -> None:
    sandbox.fault("rate_limit", platform="data", seconds=30)
    sandbox.fault("no_credit", platform="data")
    limited, broke, fine = (quote(sandbox, "ACME") for _ in range(3))
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "30")
    assert (broke.status_code, broke.json()["error"]["code"]) == (402, "no_credit")
    assert fine.status_code == 200
    assert [entry["cost_micro"] for entry in sandbox.ledger()] == [0, 0, 200]
