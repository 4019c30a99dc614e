"""What is known of the audience, and when to post: numbers first, words only where the numbers carry them."""

from typing import Any
from uuid import UUID

from agents.llm.types import Ask, Said
from agents.memory import brand_of
from agents.runs.flow import Flow
from campaigns.audience import audience_facts, is_enough, missing_words, told
from campaigns.models import Campaign
from campaigns.timing import timing_facts
from campaigns.workflows.material import language_name, message
from social.models import Connection

Data = dict[str, Any]
TOO_LITTLE = "There is too little to say anything about this audience."
GROUP = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "wants": {"type": "string"},
        "rests_on": {"type": "string", "description": "The numbers above that say so"},
        "try_next": {"type": "string"},
    },
    "required": ["name", "wants", "rests_on", "try_next"],
    "additionalProperties": False,
}
AUDIENCE = {
    "type": "object",
    "properties": {"summary": {"type": "string"}, "groups": {"type": "array", "items": GROUP}},
    "required": ["summary", "groups"],
    "additionalProperties": False,
}


def run_audience(flow: Flow) -> Data:
    """{"facts", "is_enough", "missing", "summary", "groups", "cost_micro", "is_sandbox"}."""
    facts = flow.step("facts", lambda: _facts(flow), kind="memory", agent="memory")
    answer = {"facts": facts, "missing": missing_words(facts), "is_enough": is_enough(facts)}
    if not answer["is_enough"]:
        return answer | {"summary": TOO_LITTLE, "groups": [], "cost_micro": 0, "is_sandbox": False}
    language = flow.input.get("language") or "en"
    system = flow.prompt("audience", brand=facts["brand"], language=language_name(language))
    content = message(
        ("Numbers", told(facts)), ("Too few", answer["missing"]), ("Question", flow.input.get("question", ""))
    )
    ask = Ask(role="chat", system=system, messages=(Said("user", content),), schema=AUDIENCE, max_output=1_500)
    said = flow.ask("audience", ask, agent="audience")
    return answer | said["data"] | {name: said[name] for name in ("cost_micro", "is_sandbox", "model")}


def _facts(flow: Flow) -> Data:
    with flow.scope():
        campaign = Campaign.objects.filter(pk=flow.run.campaign_id).first() if flow.run.campaign_id else None
        workspace = flow.run.workspace
        return audience_facts(workspace, campaign) | {"brand": brand_of(workspace).as_text()}


def run_timing(flow: Flow) -> Data:
    def look() -> Data:
        with flow.scope():
            wanted = flow.input.get("connection")
            connection = Connection.objects.get(pk=UUID(wanted)) if wanted else None
            return timing_facts(flow.run.workspace, connection, flow.input.get("count", 5))

    return dict(flow.step("times", look, kind="tool", agent="timing"))
