from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.access import Actor
from accounts.models import Workspace
from agents.runs.worker import advance
from analytics.models import MeasuredPost, Report, Snapshot
from analytics.reporting.making import make_reports
from analytics.reporting.services import request_report
from lib.clock import now
from social.models import Connection
from tests.agents.conftest import sandbox, sandbox_process  # noqa: F401 fixtures
from tests.campaigns.agents.conftest import script  # noqa: F401 fixture
from tests.campaigns.conftest import roastery  # noqa: F401 fixture

LAST_WEEK = (date(2026, 3, 2), date(2026, 3, 8))


@pytest.fixture
def measured(in_workspace: Workspace, roastery: Connection) -> list[MeasuredPost]:  # noqa: F811
    """Eight posts in the week and four in the week before, each a day old when it was read."""
    posts = [_post(in_workspace, roastery, number, LAST_WEEK[0] + timedelta(days=number % 7)) for number in range(8)]
    posts += [_post(in_workspace, roastery, 90 + n, LAST_WEEK[0] - timedelta(days=n + 1)) for n in range(4)]
    MeasuredPost.objects.bulk_create(posts)
    Snapshot.objects.bulk_create(_after_a_day(post) for post in posts)
    return posts


def _after_a_day(post: MeasuredPost) -> Snapshot:
    metrics = {"impressions": post.impressions, "likes": post.likes}
    return Snapshot(workspace=post.workspace, post=post, age_s=86_400, source="x.lookup", metrics=metrics)


def _post(workspace: Workspace, connection: Connection, number: int, day: date) -> MeasuredPost:
    return MeasuredPost(
        workspace=workspace,
        connection=connection,
        remote_id=str(1_000 + number),
        text=f"Post number {number}",
        published_at=datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo("UTC")),
        measured_at=now(),
        impressions=1_000 + number,
        likes=20,
        engagements=20,
    )


@pytest.fixture
def make(bob_actor: Actor) -> Callable[..., Report]:
    """A report of the week, through its workers; `text=False` stops before the assistant."""

    def through(report: Report | None = None, *, text: bool = True, language: str = "en") -> Report:
        report = report or request_report(*LAST_WEEK, by=bob_actor, language=language)
        make_reports()
        report.refresh_from_db()
        if text and report.run_id:
            advance(report.run_id)
            report.refresh_from_db()
        return report

    return through
