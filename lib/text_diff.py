"""Which words changed between two texts."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

# Scripts without spaces are compared character by character.
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\s+|\w+?(?=[\u3040-\u30ff\u3400-\u9fff])|\w+|[^\w\s]")
# Steps that comparing may take at worst: pairs of equal tokens, once for each place where they may part.
MAX_STEPS = 20_000_000


@dataclass(frozen=True)
class Change:
    """`kind` is the HTML element that marks it: "" for what stayed, "del" or "ins"."""

    kind: str
    text: str


def diff_words(before: str, after: str) -> list[Change]:
    """What is too long or too uniform for that is compared by lines first, and else counts as replaced."""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    if not _is_quick(old, new):
        return list(_joined(_diff_lines(before, after)))
    return list(_joined(_compare(old, new)))


def _is_quick(old: list[str], new: list[str]) -> bool:
    counts = Counter(new)
    pairs = sum(number * counts[token] for token, number in Counter(old).items() if not token.isspace())
    return (pairs + len(old)) * min(len(old), len(new)) <= MAX_STEPS


def _diff_lines(before: str, after: str) -> Iterator[Change]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if not _is_quick(old, new):
        yield from (Change("del", before), Change("ins", after))
        return
    for kind, cut, added in _opcodes(old, new):
        if kind == "equal":
            yield Change("", cut)
        elif _is_quick(words := TOKEN.findall(cut), new_words := TOKEN.findall(added)):
            yield from _compare(words, new_words)
        else:
            yield from (Change("del", cut), Change("ins", added))


def _compare(old: list[str], new: list[str]) -> Iterator[Change]:
    for kind, cut, added in _opcodes(old, new):
        if kind == "equal":
            yield Change("", cut)
        else:
            yield from (Change("del", cut), Change("ins", added))


def _opcodes(old: list[str], new: list[str]) -> Iterator[tuple[str, str, str]]:
    # No place is found by its blanks: they stand everywhere.
    for kind, i, j, k, m in SequenceMatcher(str.isspace, old, new, autojunk=False).get_opcodes():
        yield kind, "".join(old[i:j]), "".join(new[k:m])


def _joined(changes: Iterator[Change]) -> Iterator[Change]:
    """Without empty ones, and what is alike side by side in one."""
    last: Change | None = None
    for change in changes:
        if not change.text:
            continue
        if last and last.kind == change.kind:
            last = Change(last.kind, last.text + change.text)
            continue
        if last:
            yield last
        last = change
    if last:
        yield last
