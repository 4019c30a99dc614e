"""What the readers of all formats give back."""

from dataclasses import dataclass

MAX_CHARACTERS = 2_000_000


@dataclass(frozen=True)
class Section:
    """Text below a heading. `is_table`: lines that belong to one header, which each chunk repeats."""

    heading: str
    text: str
    header: str = ""


class UnreadableFile(Exception):
    """Why nothing can be read, for whoever chose the file."""
