"""Which words changed between two texts."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

# Scripts without spaces are compared character by character.
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\s+|\w+?(?=[\u3040-\u30ff\u3400-\u9fff])|\w+|[^\w\s]")


@dataclass(frozen=True)
class Change:
    """`kind` is the HTML element that marks it: "" for what stayed, "del" or "ins"."""

    kind: str
    text: str


def diff_words(before: str, after: str) -> list[Change]:
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    changes = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            changes.append(Change("", "".join(old[i:j])))
            continue
        changes += [Change(mark, "".join(cut)) for mark, cut in (("del", old[i:j]), ("ins", new[k:m])) if cut]
    return changes
