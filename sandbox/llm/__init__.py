"""Language models: Anthropic, OpenAI, Gemini and OpenRouter as their clients see them, answered by rules."""

from sandbox.llm import access, console, embeddings, failures, models, problems, web
from sandbox.llm.completion import CHAT, MESSAGES, OPENROUTER_CHAT, RESPONSES, complete
from sandbox.llm.counting import count_tokens
from sandbox.llm.schema import SCHEMA
from sandbox.router import Platform, Route
from sandbox.wire import Response

__all__ = ["SCHEMA", "platforms"]

_ANTHROPIC = [
    Route("POST", "/v1/messages", complete(MESSAGES)),
    Route("POST", "/v1/messages/count_tokens", count_tokens),
    Route("GET", "/v1/models", models.list_models),
    Route("GET", "/v1/models/{id}", models.get_model),
]
_OPENAI = [
    Route("POST", "/chat/completions", complete(CHAT)),
    Route("POST", "/responses", complete(RESPONSES)),
    Route("POST", "/embeddings", embeddings.create),
    Route("GET", "/models", models.list_models),
    Route("GET", "/models/{id}", models.get_model),
]
_GEMINI = [Route("POST", "/chat/completions", complete(CHAT)), Route("GET", "/models", models.list_models)]
_OPENROUTER = [
    Route("POST", "/chat/completions", complete(OPENROUTER_CHAT)),
    Route("GET", "/models", models.list_models),
]


def platforms() -> list[Platform]:
    return [
        _provider("anthropic", "/anthropic", _ANTHROPIC),
        _provider("openai", "/openai/v1", _OPENAI),
        _provider("gemini", "/gemini/v1beta/openai", _GEMINI),
        _provider("openrouter", "/openrouter/api/v1", _OPENROUTER),
        _console(),
    ]


def _provider(name: str, prefix: str, routes: list[Route]) -> Platform:
    def error(status: int, title: str, detail: str) -> Response:
        return problems.error(None, name, status, detail)

    return Platform(
        name,
        prefix,
        routes,
        not_found=lambda status: problems.not_found(name, status),
        admit=access.admit_to(name),
        fail=failures.fail,
        headers=access.headers,
        error=error,
    )


def _console() -> Platform:
    return Platform(
        "llm",
        "/llm",
        [
            Route("GET", "/", web.show_calls, is_api=False),
            Route("GET", "/calls/{id}", web.show_call, is_api=False),
        ],
        not_found=lambda status: Response(status, b"Not Found", {"content-type": "text/plain"}),
        doors=console.DOORS,
    )
