"""The parameters of a call, wherever they stand: query, form, multipart parts or JSON.

Values arrive as text or as JSON; each reader takes both and refuses what is neither.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, TypeGuard

from sandbox.router import Call
from sandbox.telegram import problems
from sandbox.wire import MalformedBody, Part, Request, multipart_parts

_NUMBER = re.compile(r"-?\d{1,18}")
_HALF = re.compile("[\ud800-\udfff]")
_TRUE = ("true", "yes", "1")
_TYPE_NAMES = {bool: "Boolean", int: "Integer", str: "String", list: "Array", dict: "Object"}


@dataclass(frozen=True)
class Parameters:
    values: dict[str, Any]
    files: dict[str, Part]

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if value is None:
            return ""
        return whole(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))

    def flag(self, name: str) -> bool:
        return self.text(name).strip().lower() in _TRUE

    def number(self, name: str, default: int | None = None) -> int | None:
        text = self.text(name).strip()
        return int(text) if _NUMBER.fullmatch(text) else default

    def object(self, name: str) -> Any:
        """A JSON-serialised value, or None where nothing was given."""
        value = self.values.get(name)
        if isinstance(value, str):
            value = _parsed(name, value) if value.strip() else None
        whole(json.dumps(value, ensure_ascii=False))
        return value

    def file(self, name: str) -> Part | str | None:
        """An upload, or the text that stands for a file; attach:// points at another part."""
        if name in self.files:
            return self.files[name]
        return self.attached(self.text(name)) or None

    def attached(self, text: str) -> Part | str:
        if not text.startswith("attach://"):
            return text
        return self.files.get(text.removeprefix("attach://"), "")


def _parsed(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise problems.bad_request(f"can't parse {_SPOKEN.get(name, name)} JSON object") from None


def whole(text: str) -> str:
    """Half a surrogate pair has no bytes: neither Telegram nor a table takes it."""
    if _HALF.search(text):
        raise problems.bad_request("strings must be encoded in UTF-8")
    return text


_SPOKEN = {"reply_markup": "reply keyboard markup", "reply_parameters": "reply parameters"}


def read(request: Request) -> Parameters:
    values: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        body = request.json()
        if not isinstance(body, dict):
            raise MalformedBody("can't parse JSON object")
        return Parameters({**values, **{name: value for name, value in body.items() if value is not None}}, {})
    if request.content_type == "multipart/form-data":
        parts = multipart_parts(request)
        files = {name: part for name, part in parts.items() if part.filename}
        texts = {n: part.content.decode("utf-8", "replace") for n, part in parts.items() if not part.filename}
        return Parameters({**values, **texts}, files)
    return Parameters({**values, **request.form}, {})


def of(call: Call) -> Parameters:
    parameters: Parameters = call.caller.parameters
    return parameters


def is_number(value: Any) -> TypeGuard[int]:
    """A whole number that Telegram's ids and offsets can be."""
    return type(value) is int and abs(value) < 2**53


def field(source: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """A typed field of a JSON object; default when it is not there."""
    value = source.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and not is_number(value)):
        raise problems.bad_request(f'field "{name}" must be of type {_TYPE_NAMES[kind]}')
    return value
