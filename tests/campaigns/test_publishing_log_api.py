"""GET /api/logs and /api/logs/rollup."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from campaigns import publishing_log as log
from campaigns.models import Delivery, HourlyRollup, Post, PublishingLog
from campaigns.sources import create_source
from lib.clock import now, shifted
from tests.campaigns.cast import add_post

pytestmark = pytest.mark.django_db
LOGS, ROLLUP = "/api/logs", "/api/logs/rollup"


@pytest.fixture
def vic_api(api, vic):
    return api(vic)


@pytest.fixture
def source(bob_actor, in_workspace):
    return create_source(by=bob_actor, name="Folder", folder="spring", connections=[])


@pytest.fixture
def lines(delivery, source, bob_actor, cafe) -> list[Delivery]:
    """Two deliveries, one of them of a project, with three lines an hour apart."""
    other = Delivery.objects.get(post=add_post(bob_actor, cafe))
    Post.objects.filter(pk=other.post_id).update(source=source)
    PublishingLog.objects.all().delete()
    HourlyRollup.objects.all().delete()
    with shifted(timedelta(hours=-2)):
        log.write_many([delivery.pk, other.pk], "created", log.INFO)
    with shifted(timedelta(hours=-1)):
        log.write(delivery, "failed", log.ERROR, "Too long.", code="too_long")
    return [delivery, other]


def results(client, url=LOGS, **query):
    answer = client.get(url, query)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_newest_line_comes_first_with_all_it_names(vic_api, lines):
    (line, *rest) = results(vic_api)
    delivery = lines[0]
    assert (line["action"], line["status"], line["message"]) == ("failed", "error", "Too long.")
    assert (line["delivery"], line["post"]) == (str(delivery.pk), str(delivery.post_id))
    assert (line["connection"], line["project"]) == (str(delivery.connection_id), None)
    assert line["details"] == {"code": "too_long", "fence": 0}
    assert len(rest) == 2


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"action": "created"}, 2),
        ({"action": "nothing"}, 0),
        ({"status": "error"}, 1),
        ({"status": "success"}, 0),
        ({"delivery": uuid4()}, 0),
    ],
)
def test_lines_are_filtered_by_what_they_say(vic_api, lines, query, number):
    assert len(results(vic_api, **query)) == number


def test_lines_are_filtered_by_what_they_are_about(vic_api, lines, source):
    first, second = lines
    assert len(results(vic_api, delivery=first.pk)) == 2
    assert len(results(vic_api, post=second.post_id)) == 1
    assert len(results(vic_api, project=source.pk)) == 1
    assert len(results(vic_api, connection=first.connection_id)) == 2


def test_lines_are_filtered_by_time(vic_api, lines):
    middle = (now() - timedelta(minutes=90)).isoformat()
    assert len(results(vic_api, since=middle)) == 1
    assert len(results(vic_api, until=middle)) == 2


def test_pages_hold_every_line_once(vic_api, lines):
    seen, url = [], f"{LOGS}?page_size=1"
    for _ in range(3):
        answer = vic_api.get(url).json()
        seen += [line["id"] for line in answer["results"]]
        url = answer["next"]
    assert (len(set(seen)), url) == (3, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "loud"),
        ("delivery", "1"),
        ("since", "soon"),
        ("since", "0001-01-01T00:00Z"),
        ("until", "9999-12-31T23:59Z"),
    ],
)
def test_wrong_filter_is_named(vic_api, in_workspace, name, value):
    answer = vic_api.get(LOGS, {name: value})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


@pytest.mark.parametrize("url", [LOGS, ROLLUP])
def test_guests_and_strangers_see_nothing(api, gwen, charlie, other_workspace, lines, url):
    assert api(gwen).get(url).status_code == 403
    assert results(api(charlie), url) == []
    assert api().get(url).status_code == 401


# --- counts -----------------------------------------------------------------------------------------------------


def numbers(rows) -> list[tuple[int, int, int]]:
    return [(row["created"], row["completed"], row["failed"]) for row in rows]


def test_hours_come_newest_first(vic_api, lines):
    assert numbers(results(vic_api, ROLLUP)) == [(0, 0, 1), (2, 0, 0)]


def test_counts_of_one_project(vic_api, lines, source):
    assert numbers(results(vic_api, ROLLUP, project=source.pk)) == [(1, 0, 0)]


def test_days_add_up_their_hours(vic_api, in_workspace):
    for hour, failed in ((0, 1), (23, 2), (24, 4)):
        at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)
        HourlyRollup.objects.create(workspace=in_workspace, hour=at, failed=failed)
    query = {"by": "day", "from": "2026-03-01T00:00Z", "to": "2026-03-03T00:00Z"}
    rows = results(vic_api, ROLLUP, **query)
    assert [(row["start"], row["failed"]) for row in rows] == [
        ("2026-03-02T00:00:00Z", 4),
        ("2026-03-01T00:00:00Z", 3),
    ]


def test_first_moment_belongs_to_it_and_the_last_does_not(vic_api, in_workspace):
    for hour in (1, 2, 3):
        at = datetime(2026, 3, 1, hour, tzinfo=UTC)
        HourlyRollup.objects.create(workspace=in_workspace, hour=at, created=hour)
    rows = results(vic_api, ROLLUP, **{"from": "2026-03-01T01:00Z", "to": "2026-03-01T03:00Z"})
    assert [row["created"] for row in rows] == [2, 1]


@pytest.mark.parametrize(("by", "days"), [("hour", 1), ("day", 30)])
def test_without_dates_it_is_the_last_day_or_month(vic_api, in_workspace, by, days):
    answer = vic_api.get(ROLLUP, {"by": by}).json()
    length = datetime.fromisoformat(answer["to"]) - datetime.fromisoformat(answer["from"])
    assert (answer["by"], length) == (by, timedelta(days=days))


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"from": "2026-03-02T00:00Z", "to": "2026-03-01T00:00Z"}, "from"),
        ({"from": "2020-01-01T00:00Z", "to": "2026-03-01T00:00Z"}, "from"),
        ({"by": "minute"}, "by"),
        ({"project": "x"}, "project"),
    ],
)
def test_wrong_question_is_named(vic_api, in_workspace, query, name):
    answer = vic_api.get(ROLLUP, query)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


def test_both_are_in_the_document(api, db):
    document = api().get("/api/schema", HTTP_ACCEPT="application/json").json()
    names = [item["name"] for item in document["paths"][ROLLUP]["get"]["parameters"]]
    assert {"from", "to", "by", "project"} <= set(names)
    assert "cursor" in [item["name"] for item in document["paths"][LOGS]["get"]["parameters"]]
