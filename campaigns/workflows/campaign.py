"""From one sentence to a proposal: the strategist, then for each account and language writer, rules and checks."""

from collections.abc import Callable
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from accounts.access import Perm
from agents.llm.types import Ask, ModelError, Said
from agents.runs.errors import RunFailed
from agents.runs.flow import Flow
from campaigns.draft_checks import Place
from campaigns.models import Plan, PlanLine
from campaigns.plan_times import suggest_times
from campaigns.plans import finish_plan, save_line, save_rewritten, save_strategy
from campaigns.workflows.material import gather_material, language_name, message, order_for
from campaigns.workflows.writing import ONLY_THIS_TEXT, check_facts, report_writing, write_text, write_variants
from social.models import Connection

Data = dict[str, Any]
VARIANTS_WANTED = 2
STRATEGY = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "A name for the campaign, in a few words"},
        "goal": {"type": "string", "description": "The one aim, in a sentence"},
        "audience": {"type": "string", "description": "Whom it is for, and what they care about"},
        "angle": {"type": "string", "description": "The thought that all posts share"},
        "key_messages": {"type": "array", "items": {"type": "string"}, "description": "Two to four"},
    },
    "required": ["name", "goal", "audience", "angle", "key_messages"],
    "additionalProperties": False,
}
LENGTHS = {"name": 120, "goal": 200, "audience": 400, "angle": 400}
MESSAGES = 4


def run_campaign(flow: Flow) -> Data:
    plan_id = UUID(flow.input["plan"])
    flow.report("Looking up what is known")
    facts = flow.step("facts", lambda: _facts(flow, plan_id), kind="memory", agent="memory")
    strategy = _strategy(flow, facts)
    _act(flow, "save strategy", "save_strategy", strategy, lambda: save_strategy(plan_id, strategy))
    facts["strategy"] = strategy
    written, skipped = 0, []
    for number, order in enumerate(facts["orders"], start=1):
        try:
            _line(flow, plan_id, number, facts, order)
        except ModelError as error:
            if error.code not in ONLY_THIS_TEXT:
                raise
            skipped.append(f"{order['account']}, {language_name(order['language'])}: {error.text}")
        else:
            written += 1
    if not written:
        raise RunFailed("nothing_written", " ".join(skipped) or "Nothing could be written.")
    _act(flow, "finish", "finish_plan", {"skipped": skipped}, lambda: _finish(plan_id, skipped))
    return {"plan": str(plan_id), "lines": written, "skipped": skipped}


def run_line(flow: Flow) -> Data:
    """One line of a proposal anew, as somebody wishes."""
    line_id = UUID(flow.input["line"])
    facts = flow.step("facts", lambda: _facts_of_line(flow, line_id), kind="memory", agent="memory")
    order = facts["order"]
    report_writing(flow, order)
    written = _written(flow, "line", facts, order)
    args = {"line": str(line_id), "text": written["text"]}
    _act(flow, "save line", "rewrite_line", args, lambda: save_rewritten(line_id, written))
    return {"line": str(line_id)}


def _act(flow: Flow, key: str, tool: str, args: Data, do: Callable[[], object]) -> None:
    """With the rights that the person has at this moment."""

    def allowed() -> object:
        flow.by.require(Perm.CONTENT_EDIT)
        return do()

    flow.act(key, tool=tool, args=args, do=allowed)


def _facts(flow: Flow, plan_id: UUID) -> Data:
    # Before anything is paid for.
    flow.by.require(Perm.CONTENT_EDIT)
    with flow.scope():
        plan = Plan.objects.select_related("campaign").get(pk=plan_id)
        facts = gather_material(flow.run.workspace, None, plan.brief, plan.campaign)
        return facts | {"orders": _orders(plan, flow.run.workspace.time_zone)}


def _orders(plan: Plan, zone: str) -> list[Data]:
    """Every account in every language, each with a time of its own."""
    accounts = list(Connection.objects.shown().filter(pk__in=plan.strategy["accounts"]))
    times = {account.pk: suggest_times(account, len(plan.languages), zone, exclude=plan.pk) for account in accounts}
    return [
        order_for(Place(account), language, planned_at=at.isoformat() if at else "")
        for account, language in product(accounts, plan.languages)
        for at in [times[account.pk].pop(0) if times[account.pk] else None]
    ]


def _facts_of_line(flow: Flow, line_id: UUID) -> Data:
    flow.by.require(Perm.CONTENT_EDIT)
    with flow.scope():
        line = PlanLine.objects.select_related("plan__campaign", "connection").get(pk=line_id)
        plan = line.plan
        facts = gather_material(flow.run.workspace, None, plan.brief, plan.campaign)
        order = order_for(Place(line.connection), line.language, wish=flow.input.get("wish", ""))
        return facts | {"order": order, "strategy": plan.strategy, "text": line.text}


def _strategy(flow: Flow, facts: Data) -> Data:
    flow.report("The strategist is at work")
    first = facts["orders"][0]["language"]
    channels = [
        f"{order['network_name']} ({order['account']}), {language_name(order['language'])}" for order in facts["orders"]
    ]
    campaign = facts["campaign"]
    content = message(
        ("Brief", facts["brief"]),
        ("Campaign", campaign.get("name", "")),
        ("Its goal", campaign.get("goal", "")),
        ("Its brief", campaign.get("brief", "")),
        ("Channels", "; ".join(channels)),
        ("Knowledge", [one["text"] for one in facts["sources"]]),
    )
    system = flow.prompt("strategist", brand=facts["brand"], language=language_name(first))
    ask = Ask(role="strategist", system=system, messages=(Said("user", content),), schema=STRATEGY, max_output=1_200)
    answer = flow.ask("strategist", ask, agent="strategist")
    data = answer["data"]
    strategy = {name: str(data[name]).strip()[:length] for name, length in LENGTHS.items()}
    strategy["name"] = strategy["name"][:1].upper() + strategy["name"][1:]
    messages = [str(one).strip()[:200] for one in data["key_messages"]]
    return strategy | {"key_messages": [one for one in messages if one][:MESSAGES]}


def _line(flow: Flow, plan_id: UUID, number: int, facts: Data, order: Data) -> None:
    report_writing(flow, order)
    written = _written(flow, f"line {number}", facts, order) | {
        "language": order["language"],
        "planned_at": datetime.fromisoformat(order["planned_at"]) if order["planned_at"] else None,
        "connection_id": UUID(order["connection"]),
    }
    args = {"plan": str(plan_id), "n": number, "text": written["text"]}
    _act(flow, f"line {number} save", "save_line", args, lambda: save_line(plan_id, number, written))


def _written(flow: Flow, key: str, facts: Data, order: Data) -> Data:
    order = order | {"idea": _idea(facts["strategy"])}
    written = write_text(flow, key, facts, order)
    flow.report(f"Checking the text for {order['account']}")
    written = check_facts(flow, key, facts, order, written)
    return write_variants(flow, key, facts, order, written, VARIANTS_WANTED)


def _idea(strategy: Data) -> str:
    return " ".join([strategy.get("angle", ""), *strategy.get("key_messages", [])]).strip()


def _finish(plan_id: UUID, skipped: list[str]) -> None:
    if skipped:
        save_strategy(plan_id, {"skipped": skipped})
    finish_plan(plan_id)
