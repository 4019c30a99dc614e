"""Embeddings without a model: words and character pairs hashed into a vector. Alike means spelt alike."""

import base64
import hashlib
import math
import re
import struct
from typing import Any

from sandbox.ledger import Effect
from sandbox.llm import catalogue, tokens
from sandbox.llm.checks import Rejected, is_whole
from sandbox.llm.completion import read_body, refusal
from sandbox.router import Call
from sandbox.wire import Response, json_response

MODEL = "sandbox-embed"
DIMENSIONS = 256
MOST_INPUTS = 2_048
_WORD = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")


def create(call: Call) -> Response:
    try:
        body = read_body(call)
        texts, size = _texts(body), _dimensions(body)
    except Rejected as rejected:
        raise refusal(call, rejected) from None
    used = sum(tokens.count(text) for text in texts)
    call.effect = Effect("embedding", str(call.caller.record_id), texts[0])
    form = _base64 if body.get("encoding_format") == "base64" else list
    data = [
        {"object": "embedding", "index": index, "embedding": form(embed(text, size))}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": used, "total_tokens": used}
    # Named for what it is, whichever model was asked for.
    return json_response(200, {"object": "list", "data": data, "model": MODEL, "usage": usage})


def _texts(body: dict[str, Any]) -> list[str]:
    if body.get("model") not in catalogue.EMBEDDING_MODELS:
        words = f"The model `{body.get('model')}` does not exist or you do not have access to it."
        raise Rejected(words, code="model_not_found", status=404)
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise Rejected("'$.input' is invalid. Please check the API reference.", "input")
    if len(texts) > MOST_INPUTS:
        raise Rejected(f"'input' array must have at most {MOST_INPUTS} items.", "input")
    if body.get("encoding_format") not in (None, "float", "base64"):
        raise Rejected("'encoding_format' must be 'float' or 'base64'.", "encoding_format")
    return texts


def _dimensions(body: dict[str, Any]) -> int:
    size = body.get("dimensions", DIMENSIONS)
    if not is_whole(size) or not 1 <= size <= 3_072:
        raise Rejected("Invalid value for 'dimensions'.", "dimensions")
    return int(size)


def embed(text: str, size: int = DIMENSIONS) -> list[float]:
    """A unit vector; the same text gives the same one."""
    vector = [0.0] * size
    for feature, weight in _features(text.lower()):
        digest = hashlib.blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest()
        sign = 1.0 if digest[0] & 1 else -1.0
        vector[int.from_bytes(digest[1:], "big") % size] += sign * weight
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def _features(text: str) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for word in _WORD.findall(text) or [text]:
        found += _of_chinese(word) if word[:1] > "\u2e80" else _of_latin(word)
    return found


def _of_latin(word: str) -> list[tuple[str, float]]:
    padded = f"^{word}$"
    return [(word, 1.0), *[(padded[place : place + 3], 0.5) for place in range(len(padded) - 2)]]


def _of_chinese(run: str) -> list[tuple[str, float]]:
    """Chinese has no spaces: pairs of characters stand for words."""
    return [(letter, 0.4) for letter in run] + [(run[place : place + 2], 1.0) for place in range(len(run) - 1)]


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
