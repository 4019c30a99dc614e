"""A workspace with one of everything that tools are about, and arguments that each tool takes there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection as database
from django.db import models

from accounts.access import Actor
from accounts.models import Membership, User, Workspace
from accounts.scope import workspace_scope
from agents.models import Run
from analytics.models import MeasuredPost, Snapshot
from campaigns.inbox.collect import Heard, record
from campaigns.models import Campaign, Conversation, Delivery, LivePart, Plan, PlanLine, Post
from campaigns.queries import with_content
from campaigns.rendering import render
from campaigns.services import create_campaign
from experiments.models import Experiment
from experiments.services import create_experiment
from integrations.mcp.auth import Caller, actor_of
from integrations.mcp.calls import Answer, call_tool
from integrations.mcp.errors import Failure
from integrations.mcp.limits import Deadline
from integrations.mcp.registry import TOOLS
from integrations.models import McpServer
from lib.clock import now
from social.models import Connection, Credential
from tests.campaigns.cast import add_connection, add_post, set_state
from tests.experiments.cast import PAGES, make_link

JSON = dict[str, Any]
NOBODY = "018f0000-0000-7000-8000-000000000000"
SECRETS = {name: f"planted-{name}-5f1c" for name in ("access_token", "refresh_token", "token_secret")}
DRAFT = {
    "n": 1,
    "text": "Our decaf is back, and it tastes like coffee.",
    "angle": "Calm",
    "sentences": ["Our decaf is back, and it tastes like coffee."],
    "findings": {"verdict": "allow", "problems": [], "found": []},
    "notes": [],
    "origin": {"step_key": "write", "model": "sandbox-writer", "is_sandbox": True, "sources": [], "cost_micro": 7},
}


@dataclass(frozen=True)
class Cast:
    account: Connection
    campaign: Campaign
    draft: Post
    waiting: Post
    approved: Delivery
    planned: Delivery
    live: Delivery
    plan: Plan
    line: PlanLine
    run: Run
    experiment: Experiment
    talk: Conversation


def plant(by: Actor) -> Cast:
    """Inside the workspace of `by`."""
    workspace = by.workspace
    account = add_connection(workspace, f"{workspace.slug}-x")
    Credential.objects.create(workspace=workspace, connection=account, **SECRETS)
    campaign = create_campaign(by=by, name="Spring", goal="Sell decaf")
    waiting = add_post(by, account, text="Waits for a look.", campaign=campaign)
    set_state(waiting, Delivery.State.IN_REVIEW)
    plan, line = _plan(by, campaign, account)
    return Cast(
        account=account,
        campaign=campaign,
        draft=add_post(by, account, text="Fresh beans, roasted on Monday.", campaign=campaign),
        waiting=waiting,
        approved=approve(add_post(by, account, text="Approved beans.", campaign=campaign)),
        planned=approve(
            add_post(by, account, text="Planned beans.", campaign=campaign),
            state=Delivery.State.SCHEDULED,
            scheduled_at=now().replace(year=now().year + 1),
        ),
        live=_live(by, account, campaign),
        plan=plan,
        line=line,
        run=_run(by),
        experiment=_experiment(by, campaign),
        talk=_talk(account),
    )


def approve(post: Post, *, state: str = Delivery.State.APPROVED, **fields: Any) -> Delivery:
    """As a reviewer left it."""
    row = with_content(Delivery.objects.filter(post=post)).get()
    set_state(post, state, approved_hash=render(row).content_hash, approved_at=now(), **fields)
    row.refresh_from_db()
    return row


def _live(by: Actor, account: Connection, campaign: Campaign) -> Delivery:
    post = add_post(by, account, text="Live beans.", campaign=campaign)
    row = approve(post, state=Delivery.State.PUBLISHED, published_at=now(), fence=1)
    url = f"https://x.example/{row.pk}"
    facts = {"workspace": by.workspace, "connection": account, "remote_id": str(row.pk.int)[:18], "url": url}
    part = LivePart.objects.create(delivery=row, position=0, content_hash="c" * 64, **facts)
    measured = MeasuredPost.objects.create(
        part=part,
        delivery=row,
        campaign=campaign,
        published_at=now(),
        measured_at=now(),
        impressions=120,
        likes=0,
        engagements=0,
        missing={"link_clicks": "not_granted"},
        **facts,
    )
    numbers = {"impressions": 120, "likes": 0}
    Snapshot.objects.create(workspace=by.workspace, post=measured, age_s=900, source="x.lookup", metrics=numbers)
    return row


def _plan(by: Actor, campaign: Campaign, account: Connection) -> tuple[Plan, PlanLine]:
    fields = {"workspace": by.workspace, "created_by": by.user, "status": Plan.Status.READY, "campaign": campaign}
    plan = Plan.objects.create(brief="Decaf is back", languages=["en"], strategy={"name": "Decaf"}, **fields)
    text = "Decaf is back on the shelf this week."
    line = PlanLine.objects.create(
        workspace=by.workspace, plan=plan, n=1, connection=account, language="en", text=text, origin={"model": "m"}
    )
    return plan, line


def _run(by: Actor) -> Run:
    return Run.objects.create(
        workspace=by.workspace,
        workflow="draft",
        user=by.user,
        started_by=by.label,
        status=Run.Status.SUCCEEDED,
        trace_id="0" * 32,
        deadline_at=now(),
        input={"wish": "Decaf", "language": "en"},
        output={"drafts": [DRAFT]},
    )


def _experiment(by: Actor, campaign: Campaign) -> Experiment:
    return create_experiment(
        by=by,
        name="Landing page",
        hypothesis="The new page converts better.",
        design="A",
        metric="conversions",
        arms=PAGES,
        campaign=campaign,
        settings={"links": [str(make_link(by).pk)]},
    )


def _talk(account: Connection) -> Conversation:
    heard = Heard("mention", "c1", f"m-{account.pk}", "7", "dana", "Dana", "@cafe, open on Sunday?", now())
    record(account, heard)
    return Conversation.objects.get(connection=account)


# --- what each tool takes -----------------------------------------------------------------------------------

SOON = "2031-05-05T09:00:00+02:00"
Args = Callable[[Cast], JSON]
# Several of one tool where it does several things.
CASES: Mapping[str, list[Args]] = {
    "list_campaigns": [lambda _cast: {"status": "draft", "words": "Spring"}],
    "get_campaign": [lambda cast: {"campaign_id": str(cast.campaign.pk)}],
    "create_campaign": [lambda _cast: {"name": "Autumn", "goal": "Sell mugs", "markets": ["DE"], "industry": "food"}],
    "plan_campaign": [
        lambda cast: {
            "brief": "Decaf is back",
            "connection_ids": [str(cast.account.pk)],
            "campaign_id": str(cast.campaign.pk),
            "languages": ["en"],
        }
    ],
    "get_plan": [lambda cast: {"plan_id": str(cast.plan.pk)}],
    "accept_plan_line": [lambda cast: {"plan_id": str(cast.plan.pk), "line_id": str(cast.line.pk)}],
    "draft_post": [
        lambda cast: {
            "text": "A new roast from Huila.",
            "connection_ids": [str(cast.account.pk)],
            "campaign_id": str(cast.campaign.pk),
            "own_texts": [{"connection_id": str(cast.account.pk), "texts": ["A new roast, for X."]}],
            "planned_at": SOON,
            "tags": ["decaf"],
        },
        lambda cast: {
            "wish": "Decaf is back",
            "connection_ids": [str(cast.account.pk)],
            "campaign_id": str(cast.campaign.pk),
        },
    ],
    "get_drafts": [lambda cast: {"run_id": str(cast.run.pk)}],
    "edit_draft": [
        lambda cast: {
            "post_id": str(cast.draft.pk),
            "revision": 1,
            "text": "Fresher beans.",
            "connection_ids": [str(cast.account.pk)],
            "campaign_id": str(cast.campaign.pk),
            "own_texts": [{"connection_id": str(cast.account.pk), "texts": ["Fresher, for X."]}],
        }
    ],
    "preview_post": [lambda cast: {"post_id": str(cast.draft.pk)}],
    "explain_block": [
        lambda cast: {"post_id": str(cast.draft.pk)},
        lambda _cast: {"text": "Write to 13812345678.", "markets": ["CN"], "platforms": ["x"]},
    ],
    "submit_for_review": [lambda cast: {"post_id": str(cast.draft.pk)}],
    "schedule_post": [
        lambda cast: {"delivery_id": str(cast.approved.pk), "at": SOON},
        lambda cast: {"delivery_id": str(cast.approved.pk), "at": "now"},
    ],
    "unschedule_post": [lambda cast: {"delivery_id": str(cast.planned.pk)}],
    "cancel_post": [lambda cast: {"delivery_id": str(cast.planned.pk)}],
    "list_posts": [
        lambda cast: {
            "state": "drafts",
            "campaign_id": str(cast.campaign.pk),
            "connection_id": str(cast.account.pk),
        }
    ],
    "get_post": [lambda cast: {"post_id": str(cast.live.post_id)}],
    "receipts": [
        lambda cast: {"post_id": str(cast.live.post_id)},
        lambda cast: {"delivery_id": str(cast.live.pk)},
    ],
    "list_connections": [lambda _cast: {"network": "x"}],
    "calendar": [
        lambda cast: {
            "view": "month",
            "connection_id": str(cast.account.pk),
            "campaign_id": str(cast.campaign.pk),
        }
    ],
    "best_times": [lambda cast: {"connection_id": str(cast.account.pk), "count": 2}],
    "metrics": [
        lambda cast: {"post_id": str(cast.live.post_id)},
        lambda cast: {"campaign_id": str(cast.campaign.pk), "days": 7},
        lambda cast: {"connection_id": str(cast.account.pk)},
    ],
    "experiments": [lambda cast: {"experiment_id": str(cast.experiment.pk)}, lambda _cast: {"status": "draft"}],
    "recall": [lambda _cast: {"query": "decaf"}],
    "remember": [
        lambda _cast: {"text": "Bob wants short answers.", "subject": "answers"},
        lambda _cast: {"text": "We close on Mondays.", "for_everyone": True},
    ],
    "search": [lambda _cast: {"query": "beans", "kinds": ["post", "audit"]}],
    "list_inbox": [lambda cast: {"connection_id": str(cast.account.pk)}],
}


def cases() -> list[tuple[str, Args]]:
    return [(name, args) for name, several in CASES.items() for args in several]


# --- a program of somebody ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """Calls tools as the endpoint does, without its protocol."""

    caller: Caller

    def __call__(self, tool: str, /, **args: Any) -> JSON:
        answer = self.answer(tool, args)
        assert isinstance(answer, Answer), answer
        assert answer.data is not None
        return answer.data

    def refused(self, tool: str, /, **args: Any) -> Failure:
        answer = self.answer(tool, args)
        assert isinstance(answer, Failure), answer
        return answer

    def answer(self, tool: str, args: JSON) -> Answer | Failure:
        return call_tool(self.caller, TOOLS[tool], args, Deadline())

    @property
    def actor(self) -> Actor:
        return self.caller.actor


def program_of(user: User, workspace: Workspace) -> Program:
    with workspace_scope(workspace.pk):
        server = McpServer.objects.create(
            workspace=workspace, user=user, name="Test", tools=list(TOOLS), calls_per_minute=10_000
        )
        role = Membership.objects.get(user=user, workspace=workspace).role
    return Program(Caller(server, actor_of(server, role)))


# --- whether anything changed -------------------------------------------------------------------------------

# What a call leaves whatever it does: how often it was made.
ASIDE = {"integrations_mcpusage", "accounts_meter", "accounts_ratecell", "integrations_mcpserver"}


def contents() -> dict[str, tuple[int, int]]:
    """Of each table of ours that anybody can see here: how many rows, and a sum over all they hold."""
    ours = ("accounts", "social", "compliance", "agents", "campaigns", "analytics", "experiments", "integrations")
    tables = sorted(
        model._meta.db_table
        for app in ours
        for model in apps.get_app_config(app).get_models()
        if _is_counted(model) and model._meta.db_table not in ASIDE
    )
    each = " UNION ALL ".join(
        f"SELECT '{name}', count(*), coalesce(sum(hashtext(t::text)::bigint), 0) FROM {name} t" for name in tables
    )
    with database.cursor() as cursor:
        cursor.execute(each)
        return {name: (number, checksum) for name, number, checksum in cursor.fetchall()}


def _is_counted(model: type[models.Model]) -> bool:
    return model._meta.managed and not model._meta.proxy
