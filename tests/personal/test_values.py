import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from personal.values import plain, read_value


@pytest.mark.parametrize(
    ("typed", "kind", "value", "shown"),
    [
        ("@MaraBrews", "account", "marabrews", "@marabrews"),
        ("＠mara＿brews", "account", "mara_brews", "@mara_brews"),
        ("https://x.com/MaraBrews", "account", "marabrews", "@marabrews"),
        ("twitter.com/MaraBrews?lang=zh", "account", "marabrews", "@marabrews"),
        ("#Coffee", "keyword", "coffee", "coffee"),
        ("＃咖啡", "keyword", "咖啡", "咖啡"),
        ("  春季   豆子 ", "keyword", "春季 豆子", "春季 豆子"),
        ("ｃｏｆｆｅｅ", "keyword", "coffee", "coffee"),
        ("Straße", "keyword", "strasse", "strasse"),
        ("café", "keyword", "café", "café"),
        ("$acme", "symbol", "acme", "$ACME"),
        ("＄0700.HK", "symbol", "0700.hk", "$0700.HK"),
        ("$BRK.B", "symbol", "brk.b", "$BRK.B"),
        ("C++", "keyword", "c++", "c++"),
        ("zero\u200bwidth", "keyword", "zero width", "zero width"),
    ],
)
def test_what_was_typed(typed: str, kind: str, value: str, shown: str) -> None:
    found = read_value(typed)
    assert (found.kind, found.value, found.shown) == (kind, value, shown)


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [("acme", "symbol", "acme"), ("mara", "account", "mara"), ("@mara", "keyword", "mara"), ("$a", "symbol", "a")],
)
def test_a_named_kind_decides(typed: str, kind: str, value: str) -> None:
    found = read_value(typed, kind)
    assert (found.kind, found.value) == (kind, value)


@pytest.mark.parametrize(
    ("typed", "kind", "field"),
    [
        ("", "", "value"),
        ("@", "", "value"),
        ("   ", "", "value"),
        ("@" + "a" * 16, "", "value"),
        ("@陈丽", "", "value"),
        ("$" + "A" * 13, "", "value"),
        ("$咖啡", "", "value"),
        ("…!?", "", "value"),
        ("a" * 121, "", "value"),
        ("acme", "stock", "kind"),
        ("\x00", "", "value"),
    ],
)
def test_what_cannot_be_watched(typed: str, kind: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_value(typed, kind)
    assert list(refused.value.error_dict) == [field]


@given(st.text(max_size=60))
def test_normal_form_is_final(text: str) -> None:
    once = plain(text)
    assert plain(once) == once == unicodedata.normalize("NFKC", once)
    assert "\x00" not in once


@given(st.text(alphabet="abcXYZ咖啡éß１２", min_size=1, max_size=20))
def test_case_and_width_make_no_difference(text: str) -> None:
    wide = "".join(chr(ord(mark) + 0xFEE0) if "!" <= mark <= "~" else mark for mark in text)
    assert read_value(f"#{text}") == read_value(f"＃{wide.upper()}".replace("SS", "ß") if "ß" in text else f"＃{wide}")
