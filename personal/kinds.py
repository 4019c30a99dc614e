"""What a person's periodic tasks can do."""

from accounts.access import Actor, Perm
from accounts.models import Workspace
from accounts.plans import PlanLimit
from agents.models import PeriodicTask, PeriodicTurn
from agents.periodic.registry import Outcome, OutcomeStatus, PeriodicKind, TurnFailed
from analytics.queries.period import Period
from analytics.queries.totals import totals
from analytics.reporting.services import request_report
from analytics.reporting.turns import PERIODS, last_whole
from lib.clock import now
from personal.answers import ask_assistant
from personal.briefs import make_brief
from personal.preferences import language_of

DONE, QUIET = OutcomeStatus.DONE, OutcomeStatus.QUIET
HOUR = 3600
BRIEF_ARGS = {
    "type": "object",
    "properties": {"with_words": {"type": "boolean", "description": "A few sentences by the assistant in front."}},
    "additionalProperties": False,
}
REPORT_ARGS = {
    "type": "object",
    "properties": {"period": {"enum": list(PERIODS), "description": "The last whole one before the turn."}},
    "additionalProperties": False,
}
PROMPT_ARGS = {
    "type": "object",
    "properties": {"instruction": {"type": "string", "minLength": 3, "maxLength": 2000}},
    "required": ["instruction"],
    "additionalProperties": False,
}


def do_brief(task: PeriodicTask, turn: PeriodicTurn, by: Actor) -> Outcome:
    try:
        brief = make_brief(
            by=by, task_id=task.pk, wanted_at=turn.wanted_at, with_words=bool(task.args.get("with_words"))
        )
    except PlanLimit as error:
        raise TurnFailed(" ".join(error.messages)) from error
    return Outcome(DONE, brief.title, brief.pk) if brief else Outcome(QUIET)


def do_report(task: PeriodicTask, turn: PeriodicTurn, by: Actor) -> Outcome:
    period = last_whole(task.args.get("period", "week"), now(), by.workspace.time_zone)
    if is_empty(by.workspace, period):
        return Outcome(QUIET)
    language = language_of(task.user, by.workspace.pk)
    report = request_report(period.start, period.end, by=by, language=language)
    return Outcome(DONE, report.title, report.pk)


def is_empty(workspace: Workspace, period: Period) -> bool:
    """Nothing was published, clicked or earned."""
    found = totals(workspace, period)
    return not any((found.posts, found.impressions, found.clicks, found.conversions, found.joins))


def do_prompt(task: PeriodicTask, turn: PeriodicTurn, by: Actor) -> Outcome:
    brief = ask_assistant(task, turn.wanted_at, by=by)
    return Outcome(DONE, "Asked the assistant", brief.pk)


KINDS = (
    PeriodicKind("brief", "Daily brief", do_brief, schema=BRIEF_ARGS, min_every_s=HOUR),
    PeriodicKind("report", "Report", do_report, schema=REPORT_ARGS, perm=Perm.CONTENT_EDIT, min_every_s=23 * HOUR),
    PeriodicKind("prompt", "Ask my assistant", do_prompt, schema=PROMPT_ARGS, perm=Perm.CONTENT_EDIT, min_every_s=HOUR),
)
