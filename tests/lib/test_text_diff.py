import pytest

from lib.text_diff import Change, diff_words


def marked(before: str, after: str) -> str:
    signs = {"": ("", ""), "del": ("[-", "-]"), "ins": ("{+", "+}")}
    return "".join(signs[c.kind][0] + c.text + signs[c.kind][1] for c in diff_words(before, after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("same", "same", "same"),
        ("", "", ""),
        ("", "new", "{+new+}"),
        ("old", "", "[-old-]"),
        ("a red cup", "a blue cup", "a [-red-]{+blue+} cup"),
        ("stop.", "stop!", "stop[-.-]{+!+}"),
        ("春季新品", "夏季新品", "[-春-]{+夏+}季新品"),
        ("one two", "one  two", "one[- -]{+  +}two"),
    ],
)
def test_changes_are_marked_by_word_or_character(before: str, after: str, expected: str) -> None:
    assert marked(before, after) == expected


@pytest.mark.parametrize("text", ["a\nb", "mix春x品!", "🎉 emoji ☕️", "ﬁ\t", "\u200b"])
def test_nothing_of_either_text_is_lost(text: str) -> None:
    changes = diff_words(text, "other " + text)
    assert "".join(change.text for change in changes if change.kind != "ins") == text
    assert "".join(change.text for change in changes if change.kind != "del") == "other " + text


def applied(changes, without):
    return "".join(change.text for change in changes if change.kind != without)


def lines(count, changed=()):
    return "".join(f"Line {n} {'new' if n in changed else 'old'} words.\n" for n in range(count))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (lines(300), lines(300, {7, 250})),
        (lines(300), lines(200)),
        ("", lines(300)),
        ("word " * 3_000, "other " * 3_000),
        ("咖啡" * 3_000, "咖啡豆" * 3_000),
        ("a\n" * 20_000, "b\na\n" * 20_000),
        ("a b " * 250, "b c " * 250),
        ("\n" * 3_000, "\n" * 2_000 + "a"),
    ],
)
def test_long_texts_are_compared_in_time_and_nothing_is_lost(before, after):
    changes = diff_words(before, after)
    assert applied(changes, "ins") == before
    assert applied(changes, "del") == after


def test_in_a_long_text_only_the_words_that_changed_are_marked():
    changes = diff_words(lines(300), lines(300, {7}))
    assert [change for change in changes if change.kind] == [Change("del", "old"), Change("ins", "new")]
