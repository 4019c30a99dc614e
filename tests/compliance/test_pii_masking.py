"""What is blacked out tells nothing more; what is put aside comes back exactly, for whoever has the key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.pii import DECLARED, UnreadableVault, find, mask, mask_value, restore, tokenise
from compliance.pii.masking import KEPT

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
VALUES = (
    "13952266111",
    "11010519491231002X",
    "6217 0091 6261 1302",
    "jane.doe@example.com",
    "536-90-4399",
    "DE89 3704 0044 0532 0130 00",
    "护照：E12345678",
    "微信：wx_skin_577",
    "１６６２６７１５３０６",
    "sk-ant-api03-a1B2c3D4e5F6g7H8i9J0k1L2",
    "postgres://app:hunter22@db.example.com/app",
    "⟦CN_MOBILE:aaaaaaaaaaaaaaaa⟧",
    "⟦",
    "⟧",
    "\ud83d",
)
CALM = st.lists(st.sampled_from(VALUES[:11]) | st.text("的我你在 abc。\n█", max_size=12), max_size=8).map("，".join)
TEXTS = st.lists(st.sampled_from(VALUES) | st.text(max_size=12), max_size=8).map("，".join)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13952266111。", "电话█████████11。"),
        ("卡号6217 0091 6261 1302", "卡号████ ████ ████ 1302"),
        ("身份证11010519491231002X", "身份证██████████████████"),
        ("SSN 536-90-4399", "SSN ███-██-4399"),
        ("a.b@example.com", "█.█@███████.███"),
        ("护照：E12345678", "护照：█████████"),
        ("password=Tr0ub4dor&3", "password=████████"),
        ("手机：１６６２６７１５３０６。", "手机：█████████０６。"),
        ("nothing here", "nothing here"),
        ("", ""),
    ],
)
def test_values_become_black_but_for_their_customary_end(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_only_types_asked_for_are_masked() -> None:
    text = "13952266111 a@example.com"

    assert mask(text, ["EMAIL_ADDRESS"]) == "13952266111 █@███████.███"


def test_value_that_overlaps_an_earlier_one_is_masked_behind_it() -> None:
    text = "192.0.2.1/24 2025-11-01"

    assert mask(text, ["PHONE_NUMBER"]) == "192.0.2.1/██ ████-██-01"
    assert mask(text, ["IP_ADDRESS", "PHONE_NUMBER"]) == "███.█.█.█/██ ████-██-01"


def test_mask_keeps_no_more_than_its_type_allows() -> None:
    masks = {type_: mask_value(type_, "AB12-3456 7890.CD12") for type_ in DECLARED}

    assert {type_: sum(map(str.isalnum, masked)) for type_, masked in masks.items()} == {
        type_: KEPT.get(type_, 0) for type_ in DECLARED
    }


def test_mask_of_a_secret_does_not_tell_its_length() -> None:
    assert mask_value("SECRET_ASSIGNMENT", "a" * 12) == mask_value("SECRET_ASSIGNMENT", "b" * 40)


@given(CALM)
def test_mask_leaves_no_digit_of_a_value_but_the_kept_ones(text: str) -> None:
    digits_around, kept = list(text), 0
    for one in find(text):
        digits_around[one.start : one.end] = [""] * (one.end - one.start)
        kept += KEPT.get(one.type, 0)
    left = sum(sign.isdigit() for sign in mask(text))

    assert left <= sum(sign.isdigit() for sign in digits_around) + kept


@given(CALM)
def test_masked_text_holds_none_of_the_values_any_more(text: str) -> None:
    values = {text[one.start : one.end] for one in find(text)}
    masked = mask(text)

    assert [value for value in values if value in masked] == []


@given(TEXTS)
def test_what_is_put_aside_comes_back_exactly(text: str) -> None:
    hidden, vault = tokenise(text, KEY)

    assert restore(hidden, vault, KEY) == text


@given(TEXTS, st.sampled_from([["CN_MOBILE"], list(DECLARED), []]))
def test_chosen_types_come_back_too(text: str, types: list[str]) -> None:
    hidden, vault = tokenise(text, KEY, types)

    assert restore(hidden, vault, KEY) == text


@given(CALM)
def test_neither_tokenised_text_nor_vault_holds_a_value(text: str) -> None:
    hidden, vault = tokenise(text, KEY)
    seen = hidden + "".join(vault.values())

    assert [one for one in find(text) if text[one.start : one.end] in seen] == []


def test_one_value_has_one_token_under_one_key() -> None:
    hidden, vault = tokenise("打13952266111，再打13952266111，或13952266112", KEY)
    first, again, other = [piece.split("⟧")[0] for piece in hidden.split("⟦")[1:]]

    assert first == again != other
    assert len(vault) == 2
    assert tokenise("13952266111", KEY)[0] == f"⟦{first}⟧"


def test_token_that_was_in_the_text_before_stays_a_token() -> None:
    token, _ = tokenise("13952266111", KEY)
    text = f"{token}就是13952266111"
    hidden, vault = tokenise(text, KEY)

    assert restore(hidden, vault, KEY) == text


def test_token_of_another_key_differs() -> None:
    assert tokenise("13952266111", KEY)[0] != tokenise("13952266111", OTHER_KEY)[0]


def test_token_names_its_type_and_nothing_else() -> None:
    hidden, _ = tokenise("13952266111", KEY)

    assert hidden.startswith("⟦CN_MOBILE:")
    assert len(hidden) == len("⟦CN_MOBILE:⟧") + 16


def test_token_moved_in_the_text_is_restored_where_it_stands() -> None:
    hidden, vault = tokenise("13952266111", KEY)

    assert restore(f"Call {hidden}!", vault, KEY) == "Call 13952266111!"


def test_token_that_the_vault_does_not_know_stays() -> None:
    strange = "⟦CN_MOBILE:aaaaaaaaaaaaaaaa⟧"

    assert restore(f"see {strange}", {}, KEY) == f"see {strange}"


def test_vault_does_not_open_with_another_key() -> None:
    hidden, vault = tokenise("13952266111", KEY)

    with pytest.raises(UnreadableVault):
        restore(hidden, vault, OTHER_KEY)


def test_value_moved_to_another_token_does_not_open() -> None:
    hidden, vault = tokenise("13952266111 13952266112", KEY)
    first, second = vault
    swapped = {first: vault[second], second: vault[first]}

    with pytest.raises(UnreadableVault):
        restore(hidden, swapped, KEY)


@pytest.mark.parametrize("stored", ["", "not base64!", "AAAA"])
def test_damaged_vault_is_refused_in_words(stored: str) -> None:
    hidden, vault = tokenise("13952266111", KEY)

    with pytest.raises(UnreadableVault, match="another key"):
        restore(hidden, dict.fromkeys(vault, stored), KEY)


def test_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        tokenise("13952266111", b"short")
