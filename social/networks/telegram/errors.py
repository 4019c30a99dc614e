"""Telegram's refusals, as python-telegram-bot raises them, sorted into what the engine has to know."""

import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
from telegram import error as telegram_error

from lib.clock import now
from social.networks.port import Failure, NetworkError

# The library's newer meaning of its time spans; without it each one warns.
os.environ.setdefault("PTB_TIMEDELTA", "1")

Outcome = tuple[Failure, str, str]

TOKEN = re.compile(r"(?:bot)?\d{3,16}:[A-Za-z0-9_-]{8,}")
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
    httpx.InvalidURL,
)
LONGEST_WAIT = timedelta(hours=25)
SHORTEST_WAIT = timedelta(seconds=1)
REFUSED_TOKEN = "Telegram no longer accepts the bot's token. Get a new one from @BotFather and add the bot again."  # noqa: S105
KICKED = "The bot is not in this chat any more. Add it again as an admin, then connect the chat again."
NOT_ADMIN = "The bot may not do that in this chat. Make it an admin with the right to post, edit, delete and pin."
TOO_LARGE = (Failure.REJECTED, "too_large", "Telegram says the file is too large.")
# Words of a refusal in lower case; the first that occur decide.
TOLD_BY_WORDS: list[tuple[str, Outcome]] = [
    ("bot was kicked", (Failure.UNAUTHORIZED, "bot_kicked", KICKED)),
    ("bot is not a member", (Failure.UNAUTHORIZED, "bot_kicked", KICKED)),
    ("group chat was deleted", (Failure.UNAUTHORIZED, "chat_gone", "This chat was deleted. Connect another one.")),
    (
        "bot was blocked",
        (Failure.UNAUTHORIZED, "bot_blocked", "This person has blocked the bot. They have to unblock it first."),
    ),
    (
        "initiate conversation",
        (Failure.UNAUTHORIZED, "bot_blocked", "This person has to open the bot and press Start first."),
    ),
    ("user is deactivated", (Failure.REJECTED, "user_gone", "This person's account does not exist any more.")),
    ("administrator rights", (Failure.UNAUTHORIZED, "not_admin", NOT_ADMIN)),
    ("not enough rights", (Failure.UNAUTHORIZED, "not_admin", NOT_ADMIN)),
    ("have no rights", (Failure.UNAUTHORIZED, "not_admin", NOT_ADMIN)),
    ("chat_write_forbidden", (Failure.UNAUTHORIZED, "not_admin", NOT_ADMIN)),
    ("chat_admin_required", (Failure.UNAUTHORIZED, "not_admin", NOT_ADMIN)),
    (
        "chat not found",
        (
            Failure.REJECTED,
            "chat_not_found",
            "Telegram cannot find this chat. Check its name and that the bot is in it.",
        ),
    ),
    (
        "message thread not found",
        (Failure.REJECTED, "topic_not_found", "This topic does not exist any more. Connect another one."),
    ),
    (
        "topic_deleted",
        (Failure.REJECTED, "topic_not_found", "This topic does not exist any more. Connect another one."),
    ),
    (
        "topic_closed",
        (Failure.REJECTED, "topic_closed", "This topic is closed. Open it, or allow the bot to manage topics."),
    ),
    ("not a forum", (Failure.REJECTED, "no_forum", "This chat has no topics. Switch them on in the group's settings.")),
    (
        "message to be replied not found",
        (Failure.REJECTED, "reply_gone", "The message that this one answers was deleted."),
    ),
    ("message is not modified", (Failure.REJECTED, "not_modified", "The message says that already.")),
    ("message to delete not found", (Failure.REJECTED, "gone", "This message does not exist any more.")),
    ("message to edit not found", (Failure.REJECTED, "gone", "This message does not exist any more.")),
    ("message_id_invalid", (Failure.REJECTED, "gone", "This message does not exist any more.")),
    (
        "message can't be deleted",
        (Failure.REJECTED, "cannot_delete", "Telegram does not let the bot delete this message. Delete it there."),
    ),
    (
        "message can't be edited",
        (Failure.REJECTED, "cannot_edit", "Telegram does not let the bot change this message."),
    ),
    ("too long", (Failure.REJECTED, "too_long", "Telegram says the text is too long.")),
    ("too big", TOO_LARGE),
]
EDGE = (Failure.TEMPORARY, "edge_refused", "Telegram's door turned the request away before looking at it.")
UNREACHABLE = (Failure.TEMPORARY, "unreachable", "Telegram could not be reached.")
FILE_CHANGED = (Failure.REJECTED, "file_changed", "A file changed while it was sent. Add it again.")
FLOOD = (Failure.RATE_LIMIT, "rate_limited", "Telegram asks the bot to wait before its next message.")
MOVED = (Failure.TEMPORARY, "chat_moved", "The group became a supergroup; the message goes there.")
CONFLICT = (Failure.TEMPORARY, "conflict", "Somebody else reads this bot's updates.")


class UploadBroken(Exception):
    """Our own file could not be read to its end. Telegram takes no half requests."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        # Not as the cause: the library in between clears that.
        self.reason = reason


def scrub(text: str) -> str:
    return TOKEN.sub("bot***", text)


def from_exception(error: Exception, *, is_write: bool) -> Exception:
    """A NetworkError, or the caller's own error where one broke the upload."""
    cause = error.__cause__
    if isinstance(cause, UploadBroken):
        return cause.reason
    failure, code, message = _outcome(error, cause, is_write)
    return NetworkError(
        failure,
        code,
        message,
        raw=scrub(f"{type(error).__name__}: {error}" + (f" ({type(cause).__name__}: {cause})" if cause else "")),
        http_status=_status(error),
        retry_at=_retry_at(error) if failure is Failure.RATE_LIMIT else None,
        moved_to=str(error.new_chat_id) if isinstance(error, telegram_error.ChatMigrated) else "",
    )


def _outcome(error: Exception, cause: BaseException | None, is_write: bool) -> Outcome:
    words = _words(error).lower()
    if isinstance(error, telegram_error.TelegramError) and isinstance(cause, httpx.HTTPError | httpx.InvalidURL):
        return _of_connection(cause, is_write)
    for kind, told in TOLD_BY_KIND.items():
        if isinstance(error, kind):
            return told(words, cause)
    # These two have no kind of their own.
    if "too many requests" in words:
        return FLOOD
    if "entity too large" in words or "content too large" in words:
        return TOO_LARGE
    return _unclear("timeout" if isinstance(error, TimeoutError) else "unclear_answer", is_write)


def _words(error: Exception) -> str:
    """Telegram's own: the library adds the page that something else in the way may have sent."""
    return str(error).partition(". Parsing the server response")[0]


def _of_connection(cause: httpx.HTTPError | httpx.InvalidURL, is_write: bool) -> Outcome:
    if isinstance(cause, NEVER_SENT):
        return UNREACHABLE
    return _unclear("timeout" if isinstance(cause, httpx.TimeoutException) else "connection_lost", is_write)


def _unclear(code: str, is_write: bool) -> Outcome:
    if is_write:
        return Failure.UNKNOWN, code, "Telegram did not answer clearly, so the message may or may not be live."
    return Failure.TEMPORARY, code, "Telegram did not answer in time."


def _of_refusal(words: str, cause: BaseException | None) -> Outcome:
    """With a cause it was no JSON: something in front of Telegram, which has not seen the request."""
    if cause is not None:
        return EDGE
    return _told(words) or (Failure.REJECTED, "invalid", f"Telegram refused it: {words[:200].rstrip('.')}.")


def _of_token(_words: str, cause: BaseException | None) -> Outcome:
    return EDGE if cause is not None else (Failure.UNAUTHORIZED, "bad_token", REFUSED_TOKEN)


def _told(words: str) -> Outcome | None:
    return next((outcome for phrase, outcome in TOLD_BY_WORDS if phrase in words), None)


TOLD_BY_KIND: dict[type[Exception], Callable[[str, BaseException | None], Outcome]] = {
    telegram_error.InvalidToken: _of_token,
    telegram_error.ChatMigrated: lambda _words, _cause: MOVED,
    telegram_error.RetryAfter: lambda _words, _cause: FLOOD,
    telegram_error.Conflict: lambda _words, _cause: CONFLICT,
    telegram_error.Forbidden: _of_refusal,
    telegram_error.BadRequest: _of_refusal,
}
STATUS: dict[type[Exception], int] = {
    telegram_error.InvalidToken: 401,
    telegram_error.ChatMigrated: 400,
    telegram_error.RetryAfter: 429,
    telegram_error.Conflict: 409,
    telegram_error.Forbidden: 403,
    telegram_error.BadRequest: 400,
}


def _status(error: Exception) -> int | None:
    """The library keeps no number, except in the text about an answer that was no JSON."""
    told = re.search(r"\((\d{3})\)", _words(error))
    return int(told[1]) if told else next((code for kind, code in STATUS.items() if isinstance(error, kind)), None)


def _retry_at(error: Exception) -> datetime:
    wait = timedelta(minutes=1)
    if isinstance(error, telegram_error.RetryAfter):
        told = error.retry_after
        wait = told if isinstance(told, timedelta) else timedelta(seconds=told)
    return now() + min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)
