"""The readers of marketing/env.py. NAME stands for any setting."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from marketing import env

NAME = "TESTED_SETTING"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda value: monkeypatch.setenv(NAME, value)


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Path]:
    def write(content: str) -> Path:
        file = tmp_path / "value"
        file.write_text(content)
        monkeypatch.setenv(f"{NAME}_FILE", str(file))
        return file

    return write


# --- text ---------------------------------------------------------------------------------------------------


def test_text_is_what_the_environment_says(given) -> None:
    given("a value")
    assert env.text(NAME, "default") == "a value"


def test_unset_text_is_the_default() -> None:
    assert env.text(NAME, "default") == "default"


def test_empty_text_is_a_value_and_not_the_default(given) -> None:
    given("")
    assert env.text(NAME, "default") == ""


def test_unset_text_without_a_default_is_asked_for_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match=f"Set {NAME} "):
        env.text(NAME)


def test_text_may_come_from_a_mounted_file_without_its_last_newline(mounted) -> None:
    mounted("a secret\n")
    assert env.text(NAME, "default") == "a secret"


def test_mounted_file_wins_over_the_plain_variable(given, mounted) -> None:
    given("plain")
    mounted("mounted")
    assert env.text(NAME) == "mounted"


def test_empty_name_of_a_file_is_none(given, monkeypatch) -> None:
    given("plain")
    monkeypatch.setenv(f"{NAME}_FILE", "")
    assert env.text(NAME) == "plain"


def test_missing_file_fails_loudly_instead_of_falling_back(given, mounted) -> None:
    given("plain")
    mounted("mounted").unlink()
    with pytest.raises(ImproperlyConfigured, match=f"{NAME}_FILE names a file that cannot be read"):
        env.text(NAME, "default")


def test_folder_in_the_place_of_a_file_fails_loudly(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path))
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        env.text(NAME)


# --- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "read"), [("0", 0), ("8000", 8000), ("-1", -1), (" 12 ", 12)])
def test_integer_is_read(given, value, read) -> None:
    given(value)
    assert env.integer(NAME, 5) == read


@pytest.mark.parametrize("value", ["", "ten", "1.5", "0x10", "1 000"])
def test_integer_that_is_none_is_named_and_shown(given, value) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be a whole number, not '{value}'"):
        env.integer(NAME, 5)


def test_unset_integer_is_the_default() -> None:
    assert env.integer(NAME, 5) == 5


def test_integer_may_come_from_a_mounted_file(mounted) -> None:
    mounted("42\n")
    assert env.integer(NAME, 5) == 42


@pytest.mark.parametrize(("value", "read"), [("0.5", 0.5), ("2", 2.0), ("1e3", 1000.0)])
def test_number_is_read(given, value, read) -> None:
    given(value)
    assert env.number(NAME, 5.0) == read


@pytest.mark.parametrize("value", ["", "soon", "1,5", "2s"])
def test_number_that_is_none_is_named_and_shown(given, value) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be a number, not '{value}'"):
        env.number(NAME, 5.0)


def test_unset_number_is_the_default() -> None:
    assert env.number(NAME, 2.5) == 2.5


# --- flags and lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["1", "true", "True", "YES"])
def test_flag_is_on(given, value) -> None:
    given(value)
    assert env.flag(NAME, False) is True


@pytest.mark.parametrize("value", ["0", "false", "FALSE", "no"])
def test_flag_is_off(given, value) -> None:
    given(value)
    assert env.flag(NAME, True) is False


@pytest.mark.parametrize("value", ["", "2", "on", "off", "ture"])
def test_flag_that_is_unclear_is_named_and_shown(given, value) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be 1 or 0, not '{value}'"):
        env.flag(NAME, True)


@pytest.mark.parametrize("default", [True, False])
def test_unset_flag_is_the_default(default) -> None:
    assert env.flag(NAME, default) is default


@pytest.mark.parametrize(
    ("value", "read"), [("", []), (" , ,", []), ("one", ["one"]), ("one, two,,three ", ["one", "two", "three"])]
)
def test_words_are_parted_by_commas_without_blanks(given, value, read) -> None:
    given(value)
    assert env.words(NAME, "default") == read


def test_unset_words_are_those_of_the_default() -> None:
    assert env.words(NAME, "one,two") == ["one", "two"]
    assert env.words(NAME) == []
