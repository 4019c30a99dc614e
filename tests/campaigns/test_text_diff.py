import pytest

from campaigns.text_diff import diff_words


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
