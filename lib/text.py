"""Text from outside, on its way into the database."""


def storable(text: str) -> str:
    """Without the characters that PostgreSQL refuses: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def one_line(name: object) -> str:
    """A name with a line break would end the subject of a mail and begin a header."""
    return " ".join(str(name).split())
