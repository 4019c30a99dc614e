"""Patterns by name, from the files in `words/`: `= name` begins a group, each further line is a regular expression."""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "words"


@cache
def patterns(name: str) -> dict[str, re.Pattern[str]]:
    """The groups of a file, each as one pattern for folded text. Raises re.error for a line that is none."""
    groups: dict[str, list[str]] = {}
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            group = groups.setdefault(line[2:].strip(), [])
        elif line.strip() and not line.startswith("#"):
            group.append(re.compile(line).pattern)
    return {name: re.compile("|".join(f"(?:{line})" for line in lines)) for name, lines in groups.items()}
