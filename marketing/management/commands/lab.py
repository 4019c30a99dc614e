"""`manage.py lab <what>`: JSON lines in, JSON lines out, to hold our answers against another system's."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.memory.lab import BadDocuments, SearchLab
from compliance.guard import Context, Draft, Hit, check
from compliance.guard.rules import shipped_rules
from compliance.pii import DECLARED, find
from lib.clock import now
from marketing.stack import run_in_own_stack, sandbox_inside
from social.networks.telegram.text import check_text
from social.networks.x.text import parse_tweet

if TYPE_CHECKING:
    from marketing.lab_replies import ReplyRoutes

logger = logging.getLogger(__name__)

Question = dict[str, Any]
Answer = dict[str, Any]

MAX_LINE_BYTES = 16 * 1024 * 1024
# The first line of a search holds all its documents.
MAX_SITTING_BYTES = 256 * 1024 * 1024


class LabError(Exception):
    """A line that the lab cannot use, in words for whoever wrote it."""


def string(question: Question, key: str) -> str:
    value = question.get(key)
    if not isinstance(value, str):
        raise LabError(f"“{key}” must be a string")
    return value


def count_for_x(text: str) -> Answer:
    return asdict(parse_tweet(text))


def count_for_telegram(text: str) -> Answer:
    length, valid = check_text(text)
    return {"utf16_length": length, "valid": valid}


COUNTERS: dict[str, Callable[[str], Answer]] = {"x": count_for_x, "telegram": count_for_telegram}


def count_text(question: Question) -> Answer:
    counter = COUNTERS.get(string(question, "network"))
    if counter is None:
        raise LabError(f"“network” must be one of: {', '.join(COUNTERS)}")
    return counter(string(question, "text"))


def find_pii(question: Question) -> Answer:
    if question.get("declared") is True:
        return {"declared": list(DECLARED)}
    entities = question.get("entities")
    if entities is not None and not (isinstance(entities, list) and all(isinstance(name, str) for name in entities)):
        raise LabError("“entities” must be a list of strings")
    # What we do not claim is not found, so that another system's list of types can be asked as it is.
    claimed = None if entities is None else [name for name in entities if name in DECLARED]
    return {"entities": [asdict(found) for found in find(string(question, "text"), claimed)]}


# What a row says about itself is not what is asked.
NOT_FACTS = {"id", "text", "context", "verdict", "decision", "disclosure", "rule", "rules", "why", "note", "as_of"}
CONTEXT_FIELDS = ("platform", "action", "industry", "language", "relationship")
PLATFORM_NAMES = {"twitter": "x", "xhs": "xiaohongshu", "小红书": "xiaohongshu", "weixin": "wechat", "ig": "instagram"}


def guard(question: Question) -> Answer:
    facts = _guard_facts(question)
    text = question.get("text") or facts.get("text") or ""
    if not isinstance(text, str):
        raise LabError("“text” must be a string")
    decision = check(Draft.of(text), _guard_context(facts), shipped_rules())
    hits = [_guard_hit(hit) for hit in decision.hits]
    return {"verdict": decision.verdict, "disclosure": decision.disclosure, "hits": hits}


def _guard_facts(question: Question) -> Question:
    """The row's context, with the row's own fields on top."""
    context = question.get("context") or {}
    if not isinstance(context, dict):
        raise LabError("“context” must be an object")
    return context | {key: value for key, value in question.items() if key not in NOT_FACTS and value is not None}


def _guard_context(facts: Question) -> Context:
    given = {name: facts[name] for name in CONTEXT_FIELDS if facts.get(name) is not None}
    jurisdictions = facts.get("jurisdiction") or []
    jurisdictions = [jurisdictions] if isinstance(jurisdictions, str) else jurisdictions
    if not all(isinstance(value, str) for value in given.values()):
        raise LabError(f"{', '.join(f'“{name}”' for name in CONTEXT_FIELDS)} must be strings")
    if not isinstance(jurisdictions, list) or not all(isinstance(name, str) for name in jurisdictions):
        raise LabError("“jurisdiction” must be a string or a list of strings")
    if "platform" in given:
        given["platform"] = PLATFORM_NAMES.get(given["platform"].lower(), given["platform"].lower())
    return Context(
        **given,
        jurisdictions=tuple(jurisdictions),
        ai_generated=facts.get("ai_generated") is True,
        facts=facts,
        today=now().date(),
    )


def _guard_hit(hit: Hit) -> Answer:
    return {name: value for name, value in hit.as_data().items() if name not in {"part", "message", "replacement"}}


@cache
def reply_routes() -> "ReplyRoutes":
    """The furnished workspace of a throwaway stack, made with the first question."""
    from marketing.lab_replies import ReplyRoutes

    return ReplyRoutes.prepare()


def reply_route(question: Question) -> Answer:
    text = string(question, "text")
    channel, language = (str(question.get(key) or "") for key in ("channel", "lang"))
    return reply_routes().answer(text, channel, language)


def stats(question: Question) -> Answer:
    from experiments.lab import answer
    from experiments.stats.errors import StatsError

    try:
        return answer(question)
    except StatsError as error:
        raise LabError(str(error)) from error


LABS: dict[str, Callable[[Question], Answer]] = {
    "count-text": count_text,
    "guard": guard,
    "pii": find_pii,
    "reply-route": reply_route,
    "stats": stats,
}
# These start a throwaway stack of their own.
STACKED = {"reply-route"}


def search() -> "Lab":
    """Each sitting has its own documents."""
    lab = SearchLab()

    def answer(question: Question) -> Answer:
        try:
            return lab.answer(question)
        except BadDocuments as error:
            raise LabError(str(error)) from error

    return answer


Lab = Callable[[Question], Answer]
SITTINGS: dict[str, Callable[[], Lab]] = {"search": search}
NAMES = sorted([*LABS, *SITTINGS])


def read_lines(stream: BinaryIO, most: int) -> Iterator[bytes | None]:
    """The lines of the stream; None stands for one too long to hold, which is skipped to its end."""
    while line := stream.readline(most + 1):
        if len(line) <= most or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(most)
        yield None


def parse_question(line: bytes | None) -> Question:
    if line is None:
        raise LabError(f"the line is longer than {MAX_LINE_BYTES} bytes")
    if not line.strip():
        raise LabError("the line is empty")
    try:
        question = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise LabError("the line is not UTF-8") from error
    # Deep nesting ends the parser with the latter.
    except (ValueError, RecursionError) as error:
        raise LabError(f"the line is not JSON: {error}") from error
    if not isinstance(question, dict):
        raise LabError("the line is not a JSON object")
    return question


def answer_line(lab: Callable[[Question], Answer], line: bytes | None) -> str:
    try:
        return json.dumps(lab(parse_question(line)))
    except LabError as error:
        return json.dumps({"error": str(error)})
    except Exception as error:
        # One question must not cost the answers to those behind it.
        logger.exception("lab_failed")
        return json.dumps({"error": f"the lab failed: {type(error).__name__}"})


class Command(BaseCommand):
    help = "Answers JSON lines from standard input, one line each; a line it cannot use gets an error."
    requires_system_checks = []
    stealth_options = ("stdin",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", help=f"one of: {', '.join(NAMES)}")

    def handle(self, *, what: str, **options: Any) -> None:
        lab = SITTINGS[what]() if what in SITTINGS else LABS.get(what)
        if lab is None:
            raise CommandError(f"There is no lab called “{what}”. Choose one of: {', '.join(NAMES)}.")
        if what in STACKED and not sandbox_inside():
            # It has stores of its own, whatever this shell points at.
            for name in ("DATABASE_URL", "REDIS_URL"):
                os.environ.pop(name, None)
            sys.exit(run_in_own_stack(["lab", what], {"ALLOW_LIVE": "0"}))
        most = MAX_SITTING_BYTES if what in SITTINGS else MAX_LINE_BYTES
        for line in read_lines(options.get("stdin") or sys.stdin.buffer, most):
            self.stdout.write(answer_line(lab, line))
            # Someone may be waiting for this answer before asking again.
            self.stdout.flush()
