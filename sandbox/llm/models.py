"""Which models there are, in each provider's form."""

from datetime import UTC, datetime
from typing import Any

from sandbox.llm import anthropic_request, catalogue
from sandbox.llm.catalogue import CREATED_AT, EMBEDDING_MODELS, Model
from sandbox.llm.checks import Rejected
from sandbox.llm.completion import refusal
from sandbox.router import Call
from sandbox.wire import Response, json_response


def list_models(call: Call) -> Response:
    provider = call.caller.provider
    if provider == "anthropic":
        _check_version(call)
    data = [_render(provider, model) for model in catalogue.models_of(provider).values()]
    if provider == "openai":
        data += [_plain(name, "sandbox") for name in EMBEDDING_MODELS]
    if provider == "anthropic":
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]}
        return json_response(200, {"data": data, "has_more": False, **ends})
    return json_response(200, {"object": "list", "data": data})


def get_model(call: Call) -> Response:
    provider, name = call.caller.provider, call.args["id"]
    if provider == "anthropic":
        _check_version(call)
    model = catalogue.find(provider, name)
    if model is not None:
        return json_response(200, _render(provider, model))
    if provider == "openai" and name in EMBEDDING_MODELS:
        return json_response(200, _plain(name, "sandbox"))
    words = f"model: {name}" if provider == "anthropic" else f"The model '{name}' does not exist"
    raise refusal(call, Rejected(words, "model", "model_not_found", 404))


def _check_version(call: Call) -> None:
    try:
        anthropic_request.check_version(call.request.headers.get("anthropic-version"))
    except Rejected as rejected:
        raise refusal(call, rejected) from None


def _render(provider: str, model: Model) -> dict[str, Any]:
    if provider == "anthropic":
        return {
            "type": "model",
            "id": model.id,
            "display_name": model.id.replace("-", " ").title(),
            "created_at": datetime.fromtimestamp(CREATED_AT, UTC).isoformat().replace("+00:00", "Z"),
            "lifecycle": "active",
            "max_input_tokens": model.context,
            "max_tokens": model.max_output,
        }
    if provider == "openrouter":
        fresh, out, cached = (f"{price / 1e6:.10f}" for price in model.prices)
        prices = {"prompt": fresh, "completion": out, "input_cache_read": cached}
        return {**_plain(model.id, model.owner), "context_length": model.context, "pricing": prices}
    return _plain(model.id, model.owner)


def _plain(name: str, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED_AT, "owned_by": owner}
