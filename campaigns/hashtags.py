import re
import unicodedata

EMOJI_MARKS = "\ufe0e\ufe0f\u20e3"


def _is_tag_char(char: str) -> bool:
    # Marks carry the vowels of Indic and Thai words; \w would drop them. Emoji leave some behind.
    return char == "_" or (unicodedata.category(char)[0] in "LMN" and char not in EMOJI_MARKS)


def hashtag(tag: str) -> str:
    """The tag as networks link it: '#' and letters, digits, marks, underscores; empty if nothing is left."""
    word = "".join(filter(_is_tag_char, tag))
    return f"#{word}" if word else ""


def hashtags_in(text: str) -> set[str]:
    """Hashtags of a text, casefolded; a '#' inside a word or an address begins none."""
    found = set()
    for match in re.finditer(r"(?<![\w&/])[#＃]([^\s#＃]+)", text):
        word = match.group(1)
        end = next((i for i, char in enumerate(word) if not _is_tag_char(char)), len(word))
        found.add(f"#{word[:end]}".casefold())
    return found
