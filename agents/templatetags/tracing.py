"""Values of a trace as text."""

import json
from typing import Any

from django import template

from lib.money import dollars

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


@register.filter
def said(step: Any) -> str:
    """The words of a model's answer, or the result of another step."""
    output = step.output
    if isinstance(output, dict) and output.get("text"):
        return str(output["text"])
    return "" if output is None else as_json(output)


@register.filter
def usd(micro: int) -> str:
    return dollars(micro)
