"""Every address that takes an id, with the id of another workspace: the same 404 as for an id that does not exist."""

import re
import uuid
from collections.abc import Iterator
from datetime import time, timedelta
from io import BytesIO
from itertools import groupby

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.access import Actor
from accounts.models import Invitation, Membership, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import create_api_key, invite_member, notify
from agents.evaluation.datasets import add_run, create_dataset
from agents.keys import add_key
from agents.memory import remember
from agents.memory.blocks import write_block
from agents.memory.claims import ClaimDraft, save_claim
from agents.memory.documents import add_text
from agents.models import Consolidation, Message, Run
from agents.periodic.services import create_task
from agents.prompts.assistants import archive_assistant, create_assistant, update_assistant
from agents.prompts.templates import create_template
from agents.prompts.versions import PromptDraft
from agents.threads import create_thread
from analytics.definitions import add_media_cost, save_funnel, save_segment, set_target
from analytics.models import Anomaly, LinkDomain, MeasuredPost
from analytics.queries.funnels import USUAL
from analytics.reporting.making import finish_report, make_report
from analytics.reporting.services import create_schedule, request_report
from analytics.shares import share_page
from analytics.tracking.links import create_link as create_short_link
from campaigns.autonomy import sign_policy
from campaigns.deliveries import submit_post
from campaigns.library import add_upload
from campaigns.models import (
    Campaign,
    Conversation,
    Delivery,
    Import,
    InboxMessage,
    LivePart,
    Plan,
    PlanLine,
    Recurrence,
    Slot,
    Snippet,
    Source,
)
from campaigns.services import PartDraft, PostDraft, create_campaign, create_post, share_campaign
from compliance.consent import give_consent
from compliance.contacts import create_contact
from compliance.health import note_signal
from compliance.models import PrivacyRequest, Review
from compliance.notices import publish_notice
from compliance.privacy.holds import set_hold
from compliance.privacy.requests import open_contact_request, open_own_request
from compliance.reviews.links import create_link
from compliance.terms import TermDraft, add_term
from experiments.arms import ArmDraft
from experiments.services import create_experiment, start_experiment
from integrations.models import McpToken, WebhookDelivery
from integrations.outside.services import attach_server
from integrations.servers import create_server
from integrations.tool_groups import tools_in
from integrations.webhooks.services import create_endpoint
from lib.clock import now
from personal.models import Brief, Watch, WatchValue
from social.models import Bot, Connection, Credential, InviteLink
from tests.key_store import STORE
from tests.media_files import noise

# Not a workspace's objects: the admin has its own test, allauth keys by signed tokens.
# The pages of clients are keyed by their links' tokens, of which few are tried in vain: test_client_review asks them.
SKIPPED = ("admin:", "account_", "socialaccount_", "mfa_", "campaigns:client-")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
NOBODY = "018f0000-0000-7000-8000-000000000000"
MISSING = {"uuid": NOBODY, "int": "2147480000", "assistant": NOBODY, "tenant": NOBODY}
# Parts of an address that are no ids: what an owner's address would hold there.
WORDS = {
    "position": "0",
    "revision": "1",
    "reply": "1",
    "chat_id": "1",
    "number": "1",
    "version": "1",
    "label": "voice",
}
ACTS = {
    "compliance:privacy-act": "verify",
    "agents:memory-act": "undo",
    "integrations:webhook-act": "pause",
    "personal:task-act": "pause",
    "campaigns:recurrence-act": "pause",
    "agents:run-act": "up",
    "campaigns:conversation-act": "done",
    "analytics:report-schedule-act": "pause",
    "campaigns:plan-act": "reject",
    "experiments:experiment-act": "version",
    "campaigns:plan-line-act": "reject",
}
# What the owner is told is missing as well, and why.
NOT_THE_OWNERS = {
    "agents:chat-answer": "a form without a question of the run",
    "agents:run-keep": "a form without a dataset",
    "campaigns:guest-decide": "for guests only",
    "campaigns:queue-act": "a form without a post of the queue",
    "social:telegram-hook": "for Telegram only, which names itself by a secret",
}


def walk(patterns, namespace: str = "", route: str = "") -> Iterator[tuple[str, str, dict[str, object]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, inner, route + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", route + str(pattern.pattern), dict(pattern.pattern.converters)


def routes_with_ids() -> dict[str, dict[str, str]]:
    """By name, the converters of its arguments: {"campaigns:post-detail": {"post_id": "uuid"}}."""
    found = {}
    for name, _route, converters in walk(get_resolver().url_patterns):
        kinds = {
            arg: type(converter).__name__.removesuffix("Converter").lower() for arg, converter in converters.items()
        }
        if any(kind in MISSING for kind in kinds.values()) and not name.startswith(SKIPPED):
            found[name] = kinds
    return found


ROUTES = routes_with_ids()


# --- one object of every kind in Roastery -----------------------------------------------------------------


@pytest.fixture
def planted(workspace: Workspace, alice_actor: Actor, bob_actor: Actor, gwen: User) -> dict[str, list[object]]:
    """What an address may name, by the argument that names it."""
    with workspace_scope(workspace.pk):
        found = plant_posts(alice_actor, bob_actor, gwen)
        found |= plant_people(alice_actor)
        found |= plant_plan(alice_actor)
        found["connection_id"].append(plant_channel(alice_actor))
        found["link_id"].append(plant_invite(found["connection_id"], alice_actor))
        own_link, domain = plant_links(alice_actor)
        found["link_id"].append(own_link)
        found["domain_id"] = [domain]
        found["measured_id"] = [plant_measured(found["connection_id"][0], alice_actor)]
        notify(workspace, "test", "News")
        found |= plant_prompts(alice_actor)
        found |= plant_memory(alice_actor)
        found |= plant_inbox(found["connection_id"][0], alice_actor)
        found |= plant_reports(alice_actor)
        for name, rows in plant_corner(alice_actor).items():
            found[name] = [*found.get(name, ()), *rows]
        found |= plant_webhooks(alice_actor)
        found |= plant_mcp(alice_actor)
        found["experiment_id"] = plant_experiments(alice_actor)
        found |= plant_results(found["campaign_id"][0], alice_actor)
        for name, rows in plant_talk(alice_actor).items():
            found[name] = [*found.get(name, ()), *rows]
    found["bot_id"] = [700_001]
    return found


def plant_posts(by: Actor, author: Actor, guest: User) -> dict[str, list[object]]:
    connection = Connection.objects.create(workspace=by.workspace, network="x", remote_id="1", handle="r", name="R")
    campaign = create_campaign(by=by, name="Launch")
    draft = PostDraft((PartDraft("Hello"),), campaign=campaign, connections=(connection.pk,))
    post = create_post(draft, by=author)
    submit_post(post, by=author)
    delivery = Delivery.objects.get(post=post)
    LivePart.objects.create(
        workspace=by.workspace, delivery=delivery, connection=connection, position=0, content_hash="0", remote_id="1"
    )
    share_campaign(campaign, guest, by=by)
    sign_policy(campaign, by=by, mode="human")
    link, _token = create_link(by=by, name="Ms Chen", scope_id=campaign.pk, scope_label="Launch")
    rows = {
        "slot_id": Slot(connection=connection, weekday=0, time="09:00", time_zone="UTC"),
        "source_id": Source(name="Folder", folder="spring"),
        "import_id": Import(name="plan.csv", time_zone="UTC"),
        "snippet_id": Snippet(kind="hashtags", name="Beans", text="#b"),
        "recurrence_id": Recurrence(
            post=post, kind="weekly", weekdays=[0], time=time(9), time_zone="UTC", next_at=now() + timedelta(days=3)
        ),
    }
    for row in rows.values():
        row.workspace = by.workspace
        row.save()
    return {name: [row.pk] for name, row in rows.items()} | {
        "connection_id": [connection.pk],
        "campaign_id": [campaign.pk],
        "post_id": [post.pk],
        "delivery_id": [delivery.pk],
        "review_id": [Review.objects.get().pk],
        "asset_id": [plant_picture(by)],
        "project_id": [rows["source_id"].pk],
        "user_id": [guest.pk],
        "link_id": [link.pk],
    }


def plant_plan(by: Actor) -> dict[str, list[object]]:
    plan = Plan.objects.create(workspace=by.workspace, brief="Decaf", status="ready")
    line = PlanLine.objects.create(workspace=by.workspace, plan=plan, n=1, language="en", text="Decaf")
    run = Run.objects.create(workspace=by.workspace, workflow="draft", user=by.user, trace_id="0" * 32)
    return {"plan_id": [plan.pk], "line_id": [line.pk], "run_id": [run.pk]}


def plant_talk(by: Actor) -> dict[str, list[object]]:
    """A conversation with a run that has ended: what streams it comes to an end."""
    thread = create_thread(by=by, title="Decaf")
    run = Run.objects.create(
        workspace=by.workspace, workflow="chat", user=by.user, thread=thread, trace_id="1" * 32, status="succeeded"
    )
    Message.objects.create(workspace=by.workspace, thread=thread, seq=1, role="user", text="Decaf?", run=run)
    dataset = create_dataset("Good answers", by=by)
    return {
        "thread_id": [thread.pk],
        "run_id": [run.pk],
        "dataset_id": [dataset.pk],
        "item_id": [add_run(dataset, run, by=by).pk],
        "key_id": [add_key("anthropic", "Ours", "sk-ant-of-this-test", by=by).pk],
    }


def plant_inbox(connection_id: object, by: Actor) -> dict[str, list[object]]:
    talk = Conversation.objects.create(
        workspace=by.workspace,
        connection_id=connection_id,
        kind="mention",
        remote_id="900",
        author_id="77",
        last_at=now(),
    )
    message = InboxMessage.objects.create(
        workspace=by.workspace,
        conversation=talk,
        connection_id=connection_id,
        remote_id="901",
        text="Hello",
        sent_at=now(),
    )
    return {"conversation_id": [talk.pk], "message_id": [message.pk]}


def plant_links(by: Actor) -> tuple[object, object]:
    domain = LinkDomain.objects.create(workspace=by.workspace, host="go.acme.invalid", token="t")
    return create_short_link("https://acme.example", by=by).pk, domain.pk


def plant_reports(by: Actor) -> dict[str, list[object]]:
    yesterday = now().date() - timedelta(days=1)
    report = request_report(yesterday, yesterday, by=by)
    make_report(by.workspace.pk, report.pk)
    finish_report(report, [])
    weekly = {"cron": "0 9 * * 1", "time_zone": "UTC", "period": "week"}
    return {"report_id": [report.pk], "schedule_id": [create_schedule(by=by, name="Weekly", **weekly).pk]}


def plant_corner(by: Actor) -> dict[str, list[object]]:
    """What one person has for themselves."""
    own = {"workspace": by.workspace, "user": by.user}
    watch = Watch.objects.create(value=WatchValue.objects.create(kind="keyword", value="tea", watchers=1), **own)
    brief = Brief.objects.create(wanted_at=now(), title="Brief", data={"sections": []}, **own)
    task = create_task(kind="brief", name="Nine", mode="cron", spec="0 9 * * *", by=by)
    return {
        "watch_id": [watch.pk],
        "brief_id": [brief.pk],
        "task_id": [task.pk],
        "user_id": [by.user.pk if by.user else None],
    }


def plant_mcp(by: Actor) -> dict[str, list[object]]:
    server, _secret = create_server("Laptop", tools_in(["read"], by.perms), by=by)
    outside = attach_server("CRM", "http://127.0.0.1:9/mcp", by=by)
    return {
        "server_id": [server.pk],
        "token_id": [McpToken.objects.get(server=server).pk],
        "outside_id": [outside.pk],
    }


def plant_webhooks(by: Actor) -> dict[str, list[object]]:
    endpoint, _secret = create_endpoint("https://hooks.invalid/", ["*"], by=by)
    sent = WebhookDelivery(workspace=by.workspace, endpoint=endpoint, kind="run.failed", payload={"id": NOBODY})
    sent.status = WebhookDelivery.Status.FAILED
    sent.save()
    return {"endpoint_id": [endpoint.pk], "webhook_delivery_id": [sent.pk]}


def plant_experiments(by: Actor) -> list[object]:
    """A draft, and one that was started."""
    arms = [ArmDraft(name, {"url": f"https://acme.example/{name}"}) for name in ("old", "new")]
    words = {"name": "Landing page", "hypothesis": "The new page converts better.", "metric": "conversions"}
    rows = []
    for _ in range(2):
        link = create_short_link("https://acme.example/", by=by, utm=False)
        settings = {"links": [str(link.pk)]}
        rows.append(create_experiment(by=by, design="A", arms=arms, settings=settings, **words))
    start_experiment(rows[1], by=by)
    return [row.pk for row in rows]


def plant_results(campaign_id: object, by: Actor) -> dict[str, list[object]]:
    campaign = Campaign.objects.get(pk=campaign_id)
    rule = {"field": "language", "op": "is", "value": "en"}
    unusual = Anomaly.objects.create(
        workspace=by.workspace, metric="clicks", day=now().date(), value=9, low=0, high=5, text="More than usual."
    )
    return {
        "funnel_id": [save_funnel("Shop", USUAL, by=by).pk],
        "segment_id": [save_segment("English", "contact", {"all": [rule]}, by=by).pk],
        "anomaly_id": [unusual.pk],
        "share_id": [share_page("dashboard", {}, by=by)[0].pk],
        "target_id": [set_target(campaign, "clicks", 100, by=by).pk],
        "cost_id": [add_media_cost(campaign, now().date(), 1_000_000, "Pictures", by=by).pk],
    }


def plant_measured(connection_id: object, by: Actor) -> object:
    post = MeasuredPost(workspace=by.workspace, connection_id=connection_id, remote_id="2", published_at=now())
    post.save()
    return post.pk


def plant_prompts(by: Actor) -> dict[str, list[object]]:
    used, gone = (create_assistant(by=by, name=name, draft=PromptDraft("Write.")) for name in ("A", "B"))
    update_assistant(used, by=by, prompt={"body": "Write well."})
    archive_assistant(gone, by=by)
    template = create_template(by=by, name="Ours", body="Write.")
    return {"assistant_id": [used.pk, gone.pk], "tenant_id": [by.workspace.pk], "template_id": [template.pk]}


def plant_memory(by: Actor) -> dict[str, list[object]]:
    write_block("voice", "Warm.", by=by)
    return {
        "item_id": [remember("We never post on Sundays.", by=by).pk],
        "claim_id": [save_claim(ClaimDraft("Roasted in Berlin.", "The register"), by=by).pk],
        "document_id": [add_text("Prices", "A bag costs 9 €.", by=by).pk],
        "day_id": [Consolidation.objects.create(workspace=by.workspace, day=now().date()).pk],
    }


def plant_picture(by: Actor) -> object:
    file = BytesIO()
    noise().save(file, "PNG")
    return add_upload(SimpleUploadedFile("bag.png", file.getvalue(), "image/png"), by=by).pk


def plant_people(by: Actor) -> dict[str, list[object]]:
    contact = create_contact(by=by, name="Mei", email="mei@example.org", language="en")
    notice = publish_notice(by=by, purpose="newsletter", language="en", text="One mail a month.")
    give_consent(contact, "newsletter", "email", by=by, method="form", notice=notice)
    requests = [open_contact_request("export", contact, by=by), open_own_request("export", user=by.user)]
    file = default_storage.save("copy.zip", ContentFile(b"PK"))
    # A person's own request belongs to no workspace.
    with all_workspaces_scope("requests that are done"):
        done = {"status": "done", "file": file, "file_expires_at": now() + timedelta(days=1)}
        assert PrivacyRequest.objects.update(**done) == len(requests)
    key, _secret = create_api_key("Key", ["read"], by=by)
    invite_member("new@example.org", "viewer", by=by)
    return {
        "contact_id": [contact.pk],
        "notice_id": [notice.pk],
        "request_id": [row.pk for row in requests],
        "hold_id": [set_hold("contact", contact.pk, "A case", by=by).pk],
        "term_id": [add_term(TermDraft("cheap"), by=by).pk],
        "key_id": [key.pk],
        "member_id": list(Membership.objects.exclude(user=by.user).values_list("pk", flat=True)),
        "invitation_id": [Invitation.objects.get().pk],
    }


def plant_channel(by: Actor) -> object:
    Bot.objects.create(workspace=by.workspace, bot_id=700_001, username="r_bot", name="R", token="700001:secret")
    channel = Connection.objects.create(
        workspace=by.workspace,
        network="telegram",
        remote_id="-1001",
        handle="news",
        name="N",
        kind="channel",
        app_key="bot:700001",
    )
    Credential.objects.create(workspace=by.workspace, connection=channel, access_token="secret")
    note_signal(by.workspace, channel.pk, "strike", "Reported by X")
    return channel.pk


def plant_invite(connections: list[object], by: Actor) -> object:
    link = InviteLink(workspace=by.workspace, connection_id=connections[-1], name="Spring", url="https://t.me/+a")
    link.save()
    return link.pk


# --- the walk ---------------------------------------------------------------------------------------------


def kwargs_of(name: str, ids: dict[str, object]) -> dict[str, object]:
    """The arguments of the address, with these ids or, where there is none, that of nothing."""
    found = {}
    for arg, kind in ROUTES[name].items():
        word = ACTS.get(name, "file") if arg == "act" else WORDS.get(arg)
        found[arg] = word or ids.get(arg, MISSING.get(kind))
    return found


def variants(name: str, planted: dict[str, list[object]]) -> list[dict[str, object]]:
    """All that may stand there: a link is one for clients or one to a channel."""
    named = [arg for arg in ROUTES[name] if arg in planted]
    longest = max((len(planted[arg]) for arg in named), default=1)
    return [
        dict(zip(named, row, strict=True))
        for row in (tuple(planted[arg][min(n, len(planted[arg]) - 1)] for arg in named) for n in range(longest))
    ]


TOKENS = re.compile(rb'(csrfmiddlewaretoken" value="|X-CSRFToken&quot;: &quot;|X-CSRFToken\\?": \\?")[^"&\\]+')


def answer(client: Client, method: str, address: str) -> tuple[int, bytes]:
    response = client.generic(method, address, "{}", content_type="application/json")
    body = b"".join(response) if response.streaming else response.content
    return response.status_code, TOKENS.sub(rb"\1", body).replace(address.encode(), b"<address>")


def test_the_walk_sees_pages_and_api_routes():
    assert len([name for name in ROUTES if name.startswith("campaigns:")]) >= 20
    assert len([name for name in ROUTES if reverse(name, kwargs=kwargs_of(name, {})).startswith("/api/")]) >= 15


def test_a_foreign_id_answers_like_a_missing_one(planted, charlie_client, other_workspace):
    wrong = []
    for name in by_app():
        for method in METHODS:
            missing = answer(charlie_client, method, reverse(name, kwargs=kwargs_of(name, {})))
            assert missing[0] in {404, 405}, (name, method, missing)
            # A method that an address does not know never looks at the id.
            for ids in variants(name, planted) if missing[0] == 404 else ():
                if answer(charlie_client, method, reverse(name, kwargs=kwargs_of(name, ids))) != missing:
                    wrong.append((name, method, ids))
    assert not wrong


def by_app() -> Iterator[str]:
    """The names of all routes; between two apps the counts of requests begin anew."""
    for _app, names in groupby(sorted(ROUTES), lambda name: name.partition(":")[0]):
        STORE.empty()
        yield from names


def test_the_owner_finds_what_was_planted(planted, alice_client):
    """Otherwise the walk above would compare what is missing with what is missing."""
    alice_client.raise_request_exception = False
    lost = set()
    for name in by_app():
        found = any(
            owner_finds(alice_client, method, reverse(name, kwargs=kwargs_of(name, ids)))
            for ids in variants(name, planted)
            for method in METHODS
        )
        lost |= set() if found else {name}
    assert lost == set(NOT_THE_OWNERS)


def owner_finds(client: Client, method: str, address: str) -> bool:
    before = transaction.savepoint()
    try:
        return answer(client, method, address)[0] not in {404, 405}
    finally:
        transaction.savepoint_rollback(before)


def test_a_foreign_workspace_in_the_address_answers_like_a_missing_one(charlie_client, workspace, other_workspace):
    there = charlie_client.get(f"/w/{workspace.slug}/campaigns")
    missing = charlie_client.get(f"/w/{uuid.uuid4().hex}/campaigns")
    assert (there.status_code, missing.status_code) == (404, 404)
    assert there.content.replace(workspace.slug.encode(), b"") == missing.content.replace(workspace.slug.encode(), b"")
