"""Pages for people without an account: only that page, only while it is meant to work."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from accounts.access import Actor
from accounts.models import AuditEntry, Workspace
from accounts.scope import workspace_scope
from analytics.models import SharedPage
from analytics.shares import MOST_DAYS, find_page, hash_token, revoke_page, share_page
from analytics.views.share import MOST_REQUESTS
from campaigns.services import delete_campaign
from lib.clock import shifted
from tests.analytics.pages.test_results import text_of


@pytest.fixture
def shared(busy, workspace: Workspace, alice_actor: Actor) -> tuple[SharedPage, str]:
    with workspace_scope(workspace.pk):
        return share_page("campaign", {"days": "7"}, by=alice_actor, object_id=busy.pk, label="Ms Chen")


def look(token: str):
    return Client().get(f"/shared/{token}")


def test_an_editor_makes_an_address_that_is_shown_once(busy, workspace, bob_client) -> None:
    where = f"/w/{workspace.slug}/results/shared"
    made = bob_client.post(f"{where}/new?kind=dashboard&days=7", {"label": "Ms Chen", "days": "30"})
    token = re.search(r"/shared/(sp_[\w-]+)", made.content.decode())[1]
    listed = bob_client.get(where).content.decode()
    assert "Ms Chen" in listed
    assert token not in listed
    with workspace_scope(workspace.pk):
        row = SharedPage.objects.get()
        assert row.token_hash == hash_token(token)
        assert token not in str(AuditEntry.objects.filter(action="shared_page.create").get().__dict__)
    assert "7,021" in text_of(look(token))


def test_it_shows_the_page_and_nothing_of_the_inside(shared) -> None:
    response = look(shared[1])
    shown = response.content.decode()
    assert "Results of Spring" in shown
    for secret in ("alice@example.org", "Alice", "/w/", "$0.60", "Return on costs", "data-live", "csrf", "Ms Chen"):
        assert secret not in shown, secret
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


def test_costs_are_shown_where_the_sharer_says_so(busy, workspace, alice_actor) -> None:
    with workspace_scope(workspace.pk):
        _row, token = share_page("campaign", {"days": "7"}, by=alice_actor, object_id=busy.pk, with_costs=True)
    assert "$0.60" in text_of(look(token))


def test_every_address_that_does_not_work_answers_the_same(shared, busy, workspace, alice_actor) -> None:
    row, token = shared
    unknown = look("sp_" + "x" * 43)
    assert unknown.status_code == 404
    answers = {}
    with shifted(timedelta(days=31)):
        answers["expired"] = look(token)
    answers["nonsense"] = look("x")
    answers["too long"] = look(token + "x")
    with workspace_scope(workspace.pk):
        revoke_page(row, by=alice_actor)
    answers["taken back"] = look(token)
    with workspace_scope(workspace.pk):
        _other, token = share_page("campaign", {}, by=alice_actor, object_id=busy.pk)
        delete_campaign(busy, by=alice_actor)
    answers["gone"] = look(token)
    with workspace_scope(workspace.pk):
        _other, token = share_page("dashboard", {}, by=alice_actor)
    Workspace.objects.filter(pk=workspace.pk).update(is_suspended=True)
    answers["suspended"] = look(token)
    for name, answer in answers.items():
        assert (answer.status_code, answer.content) == (404, unknown.content), name


def test_the_last_of_its_days_counts(shared) -> None:
    with shifted(timedelta(days=29, hours=23)):
        assert look(shared[1]).status_code == 200


def test_the_last_days_move_on_and_chosen_days_stay(busy, workspace, alice_actor) -> None:
    chosen = {"from": "2026-03-01", "to": "2026-03-05"}
    with workspace_scope(workspace.pk):
        _row, moving = share_page("dashboard", {"days": "7"}, by=alice_actor)
        _row, fixed = share_page("dashboard", chosen, by=alice_actor)
    with shifted(timedelta(days=2)):
        assert "6 Mar – 12 Mar 2026" in text_of(look(moving))
        assert "1 Mar – 5 Mar 2026" in text_of(look(fixed))


def test_many_looks_from_one_address_are_slowed_down(shared) -> None:
    for _ in range(MOST_REQUESTS):
        look("x")
    assert look(shared[1]).status_code == 429
    cache.clear()
    assert look(shared[1]).status_code == 200


def test_it_is_noted_that_somebody_looked(shared, workspace) -> None:
    look(shared[1])
    with workspace_scope(workspace.pk):
        assert SharedPage.objects.get().seen_at is not None


def test_an_editor_takes_it_back(shared, workspace, bob_client) -> None:
    row, token = shared
    assert bob_client.post(f"/w/{workspace.slug}/results/shared/{row.pk}/revoke").status_code == 302
    assert find_page(token) is None
    assert "taken back" in text_of(bob_client.get(f"/w/{workspace.slug}/results/shared"))


def test_viewers_share_nothing(in_workspace, actor_of, vic, client_of) -> None:
    with pytest.raises(PermissionDenied):
        share_page("dashboard", {}, by=actor_of(vic))
    where = f"/w/{in_workspace.slug}/results/shared"
    assert client_of(vic).get(f"{where}/new").status_code == 403
    assert b"Share the overview" not in client_of(vic).get(where).content


@pytest.mark.parametrize(("kind", "days"), [("audit", 3), ("dashboard", 0), ("dashboard", MOST_DAYS + 1)])
def test_what_cannot_be_shared_is_refused(in_workspace, alice_actor, kind: str, days: int) -> None:
    with pytest.raises(ValidationError):
        share_page(kind, {}, by=alice_actor, days=days)


@pytest.mark.parametrize("query", ["kind=report", "kind=campaign", "kind=campaign&object=x"])
def test_a_form_for_nothing_is_not_found(workspace, bob_client, query: str) -> None:
    assert bob_client.get(f"/w/{workspace.slug}/results/shared/new?{query}").status_code == 404


def test_a_form_with_errors_comes_back(workspace, bob_client) -> None:
    where = f"/w/{workspace.slug}/results/shared/new?kind=dashboard"
    assert bob_client.post(where, {"days": "0"}).status_code == 422
    with workspace_scope(workspace.pk):
        assert not SharedPage.objects.exists()


def test_params_keep_only_what_an_address_has(in_workspace, alice_actor) -> None:
    row, _token = share_page("dashboard", {"days": "7" * 99, "secret": "x", "to": ""}, by=alice_actor)
    assert row.params == {"days": "7" * 40, "with_costs": False}
