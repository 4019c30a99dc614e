"""Every route of results and links, asked by every role, by keys of every scope, by strangers and by nobody."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from guardian.shortcuts import assign_perm

from accounts.service_clients import create_client, issue_token
from analytics.api.reports import MARCH
from analytics.api.tracking import LINK, SALE
from analytics.models import MeasuredPost, Report
from analytics.reporting.services import request_report
from analytics.tracking.links import create_link
from campaigns.models import Campaign, Delivery, Post
from campaigns.services import create_campaign
from lib.clock import now
from tests.api_walk import Route, ask, expected, label, statuses, wired_names
from tests.campaigns.cast import add_connection, add_post

pytestmark = pytest.mark.django_db
READ, EDIT = "read", "edit"
MAY = {"alice": {READ, EDIT}, "bob": {READ, EDIT}, "rita": {READ}, "vic": {READ}}
SCOPES = {"read": {READ}, "write": {READ, EDIT}, "publish": {READ}, "connections": {READ}}
WEEK = {"start": "2026-03-02", "end": "2026-03-08"}

ROUTES = [
    Route("dashboard", "get", "analytics/dashboard", READ),
    Route("campaign", "get", "analytics/campaigns/{campaign}", READ),
    Route("delivery-metrics", "get", "deliveries/{delivery}/metrics", READ),
    Route("reports", "get", "reports", READ),
    Route("reports", "post", "reports", EDIT, WEEK, success=201),
    Route("report", "get", "reports/{report}", READ),
    Route("report", "delete", "reports/{report}", EDIT, success=204),
    Route("report-pdf", "get", "reports/{report}/pdf", READ),
    Route("links", "get", "links", READ),
    Route("links", "post", "links", EDIT, {"target": "https://acme.example/"}, success=201),
    Route("link", "get", "links/{link}", READ),
    Route("link", "patch", "links/{link}", EDIT, {"title": "New"}),
    Route("conversions", "post", "conversions", EDIT, {"key": "order-1", "value": "49.90"}),
]
WITH_ID = [route for route in ROUTES if "{" in route.path]
# What belongs to a campaign that is shared.
FOR_GUESTS = {"campaign", "delivery-metrics"}


@pytest.fixture
def ids(in_workspace, alice_actor, bob_actor) -> dict[str, str]:
    """One of everything."""
    campaign = create_campaign(by=alice_actor, name="Spring")
    connection = add_connection(in_workspace)
    delivery = Delivery.objects.get(post=add_post(bob_actor, connection, campaign=campaign))
    at = now() - timedelta(days=2)
    MeasuredPost.objects.create(
        workspace=in_workspace, connection=connection, delivery=delivery, remote_id="1", published_at=at, impressions=5
    )
    return {
        "campaign": str(campaign.pk),
        "delivery": str(delivery.pk),
        "report": str(finished_report(bob_actor).pk),
        "link": str(create_link("https://acme.example/", by=bob_actor).pk),
    }


def finished_report(by) -> Report:
    report = request_report(date(2026, 3, 2), date(2026, 3, 8), by=by)
    report.status, report.ready_at = Report.Status.WITHOUT_TEXT, now()
    report.data = {
        **{"facts": [], "best": [], "worst": [], "notes": [], "series": {}, "series_labels": {}},
        "period": {"label": "2 – 8 Mar", "before_label": "the week before", "zone": "UTC"},
    }
    report.save()
    return report


def test_every_route_of_this_app_is_walked():
    assert wired_names("analytics-api") == {route.name for route in ROUTES}


@pytest.mark.parametrize("who", MAY)
def test_members_may_do_what_their_role_says(request, api, ids, who):
    assert statuses(api(request.getfixturevalue(who)), ids, ROUTES) == expected(MAY[who], ROUTES)


@pytest.mark.parametrize("scope", SCOPES)
def test_keys_may_do_what_their_scope_says(api, api_key, ids, scope):
    assert statuses(api(api_key(scope)), ids, ROUTES) == expected(SCOPES[scope], ROUTES)


def test_guests_read_what_is_shared_and_nothing_else(api, gwen, ids):
    refused = {label(route): 404 if route.name in FOR_GUESTS else 403 for route in ROUTES}
    assert statuses(api(gwen), ids, ROUTES) == refused
    assign_perm("campaigns.view_campaign", gwen, Campaign.objects.get(pk=ids["campaign"]))
    Post.objects.update(campaign=ids["campaign"])
    open_to_them = {label(route): 200 for route in ROUTES if route.name in FOR_GUESTS}
    assert statuses(api(gwen), ids, ROUTES) == refused | open_to_them


def test_neither_nobody_nor_an_integrator_is_let_in(api, alice, ids):
    service = issue_token(create_client("Shop Suite", alice)[0])
    for caller in (api(), api(service)):
        assert set(statuses(caller, ids, ROUTES).values()) == {401}


def test_foreign_ids_are_answered_like_missing_ones(api, charlie, other_workspace, ids):
    missing = dict.fromkeys(ids, str(uuid4()))
    for route in WITH_ID:
        foreign, absent = ask(api(charlie), route, ids), ask(api(charlie), route, missing)
        assert (foreign.status_code, foreign.content) == (404, absent.content), label(route)


def test_foreign_ids_inside_a_body_are_answered_like_missing_ones(api, charlie, other_workspace, ids):
    bodies = {"reports": WEEK, "links": {"target": "https://acme.example/"}}
    for path, body in bodies.items():
        route = Route(path, "post", path, EDIT, body | {"campaign": "{campaign}"})
        missing = dict.fromkeys(ids, str(uuid4()))
        foreign, absent = ask(api(charlie), route, ids), ask(api(charlie), route, missing)
        assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content), path
        assert foreign.status_code in {400, 404}, path


def test_the_documents_examples_work(api, bob, workspace):
    client = api(bob)
    (sale,) = SALE.value["conversions"]
    sold = {"conversions": [sale | {"at": now().isoformat()}]}
    for path, body, status in (("links", LINK.value, 201), ("reports", MARCH.value, 201), ("conversions", sold, 200)):
        answer = client.post(f"/api/{path}", body, format="json")
        assert answer.status_code == status, answer.content
