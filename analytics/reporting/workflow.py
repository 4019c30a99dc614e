"""The words of a report. A text with a figure that is not in the data is asked for once more, and then left out."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from agents.llm.types import Ask, ModelError, Said
from agents.memory import brand_of
from agents.runs.flow import Flow
from analytics.models import Report
from analytics.reporting.figures import Fact, check_text
from analytics.reporting.making import NO_TEXT, finish_report

Data = dict[str, Any]
LANGUAGES = {"en": "English", "zh": "Simplified Chinese"}
MAX_POINTS, MAX_CHARACTERS = 8, 600
SCHEMA = {
    "type": "object",
    "properties": {
        "points": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_POINTS,
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string", "maxLength": MAX_CHARACTERS}},
                "required": ["text"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["points"],
    "additionalProperties": False,
}


def run_report(flow: Flow) -> Data:
    """{"points", "unknown"}; the report's row is ready afterwards, with the text or without it."""
    material = flow.step("numbers", lambda: _material(flow), kind="memory", agent="memory")
    facts, days = facts_of(material["data"]), _days(material["data"])
    system = flow.prompt("report_words", brand=material["brand"], language=LANGUAGES[material["language"]])
    wish = told(material["data"])
    points: list[Data] = []
    unknown: list[str] = []
    for turn in ("words", "again"):
        ask = Ask(role="chat", system=system, messages=(Said("user", wish),), schema=SCHEMA, max_output=1_500)
        try:
            said = flow.ask(turn, ask, agent="report")
        except ModelError as error:
            unknown = [str(error)]
            break
        points, unknown = _checked(said["data"]["points"], facts, days)
        if not unknown:
            break
        wish = f"{told(material['data'])}\n\nNot in the data, so leave them out: {', '.join(unknown[:20])}"
    insight = [] if unknown else points
    problem = NO_TEXT.format(", ".join(unknown[:5])) if unknown else ""
    flow.act("finish", tool="finish_report", args={"insight": insight}, do=lambda: _finish(flow, insight, problem))
    return {"points": insight, "unknown": unknown}


def _material(flow: Flow) -> Data:
    with flow.scope():
        report = Report.objects.get(pk=UUID(flow.input["report"]))
        return {"data": report.data, "language": report.language, "brand": brand_of(flow.run.workspace).as_text()}


def _finish(flow: Flow, insight: list[Data], problem: str) -> bool:
    report = Report.objects.select_related("workspace").get(pk=UUID(flow.input["report"]))
    return finish_report(report, insight, problem)


def _checked(points: list[Data], facts: list[Fact], days: list[date]) -> tuple[list[Data], list[str]]:
    kept: list[Data] = []
    unknown: list[str] = []
    for point in points:
        text = " ".join(point["text"].split())
        found = check_text(text, facts, days)
        unknown += found.unknown
        if text:
            kept.append({"text": text, "cites": list(found.cites)})
    return kept, list(dict.fromkeys(unknown))


# --- what the model is told -----------------------------------------------------------------------------------


def facts_of(data: Data) -> list[Fact]:
    """Everything displayed, each by its own name: what a text may name, and what it cites by naming it."""
    facts = []
    for row in data["facts"]:
        facts.append(Fact(row["id"], row["label"], row["text"]))
        if row.get("before_text"):
            facts.append(Fact(f"{row['id']}.before", f"{row['label']}, before", row["before_text"]))
        if row.get("change_text"):
            facts.append(Fact(f"{row['id']}.change", f"{row['label']}, change", row["change_text"], row["change"]))
    return facts


def told(data: Data) -> str:
    lines = [f"Period: {data['period']['label']}", f"Compared with: {data['period']['before_label']}", "Numbers:"]
    for row in data["facts"]:
        before = f"; before: {row['before_text']}" if row.get("before_text") else ""
        change = f"; change: {row['change_text']}" if row.get("change_text") else ""
        lines.append(f"- {row['label']}: {row['text']}{before}{change}")
    if data["notes"]:
        lines += ["Missing or late:", *(f"- {note}" for note in data["notes"])]
    return "\n".join(lines)


def _days(data: Data) -> list[date]:
    period = data["period"]
    first, last = date.fromisoformat(period["before_start"]), date.fromisoformat(period["end"])
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
