"""Every route, asked by every role, by keys of every scope, by strangers and by nobody."""

from datetime import time
from uuid import uuid4

import pytest
from guardian.shortcuts import assign_perm

from accounts.models import Role
from campaigns.deliveries import add_to_next_slot, submit_post
from campaigns.models import Campaign, Conversation, Delivery, InboxMessage, Plan, PlanLine, Post, Snippet
from campaigns.recurrences import repeat_post
from campaigns.services import create_campaign, share_campaign
from campaigns.slots import add_slot
from campaigns.sources import create_source
from compliance.models import Review
from compliance.reviews.links import create_link
from tests.api_walk import Route, ask, expected, label, statuses, wired_names
from tests.campaigns.cast import add_asset, add_connection, add_post

pytestmark = pytest.mark.django_db
READ, EDIT, PUBLISH, REVIEW, MEMBERS = "read", "edit", "publish", "review", "members"
# Writes posts, or decides on them.
TEAM = "team"
# Writes posts and plans them.
BOTH = "edit and publish"
MAY = {
    "alice": {READ, EDIT, PUBLISH, REVIEW, MEMBERS, BOTH, TEAM},
    "bob": {READ, EDIT, PUBLISH, BOTH, TEAM},
    "rita": {READ, REVIEW, TEAM},
    "vic": {READ},
    "gwen": set(),
}
SCOPES = {"read": {READ}, "write": {READ, EDIT, TEAM}, "publish": {READ, PUBLISH}, "connections": {READ}}
SEEN = {"id": "{review}", "hash": "{hash}"}
SOON = "2090-01-01T09:00:00Z"


ROUTES = [
    Route("campaigns", "get", "campaigns", READ),
    Route("campaigns", "post", "campaigns", EDIT, {"name": "New"}, success=201),
    Route("campaign", "get", "campaigns/{campaign}", READ),
    Route("campaign", "put", "campaigns/{campaign}", EDIT, {"name": "New"}),
    Route("campaign", "patch", "campaigns/{campaign}", EDIT, {"name": "New"}),
    Route("campaign", "delete", "campaigns/{campaign}", EDIT, success=204),
    Route("campaign-status", "post", "campaigns/{campaign}/status", PUBLISH, {"status": "running"}),
    Route("campaign-policy", "get", "campaigns/{campaign}/policy", READ),
    Route("campaign-policy", "put", "campaigns/{campaign}/policy", REVIEW, {"mode": "human"}),
    Route("campaign-policy", "delete", "campaigns/{campaign}/policy", REVIEW, success=204),
    Route("campaign-guests", "get", "campaigns/{campaign}/guests", MEMBERS),
    Route("campaign-guest", "put", "campaigns/{campaign}/guests/{guest}", MEMBERS, {"may_decide": "1"}),
    Route("posts", "get", "posts", READ),
    Route("posts", "post", "posts", EDIT, {"parts": [{"text": "New"}]}, success=201),
    Route("post", "get", "posts/{post}", READ),
    Route("post", "put", "posts/{post}", EDIT, {"parts": [{"text": "New"}]}),
    Route("post", "patch", "posts/{post}", EDIT, {"title": "New"}),
    Route("post", "delete", "posts/{post}", EDIT, success=204),
    Route("post-matrix", "get", "posts/{post}/matrix", READ),
    Route("post-submit", "post", "posts/{post}/submit", EDIT),
    Route("post-duplicate", "post", "posts/{post}/duplicate", EDIT, success=201),
    Route("deliveries", "get", "deliveries", READ),
    Route("delivery", "get", "deliveries/{delivery}", READ),
    Route("delivery-schedule", "post", "deliveries/{delivery}/schedule", PUBLISH, {"at": SOON}),
    Route("delivery-publish", "post", "deliveries/{approved}/publish", PUBLISH),
    Route("delivery-next-slot", "post", "deliveries/{delivery}/next-slot", PUBLISH),
    Route("delivery-unschedule", "post", "deliveries/{delivery}/unschedule", PUBLISH),
    Route("delivery-cancel", "post", "deliveries/{delivery}/cancel", PUBLISH),
    Route("delivery-confirm-live", "post", "deliveries/{uncertain}/confirm-live", PUBLISH, {"link": "77"}),
    Route("delivery-send-again", "post", "deliveries/{uncertain}/send-again", PUBLISH),
    Route("attention", "get", "attention", READ),
    Route("preflight", "get", "preflight", READ),
    Route(
        "settle-missed", "post", "deliveries/settle-missed", PUBLISH, {"deliveries": ["{approved}"], "action": "drop"}
    ),
    Route("retry-failed", "post", "connections/{connection}/retry-failed", PUBLISH),
    Route("connections-health", "get", "connections/health", READ),
    Route("connection-health", "get", "connections/{connection}/health", READ),
    Route("review-links", "get", "reviews/links", READ),
    Route("review-links", "post", "reviews/links", MEMBERS, {"name": "Chen", "campaign": "{campaign}"}, success=201),
    Route("review-link-revoke", "post", "reviews/links/{link}/revoke", MEMBERS),
    Route("reviews", "get", "reviews", READ),
    Route("review", "get", "reviews/{review}", READ),
    Route("review-claim", "post", "reviews/{review}/claim", REVIEW),
    Route("review-release", "post", "reviews/{review}/release", REVIEW),
    Route("review-changes", "post", "reviews/{review}/changes", REVIEW, {"reason": "No"}),
    Route("review-hold", "post", "reviews/{review}/hold", REVIEW, {"reason": "No"}),
    Route("review-comment", "post", "reviews/{review}/comment", TEAM, {"text": "Hm"}),
    Route("reviews-bulk", "post", "reviews/bulk", REVIEW, {"action": "approve", "reviews": [SEEN]}),
    Route("review-approve", "post", "reviews/{review}/approve", REVIEW, {"hash": "{hash}"}),
    Route("review-reject", "post", "reviews/{review}/reject", REVIEW, {"reason": "No"}),
    Route("ai-generate", "post", "ai/generate-content", EDIT, {"brief": "Decaf", "wait": "0"}, success=202),
    Route("ai-audience", "post", "ai/analyze-audience", EDIT, {"wait": "0"}, success=202),
    Route("ai-timing", "post", "ai/optimize-timing", READ, {"wait": "0"}, success=202),
    Route("plans", "get", "plans", READ),
    Route(
        "plans",
        "post",
        "plans",
        EDIT,
        {"brief": "Hi", "connections": ["{connection}"], "languages": ["en"]},
        success=201,
    ),
    Route("plan", "get", "plans/{plan}", READ),
    Route("plan-line", "patch", "plans/{plan}/lines/{line}", EDIT, {"text": "New"}),
    Route("plan-line-accept", "post", "plans/{plan}/lines/{line}/accept", EDIT),
    Route("plan-line-reject", "post", "plans/{plan}/lines/{line}/reject", EDIT),
    Route("plan-line-restore", "post", "plans/{plan}/lines/{rejected}/restore", EDIT),
    Route("plan-line-rewrite", "post", "plans/{plan}/lines/{line}/rewrite", EDIT, {"wish": "Shorter"}),
    Route("inbox", "get", "inbox", READ),
    Route("conversation", "get", "inbox/{talk}", READ),
    Route("conversation-done", "post", "inbox/{talk}/done", EDIT),
    Route("conversation-reopen", "post", "inbox/{talk}/reopen", EDIT),
    Route("conversation-assign", "post", "inbox/{talk}/assign", EDIT, {"person": "{writer}"}),
    Route("conversation-draft", "post", "inbox/{talk}/draft", EDIT, success=202),
    Route("conversation-reply", "post", "inbox/{talk}/reply", EDIT, {"text": "Thanks!"}, success=201),
    Route("media", "get", "media", READ),
    Route("media-file", "get", "media/{asset}", READ),
    Route("slots", "get", "connections/{connection}/slots", READ),
    Route("slots", "post", "connections/{connection}/slots", PUBLISH, {"weekdays": [1], "time": "08:00"}, success=201),
    Route("slot", "delete", "connections/{connection}/slots/{slot}", PUBLISH, success=204),
    Route("slot", "patch", "connections/{connection}/slots/{slot}", PUBLISH, {"weekday": "3"}),
    Route("queue", "get", "connections/{connection}/queue", READ),
    Route("queue-move", "post", "connections/{connection}/queue/move", PUBLISH, {"delivery": "{queued}", "place": "0"}),
    Route("delivery-prioritise", "post", "deliveries/{queued}/prioritise", PUBLISH),
    Route("recurrences", "get", "recurrences", READ),
    Route("recurrences", "post", "recurrences", BOTH, {"post": "{post}", "kind": "evergreen"}, success=201),
    Route("recurrence", "get", "recurrences/{recurrence}", READ),
    Route("recurrence", "delete", "recurrences/{recurrence}", BOTH, success=204),
    Route("recurrence-pause", "post", "recurrences/{recurrence}/pause", BOTH),
    Route("recurrence-resume", "post", "recurrences/{recurrence}/resume", BOTH),
    Route("recurrence-skip", "post", "recurrences/{recurrence}/skip", BOTH),
    Route("recurrence-end", "post", "recurrences/{recurrence}/end", BOTH),
    Route("post-versions", "get", "posts/{post}/versions", READ),
    Route("post-bring-back", "post", "posts/{post}/versions/1/bring-back", EDIT),
    Route("snippets", "get", "snippets", READ),
    Route("snippets", "post", "snippets", EDIT, {"kind": "template", "name": "New", "text": "Hi"}, success=201),
    Route("snippet", "delete", "snippets/{snippet}", EDIT, success=204),
    Route("logs", "get", "logs", READ),
    Route("logs-rollup", "get", "logs/rollup", READ),
    Route("usage", "get", "usage", READ),
    Route("export", "get", "export", READ),
    Route("projects", "get", "projects", READ),
    Route("projects", "post", "projects", EDIT, {"name": "New", "folder": "new"}, success=201),
    Route("project", "get", "projects/{project}", READ),
    Route("project", "patch", "projects/{project}", EDIT, {"name": "New"}),
    Route("project", "delete", "projects/{project}", EDIT, success=204),
    Route("project-scan", "post", "projects/scan", EDIT, {"project": "{project}"}),
    Route("tasks-publish", "post", "tasks/publish", PUBLISH, {"deliveries": ["{approved}"]}),
]
# These need a file, a network, a review on hold or one's own run: test_import_api, test_live_pages, test_live_answers,
# test_review_api and test_ai_api ask every role.
ELSEWHERE = {
    "ai-run",
    "review-resume",
    "imports",
    "import",
    "import-apply",
    "live-edit",
    "live-take-down",
    "live-replies",
    "live-reply-hide",
}
WITH_ID = [route for route in ROUTES if "{" in route.path]
LISTS_FOR_GUESTS = {"campaigns", "posts", "deliveries", "media"}


@pytest.fixture
def ids(in_workspace, alice_actor, bob_actor, join) -> dict[str, str]:
    """One of everything, in a state in which every act is possible."""
    connection = add_connection(in_workspace)
    campaign = create_campaign(by=alice_actor, name="Spring")
    (slot,) = add_slot(connection, by=alice_actor, weekdays=[0], at=time(9), time_zone="Europe/Berlin")
    post = add_post(bob_actor, connection, campaign=campaign)
    waiting = add_post(bob_actor, connection, text="Waiting.")
    submit_post(waiting, by=bob_actor)
    review = Review.objects.get()
    source = create_source(by=alice_actor, name="Folder", folder="folder")
    plan = Plan.objects.create(workspace=in_workspace, brief="Decaf", status="ready")
    lines = [
        PlanLine.objects.create(
            workspace=in_workspace,
            plan=plan,
            n=n,
            connection=connection,
            language="en",
            text=f"Line {n}.",
            status=status,
        )
        for n, status in enumerate(["proposed", "rejected"])
    ]
    hans = join("Hans", Role.GUEST)
    share_campaign(campaign, hans, by=alice_actor)
    return {
        "campaign": str(campaign.pk),
        "plan": str(plan.pk),
        "line": str(lines[0].pk),
        "rejected": str(lines[1].pk),
        "post": str(post.pk),
        "delivery": delivery_of(post),
        "approved": delivery_of(approved(bob_actor, connection)),
        "uncertain": delivery_of(uncertain(bob_actor, connection)),
        "review": str(review.pk),
        "hash": review.action_hash,
        "asset": str(add_asset(in_workspace).pk),
        "connection": str(connection.pk),
        "slot": str(slot.pk),
        "project": str(source.pk),
        "queued": queued(bob_actor, connection),
        "recurrence": repeated(post, bob_actor),
        "guest": str(hans.pk),
        "talk": str(heard(connection).pk),
        "writer": str(bob_actor.user.pk),
        "link": str(create_link(by=alice_actor, name="Chen", scope_id=campaign.pk, scope_label="Spring")[0].pk),
        "snippet": str(Snippet.objects.create(workspace=in_workspace, kind="hashtags", name="Beans", text="#b").pk),
    }


def heard(connection) -> Conversation:
    fields = {"workspace": connection.workspace, "connection": connection}
    talk = Conversation.objects.create(**fields, kind="mention", remote_id="900", author_id="77", author_handle="mei")
    InboxMessage.objects.create(**fields, conversation=talk, remote_id="901", text="Nice!", is_summons=True)
    return talk


def queued(by, connection) -> str:
    row = Delivery.objects.get(post=add_post(by, connection, text="Queued."))
    return str(add_to_next_slot(row, by=by).pk)


def repeated(post: Post, by) -> str:
    row = repeat_post(post, by=by, kind="weekly", weekdays=[0], at=time(9), time_zone="Europe/Berlin")
    return str(row.pk)


def delivery_of(post: Post) -> str:
    return str(Delivery.objects.get(post=post).pk)


def approved(by, connection) -> Post:
    post = add_post(by, connection, text="Approved.")
    Delivery.objects.filter(post=post).update(state="approved")
    return post


def uncertain(by, connection) -> Post:
    post = add_post(by, connection, text="Uncertain.")
    Delivery.objects.filter(post=post).update(state="unconfirmed", fence=1)
    row = Delivery.objects.get(post=post)
    row.attempts.create(workspace=by.workspace, number=1, outcome="unknown", submitting_part=0)
    return post


def test_every_route_of_this_app_is_walked():
    assert wired_names("campaigns-api") == {route.name for route in ROUTES} | ELSEWHERE


@pytest.mark.parametrize("who", ["alice", "bob", "rita", "vic"])
def test_members_may_do_what_their_role_says(request, api, ids, who):
    client = api(request.getfixturevalue(who))
    assert statuses(client, ids, ROUTES) == expected(MAY[who], ROUTES)


@pytest.mark.parametrize("scope", SCOPES)
def test_keys_may_do_what_their_scope_says(api, api_key, ids, scope):
    assert statuses(api(api_key(scope)), ids, ROUTES) == expected(SCOPES[scope], ROUTES)


def test_guest_without_a_share_finds_nothing(api, gwen, ids):
    client = api(gwen)
    found = statuses(client, ids, ROUTES)
    lists = [label(route) for route in ROUTES if route.path in LISTS_FOR_GUESTS and route.method == "get"]
    # An export holds what is shared, which is nothing here.
    lists.append("get export")
    assert {name: status for name, status in found.items() if status < 300} == dict.fromkeys(lists, 200)
    assert [client.get(f"/api/{name}").json()["results"] for name in LISTS_FOR_GUESTS] == [[]] * 4


def test_guest_reads_what_is_shared_and_changes_nothing(api, gwen, ids):
    assign_perm("campaigns.view_campaign", gwen, Campaign.objects.get(pk=ids["campaign"]))
    Post.objects.update(campaign=ids["campaign"])
    shared = [route for route in WITH_ID if route.path.startswith(("campaigns", "posts", "deliveries"))]
    # How a text came about, where it may go and who decides are the team's own.
    of_team = {"post-versions", "post-matrix", "campaign-policy"}
    shared = [route for route in shared if not (route.name in of_team and route.method == "get")]
    assert statuses(api(gwen), ids, shared) == expected({READ}, shared)


def test_nobody_is_let_in(api, ids):
    assert set(statuses(api(), ids, ROUTES).values()) == {401}


def test_foreign_ids_are_answered_like_missing_ones(api, charlie, other_workspace, ids):
    missing = dict.fromkeys(ids, str(uuid4()))
    for route in WITH_ID:
        foreign, absent = ask(api(charlie), route, ids), ask(api(charlie), route, missing)
        assert (foreign.status_code, foreign.content) == (404, absent.content), label(route)


def test_foreign_ids_inside_a_body_are_answered_like_missing_ones(api, charlie, other_workspace, ids):
    missing = dict.fromkeys(ids, str(uuid4()))
    bodies = {
        "posts": {"parts": [{"text": "New"}], "campaign": "{campaign}"},
        "reviews/links": {"name": "Chen", "campaign": "{campaign}"},
        "projects": {"name": "New", "folder": "new", "campaign": "{campaign}"},
        "projects/scan": {"project": "{project}"},
    }
    for path, body in bodies.items():
        route = Route(path, "post", path, EDIT, body)
        foreign, absent = ask(api(charlie), route, ids), ask(api(charlie), route, missing)
        assert (foreign.status_code, foreign.content) == (400, absent.content), path
