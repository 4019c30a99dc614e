"""How Telegram measures a message: UTF-16 code units, after markup has become entities."""

MAX_TEXT_LENGTH = 4096


def utf16_length(text: str) -> int:
    # A surrogate without its partner counts one; encoding it strictly would fail.
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_text(text: str) -> tuple[int, bool]:
    length = utf16_length(text)
    return length, 1 <= length <= MAX_TEXT_LENGTH
