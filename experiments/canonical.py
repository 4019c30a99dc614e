"""One text and one digest for equal data, so that anybody can check what a number was made from."""

import hashlib
import json
import math
from typing import Any


def canonical(data: Any) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


def digest(data: Any) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()


def seed_of(*parts: object) -> int:
    """A seed of 63 bits that follows from the parts alone."""
    return int(digest([str(part) for part in parts])[:16], 16) >> 1


def storable(data: Any) -> Any:
    """The same as Postgres' jsonb keeps it: keys are text, and what is no finite number is null."""
    if isinstance(data, dict):
        return {str(key): storable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [storable(value) for value in data]
    if isinstance(data, bool) or data is None or isinstance(data, int | str):
        return data
    return float(data) if math.isfinite(data) else None
