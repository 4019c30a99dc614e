"""What strangers write, read and answered as a draft. Nothing here can send: the result is words for a person.

Reader (closed form) → plan (plain Python) → writer (never sees the stranger's words) → gate → rules. Effects are two:
an opt-out of whoever asks for it, and facts about themselves from a closed list, kept apart for people.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError

from accounts.access import Perm
from agents.llm.types import ModelError
from agents.memory import NotRemembered, remember
from agents.models import Provenance
from agents.runs.errors import StepFailed
from agents.runs.flow import Flow
from agents.safety import keywords
from agents.safety.authors import NETWORKS, OPTED_OUT, Author, opt_out, why_not_answer
from agents.safety.canaries import marked
from agents.safety.clues import find_clues
from agents.safety.kinds import Route
from agents.safety.languages import language_of
from agents.safety.normalise import MAX_CHARACTERS, Heard, hear
from agents.safety.planner import Plan, make_plan
from agents.safety.reader import Reading, mark_of, reader_ask, reading_of
from agents.safety.self_facts import facts_about_self
from agents.safety.summary import summarise
from agents.workflows.registry import Workflow
from agents.workflows.social_reply import ALLOW, BLOCK, REVIEW, Outcome, with_models, write_reply

KINDS = ("comment", "reply", "chat", "keywords")
CHANNELS = ("comment", "mention", "reply", "dm", "review", "bio", "web_page", "other")
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"enum": list(KINDS)},
        "text": {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS},
        "channel": {"enum": list(CHANNELS)},
        "language": {"type": "string", "maxLength": 12},
        "network": {"type": "string", "maxLength": 12},
        "author": {"type": "string", "maxLength": 80},
        "author_id": {"type": "string", "maxLength": 60},
        "conversation": {"type": "string", "maxLength": 80},
        "reference": {"type": "string", "maxLength": 80},
        # Ids of the catalogue instead of the role's own: for tests and for trying out.
        "models": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
    },
    "required": ["kind", "text"],
    "additionalProperties": False,
}
# Names are strangers' words, too.
HANDLE = re.compile(r"@?[A-Za-z0-9_]{1,32}")
ANSWERED = "There is a draft for this message already."
NOT_KEPT = "They want something remembered. What it is stands in their message; nothing was kept of it."
KEPT = "What they say about themselves was noted and waits in the memory's quarantine."


def run(flow: Flow) -> dict[str, Any]:
    heard = hear(flow.input["text"])
    if flow.input["kind"] == "keywords":
        return _conclude(flow, _find_keywords(flow, heard))
    author = _author(flow)
    flow.report("Reading")
    plan = _plan(flow, heard)
    outcome = Outcome(plan.route.value)
    outcome.add(REVIEW if plan.reasons else ALLOW, *plan.reasons)
    if why := _admit(flow, author, heard):
        outcome.add(BLOCK, why)
    elif plan.route is Route.OPT_OUT:
        _honour(flow, author, outcome)
    elif plan.route is Route.SUMMARISE:
        outcome.draft = summarise(heard, plan)
    elif plan.is_answered:
        if plan.route is Route.MEMORY:
            _note(flow, heard, outcome)
        flow.report("Writing")
        write_reply(flow, heard, plan, author, outcome)
    return _conclude(flow, outcome)


WORKFLOW = Workflow("social", "Replies to comments and messages", run, SCHEMA)


def _author(flow: Flow) -> Author:
    given = flow.input
    network = given.get("network", "")
    return Author(network, given.get("author", ""), given.get("author_id", ""), given.get("conversation", ""))


# --- reading ----------------------------------------------------------------------------------------------


def _plan(flow: Flow, heard: Heard) -> Plan:
    channel = flow.input.get("channel", "comment")
    clues, reading = find_clues(heard), _read(flow, heard)
    return make_plan(reading, clues, channel=channel, language=_language(flow, heard, reading))


def _read(flow: Flow, heard: Heard) -> Reading | None:
    """None where no model answers: then the words alone decide, and a person looks."""
    system = marked(flow.prompt("reader", language="English"), flow.run.workspace)
    ask = reader_ask(heard, system=system, mark=mark_of(str(flow.run.pk)))
    try:
        return reading_of(flow.ask("read", with_models(flow, ask), agent="reader")["data"])
    except ModelError as error:
        if error.code == "over_budget":
            raise
        return None


def _language(flow: Flow, heard: Heard, reading: Reading | None) -> str:
    """By its letters; then what the caller says; then what the model thinks."""
    told = flow.input.get("language", "")[:2].lower() or (reading.language if reading else "")
    return language_of(heard.text, told)


# --- who wrote --------------------------------------------------------------------------------------------


def _admit(flow: Flow, author: Author, heard: Heard) -> str:
    """Why nothing is drafted; counts the message once, and takes its place as the one that is answered."""
    if not author.name:
        return ""
    digest = hashlib.sha256(heard.folded.encode()).hexdigest()

    def count() -> dict[str, str]:
        return {"run": str(flow.run.pk), "why": why_not_answer(author, digest, by=flow.by)}

    reference = flow.input.get("reference", "")
    place = f"social:{author.network}:{reference}" if reference else ""
    try:
        found = flow.act(
            "admit",
            tool="count_message",
            args={"author": author.name, "reference": reference},
            do=count,
            effect_key=place,
        )
    except StepFailed:
        return ANSWERED
    return str(found["why"]) if found["run"] == str(flow.run.pk) else ANSWERED


def _honour(flow: Flow, author: Author, outcome: Outcome) -> None:
    outcome.add(BLOCK, OPTED_OUT)
    if author.name and author.network in NETWORKS:
        args = {"author": author.name, "network": author.network}
        flow.act("opt out", tool="opt_out", args=args, do=lambda: opt_out(author, by=flow.by))


# --- remembering ------------------------------------------------------------------------------------------


def _note(flow: Flow, heard: Heard, outcome: Outcome) -> None:
    facts = facts_about_self(heard)
    outcome.add(REVIEW, KEPT if facts else NOT_KEPT)
    if facts:
        flow.act("note", tool="quarantine_memory", args={"facts": facts}, do=lambda: _quarantine(flow, facts))
        outcome.remembered = tuple(facts)


def _quarantine(flow: Flow, facts: list[str]) -> list[str]:
    """In our words, apart from what prompts are made of: a person may take it over."""
    who = flow.input.get("author", "")
    who = f"@{who.lstrip('@')}" if HANDLE.fullmatch(who) else "Somebody who wrote to us"
    kept = []
    for fact in facts:
        try:
            item = remember(
                f"{who}: {fact[0].lower()}{fact[1:]}",
                by=flow.by,
                kind="person",
                provenance=Provenance.UNTRUSTED,
                source_kind="run",
                run_id=flow.run.pk,
            )
        except (NotRemembered, ValidationError):
            continue
        kept.append(str(item.pk))
    return kept


# --- keywords ---------------------------------------------------------------------------------------------


def _find_keywords(flow: Flow, heard: Heard) -> Outcome:
    """A model only picks among the text's own words, by number."""
    clues = find_clues(heard)
    outcome = Outcome("keywords")
    if clues.risks:
        outcome.add(REVIEW, *make_plan(None, clues, channel="other", language="").reasons)
        return outcome
    offered = keywords.candidates(heard)
    system = marked(flow.prompt("keywords", language=language_of(heard.text, "")), flow.run.workspace)
    try:
        answer = flow.ask("pick", with_models(flow, keywords.pick_ask(offered, system)), agent="keywords")
        picked = keywords.picked(answer["data"], offered)
    except ModelError as error:
        if error.code == "over_budget":
            raise
        picked = offered[: keywords.MOST]
    outcome.draft = ", ".join(picked)
    return outcome


# --- the end ----------------------------------------------------------------------------------------------


def _conclude(flow: Flow, outcome: Outcome) -> dict[str, Any]:
    """A draft that needs a person waits for one, bound to its exact words."""
    result = asdict(outcome) | {"provenance": _provenance(flow, outcome)}
    flow.step("outcome", lambda: result)
    if outcome.decision != REVIEW or not outcome.draft:
        return result
    args = {"text": outcome.draft, "reference": flow.input.get("reference", "")}
    reason = outcome.reasons[0] if outcome.reasons else ""
    answer = flow.approve(
        "release", action="release_reply", args=args, reason=reason, perm=Perm.REVIEW, may_expire=True
    )
    is_released = answer["answer"] == "approved"
    return result | {"decision": ALLOW if is_released else BLOCK, "draft": outcome.draft if is_released else ""}


def _provenance(flow: Flow, outcome: Outcome) -> dict[str, Any]:
    steps = [flow.done[key] for key in ("read", "write", "pick") if key in flow.done and flow.done[key].output]
    return {
        "models": list(dict.fromkeys(step.model for step in steps)),
        "prompts": list(dict.fromkeys(step.prompt_sha256 for step in steps if step.prompt_sha256)),
        "cost_micro": sum(step.cost_micro for step in steps),
        "is_sandbox": any((step.output or {}).get("is_sandbox") for step in steps),
        "sources": list(outcome.sources),
        "run": str(flow.run.pk),
    }
