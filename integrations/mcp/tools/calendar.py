"""The plan on the workspace's clock, and times to post."""

from datetime import datetime

from accounts.access import Actor, Perm
from accounts.models import Workspace
from campaigns.calendar_days import CalendarDay, Chip, FreeSlot
from campaigns.calendar_queries import CalendarFilter, calendar_days
from campaigns.calendar_span import Span, read_span
from campaigns.models import Delivery
from campaigns.timing import MAX_TIMES, timing_facts
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.answers import MOST, PAGE, slice_of, when
from integrations.mcp.tools.connections import get_account
from integrations.mcp.tools.schemas import JSON, a_day, an_id, choice, closed, day_of, gives, id_of, whole
from lib.clock import now

# A month here is its own days only: the calendar's list shows it so.
VIEWS = {"day": "day", "week": "week", "month": "list"}


def show_calendar(actor: Actor, args: JSON) -> JSON:
    # Checked here: the page takes today for a day that is none.
    day = day_of(args, "day")
    query = {"view": VIEWS[args.get("view", "week")], "day": str(day or "")}
    span = read_span(query, actor.workspace.time_zone, now())
    wanted = CalendarFilter(
        connection_id=id_of(args, "connection_id"),
        campaign_id=id_of(args, "campaign_id"),
        state=args.get("state", ""),
    )
    return calendar_data(actor, span, wanted, args)


def calendar_data(actor: Actor, span: Span, wanted: CalendarFilter, args: JSON) -> JSON:
    days = calendar_days(span, actor, wanted)
    chips, cursor = slice_of([chip for day in days for chip in day.chips], args)
    return {
        "from": span.first,
        "to": span.last,
        "time_zone": actor.workspace.time_zone,
        "posts": [_chip_data(chip, actor.workspace) for chip in chips],
        "next_cursor": cursor,
        "free_slots": [_slot_data(slot, actor.workspace) for day in days for slot in day.slots][:MOST],
        "notes": [note for day in days for note in _notes(day)],
    }


def _chip_data(chip: Chip, workspace: Workspace) -> JSON:
    row = chip.delivery
    return {
        "at": when(chip.at, workspace),
        "post_id": str(row.post_id),
        "delivery_id": str(row.pk),
        "title": str(row.post),
        "account": str(row.connection),
        "state": row.state,
        "warnings": list(chip.warnings),
    }


def _slot_data(slot: FreeSlot, workspace: Workspace) -> JSON:
    return {"at": when(slot.at, workspace), "connection_id": str(slot.connection.pk), "account": str(slot.connection)}


def _notes(day: CalendarDay) -> list[str]:
    return [f"{day.date}: {note}" for note in (*day.holidays, day.clock_note) if note]


def best_times(actor: Actor, args: JSON) -> JSON:
    connection_id = id_of(args, "connection_id")
    connection = get_account(actor, connection_id) if connection_id else None
    facts = timing_facts(actor.workspace, connection, args.get("count", 5))
    return facts | {"accounts": [_times(account, actor.workspace) for account in facts["accounts"]]}


def _times(account: JSON, workspace: Workspace) -> JSON:
    """On the workspace's clock."""
    moments = [datetime.fromisoformat(time["at"]) for time in account["times"]]
    return account | {"times": [when(at, workspace) for at in moments]}


TOOLS = (
    ToolDef(
        name="calendar",
        title="Calendar",
        description=(
            "What is planned and what went out on a day, in a week or a month, with clashes, free posting slots, "
            "holidays and clock changes. Look here before you propose times."
        ),
        input_schema=closed(
            view=choice("How much of it.", VIEWS, default="week"),
            day=a_day("Any day of it; today without it."),
            connection_id=an_id("Only this account."),
            campaign_id=an_id("Only this campaign."),
            state=choice("Only in this state.", Delivery.State.values),
            **PAGE,
        ),
        do=show_calendar,
        output_schema=gives(
            **dict.fromkeys(("from", "to", "time_zone"), "string"),
            **dict.fromkeys(("posts", "free_slots", "notes"), "array"),
            next_cursor="string?",
        ),
        perm=Perm.VIEW,
    ),
    ToolDef(
        name="best_times",
        title="Best times to post",
        description="The next good times of each account, and what they rest on: measured posts, slots, or mere habit.",
        input_schema=closed(
            connection_id=an_id("Only this account."),
            count=whole("How many times for each.", 1, MAX_TIMES, default=5),
        ),
        do=best_times,
        perm=Perm.VIEW,
    ),
)
