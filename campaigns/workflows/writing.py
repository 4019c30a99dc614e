"""One text from an order: written, fitted to its network, checked, written once more where it must be."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agents.llm.types import Ask, ModelError, Said
from agents.runs.flow import Flow
from campaigns.draft_checks import Checked, Place, check_text, model_notes, must_change, note
from campaigns.draft_text import fit_text
from campaigns.models import Campaign
from campaigns.workflows.material import cited, language_name, material_of, message, place_of, proofs

Data = dict[str, Any]
WRITTEN = {
    "type": "object",
    "properties": {"text": {"type": "string", "description": "The post as it is to be published"}},
    "required": ["text"],
    "additionalProperties": False,
}
FINDING = {
    "type": "object",
    "properties": {
        "quote": {"type": "string", "description": "Words of the draft"},
        "reason": {"type": "string", "description": "One sentence"},
    },
    "required": ["quote", "reason"],
    "additionalProperties": False,
}
FINDINGS = {
    "type": "object",
    "properties": {"findings": {"type": "array", "items": FINDING}},
    "required": ["findings"],
    "additionalProperties": False,
}
VARIANT = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "The post as it is to be published"},
        "angle": {"type": "string", "description": "What is different, in a few words"},
    },
    "required": ["text", "angle"],
    "additionalProperties": False,
}
VARIANTS = {
    "type": "object",
    "properties": {"variants": {"type": "array", "items": VARIANT}},
    "required": ["variants"],
    "additionalProperties": False,
}
# Of one text: the others can still be written. A used-up budget or a provider that is down ends the run.
ONLY_THIS_TEXT = {"refused", "bad_output", "empty", "too_long"}
MAX_OUTPUT = 1_500
# How the material numbers its sources: for people who check, not for readers.
SOURCE_MARK = re.compile(r"\s*\[(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d{1,2})\]")


def write_text(flow: Flow, key: str, facts: Data, order: Data) -> Data:
    """{"text", "findings", "notes", "origin"}. Raises ModelError where nothing could be written."""
    text, answers = _write(flow, f"{key} write", facts, order)
    checked = _check(flow, f"{key} rules", facts, order, text)
    if wrong := must_change(checked):
        flow.report(f"Rewriting for {_where(order)}")
        text, again = _write(flow, f"{key} rewrite", facts, order, former=text, findings=wrong)
        answers += again
        checked = _check(flow, f"{key} rules again", facts, order, text)
    return {
        "text": text,
        "findings": checked.findings,
        "notes": checked.notes,
        "origin": origin_of(flow, f"{key} write", answers, facts) | {"text": text},
    }


def check_facts(flow: Flow, key: str, facts: Data, order: Data, written: Data) -> Data:
    """With what the product and the brand agent say. Where there is nothing to hold it against, nobody is asked."""
    notes, cost = list(written["notes"]), 0
    looks = [("product", "product_check", facts["sources"]), ("brand", "brand_check", facts["has_brand"])]
    for kind, prompt, known in looks:
        if not known:
            continue
        content = message(("Draft", written["text"]), ("Brief", facts["brief"]), ("Knowledge", proofs(facts)))
        answer = _ask_or_none(
            flow, f"{key} {kind}", _ask(flow, "product", prompt, facts, order, content, FINDINGS), kind
        )
        if answer is None:
            notes.append(note(kind, f"The {kind} check could not be done: look at it yourself."))
        else:
            notes += model_notes(kind, answer["data"], written["text"])
            cost += answer["cost_micro"]
    return written | {"notes": notes, "origin": _dearer(written["origin"], cost)}


def write_variants(flow: Flow, key: str, facts: Data, order: Data, written: Data, count: int) -> Data:
    content = message(
        ("Write", f"{count} variants of this draft"),
        ("Draft", written["text"]),
        *_place_rows(facts, order),
        ("Brief", facts["brief"]),
    )
    ask = _ask(flow, "writer", "variants", facts, order, content, VARIANTS, max_output=MAX_OUTPUT * count)
    answer = _ask_or_none(flow, f"{key} variants", ask, "variants")
    rows = answer["data"]["variants"] if answer else []
    found: list[Data] = []
    for row in rows:
        text = fitted(str(row["text"]), facts, order)
        if text and text not in {written["text"], *(one["text"] for one in found)}:
            found.append({"text": text, "angle": str(row["angle"]).strip()[:80]})
    origin = _dearer(written["origin"], answer["cost_micro"] if answer else 0)
    return written | {"variants": found[:count], "origin": origin}


def check_in_scope(flow: Flow, facts: Data, order: Data, text: str) -> Checked:
    with flow.scope():
        campaign = Campaign.objects.filter(pk=flow.run.campaign_id).first() if flow.run.campaign_id else None
        return check_text(
            flow.run.workspace,
            text,
            place_of(order),
            language=order["language"],
            material=material_of(facts),
            campaign=campaign,
        )


def fitted(text: str, facts: Data, order: Data) -> str:
    """Within the network's count, with the link and the hashtags of the brief, without marks of sources."""
    text = SOURCE_MARK.sub("", text)
    place = Place(network=order["network"])
    return fit_text(text, place.length, order["limit"], keep=[*facts["links"], *facts["tags"]])


def origin_of(flow: Flow, step_key: str, answers: Sequence[Data], facts: Data, prompt: str = "writer") -> Data:
    """As an `Origin` keeps it; `answers` are all that were paid for this text, the writer's first."""
    pinned = prompt_of(flow, prompt)
    return {
        "run_id": str(flow.run.pk),
        "step_key": step_key,
        "model": str(answers[0]["model"])[:80],
        "is_sandbox": bool(answers[0]["is_sandbox"]),
        "assistant": prompt,
        "prompt_version": pinned.get("version"),
        "prompt_sha256": pinned.get("sha256", ""),
        "sources": cited(facts),
        "cost_micro": sum(answer["cost_micro"] for answer in answers),
    }


def prompt_of(flow: Flow, key: str) -> Mapping[str, Any]:
    """Which version the run pinned."""
    run = flow.run
    if run.prompt_version is not None and run.assistant is not None and run.assistant.key == key:
        return {"version": run.prompt_version.number, "sha256": run.prompt_version.sha256}
    step = flow.done.get(f"prompt {key}")
    return dict(step.output or {}) if step else {}


def _write(
    flow: Flow, key: str, facts: Data, order: Data, *, former: str = "", findings: Sequence[str] = ()
) -> tuple[str, list[Data]]:
    content = message(
        ("Write", f"a post for {order['network_name']}"),
        *_place_rows(facts, order),
        ("Tone", order.get("tone", "")),
        ("Words to avoid", ", ".join(facts["avoid"])),
        ("About", facts["brief"]),
        ("Wish", order.get("wish", "")),
        ("Idea", order.get("idea", "")),
        ("Material", facts.get("text", "")),
        ("Knowledge", proofs(facts)),
        ("Earlier draft", former),
        ("Findings about the earlier draft", findings),
    )
    answer = flow.ask(key, _ask(flow, "writer", "writer", facts, order, content, WRITTEN), agent="writer")
    return fitted(str(answer["data"]["text"]), facts, order), [answer]


def _place_rows(facts: Data, order: Data) -> list[tuple[str, Any]]:
    return [
        ("Network", order["network_name"]),
        ("Language", language_name(order["language"])),
        ("Length", f"at most {order['limit']} characters"),
        ("Link", " ".join(facts["links"])),
        ("Hashtags", " ".join(facts["tags"])),
    ]


def _ask(
    flow: Flow,
    role: str,
    prompt: str,
    facts: Data,
    order: Data,
    content: str,
    schema: Mapping[str, Any],
    *,
    max_output: int = MAX_OUTPUT,
) -> Ask:
    system = flow.prompt(prompt, brand=facts["brand"], language=language_name(order["language"]))
    return Ask(role=role, system=system, messages=(Said("user", content),), schema=schema, max_output=max_output)


def _ask_or_none(flow: Flow, key: str, ask: Ask, agent: str) -> Data | None:
    try:
        return flow.ask(key, ask, agent=agent)
    except ModelError as error:
        if error.code not in ONLY_THIS_TEXT:
            raise
        return None


def _check(flow: Flow, key: str, facts: Data, order: Data, text: str) -> Checked:
    def look() -> Data:
        checked = check_in_scope(flow, facts, order, text)
        return {"findings": checked.findings, "notes": checked.notes}

    return Checked(**flow.step(key, look, kind="guard", agent="guard", input={"text": text}))


def _dearer(origin: Data, cost_micro: int) -> Data:
    return origin | {"cost_micro": origin["cost_micro"] + cost_micro}


def _where(order: Data) -> str:
    return f"{order['network_name']} in {language_name(order['language']).partition(' ')[0]}"


def report_writing(flow: Flow, order: Data) -> None:
    flow.report(f"Writing for {_where(order)}")
