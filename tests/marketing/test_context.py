from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import Workspace
from accounts.services import create_workspace
from campaigns.models import Delivery
from compliance.services import request_review
from marketing.context import page_context
from marketing.health import SCHEDULER_KEY, record
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post, set_state

FRAME = Template("{{ nav_counts.reviews }}/{{ nav_counts.attention }} {% for w in workspaces %}{{ w }},{% endfor %}")


@pytest.fixture
def asked_by(rf: RequestFactory) -> Callable[..., HttpRequest]:
    def ask(actor: Actor | None, **headers: str) -> HttpRequest:
        request = rf.get("/", headers=headers)
        request.actor = actor
        request.user = actor.user if actor else AnonymousUser()
        return request

    return ask


def frame(request: HttpRequest) -> str:
    return FRAME.render(Context(page_context(request)))


@pytest.fixture
def trouble(in_workspace: Workspace, bob_actor: Actor) -> None:
    roastery = add_connection(in_workspace)
    add_connection(in_workspace, "old", status=Connection.Status.RECONNECT)
    add_connection(in_workspace, "gone", status=Connection.Status.DISCONNECTED)
    for state in ("failed", "unconfirmed", "missed", "published"):
        set_state(add_post(bob_actor, roastery), state)
    waiting = Delivery.objects.filter(state="published").first()
    request_review("delivery", waiting.pk, by=bob_actor, action_hash="0" * 64, snapshot={})


def test_the_frame_counts_what_waits(trouble, asked_by, bob_actor: Actor) -> None:
    assert frame(asked_by(bob_actor)).startswith("1/4 ")


def test_it_counts_also_where_the_view_opened_no_scope(trouble, asked_by, bob_actor: Actor) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace', '', true)")
    assert frame(asked_by(bob_actor)).startswith("1/4 ")


def test_it_counts_only_this_workspace(trouble, asked_by, charlie_actor: Actor) -> None:
    assert frame(asked_by(charlie_actor)).startswith("0/0 ")


def test_a_guest_is_told_no_counts(trouble, asked_by, gwen_actor: Actor) -> None:
    assert frame(asked_by(gwen_actor)).startswith("0/0 ")


def test_the_switcher_lists_ones_own_workspaces(
    asked_by, alice, alice_actor: Actor, other_workspace, in_workspace
) -> None:
    create_workspace("Bar", owner=alice)
    assert frame(asked_by(alice_actor)).endswith("Bar,Roastery,")


def test_the_frame_costs_two_queries(trouble, asked_by, bob_actor: Actor) -> None:
    request = asked_by(bob_actor)
    with CaptureQueriesContext(connection) as queries:
        frame(request)
    assert len(queries) == 2


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_nothing_is_asked_before_a_template_needs_it(asked_by, bob_actor: Actor, in_workspace, headers) -> None:
    request = asked_by(bob_actor, **headers)
    with CaptureQueriesContext(connection) as queries:
        page_context(request)
    assert len(queries) == 0


def test_a_fragment_has_no_frame(asked_by, bob_actor: Actor, in_workspace) -> None:
    assert "workspaces" not in page_context(asked_by(bob_actor, **{"HX-Request": "true"}))


def test_going_back_in_the_history_has_one(asked_by, bob_actor: Actor, in_workspace) -> None:
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "workspaces" in page_context(asked_by(bob_actor, **headers))


def test_a_visitor_has_a_theme_a_pace_and_nothing_else(asked_by, db) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert page_context(asked_by(None)) == {"theme": "auto", "poll_s": 2}
    assert len(queries) == 0


def test_a_request_that_never_met_the_middleware_has_a_theme(rf: RequestFactory) -> None:
    assert page_context(rf.get("/"))["theme"] == "auto"


@pytest.mark.parametrize(("cookie", "theme"), [("dark", "dark"), ("light", "light"), ('"><script>', "auto")])
def test_only_a_known_theme_reaches_the_page(rf: RequestFactory, cookie: str, theme: str) -> None:
    rf.cookies["theme"] = cookie
    assert page_context(rf.get("/"))["theme"] == theme


def test_flags_say_what_the_role_may_do(asked_by, bob_actor: Actor, vic_actor: Actor) -> None:
    assert page_context(asked_by(bob_actor))["can"]["publish"] is True
    assert page_context(asked_by(vic_actor))["can"]["publish"] is False
    assert page_context(asked_by(vic_actor))["can"]["view"] is True


def test_the_age_of_the_scheduler_is_told(asked_by, bob_actor: Actor) -> None:
    assert page_context(asked_by(bob_actor))["scheduler_age_s"] is None
    record(SCHEDULER_KEY)
    assert page_context(asked_by(bob_actor))["scheduler_age_s"] < 5
    cache.delete(SCHEDULER_KEY)


@pytest.mark.parametrize(("url", "is_sandbox"), [("https://api.x.com", False), ("http://127.0.0.1:1/x", True)])
def test_the_sandbox_is_marked(asked_by, bob_actor: Actor, settings, url: str, is_sandbox: bool) -> None:
    settings.X_API_BASE_URL = url
    assert page_context(asked_by(bob_actor))["sandbox_mode"] is is_sandbox
