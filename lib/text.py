"""Text from outside, on its way into the database."""


def storable(text: str) -> str:
    """Without the characters that PostgreSQL refuses: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def one_line(name: object) -> str:
    """A name with a line break would end the subject of a mail and begin a header."""
    return " ".join(str(name).split())


def without_query(url: str) -> str:
    """An address for logs: what follows the path may be a secret."""
    return url.partition("#")[0].partition("?")[0]
