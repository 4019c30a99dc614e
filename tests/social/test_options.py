"""What may be said in a network's own words, and how a refusal reads."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from social.networks.options import clean_options, clean_poll

SHOP = {"text": "Shop", "url": "https://acme.com/shop"}


def refusal(clean: Any, value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        clean(value)
    return " ".join(caught.value.messages)


@pytest.mark.parametrize("given", [None, {}, {"x": {}}, {"x": {"reply_settings": "", "paid_partnership": False}}])
def test_saying_nothing_leaves_nothing(given: Any) -> None:
    assert clean_options(given) == {}


def test_everything_that_x_knows_is_kept() -> None:
    options = {"x": {"reply_settings": "mentionedUsers", "paid_partnership": True}}
    assert clean_options(options) == options


def test_everything_that_telegram_knows_is_kept() -> None:
    options = {"telegram": {"silent": True, "pin": True, "protect": True, "preview": "above", "buttons": [[SHOP]]}}
    assert clean_options(options) == options


def test_an_option_that_is_off_is_left_out() -> None:
    assert clean_options({"telegram": {"silent": True, "pin": False, "buttons": [[], []]}}) == {
        "telegram": {"silent": True}
    }


def test_a_button_is_trimmed_and_loses_what_it_should_not_have() -> None:
    button = {"text": " Shop\x00 ", "url": " https://acme.com/shop ", "callback_data": "x"}
    assert clean_options({"telegram": {"buttons": [[button]]}}) == {"telegram": {"buttons": [[SHOP]]}}


def test_an_unknown_network_is_named() -> None:
    assert "not for mastodon" in refusal(clean_options, {"mastodon": {}})


def test_an_unknown_option_is_named() -> None:
    assert refusal(clean_options, {"x": {"silent": True}}) == "x has no option silent."


@pytest.mark.parametrize("value", ["yes", 1, ["true"]])
def test_a_switch_takes_only_true_and_false(value: Any) -> None:
    assert "true or false" in refusal(clean_options, {"telegram": {"pin": value}})


@pytest.mark.parametrize("value", ["everyone", ["verified"], {"a": 1}, 7])
def test_a_choice_takes_only_what_there_is(value: Any) -> None:
    assert "following" in refusal(clean_options, {"x": {"reply_settings": value}})


@pytest.mark.parametrize("options", [[], "silent", 3])
def test_options_of_a_network_are_named(options: Any) -> None:
    assert "not for x" in refusal(clean_options, {"x": options})


@pytest.mark.parametrize("rows", ["Shop", [SHOP], {"0": []}])
def test_buttons_come_in_rows(rows: Any) -> None:
    assert refusal(clean_options, {"telegram": {"buttons": rows}}) == "Buttons come in rows."


@pytest.mark.parametrize("text", ["", "  ", "x" * 65])
def test_a_button_needs_a_short_text(text: str) -> None:
    assert "up to 64 characters" in refusal(clean_options, {"telegram": {"buttons": [[SHOP | {"text": text}]]}})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme.com",
        "javascript:alert(1)",
        "tg://user?id=1",
        "https://",
        "https://a b.co",
        "https://a.co/b c",
        "http://[",
        "x" * 9,
    ],
)
def test_a_button_needs_a_web_address(url: str) -> None:
    assert "https://" in refusal(clean_options, {"telegram": {"buttons": [[SHOP | {"url": url}]]}})


@pytest.mark.parametrize("button", ["Shop", None, 3, []])
def test_what_is_no_button_is_refused(button: Any) -> None:
    assert "needs a text" in refusal(clean_options, {"telegram": {"buttons": [[button]]}})


@pytest.mark.parametrize("rows", [[[SHOP]] * 13, [[SHOP] * 101]])
def test_too_many_buttons_are_refused(rows: Any) -> None:
    assert "At most 12 rows" in refusal(clean_options, {"telegram": {"buttons": rows}})


@pytest.mark.parametrize("poll", [None, {}])
def test_no_poll_is_no_poll(poll: Any) -> None:
    assert clean_poll(poll) is None


def test_choices_are_trimmed_and_empty_ones_dropped() -> None:
    assert clean_poll({"options": [" Light ", "", "Dark"], "minutes": 60}) == {
        "options": ["Light", "Dark"],
        "minutes": 60,
    }


def test_a_poll_runs_for_a_day_unless_it_says_otherwise() -> None:
    assert clean_poll({"options": ["Light", "Dark"]}) == {"options": ["Light", "Dark"], "minutes": 1440}


@pytest.mark.parametrize("choices", [[], ["one"], ["one", " "], ["a", "b", "c", "d", "e"]])
def test_a_poll_has_two_to_four_choices(choices: list[str]) -> None:
    assert refusal(clean_poll, {"options": choices}) == "A poll has 2 to 4 choices."


def test_a_choice_has_at_most_25_characters() -> None:
    assert "at most 25" in refusal(clean_poll, {"options": ["a" * 26, "b"]})


def test_the_same_choice_twice_is_refused() -> None:
    assert "the same" in refusal(clean_poll, {"options": ["yes", "yes "]})


@pytest.mark.parametrize("minutes", [4, 10_081, 0, -5, "60", 60.0, True, None])
def test_a_poll_runs_from_five_minutes_to_a_week(minutes: Any) -> None:
    assert "5 minutes to 7 days" in refusal(clean_poll, {"options": ["a", "b"], "minutes": minutes})


@pytest.mark.parametrize("poll", [{"options": "ab"}, {"options": 7}, {"minutes": 60}, ["a", "b"], "poll"])
def test_what_is_no_poll_is_refused(poll: Any) -> None:
    assert "list of choices" in refusal(clean_poll, poll)
