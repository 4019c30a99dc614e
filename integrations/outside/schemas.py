"""Other people's JSON Schemas, tamed: what could reach out, never end, or speak to the model is left out."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

from agents.safety.clues import find_risks
from agents.safety.normalise import hear

MAX_DEPTH, MAX_NODES, MAX_PROPERTIES = 8, 400, 60
MAX_DESCRIPTION, MAX_ENUM, MAX_WORD = 300, 100, 100
# Kept as they are. No `pattern` (a regular expression of a stranger), no `$ref` (an address of a stranger).
NUMBERS = {
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "minItems", "maxItems"),
}
TYPES = {"object", "array", "string", "number", "integer", "boolean", "null"}
LOCAL = ("#/$defs/", "#/definitions/")
Schema = dict[str, Any]


def tame(schema: Mapping[str, Any]) -> Schema:
    """An object's schema with the same names and types; local references are written out."""
    tamed = _Tamer(schema).walk(schema, 0)
    tamed["type"] = "object"
    tamed.setdefault("properties", {})
    try:
        Draft202012Validator.check_schema(tamed)
    except SchemaError:
        return {"type": "object"}
    return tamed


def plain_words(text: str, most: int) -> str:
    """A description as the model may see it; nothing of one that gives orders."""
    heard = hear(text[: most * 4])
    return "" if find_risks(heard) else heard.text[:most]


class _Tamer:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root, self.nodes = root, 0
        # A reference repeats its texts as often as it likes: each is looked at once.
        self.described: dict[str, str] = {}

    def walk(self, node: Any, depth: int) -> Schema:
        self.nodes += 1
        node = self._target(node)
        if not isinstance(node, Mapping) or depth > MAX_DEPTH or self.nodes > MAX_NODES:
            return {}
        found: Schema = {key: node[key] for key in NUMBERS & node.keys() if _is_number(node[key])}
        found |= self._words(node)
        found |= self._parts(node, depth)
        return found

    def _target(self, node: Any) -> Any:
        """Where a local reference leads; the depth ends those that lead back."""
        ref = node.get("$ref") if isinstance(node, Mapping) else None
        if not isinstance(ref, str):
            return node
        for place in LOCAL:
            if ref.startswith(place):
                definitions = self.root.get(place[2:-1])
                return definitions.get(ref.removeprefix(place)) if isinstance(definitions, Mapping) else None
        return None

    def _words(self, node: Mapping[str, Any]) -> Schema:
        found: Schema = {}
        kinds = node.get("type")
        listed = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if str(kind) in TYPES]
        if listed:
            found["type"] = listed if len(listed) > 1 else listed[0]
        if isinstance(node.get("description"), str) and (words := self._description(node["description"])):
            found["description"] = words
        if isinstance(node.get("enum"), list):
            usable = [one for one in node["enum"][:MAX_ENUM] if _is_word(one)]
            found |= {"enum": usable} if usable else {}
        if "const" in node and _is_word(node["const"]):
            found["const"] = node["const"]
        return found

    def _description(self, text: str) -> str:
        if text not in self.described:
            self.described[text] = plain_words(text, MAX_DESCRIPTION)
        return self.described[text]

    def _parts(self, node: Mapping[str, Any], depth: int) -> Schema:
        found: Schema = {}
        properties = node.get("properties")
        if isinstance(properties, Mapping):
            names = [name for name in list(properties)[:MAX_PROPERTIES] if isinstance(name, str) and _is_word(name)]
            found["properties"] = {name: self.walk(properties[name], depth + 1) for name in names}
            required = node.get("required")
            if isinstance(required, list):
                found["required"] = [name for name in dict.fromkeys(map(str, required)) if name in found["properties"]]
        if isinstance(node.get("items"), Mapping):
            found["items"] = self.walk(node["items"], depth + 1)
        if node.get("additionalProperties") is False:
            found["additionalProperties"] = False
        for key in ("anyOf", "oneOf"):
            if isinstance(node.get(key), list) and node[key]:
                # Either way: exactly one cannot be told where parts were left out.
                found["anyOf"] = [self.walk(one, depth + 1) for one in node[key][:10]]
        return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def _is_word(value: Any) -> bool:
    """A value that the model reads: short, and no order."""
    if isinstance(value, str):
        return len(value) <= MAX_WORD and not _gives_orders(value)
    return value is None or isinstance(value, bool) or _is_number(value)


@lru_cache(maxsize=4096)
def _gives_orders(word: str) -> bool:
    return bool(find_risks(hear(word)))
