"""Text from outside, on its way into the database."""


def storable(text: str) -> str:
    """Without the characters that PostgreSQL refuses: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()
