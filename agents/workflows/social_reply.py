"""The draft itself: written from our own words, held against the gate and the rules."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from agents.llm.types import Ask, ModelError
from agents.memory import Brand, brand_of
from agents.runs.flow import Flow
from agents.safety.authors import Author
from agents.safety.canaries import marked
from agents.safety.gate import Bounds, Finding, check_output
from agents.safety.material import find_material
from agents.safety.normalise import Heard
from agents.safety.planner import Plan
from agents.safety.writer import Material, writer_ask
from compliance.decisions import guard_settings
from compliance.guard_check import Question, check_text

NOT_WRITTEN = "No model could write; this is the plain reply."
WITHHELD = "What was drafted was withheld; this is the plain reply."
ALLOW, REVIEW, BLOCK = "allow", "review", "block"


@dataclass
class Outcome:
    """What comes of a message. `draft` is empty where nothing may be answered, or was withheld."""

    route: str
    draft: str = ""
    decision: str = ALLOW
    reasons: tuple[str, ...] = ()
    disclosure: str = ""
    remembered: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def add(self, decision: str, *reasons: str) -> None:
        """The strictest holds."""
        order = (ALLOW, REVIEW, BLOCK)
        self.decision = max(self.decision, decision, key=order.index)
        self.reasons = tuple(dict.fromkeys([*self.reasons, *reasons]))


def with_models(flow: Flow, ask: Ask) -> Ask:
    models = flow.input.get("models")
    return replace(ask, models=tuple(models)) if models else ask


def write_reply(flow: Flow, heard: Heard, plan: Plan, author: Author, outcome: Outcome) -> None:
    with flow.scope():
        known = brand_of(flow.run.workspace)
        facts = guard_settings(flow.run.workspace).facts
    material = _material(flow, plan, heard, known)
    # Only the claims that answer this message are shown, and those stand in the brief.
    brand = replace(known, claims=())
    system = marked(flow.prompt("reply_writer", brand=brand.as_text(), language=plan.language), flow.run.workspace)
    bounds = Bounds(
        trusted=material.texts,
        heard=heard,
        system=system,
        own_domains=tuple(facts.get("allowed_domains", ())),
        own_contacts=tuple(facts.get("allowed_contacts", ())),
        author=author.handle,
        network=author.network,
        language=plan.language,
    )
    text = _draft(flow, plan, material, system, outcome)
    findings = flow.step("gate", lambda: [asdict(one) for one in check_output(text, bounds)], kind="guard")
    if findings:
        text = _withhold(material, bounds, [Finding(**one) for one in findings], outcome)
    outcome.draft, outcome.sources = text, tuple(key for key, _text in material.facts)
    if text:
        _judge(flow, text, plan, outcome)


def _material(flow: Flow, plan: Plan, heard: Heard, brand: Brand) -> Material:
    found = flow.step("choose", lambda: asdict(find_material(plan, heard, brand.claims)), kind="memory")
    return Material(found["plain"], tuple((key, text) for key, text in found["facts"]))


def _draft(flow: Flow, plan: Plan, material: Material, system: str, outcome: Outcome) -> str:
    ask = writer_ask(plan, material, system=system, network=flow.input.get("network", ""))
    try:
        return str(flow.ask("write", with_models(flow, ask), agent="reply_writer")["text"]).strip()
    except ModelError as error:
        if error.code == "over_budget":
            raise
        outcome.add(REVIEW, NOT_WRITTEN)
        return material.plain_reply


def _withhold(material: Material, bounds: Bounds, findings: list[Finding], outcome: Outcome) -> str:
    """The plain reply instead, where that one passes."""
    outcome.add(REVIEW, *(finding.text for finding in findings))
    plain = material.plain_reply
    if not plain or check_output(plain, bounds):
        return ""
    outcome.add(REVIEW, WITHHELD)
    return plain


def _judge(flow: Flow, text: str, plan: Plan, outcome: Outcome) -> None:
    def check() -> dict[str, Any]:
        question = Question(
            text,
            platform=flow.input.get("network") or "any",
            language=plan.language,
            action="reply",
            ai_generated=True,
            # A draft goes out by a person's hand; how it really is sent is judged when it is.
            facts={"summoned": True, "via": "human"},
        )
        with flow.scope():
            decision = check_text(question, by=flow.by)
        hits = [hit.message or hit.rule for hit in decision.hits if hit.severity != "note"]
        return {"verdict": decision.verdict.value, "disclosure": decision.disclosure or "", "reasons": hits}

    found = flow.step("guard", check, kind="guard")
    outcome.add(found["verdict"], *found["reasons"])
    outcome.disclosure = found["disclosure"]
    if found["verdict"] == BLOCK:
        outcome.draft = ""
