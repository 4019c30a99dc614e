"""The look an hour ahead: what it writes down, whom it tells, and how often."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.access import Actor
from accounts.models import Notification, Workspace
from accounts.scope import workspace_scope
from campaigns import preflight_ahead as ahead
from campaigns.link_checks import hash_of
from campaigns.models import Delivery, LinkCheck
from campaigns.rendering import render
from campaigns.tasks import preflight_ahead
from lib.clock import now, shifted
from social.models import Connection, Credential
from tests.campaigns.cast import add_connection, add_post
from tests.social.conftest import (  # noqa: F401
    begin,
    celery_eager,
    connected,
    connection,
    sandbox,
    sandbox_process,
    token_calls,
)

State = Delivery.State
MINUTE = timedelta(minutes=1)


@pytest.fixture
def roastery(workspace: Workspace) -> Connection:
    with workspace_scope(workspace.pk):
        row = add_connection(workspace)
        Credential.objects.create(
            workspace=workspace, connection=row, access_token="t", expires_at=now() + 200 * MINUTE
        )
    return row


@pytest.fixture
def planned(bob_actor: Actor, roastery: Connection) -> Callable[..., Delivery]:
    """Approved and due in so many minutes. The look itself opens the scope, as the worker does."""

    def make(minutes: float = 60, state: str = State.SCHEDULED, to: Connection | None = None, **post) -> Delivery:
        with workspace_scope(bob_actor.workspace.pk):
            row = Delivery.objects.get(post=add_post(bob_actor, to or roastery, **{"text": f"{now()}"} | post))
            at = now() + minutes * MINUTE
            is_approved = state not in {State.DRAFT, State.IN_REVIEW}
            Delivery.objects.filter(pk=row.pk).update(
                state=state,
                scheduled_at=at,
                due_at=at if is_approved else None,
                approved_hash=render(row).content_hash if is_approved else "",
            )
        return row

    return make


def change(workspace: Workspace, model: type, **fields) -> None:
    with workspace_scope(workspace.pk):
        model.objects.update(**fields)


def look(workspace: Workspace) -> None:
    ahead.check_workspace(workspace.pk)


def risk_of(row: Delivery) -> tuple[str, str]:
    with workspace_scope(row.workspace_id):
        return Delivery.objects.values_list("risk", "risk_text").get(pk=row.pk)


def told(workspace: Workspace) -> list[Notification]:
    with workspace_scope(workspace.pk):
        return list(Notification.objects.filter(kind="delivery.at_risk").select_related("user"))


# --- what is looked at ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "is_due"), [(74, True), (50, True), (1, True), (76, False), (-1, False)])
def test_what_is_due_within_75_minutes_is_looked_at(planned, workspace, minutes: float, is_due: bool) -> None:
    planned(minutes)
    assert ahead.workspaces_to_check() == ([workspace.pk] if is_due else [])


@pytest.mark.parametrize("state", [State.PUBLISHED, State.CANCELED, State.FAILED, State.PUBLISHING])
def test_what_is_sent_or_settled_is_not_looked_at(planned, state: str) -> None:
    planned(60, state)
    assert ahead.workspaces_to_check() == []


def test_a_suspended_workspace_is_not_looked_at(planned, workspace) -> None:
    planned()
    Workspace.objects.update(is_suspended=True)
    assert ahead.workspaces_to_check() == []


def test_the_task_looks_at_every_workspace(planned, workspace, celery_eager) -> None:  # noqa: F811
    row = planned()
    change(workspace, Connection, status="reconnect")
    preflight_ahead()
    assert risk_of(row)[0] == "red"


# --- what it writes ---------------------------------------------------------------------------------------


def test_what_is_ready_is_not_at_risk(planned, workspace) -> None:
    row = planned()
    look(workspace)
    assert risk_of(row) == ("", "")
    assert told(workspace) == []


def test_a_red_finding_is_written_down(planned, workspace) -> None:
    row = planned()
    change(workspace, Connection, status="reconnect", status_text="X took it back.")
    look(workspace)
    assert risk_of(row) == ("red", "@roastery cannot post. X took it back.")


def test_several_findings_are_counted(planned, workspace) -> None:
    row = planned()
    change(workspace, Connection, scopes=["users.read"])
    change(workspace, Credential, expires_at=now())
    look(workspace)
    assert risk_of(row)[1].endswith("And 1 more.")


def test_a_risk_that_is_over_is_taken_back(planned, workspace) -> None:
    row = planned()
    change(workspace, Connection, status="reconnect")
    look(workspace)
    change(workspace, Connection, status="active")
    look(workspace)
    assert risk_of(row) == ("", "")


def test_a_risk_is_taken_back_when_the_post_moves_away(planned, workspace) -> None:
    row = planned()
    change(workspace, Connection, status="reconnect")
    look(workspace)
    later = now() + timedelta(days=7)
    change(workspace, Delivery, scheduled_at=later, due_at=later)
    assert ahead.workspaces_to_check() == [workspace.pk]
    look(workspace)
    assert risk_of(row) == ("", "")


def test_the_words_of_a_finding_fit(planned, workspace) -> None:
    row = planned()
    change(workspace, Connection, status="reconnect", status_text="x" * 300)
    look(workspace)
    assert len(risk_of(row)[1]) == 300


# --- whom it tells ----------------------------------------------------------------------------------------


def test_those_who_may_act_are_told_what_when_and_why(planned, workspace, rita, vic) -> None:
    row = planned()
    change(workspace, Connection, status="reconnect", status_text="X took it back.")
    look(workspace)
    news = told(workspace)
    assert {one.user.name for one in news} == {"Alice", "Bob"}
    assert "At risk: “" in news[0].text
    assert "Europe/Berlin. @roastery cannot post. X took it back." in news[0].text
    assert news[0].path == f"/deliveries/{row.pk}"
    assert news[0].is_alert


def test_they_are_told_once(planned, workspace) -> None:
    planned()
    change(workspace, Connection, status="reconnect")
    look(workspace)
    first = len(told(workspace))
    with shifted(10 * MINUTE):
        look(workspace)
    assert len(told(workspace)) == first


def test_another_reason_of_the_same_weight_is_not_told_again(planned, workspace) -> None:
    row = planned()
    change(workspace, Connection, status="reconnect")
    look(workspace)
    first = len(told(workspace))
    change(workspace, Connection, status="paused")
    look(workspace)
    assert risk_of(row)[1] == "@roastery cannot post. It is paused."
    assert len(told(workspace)) == first


def test_amber_is_shown_but_not_told(planned, workspace) -> None:
    row = planned()
    planned(62)
    look(workspace)
    assert risk_of(row)[0] == "amber"
    assert told(workspace) == []


def test_amber_that_becomes_red_is_told(planned, workspace) -> None:
    planned()
    planned(62)
    look(workspace)
    change(workspace, Connection, status="reconnect")
    look(workspace)
    assert told(workspace)


def test_what_waits_for_approval_within_the_hour_is_told_to_reviewers(planned, workspace, rita) -> None:
    row = planned(59, State.IN_REVIEW)
    look(workspace)
    assert risk_of(row) == ("red", "It waits for approval; it needs that within the hour.")
    assert {one.user.name for one in told(workspace)} == {"Alice", "Rita"}


def test_a_draft_that_is_due_is_told_to_editors(planned, workspace, rita) -> None:
    planned(59, State.DRAFT)
    look(workspace)
    assert {one.user.name for one in told(workspace)} == {"Alice", "Bob"}


def test_a_link_that_leads_nowhere_is_told(planned, workspace) -> None:
    row = planned(text="See https://beans.coffee/new")
    with workspace_scope(workspace.pk):
        # Looked at a moment ago, so that nobody is asked now.
        url = "https://beans.coffee/new"
        gone = {"url": url, "url_hash": hash_of(url), "is_ok": False, "problem": "There is no page."}
        LinkCheck.objects.create(workspace=workspace, **gone)
    look(workspace)
    assert risk_of(row) == ("amber", f"The link {url} does not answer: There is no page.")


# --- log-ins ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ends_in", "calls"), [(30, 1), (90, 0)])
def test_a_log_in_that_ends_before_the_post_is_renewed_ahead(
    planned,
    workspace,
    connection,  # noqa: F811
    token_calls,  # noqa: F811
    ends_in: float,
    calls: int,
) -> None:
    planned(60, to=connection)
    before = len(token_calls())
    with workspace_scope(workspace.pk):
        Credential.objects.filter(connection=connection).update(expires_at=now() + ends_in * MINUTE)
    look(workspace)
    assert len(token_calls()) - before == calls
    assert told(workspace) == []


def test_a_log_in_that_cannot_be_renewed_puts_its_posts_at_risk(
    planned,
    workspace,
    connection,  # noqa: F811
    sandbox,  # noqa: F811
) -> None:
    row = planned(60, to=connection)
    with workspace_scope(workspace.pk):
        credential = Credential.objects.get(connection=connection)
        credential.refresh_token, credential.expires_at = "used up", now() + 30 * MINUTE
        credential.save()
    look(workspace)
    assert risk_of(row)[0] == "red"
    with workspace_scope(workspace.pk):
        assert Connection.objects.get(pk=connection.pk).status == "reconnect"


def test_another_workspace_is_left_alone(planned, workspace, other_workspace) -> None:
    row = planned()
    change(workspace, Connection, status="reconnect")
    look(other_workspace)
    assert risk_of(row) == ("", "")
