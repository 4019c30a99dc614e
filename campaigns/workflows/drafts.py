"""Drafts of one text in several wordings. Nothing is kept but the run: what people take over is theirs to save."""

from typing import Any

from accounts.access import Perm
from agents.llm.types import ModelError
from agents.runs.flow import Flow
from campaigns.draft_checks import must_change
from campaigns.draft_text import split_sentences
from campaigns.models import Campaign
from campaigns.workflows.material import gather_material, order_for, place_of
from campaigns.workflows.writing import (
    ONLY_THIS_TEXT,
    check_in_scope,
    origin_of,
    report_writing,
    write_text,
    write_variants,
)

Data = dict[str, Any]
INPUT = {
    "type": "object",
    "properties": {
        "wish": {"type": "string", "minLength": 1},
        "language": {"type": "string"},
        "tone": {"type": "string"},
        "count": {"type": "integer", "minimum": 1, "maximum": 4},
        "connection": {"type": "string"},
        "network": {"type": "string"},
        "text": {"type": "string"},
    },
    "required": ["wish", "language", "count"],
}


def run_drafts(flow: Flow) -> Data:
    """{"drafts": [{"n", "text", "sentences", "findings", "notes", "angle", "origin"}]}, the first one first."""
    flow.report("Looking up what is known")
    facts = flow.step("facts", lambda: _facts(flow), kind="memory", agent="memory")
    order = facts["order"]
    report_writing(flow, order)
    first = write_text(flow, "draft 1", facts, order)
    drafts = [first | {"angle": ""}]
    if (more := flow.input["count"] - 1) > 0:
        flow.report("Looking for other wordings")
        drafts += _variants(flow, facts, order, first, more)
    return {"drafts": [_shown(number, draft) for number, draft in enumerate(drafts, start=1)]}


def _facts(flow: Flow) -> Data:
    given = flow.input
    flow.by.require(Perm.CONTENT_EDIT)
    with flow.scope():
        campaign = Campaign.objects.filter(pk=flow.run.campaign_id).first() if flow.run.campaign_id else None
        facts = gather_material(flow.run.workspace, flow.run.user, given["wish"], campaign)
        place = place_of(given)
        order = order_for(place, given["language"], tone=given.get("tone", ""))
    return facts | {"order": order, "text": given.get("text", "")}


def _variants(flow: Flow, facts: Data, order: Data, first: Data, count: int) -> list[Data]:
    """Each with findings of its own; one that the rules forbid is written once more."""
    found = write_variants(flow, "drafts", facts, order, first, count)
    paid = found["origin"]["cost_micro"] - first["origin"]["cost_micro"]
    rows: list[Data] = []
    for number, variant in enumerate(found["variants"], start=2):
        draft = _looked_at(flow, f"draft {number}", facts, order, variant)
        # The one call wrote them all: what it cost is counted once, with the first of them.
        origin = _origin(flow, facts, paid if number == 2 else 0) | {"text": draft["text"]}
        rows.append(draft | {"origin": origin | _rewritten(draft, origin)})
    return rows


def _looked_at(flow: Flow, key: str, facts: Data, order: Data, variant: Data) -> Data:
    def look() -> Data:
        checked = check_in_scope(flow, facts, order, variant["text"])
        return {"findings": checked.findings, "notes": checked.notes, "wrong": must_change(checked)}

    looked = flow.step(f"{key} first rules", look, kind="guard", agent="guard", input={"text": variant["text"]})
    if not looked["wrong"]:
        return variant | {name: looked[name] for name in ("findings", "notes")}
    wish = "Write this one so that nothing is wrong with it: " + " ".join(looked["wrong"])
    try:
        again = write_text(flow, key, facts | {"text": variant["text"]}, order | {"wish": wish})
    except ModelError as error:
        if error.code not in ONLY_THIS_TEXT:
            raise
        return variant | {name: looked[name] for name in ("findings", "notes")}
    return variant | {name: again[name] for name in ("text", "findings", "notes")} | {"again": again["origin"]}


def _origin(flow: Flow, facts: Data, cost_micro: int) -> Data:
    said = dict(flow.done["drafts variants"].output or {})
    answer = said | {"cost_micro": cost_micro}
    return origin_of(flow, "drafts variants", [answer], facts, prompt="variants")


def _rewritten(draft: Data, origin: Data) -> Data:
    again = draft.get("again")
    if not again:
        return {}
    # The writer's, with its share of the call before.
    return again | {"cost_micro": again["cost_micro"] + origin["cost_micro"]}


def _shown(number: int, draft: Data) -> Data:
    origin = draft["origin"]
    return {
        "n": number,
        "text": draft["text"],
        "angle": draft["angle"],
        "sentences": [piece.strip() for piece in split_sentences(draft["text"]) if piece.strip()],
        "findings": draft["findings"],
        "notes": draft["notes"],
        # Several drafts of one call need names of their own.
        "origin": origin | {"step_key": f"{origin['step_key']} #{number}"},
    }
