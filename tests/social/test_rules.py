"""What an author is told before anybody approves, and which scopes a send needs."""

from dataclasses import dataclass, field

import pytest

from social.models import Connection, Network
from social.networks.rules import RULES, check_part, clean_text, missing_scopes

NEEDED = ["tweet.read", "tweet.write", "users.read"]


@dataclass
class Account:
    """The facts about a connection that rules ask for."""

    network: str = Network.X
    is_premium: bool = False
    scopes: list[str] = field(default_factory=lambda: list(NEEDED))


@pytest.fixture
def account() -> Account:
    return Account()


def test_every_network_has_rules() -> None:
    assert RULES.keys() <= set(Network.values)
    assert Network.X in RULES


def test_fine_text_has_no_messages(account: Connection) -> None:
    assert check_part(account, "Fresh roast tomorrow", []) == []


def test_text_of_just_the_limit_is_fine(account: Connection) -> None:
    assert check_part(account, "x" * 280, []) == []


def test_author_is_told_by_how_much_a_text_is_over(account: Connection) -> None:
    assert check_part(account, "x" * 285, []) == ["The text is 5 over the limit of 280 characters."]


def test_han_characters_count_twice(account: Connection) -> None:
    assert check_part(account, "咖" * 141, []) == ["The text is 2 over the limit of 280 characters."]


def test_premium_account_may_write_25_000() -> None:
    premium = Account(is_premium=True)
    assert check_part(premium, "x" * 25_000, []) == []
    assert check_part(premium, "x" * 25_001, []) == ["The text is 1 over the limit of 25000 characters."]


def test_nothing_at_all_is_no_post(account: Connection) -> None:
    assert check_part(account, "", []) == ["There is no text and no media yet."]


@pytest.mark.parametrize("character", ["\ufffe", "\ufeff", "\uffff"])
def test_character_that_the_network_refuses_is_told(account: Connection, character: str) -> None:
    (message,) = check_part(account, f"Hello{character}", [])
    assert "a character that the network refuses" in message


def test_text_that_is_too_long_and_holds_such_a_character_is_told_its_length_first(account: Connection) -> None:
    assert check_part(account, "x" * 280 + "\ufffe", [])[0].startswith("The text is 2 over")


@pytest.mark.parametrize(
    ("lacking", "has_media", "missing"),
    [
        ([], False, []),
        ([], True, ["media.write"]),
        (["tweet.write"], False, ["tweet.write"]),
        (["users.read", "tweet.read"], True, ["media.write", "tweet.read", "users.read"]),
    ],
)
def test_missing_scopes_are_named_in_order(lacking: list[str], has_media: bool, missing: list[str]) -> None:
    account = Account(scopes=[scope for scope in NEEDED if scope not in lacking])
    assert missing_scopes(account, has_media=has_media) == missing


def test_scope_for_media_is_enough_for_media() -> None:
    assert missing_scopes(Account(scopes=[*NEEDED, "media.write"]), has_media=True) == []


def test_keys_of_the_old_kind_have_no_scopes_to_miss() -> None:
    assert missing_scopes(Account(scopes=["oauth1"]), has_media=True) == []


@pytest.mark.parametrize(
    ("typed", "sent"), [("  a\r\nb \n", "a\nb"), ("a\rb", "a\nb"), ("\n\n", ""), ("a  b", "a  b"), ("", "")]
)
def test_text_is_sent_with_one_kind_of_line_end_and_nothing_around_it(typed: str, sent: str) -> None:
    assert clean_text(typed) == sent
