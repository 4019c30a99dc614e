"""Drafts of the assistant beside the composer."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, member_view
from agents.models import Run
from agents.runs.queries import current_agent
from campaigns import drafting
from campaigns.draft_checks import LANGUAGES, Place, is_blocked, read_findings
from campaigns.forms_post import PostForm, read_form
from campaigns.guard_findings import Finding
from campaigns.origins import Data
from campaigns.views.outcome import Refusal, attempt
from compliance.guard import Verdict
from social.models import Connection


@dataclass(frozen=True)
class Draft:
    row: Data
    findings: list[Finding]

    @property
    def verdict(self) -> str:
        return Verdict.BLOCK.value if is_blocked(self.row["findings"]) else str(self.row["findings"]["verdict"])


def assist_context(form: PostForm) -> dict[str, object]:
    """What the composer's panel offers."""
    return {
        "draft_languages": LANGUAGES.items(),
        "draft_language": form.language if form.language in LANGUAGES else "en",
        "draft_tones": drafting.TONES.items(),
        "draft_counts": range(1, drafting.MAX_COUNT + 1),
        "most_wish": drafting.MAX_WISH,
    }


@require_POST
@member_view(Perm.CONTENT_EDIT)
def draft_start(request: MemberRequest) -> HttpResponse:
    form = read_form(request.POST)
    made: list[Run] = []
    refusal = attempt(lambda: made.append(_start(request, form)))
    if refusal:
        return _results(request, None, Refusal(422, refusal.messages, refusal.fields))
    return _results(request, made[0])


def _start(request: MemberRequest, form: PostForm) -> Run:
    typed = request.POST.get
    count = typed("count", "1")
    wanted = drafting.Wanted(
        wish=typed("wish", ""),
        language=typed("draft_language", "en"),
        tone=drafting.TONES.get(typed("tone", ""), "") if typed("tone") else "",
        count=int(count) if count.isdecimal() and len(count) == 1 else 0,
        connection_id=_narrowest(form, request.actor),
        campaign_id=form.campaign_id,
        text=form.parts[0].text,
    )
    return drafting.start_drafts(wanted, by=request.actor)


def _narrowest(form: PostForm, actor: Actor) -> UUID | None:
    """Whose text is open, else the account with the least room: what fits there fits all."""
    if form.tab:
        return form.tab
    chosen = Connection.objects.shown().filter(workspace=actor.workspace, pk__in=form.connection_ids)
    return min(chosen, key=lambda account: Place(account).limit).pk if chosen else None


@require_GET
@member_view(Perm.CONTENT_EDIT)
def draft_show(request: MemberRequest, run_id: UUID) -> HttpResponse:
    """While it is written, and then the drafts; the composer asks every second."""
    return _results(request, drafting.get_draft_run(request.actor, run_id))


def _results(request: MemberRequest, run: Run | None, refusal: Refusal | None = None) -> HttpResponse:
    rows = (run.output or {}).get("drafts", []) if run else []
    drafts = [Draft(row, read_findings(row["findings"])) for row in rows]
    context = {
        "run": run,
        "refusal": refusal,
        "drafts": drafts,
        "language": run.input.get("language", "") if run else "",
        "agent": current_agent(run) if run else "",
        "problem": drafting.problem_of(run) if run and run.is_ended and not drafts else "",
        "cost": drafting.cost_of_run(run) if run and run.is_ended else "",
        "is_sandbox": any(draft.row["origin"]["is_sandbox"] for draft in drafts),
    }
    return render(request, "campaigns/draft_results.html", context, status=refusal.status if refusal else 200)
