from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from accounts.models import UsageEntry
from accounts.usage import month_scope, spent
from analytics.collection.adopt import adopt_live_parts
from analytics.collection.measure import measure_due
from analytics.models import MeasuredPost, Snapshot
from lib import clock
from lib.clock import now
from tests.campaigns.engine.conftest import (  # noqa: F401 fixtures
    approve,
    bot,
    channel,
    chat,
    draft,
    due,
    picture,
    publish,
    quick_engine,
    sent,
    telegram,
    tick,
)
from tests.sandbox.cast import Sandbox
from tests.social.conftest import begin, connected, connection, sandbox, sandbox_process  # noqa: F401 fixtures

READS = "GET /2/tweets"


# Every test begins at this hour (UTC), so that the same ages fall on the same days.
HOUR_OF_TESTS = 9


class Travel:
    """The clocks of the product and of the sandbox, moved together."""

    def __init__(self, sandbox: Sandbox) -> None:  # noqa: F811
        self.sandbox, self.gone = sandbox, 0.0
        at = now()
        begins_at = at.replace(hour=HOUR_OF_TESTS, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self.wait = (begins_at - at).total_seconds()

    @contextmanager
    def at(self, seconds: float) -> Iterator[None]:
        """So long after the beginning of the test; only forward."""
        moment = self.wait + seconds
        self.sandbox.advance(moment - self.gone)
        self.gone = moment
        with clock.shifted(timedelta(seconds=moment)):
            yield


@pytest.fixture
def travel(sandbox) -> Travel:  # noqa: F811
    return Travel(sandbox)


@pytest.fixture
def live_post(publish, travel) -> Callable[..., MeasuredPost]:  # noqa: F811
    """Published and adopted."""

    def make(text: str = "Fresh beans today", **fields) -> MeasuredPost:
        with travel.at(0):
            (part,) = publish(text, **fields)
            adopt_live_parts()
        return MeasuredPost.objects.get(part=part)

    return make


@pytest.fixture
def measured_at(travel) -> Callable[..., int]:
    """Measures what is due at this age in seconds."""

    def run(*ages: float) -> int:
        count = 0
        for age in ages:
            with travel.at(age):
                count += measure_due()
        return count

    return run


@pytest.fixture
def ages_of() -> Callable[[MeasuredPost], list[int]]:
    return lambda post: list(Snapshot.objects.filter(post=post).order_by("age_s").values_list("age_s", flat=True))


@pytest.fixture
def reads(sandbox) -> Callable[[], list[dict]]:  # noqa: F811
    """The look-ups that reached X."""
    return lambda: [entry for entry in sandbox.ledger() if entry["path"].startswith("/2/tweets?")]


@pytest.fixture
def ledger() -> Callable[[], dict[str, int]]:
    """Reads by status, and what they come to."""

    def run() -> dict[str, int]:
        rows = UsageEntry.objects.filter(kind="x.read")
        return {status: rows.filter(status=status).count() for status in ("reserved", "settled", "released")}

    return run


@pytest.fixture
def held_now(in_workspace) -> Callable[[], int]:
    return lambda: spent(in_workspace, month_scope(now()))[1]
