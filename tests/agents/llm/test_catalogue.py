"""models.yaml: what is refused, what a change does, and that the shipped prices are the published ones."""

import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from hypothesis import given
from hypothesis import strategies as st

from agents.llm import catalogue
from agents.llm.catalogue import CatalogueError, Model, Price, Rates, current, parse, problem
from agents.llm.catalogue_schema import ROLES
from agents.llm.pricing import Tariff, tariff
from agents.llm.types import Usage
from tests.agents.llm.cassettes import needs_vectors, published_prices
from tests.agents.llm.conftest import catalogue_with


def set_in(*path, to):
    def change(data):
        *way, last = path
        for name in way:
            data = data[name]
        data[last] = to

    return change


def drop(*path):
    def change(data):
        *way, last = path
        for name in way:
            data = data[name]
        del data[last]

    return change


HAIKU = ("models", "claude-haiku-5-5")
ROW = (*HAIKU, "prices", 0)
MISTAKES = {
    "no roles": (drop("roles"), "'roles' is a required property"),
    "no such role": (set_in("roles", "poet", to=["claude-haiku-5-5"]), "poet"),
    "role without models": (set_in("roles", "chat", to=[]), "roles/chat"),
    "role left out": (drop("roles", "memory"), "memory"),
    "role with an unknown model": (set_in("roles", "chat", to=["claude-9"]), "no model claude-9"),
    "role with a model for vectors": (set_in("roles", "chat", to=["text-embedding-3-small"]), "not a model for this"),
    "vectors of a model for text": (set_in("roles", "embed", to=["gpt-6-luna"]), "not a model for this"),
    "sandbox without a model": (set_in("sandbox", "text", to="nobody"), "no model nobody"),
    "no such provider": (set_in(*HAIKU, "provider", to="acme"), "no provider acme"),
    "no such wire": (set_in("providers", "gemini", "wire", to="smoke"), "smoke"),
    "no such setting": (set_in("providers", "gemini", "key_setting", to="NOPE"), "no setting NOPE"),
    "no such capability": (set_in(*HAIKU, "capabilities", to=["flying"]), "flying"),
    "misspelt field": (set_in(*HAIKU, "contxt", to=1), "contxt"),
    "no price": (set_in(*HAIKU, "prices", to=[]), "prices"),
    "negative price": (set_in(*ROW, "input", to=-1), "minimum"),
    "price as text": (set_in(*ROW, "output", to="cheap"), "cheap"),
    "no such day": (set_in(*ROW, "effective_from", to="2026-02-31"), "2026-02-31"),
    "prices out of order": (
        set_in(
            *HAIKU, "prices", to=[{"effective_from": d, "input": 1, "output": 1} for d in ("2026-02-01", "2026-01-01")]
        ),
        "ordered by effective_from",
    ),
    "tiers out of order": (
        set_in(*ROW, "above", to=[{"tokens": n, "input": 1, "output": 1} for n in (200, 100)]),
        "ordered by tokens",
    ),
    "address of a file": (set_in("providers", "gemini", "base_url", to="file:///etc/passwd"), "base_url"),
    "room for nobody": (set_in("providers", "gemini", "max_concurrency", to=0), "max_concurrency"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_named(case):
    change, words = MISTAKES[case]
    with pytest.raises(CatalogueError, match=words):
        parse(catalogue_with(change))


@pytest.mark.parametrize("text", ["", "[]", "providers: {", "!!python/object:os.system {}", "a: &a [*a]", "\x00"])
def test_what_is_no_catalogue_at_all_is_refused(text):
    with pytest.raises(CatalogueError):
        parse(text)


def test_the_shipped_file_has_no_mistake_and_serves_every_role():
    shipped = parse(Path(django_settings.BASE_DIR, "agents", "models.yaml").read_text())
    assert set(shipped.roles) == set(ROLES)
    assert all(tariff(model).tiers for model in shipped.models.values())
    assert not [model for model in shipped.models.values() if model.context < model.max_output]


# --- reloading --------------------------------------------------------------------------------------------


def cheaper(data):
    data["models"]["gpt-6-luna"]["prices"][0]["input"] = 0.07


def test_a_change_counts_within_two_seconds(models_file, monkeypatch):
    path = models_file()
    assert current().models["gpt-6-luna"].prices[0].tiers[0].input == Decimal("0.1")
    path.write_text(catalogue_with(cheaper))
    later = time.monotonic() + 2
    monkeypatch.setattr("agents.llm.catalogue.time.monotonic", lambda: later)
    assert current().models["gpt-6-luna"].prices[0].tiers[0].input == Decimal("0.07")


@pytest.fixture
def looks_at_once(monkeypatch):
    monkeypatch.setattr(catalogue, "LOOK_EVERY_S", -1)


def test_a_mistake_keeps_the_last_good_one_and_is_told(models_file, looks_at_once, client, db):
    path = models_file(cheaper)
    good = current()
    assert (problem(), client.get("/healthz").json()["parts"]["models"]) == ("", {"ok": True})
    path.write_text("models: {")
    assert current() is good
    assert "not YAML" in problem()
    part = client.get("/healthz").json()["parts"]["models"]
    assert part["ok"]
    assert "mistake" in part["reason"]
    path.unlink()
    assert (current() is good, bool(problem())) == (True, True)
    path.write_text(catalogue_with(cheaper))
    assert (problem(), current() is not good) == ("", True)


def test_the_first_file_must_be_good(settings, tmp_path, looks_at_once):
    settings.MODELS_FILE = str(tmp_path / "missing.yaml")
    with pytest.raises(CatalogueError):
        current()
    assert [error.id for error in run_checks() if error.id == "rostrum.E011"] == ["rostrum.E011"]


# --- prices -----------------------------------------------------------------------------------------------


@needs_vectors
@pytest.mark.parametrize(
    "name",
    [
        "claude-haiku-4-5",
        "claude-opus-5",
        "claude-sonnet-5",
        "gpt-5.4-mini",
        "gpt-5.4-nano",
        "gemini-3.5-flash",
        "gemini-3.1-pro-preview",
        "text-embedding-3-small",
    ],
)
def test_shipped_prices_are_the_published_ones(name):
    found, ours = published_prices(name), current().models[name].prices[0].tiers[0]
    told = {
        "input": found.get("input", found.get("total")),
        "output": found.get("output", 0),
        "cached": found.get("input_cached_tokens", found.get("input", found.get("total"))),
    }
    assert {key: Decimal(int(value * 10**12)) / 10**6 for key, value in told.items()} == {
        key: getattr(ours, key) for key in told
    }


TWO = Tariff(
    (
        Rates(Decimal("0.1"), Decimal("0.01"), Decimal("0.125"), Decimal("0.5")),
        Rates(Decimal("0.5"), Decimal("0.05"), Decimal("0.625"), Decimal("2.5"), above=100_000),
    )
)


@pytest.mark.parametrize(
    ("used", "micro"),
    [
        (Usage(), 0),
        (Usage(input=4), 0),
        (Usage(input=5), 1),
        (Usage(output=1), 1),
        (Usage(input=1000, cached=900, output=10), 24),
        (Usage(input=1000, cached=900, cache_write=100, output=10), 27),
        (Usage(input=100_000), 10_000),
        (Usage(input=100_001), 50_001),
        (Usage(input=100_001, output=10), 50_026),
        (Usage(input=10, output=100, reasoning=90), 51),
        # What cannot be: more from the cache than was sent.
        (Usage(input=10, cached=1000, cache_write=50), 0),
    ],
)
def test_cost(used, micro):
    assert TWO.cost_micro(used) == micro


counts = st.integers(0, 2_000_000)


@given(counts, counts, counts, counts, counts, counts)
def test_no_usage_within_the_bound_costs_more_than_was_held_back(size, output, sent, cached, written, made):
    used = Usage(min(sent, size), min(cached, sent), min(written, sent), min(made, output))
    assert TWO.cost_micro(used) <= TWO.worst_micro(size, output)


@given(st.integers(0, 300_000), st.integers(0, 10**7))
def test_the_shortened_answer_fits_the_room(size, room):
    fits = TWO.most_output(size, room)
    if fits >= 0:
        assert TWO.worst_micro(size, fits) <= room
        assert TWO.worst_micro(size, fits + 3) > room


def test_the_price_of_the_day_counts():
    rows = [
        Price(date(2026, 10, 1), (Rates(*map(Decimal, (1, 1, 1, 1))),)),
        Price(date(2027, 1, 1), (Rates(*map(Decimal, (2, 2, 2, 2))),)),
    ]
    model = Model("m", "p", 1, 1, frozenset(), tuple(rows))
    days = [date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [tariff(model, day).cost_micro(Usage(input=1)) for day in days] == [1, 1, 2]
    assert tariff(model, days[2]).as_json(0) == {
        **dict.fromkeys(("input", "cached", "cache_write", "output"), "2"),
        "effective_from": "2027-01-01",
    }
