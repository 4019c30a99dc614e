"""`manage.py lab <what>`: JSON lines in, JSON lines out, to hold our answers against another system's."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from compliance.pii import DECLARED, find
from social.networks.telegram.text import check_text
from social.networks.x.text import parse_tweet

logger = logging.getLogger(__name__)

Question = dict[str, Any]
Answer = dict[str, Any]

MAX_LINE_BYTES = 16 * 1024 * 1024


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


LABS: dict[str, Callable[[Question], Answer]] = {"count-text": count_text, "pii": find_pii}


def read_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """The lines of the stream; None stands for one too long to hold, which is skipped to its end."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) <= MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES)
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
        parser.add_argument("what", help=f"one of: {', '.join(LABS)}")

    def handle(self, *, what: str, **options: Any) -> None:
        lab = LABS.get(what)
        if lab is None:
            raise CommandError(f"There is no lab called “{what}”. Choose one of: {', '.join(LABS)}.")
        for line in read_lines(options.get("stdin") or sys.stdin.buffer):
            self.stdout.write(answer_line(lab, line))
            # Someone may be waiting for this answer before asking again.
            self.stdout.flush()
