"""One log line per event: JSON for machines, short text for a terminal. Never a token in either."""

import re
from typing import Any

import structlog

SECRET_KEYS = re.compile(r"token|secret|password|authorization|verifier|api_?key|cookie", re.IGNORECASE)
# In an address, also inside the `next` of another: the OAuth code and state of a callback, for one.
SECRET_QUERY = re.compile(
    r"((?:[?&]|%3F|%26)(?:code|state|token|key|[a-z_]*secret|oauth_\w+)(?:=|%3D))(?:(?!%26)[^&\s\"'])+", re.IGNORECASE
)
# Links of invitations, password resets, confirmations and consents: who has one needs nothing else.
SECRET_PATH = re.compile(r"(/invitations/|/review/|/reset/key/|/confirm-email/|/privacy-choices/)[^/\s\"']+")
# In words of others, an error's text for one: what a header holds, a bot's token, and keys by their beginnings.
SECRET_WORD = re.compile(
    r"(?<=bearer )\S+|(?<=basic )[A-Za-z0-9+/=]{8,}|(?<=/bot)\d+:[\w-]+|\b\d{6,12}:[A-Za-z0-9_-]{30,}"
    r"|\b(?:rk_|whsec_|sk-|mcp[a-z]?_|xoxb-)[A-Za-z0-9_-]{12,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)",
    re.IGNORECASE,
)


def hide_secrets(_logger: Any, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    return {key: "***" if SECRET_KEYS.search(key) and value else _hidden(value) for key, value in event.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "***" if SECRET_KEYS.search(str(key)) and one else _hidden(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(one) for one in value]
    if not isinstance(value, str):
        return value
    return SECRET_WORD.sub("***", SECRET_PATH.sub(r"\1***", SECRET_QUERY.sub(r"\1***", value)))


def hide_in_exception(_logger: Any, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Once it is text: libraries put whole addresses into their errors."""
    if "exception" in event:
        event["exception"] = _hidden(event["exception"])
    return event


def drop_noise(_logger: Any, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """A finished request says all that its start said; health checks come every few seconds."""
    if event.get("event") == "request_started" or "GET /healthz" in str(event.get("request", "")):
        raise structlog.DropEvent
    return event


SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    drop_noise,
    hide_secrets,
]


def logging_config(level: str, fmt: str) -> dict[str, Any]:
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if fmt == "json"
        # Not the rich one: it prints local variables, tokens among them.
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    processors: list[structlog.types.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if fmt == "json":
        processors += [structlog.processors.format_exc_info, hide_in_exception]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [*processors, renderer],
                "foreign_pre_chain": SHARED,
            }
        },
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["out"], "level": level},
        "loggers": {
            "celery": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "django_structlog.celery": {"level": "WARNING"},
            "django.server": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
            # The servers set these up before they load us, with text of their own.
            **{name: {"handlers": ["out"], "propagate": False} for name in ("gunicorn.error", "uvicorn.error")},
            # At DEBUG these print headers with tokens, whatever LOG_LEVEL says.
            **{name: {"level": "INFO"} for name in ("tweepy", "urllib3", "requests_oauthlib", "oauthlib", "telegram")},
            # At INFO already: a bot's token stands in every address.
            **{name: {"level": "WARNING"} for name in ("httpx", "httpcore", "httpx2", "httpcore2", "telethon")},
        },
    }
