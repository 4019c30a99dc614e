"""A few sentences in front of a brief. Every figure in them stands in the brief, or there are none."""

import re
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError

from accounts.access import Actor, Perm
from agents.llm.types import Ask, ModelError, Said
from agents.memory import brand_of
from agents.runs.flow import Flow
from agents.runs.services import start_run
from agents.workflows.registry import Workflow
from analytics.reporting.figures import Fact, check_text
from personal.briefs import as_text, hand_over
from personal.models import Brief, Preference
from personal.strangers import links_in, repeatable

Data = dict[str, Any]
NAME = "brief_words"
MAX_CHARACTERS = 700
SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS}},
    "required": ["text"],
    "additionalProperties": False,
}
INPUT = {"type": "object", "properties": {"brief": {"type": "string"}}, "required": ["brief"]}
LANGUAGES = {"en": "English", "zh": "Simplified Chinese"}
FIGURE = re.compile(r"[+−-]?[$€£¥]?\d(?:[\d,.]*\d)?(?:[ \u202f\u00a0]?%)?")


def ask_for_words(brief: Brief, *, by: Actor) -> bool:
    """False where the person may not ask assistants: the brief goes without."""
    if not by.can(Perm.CONTENT_EDIT):
        return False
    try:
        run = start_run(NAME, {"brief": str(brief.pk)}, by=by, idem_key=f"brief:{brief.pk}")
    except (PermissionDenied, ValidationError):
        return False
    brief.run_id = run.pk
    brief.save(update_fields=["run_id"])
    return True


def run_words(flow: Flow) -> Data:
    """{"text", "unknown"}. The brief is handed over at the end, with words or without."""
    material = flow.step("brief", lambda: _material(flow), kind="memory", agent="memory")
    system = flow.prompt("report_words", brand=material["brand"], language=LANGUAGES[material["language"]])
    facts, text, unknown = facts_of(material["text"]), "", list[str]()
    wish = f"{material['text']}\n\nTwo or three sentences: what matters most today."
    for turn in ("words", "again"):
        ask = Ask(role="chat", system=system, messages=(Said("user", wish),), schema=SCHEMA, max_output=500)
        try:
            said = " ".join(str(flow.ask(turn, ask, agent="brief")["data"]["text"]).split())
        except ModelError as error:
            unknown = [str(error)]
            break
        # An address in them could only be somebody else's: the brief's own links stand below its words.
        unknown = [*check_text(said, facts).unknown, *links_in(said)]
        if not unknown:
            text = said
            break
        wish += f"\n\nNot in the brief, so leave them out: {', '.join(unknown[:20])}"
    flow.act("finish", tool="finish_brief", args={"text": text}, do=lambda: _finish(flow, text))
    return {"text": text, "unknown": unknown}


WORKFLOW = Workflow(NAME, "Brief in words", run_words, schema=INPUT, is_inner=True)


def facts_of(text: str) -> list[Fact]:
    """Each figure of the brief, as it is displayed there."""
    return [Fact(figure, figure, figure) for figure in dict.fromkeys(FIGURE.findall(text))]


def _material(flow: Flow) -> Data:
    with flow.scope():
        brief = Brief.objects.get(pk=UUID(flow.input["brief"]))
        brand = brand_of(flow.run.workspace, flow.by.user).as_text()
        return {"text": as_text(_safe(brief.data or {})), "language": brief.language, "brand": brand}


def _safe(data: Data) -> Data:
    """Alerts and names repeat strangers, too: a line that gives orders is not shown to the model."""
    sections = [
        section | {"lines": [line for line in section["lines"] if repeatable(line["text"])]}
        for section in data.get("sections", [])
    ]
    return {"sections": [section for section in sections if section["lines"]]}


def _finish(flow: Flow, text: str) -> bool:
    brief = Brief.objects.select_for_update(no_key=True).get(pk=UUID(flow.input["brief"]))
    if brief.data is None or "words" in brief.data:
        return False
    brief.data["words"] = text
    brief.save(update_fields=["data"])
    liked = Preference.objects.filter(workspace=brief.workspace_id, user=brief.user_id).first()
    hand_over(brief, tuple(liked.channels) if liked else ("in_app",))
    return True
