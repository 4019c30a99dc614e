"""The web bench measures what it says, never how fast this machine is."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from accounts.access import Actor
from accounts.models import User, Workspace
from marketing.benching import web
from marketing.benching.pages import PAGES, fill_pages


def test_ratios_are_multiples_of_the_bare_page() -> None:
    found = web.ratios({"bare": [1.0, 2.0, 3.0], "posts": [10.0, 20.0, 30.0]})
    assert found["bare_page_p50_ms"] == 2.0
    assert found["page_posts_p50_ms"] == 20.0
    assert found["page_posts_to_bare_p50"] == found["page_posts_to_bare_p95"] == pytest.approx(10.0)
    assert {name for name in found if "bare" not in name} == {"page_posts_p50_ms", "page_posts_p95_ms"}


@pytest.mark.django_db
def test_each_page_is_asked_for_as_its_person(workspace: Workspace, alice: User, alice_actor: Actor) -> None:
    fill_pages(2, by=alice_actor)
    found = web.queries(alice_actor, web.session_of(alice))
    assert found.keys() == PAGES.keys()
    assert all(count > 5 for count in found.values())


@pytest.mark.django_db
def test_a_page_that_is_refused_is_no_measurement(workspace: Workspace, alice_actor: Actor) -> None:
    with pytest.raises(AssertionError, match=f"/w/{workspace.slug}/: 302"):
        web.queries(alice_actor, "nobody")


@pytest.mark.django_db
def test_the_bare_page_shows_the_same_rows_by_django_alone(
    rf: RequestFactory, workspace: Workspace, alice_actor: Actor
) -> None:
    from marketing.benching import web_app

    fill_pages(3, by=alice_actor)
    answer = web_app.bare.get_response(rf.get("/bare"))
    assert answer.status_code == 200
    assert answer.content.decode().count("<tr>") == 3
    assert str(AnonymousUser()) in answer.content.decode()
    assert "Content-Security-Policy" not in answer.headers


def test_a_server_that_knows_nothing_yet_can_load_it() -> None:
    command = [sys.executable, "-c", "import marketing.benching.web_app"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "marketing.settings"}
    subprocess.run(command, env=environment, cwd=settings.BASE_DIR, check=True)
