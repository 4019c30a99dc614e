"""What a call to somebody's address carries, so that its receiver knows who sent it; and when it is tried again."""

import hashlib
import hmac
import random


def sign(secret: str, message_id: str, timestamp: int, body: bytes, *, version: str = "v2") -> str:
    """HMAC-SHA256 in hex: v1 over `<timestamp>.<body>`, v2 over `<id>.<timestamp>.<body>`."""
    head = f"{timestamp}." if version == "v1" else f"{message_id}.{timestamp}."
    made = hmac.new(secret.encode(), head.encode() + body, hashlib.sha256)
    return f"{version}={made.hexdigest()}"


def pause_s(tries: int, *, first_s: float, factor: float, longest_s: float, least: float = 0.0) -> float:
    """After so many tries: up to `first_s` times a power of `factor`, drawn from its whole or from `least` of it on."""
    ceiling = min(longest_s, first_s * factor ** max(tries - 1, 0))
    return ceiling * random.uniform(least, 1.0)  # noqa: S311 (spreading load, not a secret)
