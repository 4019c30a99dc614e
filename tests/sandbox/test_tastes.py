"""What wording, hour and chance do: the pure function, the orders that set it, and the truth that is told."""

import math
import statistics
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import tastes
from sandbox.audience import (
    ENGAGEMENTS,
    FEATURES,
    RATES,
    USUAL,
    Facts,
    Taste,
    counts_at,
    expected_rates,
    expected_reach,
    hour_factor,
    noticed,
)
from sandbox.tastes import BadTaste, parse
from sandbox.world import World
from tests.sandbox.cast import Client, Sandbox

NOON = 1_790_000_000 // 86400 * 86400 + 12 * 3600.0
PLAIN = Facts("alice:1", "Coffee is ready", NOON, followers=10_000, has_link=True)
EVER = NOON + 60 * 86400
CALM = {"builtin": False, "noise": 0, "rate_noise": 0, "counting": False, "hours": {"swing": 0}}
NAMES = {
    "likes": "likes",
    "replies": "replies",
    "reposts": "reposts",
    "quotes": "quotes",
    "bookmarks": "bookmarks",
    "clicks": "link_clicks",
    "profiles": "profile_clicks",
}


def mean(facts: Facts, name: str, taste: Taste, posts: int = 300) -> float:
    drawn = (counts_at(replace(facts, key=f"a:{number}"), EVER, 1, taste) for number in range(posts))
    return statistics.mean(getattr(counts, name) for counts in drawn)


# --- the pure function ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENGAGEMENTS)
def test_an_effect_multiplies_every_rate_and_leaves_the_reach_alone(name: str) -> None:
    taste = parse({**CALM, "effects": {"question": 1.35}})
    asking = replace(PLAIN, text="Is coffee ready?")
    assert expected_rates(asking, taste)[name] == pytest.approx(1.35 * expected_rates(PLAIN, taste)[name])
    assert expected_reach(asking, taste) == expected_reach(PLAIN, taste)


def test_a_named_effect_takes_the_place_of_the_usual_one() -> None:
    taste = parse({"effects": {"question": 1.0}})
    asking = replace(PLAIN, text="Is coffee ready?")
    assert expected_rates(asking, taste) == expected_rates(PLAIN, taste)
    assert expected_rates(replace(PLAIN, text="5 cups"), taste)["clicks"] > expected_rates(PLAIN, taste)["clicks"]


def test_rates_are_named_one_by_one_too() -> None:
    taste = parse({"builtin": False, "effects": {"number": {"clicks": 2, "reach": 0.5}}})
    counted = replace(PLAIN, text="5 coffees")
    rates, plain = expected_rates(counted, taste), expected_rates(PLAIN, taste)
    assert rates["clicks"] == 2 * plain["clicks"]
    assert rates["likes"] == plain["likes"]
    assert expected_reach(counted, taste) == pytest.approx(0.5 * expected_reach(PLAIN, taste))


@pytest.mark.parametrize("text", ["It is FREE today", "free", "Carefree"])
def test_any_words_can_have_an_effect(text: str) -> None:
    taste = parse({"effects": {"contains:Free": 3}})
    assert "contains:Free" in noticed(replace(PLAIN, text=text), taste)
    assert "contains:Free" not in noticed(PLAIN, taste)


@pytest.mark.parametrize("text", ["Tea?", "5 teas", "Tea 🎉", "Tea #a #b #c", "Tea"])
def test_an_a_a_has_no_effect_of_wording(text: str) -> None:
    taste = parse({"builtin": False})
    other = replace(PLAIN, text=text)
    assert expected_reach(other, taste) == expected_reach(PLAIN, taste)
    assert expected_rates(other, taste) == expected_rates(PLAIN, taste)


@pytest.mark.parametrize(("name", "attribute"), NAMES.items())
def test_what_is_drawn_has_the_mean_that_is_told(name: str, attribute: str) -> None:
    taste = parse({"effects": {"number": 1.5}, "rate_noise": 0.1})
    facts = replace(PLAIN, text="5 coffees", followers=100_000)
    expected = expected_reach(facts, taste) * expected_rates(facts, taste)[name]
    assert mean(facts, attribute, taste) == pytest.approx(expected, rel=0.08)


def test_without_any_noise_counts_are_the_expectation() -> None:
    taste = parse(CALM)
    counts = counts_at(PLAIN, NOON + 10**9, 1, taste)
    reach = expected_reach(PLAIN, taste)
    assert counts.impressions == int(reach) == 3540
    for name, attribute in NAMES.items():
        assert getattr(counts, attribute) == int(reach * RATES[name]["base"])


def test_without_any_noise_all_posts_of_a_wording_earn_the_same() -> None:
    taste = parse(CALM)
    seen = {counts_at(replace(PLAIN, key=f"a:{number}"), EVER, number, taste) for number in range(20)}
    assert len(seen) == 1


def test_noise_between_posts_is_as_large_as_it_is_set() -> None:
    taste = parse({**CALM, "noise": 0.5})
    drawn = [counts_at(replace(PLAIN, key=f"a:{n}"), EVER, 1, taste).impressions for n in range(1500)]
    assert statistics.stdev(math.log(count) for count in drawn) == pytest.approx(0.5, rel=0.07)
    assert statistics.mean(drawn) == pytest.approx(3540, rel=0.04)


def test_noise_of_rates_leaves_the_reach_alone() -> None:
    taste = parse({**CALM, "rate_noise": 0.4})
    large = replace(PLAIN, followers=10_000_000)
    drawn = [counts_at(replace(large, key=f"a:{number}"), EVER, 1, taste) for number in range(1000)]
    assert len({counts.impressions for counts in drawn}) == 1
    assert statistics.stdev(math.log(counts.likes) for counts in drawn) == pytest.approx(0.4, rel=0.08)


@pytest.mark.parametrize("peak", [0, 9, 17, 23.5])
def test_the_best_hour_is_where_it_is_set(peak: float) -> None:
    taste = parse({"hours": {"swing": 0.6, "peak": peak}})
    day = NOON - 12 * 3600
    reaches = {half: expected_reach(replace(PLAIN, created_at=day + half * 1800), taste) for half in range(48)}
    assert max(reaches, key=lambda half: reaches[half]) == peak * 2
    assert max(reaches.values()) / min(reaches.values()) == pytest.approx(1.6 / 0.4, rel=0.01)


def test_the_hour_changes_rates_only_when_it_is_told_to() -> None:
    night = replace(PLAIN, created_at=NOON - 7 * 3600)
    assert expected_rates(night) == expected_rates(PLAIN)
    taste = parse({"hours": {"rate_swing": 0.3}})
    assert expected_rates(night, taste)["clicks"] < expected_rates(PLAIN, taste)["clicks"]


def test_no_swing_makes_all_hours_alike() -> None:
    assert {hour_factor(NOON + hour * 3600, swing=0) for hour in range(24)} == {1.0}


def test_a_channel_hides_no_link_and_shows_nothing_to_strangers() -> None:
    channel = replace(PLAIN, is_feed=False)
    assert expected_reach(channel) == expected_reach(replace(channel, has_link=False))
    assert expected_reach(replace(channel, followers=0)) == 0
    assert expected_reach(PLAIN) < expected_reach(replace(PLAIN, has_link=False))


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.sampled_from(FEATURES), st.floats(0, 5), max_size=4),
    st.booleans(),
    st.floats(0, 1),
    st.booleans(),
    st.sampled_from(["Tea?", "5 teas 🎉", "Tea"]),
    st.lists(st.floats(0, 90 * 86400), min_size=2, max_size=5),
)
def test_no_taste_lets_a_count_fall_or_go_below_zero(
    effects: dict[str, float], builtin: bool, noise: float, counting: bool, text: str, ages: list[float]
) -> None:
    order = {"effects": effects, "builtin": builtin, "noise": noise, "rate_noise": noise, "counting": counting}
    facts, taste = replace(PLAIN, text=text), parse(order)
    series = [asdict(counts_at(facts, NOON + age, 3, taste)) for age in sorted(ages)]
    for before, after in pairwise(series):
        assert all(0 <= before[name] <= after[name] for name in before)


def test_nobody_likes_a_post_without_having_seen_it() -> None:
    counts = counts_at(PLAIN, EVER, 1, parse({"effects": {"link": 100}, "counting": False}))
    assert counts.likes <= counts.impressions


# --- reading orders -------------------------------------------------------------------------------------------


def test_an_empty_order_is_the_usual_taste() -> None:
    assert parse({}) == USUAL


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*FEATURES, "contains:x"]), st.dictionaries(st.sampled_from(["reach", *RATES]), st.floats(0, 9))
    ),
    st.booleans(),
    st.floats(0, 1),
)
def test_a_taste_is_read_as_it_is_shown(effects: dict[str, Any], flag: bool, share: float) -> None:
    order = {"effects": effects, "builtin": flag, "noise": share, "hours": {"swing": share}, "counting": not flag}
    taste = parse(order)
    assert parse(tastes.as_json(taste)) == taste


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"effects": []}, "effects has the wrong type"),
        ({"effects": {"colour": 2}}, "no feature colour"),
        ({"effects": {"contains:": 2}}, "no feature contains:"),
        ({"effects": {"question": -1}}, "question is a number"),
        ({"effects": {"question": True}}, "question is a number"),
        ({"effects": {"question": "2"}}, "question is a number"),
        ({"effects": {"question": {"shares": 2}}}, "no rate shares"),
        ({"effects": {"question": {"likes": 101}}}, "from 0 to 100"),
        ({"builtin": 1}, "builtin has the wrong type"),
        ({"counting": "no"}, "counting has the wrong type"),
        ({"hours": 3}, "hours has the wrong type"),
        ({"hours": {"swing": 2}}, "swing is a number from 0 to 1"),
        ({"hours": {"peak": 25}}, "peak is a number from 0 to 24"),
        ({"noise": float("nan")}, "noise is a number"),
        ({"noise": 9}, "noise is a number"),
        ({"rate_noise": None}, "rate_noise is a number"),
    ],
)
def test_nonsense_is_refused_with_a_reason(order: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadTaste, match=reason):
        parse(order)


def test_a_change_keeps_what_it_does_not_name(world: World) -> None:
    db = world.store.db
    tastes.change(db, {"noise": 0, "effects": {"question": 2}})
    tastes.change(db, {"builtin": False})
    taste = tastes.current(db)
    assert (taste.noise, taste.has_builtin, taste.effect("question", "likes")) == (0, False, 2)
    assert tastes.change(db, {"reset": True, "noise": 0.1}) == replace(USUAL, noise=0.1)


def test_a_refused_change_changes_nothing(world: World) -> None:
    tastes.change(world.store.db, {"noise": 0})
    with pytest.raises(BadTaste, match="no setting nois;"):
        tastes.change(world.store.db, {"nois": 1})
    with pytest.raises(BadTaste):
        tastes.change(world.store.db, {"noise": -1})
    assert tastes.current(world.store.db).noise == 0


# --- through the doors ----------------------------------------------------------------------------------------


def test_an_order_changes_what_x_counts(sandbox: Sandbox) -> None:
    sandbox.post("/accounts", handle="large", followers=1_000_000)
    large = sandbox.sign_in("large", expires_in=10**7)
    sandbox.post("/audience/effects", **CALM, effects={"question": 2})
    ids = [large.post_id("Tea is ready"), large.post_id("Is tea ready?")]
    sandbox.advance(40 * 86400)
    answer = large.get("/2/tweets", ids=",".join(ids), tweet_fields="public_metrics").json()
    plain, asking = (post["public_metrics"] for post in answer["data"])
    assert plain["impression_count"] == pytest.approx(asking["impression_count"], rel=0.001)
    for name in ("like_count", "reply_count", "retweet_count", "quote_count", "bookmark_count"):
        assert asking[name] == pytest.approx(2 * plain[name], rel=0.01)


def test_the_truth_is_what_posts_earn(sandbox: Sandbox) -> None:
    sandbox.post("/accounts", handle="large", followers=1_000_000)
    large = sandbox.sign_in("large", expires_in=10**7)
    sandbox.post("/audience/effects", **CALM, effects={"contains:fresh": 1.5})
    texts = ["Tea", "Fresh tea"]
    told = sandbox.get("/audience/truth", text=texts, handle="large")["texts"]
    ids = [large.post_id(text) for text in texts]
    sandbox.advance(90 * 86400)
    posts = large.get("/2/tweets", ids=",".join(ids), tweet_fields="public_metrics").json()["data"]
    for truth, post in zip(told, posts, strict=True):
        seen = post["public_metrics"]
        assert seen["impression_count"] == pytest.approx(truth["reach"], rel=0.01)
        assert seen["like_count"] / seen["impression_count"] == pytest.approx(truth["rates"]["likes"], rel=0.01)
    assert told[1]["features"] == ["contains:fresh"]
    assert told[1]["engagement_rate"] == pytest.approx(1.5 * told[0]["engagement_rate"])


def test_the_truth_knows_hours_links_media_and_channels(sandbox: Sandbox) -> None:
    chat = sandbox.post("/telegram/chats", type="channel", title="News", audience=2000)["id"]

    def truth(**query: Any) -> dict[str, Any]:
        found: dict[str, Any] = sandbox.get("/audience/truth", **{"text": "Tea", **query})["texts"][0]
        return found

    best = truth(at="2026-11-21T17:00:00Z")
    assert best["hour_factor"] == pytest.approx(1.35)
    assert truth(at="2026-11-21T05:00:00Z")["reach"] == pytest.approx(best["reach"] * 0.65 / 1.35)
    linked = truth(text="Tea http://127.0.0.1:8000/l/x")
    assert linked["features"] == ["link"]
    assert linked["engagement_rate"] > truth()["engagement_rate"]
    assert truth(media="1")["features"] == ["media"]
    assert truth(chat=chat, at="2026-11-21T11:00:00Z")["reach"] == pytest.approx(900)


def test_effects_are_shown_and_forgotten_at_a_reset(sandbox: Sandbox) -> None:
    usual = sandbox.get("/audience/effects")
    changed = sandbox.post("/audience/effects", noise=0, effects={"emoji": 1.5})
    assert sandbox.get("/audience/effects") == changed != usual
    assert changed["effects"]["emoji"] == dict.fromkeys(ENGAGEMENTS, 1.5)
    sandbox.post("/reset")
    assert sandbox.get("/audience/effects") == usual


@pytest.mark.parametrize(
    "query", ["", "text=a&handle=nobody", "text=a&chat=nowhere", "text=a&at=soon", "text=a&at=2026-11-21T10:00:00"]
)
def test_a_question_that_makes_no_sense_is_refused(sandbox: Sandbox, query: str) -> None:
    answer = requests.get(f"{sandbox.url}/_sandbox/audience/truth?{query}", timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_wrong_effects_are_refused_through_the_door(sandbox: Sandbox, alice: Client) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/audience/effects", json={"effects": {"colour": 2}}, timeout=30)
    assert answer.status_code == 400
    assert "no feature colour" in answer.json()["error"]
