import statistics
from dataclasses import replace

import pytest

from sandbox.audience import PEAK_HOUR_UTC, Counts, Facts, arrived, counts_at, expected_reach, features, hour_factor

NOON = 1_700_000_000 // 86400 * 86400 + 12 * 3600.0
PLAIN = Facts("alice:1", "Coffee is ready", NOON, followers=10_000)
LATER = NOON + 30 * 86400


def average(facts: Facts, name: str) -> float:
    draws = [counts_at(replace(facts, key=f"alice:{number}"), LATER, seed=1) for number in range(400)]
    return statistics.mean(getattr(counts, name) for counts in draws)


def test_the_same_post_and_seed_earn_the_same() -> None:
    assert counts_at(PLAIN, LATER, 1) == counts_at(PLAIN, LATER, 1)


def test_another_seed_or_another_post_earns_something_else() -> None:
    first = counts_at(PLAIN, LATER, 1)
    assert first != counts_at(PLAIN, LATER, 2)
    assert first != counts_at(replace(PLAIN, key="alice:2"), LATER, 1)


def test_nothing_is_earned_before_the_post_exists() -> None:
    assert counts_at(PLAIN, NOON, 1) == Counts(0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert counts_at(PLAIN, NOON - 60, 1).impressions == 0


def test_no_count_ever_falls() -> None:
    facts = replace(PLAIN, has_link=True, has_media=True)
    series = [counts_at(facts, NOON + minutes * 60, 3) for minutes in range(0, 6000, 37)]
    for name in Counts.__annotations__:
        values = [getattr(counts, name) for counts in series]
        assert values == sorted(values)
    assert series[-1].impressions > 1000


def test_most_arrives_early_and_the_tail_is_long() -> None:
    assert arrived(0) == 0
    assert 0.3 < arrived(3600) < 0.5
    assert arrived(3600) > arrived(7200) - arrived(3600)
    assert arrived(86400) < 0.95 < arrived(14 * 86400) <= 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tea or coffee?", "question"),
        ("茶还是咖啡？", "question"),
        ("Save 20% today", "number"),
        ("Good morning ☀️", "emoji"),
        ("Good morning 🎉", "emoji"),
    ],
)
def test_features_of_wording_are_seen(text: str, found: str) -> None:
    assert features(replace(PLAIN, text=text)) == {found}


def test_plain_words_have_no_feature() -> None:
    assert features(PLAIN) == set()


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (replace(PLAIN, text="Coffee is ready?"), PLAIN),
        (replace(PLAIN, text="Coffee is ready in 5"), PLAIN),
        (replace(PLAIN, text="Coffee is ready 🎉"), PLAIN),
        (replace(PLAIN, has_media=True), PLAIN),
        (PLAIN, replace(PLAIN, has_link=True)),
        (PLAIN, replace(PLAIN, is_reply=True)),
        (PLAIN, replace(PLAIN, text="Coffee #a #b #c")),
        (replace(PLAIN, created_at=NOON + 5 * 3600), replace(PLAIN, created_at=NOON - 9 * 3600)),
        (replace(PLAIN, followers=20_000), PLAIN),
    ],
)
def test_wording_hour_and_followers_change_the_reach(better: Facts, worse: Facts) -> None:
    assert expected_reach(better) > expected_reach(worse)


def test_the_drawn_impressions_have_the_expected_mean() -> None:
    assert average(PLAIN, "impressions") == pytest.approx(expected_reach(PLAIN), rel=0.05)


def test_a_question_brings_more_answers() -> None:
    assert average(replace(PLAIN, text="Coffee is ready?"), "replies") > 1.5 * average(PLAIN, "replies")


def test_a_number_brings_more_clicks() -> None:
    link = replace(PLAIN, has_link=True)
    assert average(replace(link, text="5 coffees"), "link_clicks") > 1.2 * average(link, "link_clicks")


def test_there_are_no_clicks_without_a_link_and_no_views_without_media() -> None:
    counts = counts_at(PLAIN, LATER, 1)
    assert (counts.link_clicks, counts.video_views) == (0, 0)


def test_engagements_are_the_sum_of_what_people_did() -> None:
    assert Counts(99, 1, 2, 3, 4, 5, 6, 7, 8).engagements == 28


def test_the_best_hour_is_the_peak() -> None:
    hours = [hour_factor(hour * 3600.0) for hour in range(24)]
    assert hours.index(max(hours)) == PEAK_HOUR_UTC
    assert statistics.mean(hours) == pytest.approx(1)


def test_small_accounts_earn_little_but_something() -> None:
    small = replace(PLAIN, followers=0)
    assert 5 < average(small, "impressions") < 100
