"""Who comes: people that can be had again by number, and bots."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.visitors import personas
from sandbox.visitors.personas import DISGUISED, bot, person

DRAWN = ("choice", "luck", "returns", "cookies", "joins", "repeats")


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=8), st.integers(0, 10**6))
def test_the_same_number_is_the_same_person(key: str, number: int) -> None:
    assert person(key, number) == person(key, number)
    assert bot(key, number, "x") == bot(key, number, "x")


def test_other_numbers_and_other_seeds_are_other_people() -> None:
    seen = {person(key, number) for key in ("1", "2") for number in range(300)}
    assert len({one.name for one in seen}) == len({one.luck for one in seen}) == 600


@pytest.mark.parametrize("name", DRAWN)
def test_every_draw_is_even_between_0_and_1(name: str) -> None:
    draws = [getattr(person("7", number), name) for number in range(2000)]
    assert 0 <= min(draws) < 0.01
    assert 0.99 < max(draws) < 1
    assert sum(draws) / 2000 == pytest.approx(0.5, abs=0.02)


def test_no_draw_tells_anything_about_another() -> None:
    people = [person("7", number) for number in range(4000)]
    lucky = [one for one in people if one.luck < 0.1]
    for name in ("choice", "returns", "cookies", "joins", "repeats"):
        assert sum(getattr(one, name) for one in lucky) / len(lucky) == pytest.approx(0.5, abs=0.05)


def test_people_have_browsers_languages_and_addresses_of_their_own() -> None:
    people = [person("7", number) for number in range(500)]
    assert len({one.agent for one in people}) > 20
    assert len({one.language for one in people}) == 5
    assert len({one.address for one in people}) > 400
    assert all(one.agent.startswith("Mozilla/5.0") and "{" not in one.agent for one in people)
    assert sum("Mobile" in one.agent for one in people) / 500 == pytest.approx(personas.PHONE_SHARE, abs=0.07)


def test_addresses_are_nobodys() -> None:
    prefixes = Counter(person("7", number).address.rpartition(".")[0][:8] for number in range(300))
    for number in range(300):
        address = person("7", number).address
        assert address.startswith(("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"))
    assert prefixes


@pytest.mark.parametrize(("network", "kind"), [("x", "Twitterbot"), ("telegram", "TelegramBot")])
def test_the_bot_of_the_network_is_the_first(network: str, kind: str) -> None:
    other = {"Twitterbot", "TelegramBot"} - {kind}
    assert bot("7", 0, network).kind == kind
    assert not other & {bot("7", number, network).kind for number in range(200)}


def test_a_third_of_the_bots_asks_by_head_and_a_sixth_is_disguised() -> None:
    bots = [bot("7", number, "") for number in range(600)]
    assert Counter(one.method for one in bots) == {"GET": 400, "HEAD": 200}
    disguised = [one for one in bots if one.kind == DISGUISED]
    assert len(disguised) == 100
    assert all("bot" not in one.agent.lower() for one in disguised)
    assert all(one.agent for one in bots)
