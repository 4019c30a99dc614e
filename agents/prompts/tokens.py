"""How long a text is for a model."""

import re

# A Chinese, Japanese or Korean character is about one token; other scripts take one for about four letters.
WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
WORD = re.compile(r"[^\W_]+|\S")
LETTERS_PER_TOKEN = 4


def estimate_tokens(text: str) -> int:
    """About as many as a model will count; its provider's bill is what counts."""
    wide = len(WIDE.findall(text))
    words = WORD.findall(WIDE.sub(" ", text))
    return wide + sum(-(-len(word) // LETTERS_PER_TOKEN) for word in words)
