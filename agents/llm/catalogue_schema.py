"""The shape of `models.yaml`, and what must hold between its parts."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from jsonschema import Draft202012Validator

ROLES = ("chat", "writer", "strategist", "compliance", "product", "sentiment", "memory", "embed")
WIRES = ("anthropic", "openai_chat", "openai_responses")
CAPABILITIES = ("tools", "schema", "cache", "embed")

_NAME = {"type": "string", "minLength": 1, "maxLength": 80}
_PRICE = {"type": "number", "minimum": 0}
_RATES = {"input": _PRICE, "cached": _PRICE, "cache_write": _PRICE, "output": _PRICE}


def _object(properties: Mapping[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


_TIER = _object({"tokens": {"type": "integer", "minimum": 1}, **_RATES}, ("tokens", "input", "output"))
_ROW = _object(
    {
        "effective_from": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$", "format": "date"},
        **_RATES,
        "above": {"type": "array", "items": _TIER},
    },
    ("effective_from", "input", "output"),
)
_PROVIDER = _object(
    {
        "label": _NAME,
        "wire": {"enum": list(WIRES)},
        "base_url": {"type": "string", "pattern": "^https?://"},
        "base_url_setting": _NAME,
        "key_setting": _NAME,
        "path": {"type": "string", "pattern": "^/"},
        "limit_field": {"enum": ["max_tokens", "max_completion_tokens"]},
        "timeout_s": {"type": "number", "exclusiveMinimum": 0, "maximum": 600},
        "max_concurrency": {"type": "integer", "minimum": 1, "maximum": 1000},
        "is_sandbox": {"type": "boolean"},
    },
    ("label", "wire", "max_concurrency"),
)
_MODEL = _object(
    {
        "provider": _NAME,
        "context": {"type": "integer", "minimum": 1},
        "max_output": {"type": "integer", "minimum": 0},
        "capabilities": {"type": "array", "items": {"enum": list(CAPABILITIES)}, "uniqueItems": True},
        "prices": {"type": "array", "items": _ROW, "minItems": 1},
    },
    ("provider", "context", "max_output", "prices"),
)
_CHAIN = {"type": "array", "items": _NAME, "minItems": 1, "uniqueItems": True}
SCHEMA = _object(
    {
        "providers": {"type": "object", "additionalProperties": _PROVIDER, "minProperties": 1},
        "models": {"type": "object", "additionalProperties": _MODEL, "minProperties": 1},
        "roles": _object(dict.fromkeys(ROLES, _CHAIN), ROLES),
        "sandbox": _object({"text": _NAME, "embed": _NAME}, ("text", "embed")),
    },
    ("providers", "models", "roles", "sandbox"),
)
_validator = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def mistakes(data: Any) -> list[str]:
    """What is wrong with the file, in words; empty when nothing is."""
    found = [f"{'/'.join(map(str, error.absolute_path)) or 'file'}: {error.message}"[:300] for error in _errors(data)]
    return found or [*_provider_mistakes(data), *_model_mistakes(data), *_role_mistakes(data)]


def _errors(data: Any) -> list[Any]:
    return sorted(_validator.iter_errors(data), key=lambda error: [str(part) for part in error.absolute_path])


def _provider_mistakes(data: Mapping[str, Any]) -> list[str]:
    return [
        f"providers/{name}: there is no setting {provider[field]}"
        for name, provider in data["providers"].items()
        for field in ("base_url_setting", "key_setting")
        if field in provider and not hasattr(settings, provider[field])
    ]


def _model_mistakes(data: Mapping[str, Any]) -> list[str]:
    found = []
    for name, model in data["models"].items():
        if model["provider"] not in data["providers"]:
            found.append(f"models/{name}: there is no provider {model['provider']}")
        dates = [row["effective_from"] for row in model["prices"]]
        if dates != sorted(set(dates)):
            found.append(f"models/{name}: prices are ordered by effective_from, one for a day")
        for row in model["prices"]:
            tiers = [tier["tokens"] for tier in row.get("above", [])]
            if tiers != sorted(set(tiers)):
                found.append(f"models/{name}: tiers are ordered by tokens")
    return found


def _role_mistakes(data: Mapping[str, Any]) -> list[str]:
    chains = {**data["roles"], **{f"sandbox/{kind}": [name] for kind, name in data["sandbox"].items()}}
    found = []
    for role, chain in chains.items():
        for name in chain:
            if name not in data["models"]:
                found.append(f"{role}: there is no model {name}")
            elif ("embed" in data["models"][name].get("capabilities", [])) != role.endswith("embed"):
                found.append(f"{role}: {name} is not a model for this")
    return found
