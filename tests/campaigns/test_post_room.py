"""A month's posts used up: said in the composer, before sending, and to programs, in the same words."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from accounts import plans
from accounts.plans import PLANS
from campaigns.models import Attempt, Delivery, LivePart
from campaigns.post_room import beyond_room, count_used, say_room, words_of
from integrations.mcp.tools.previews import preview_post
from lib.clock import now, shifted
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post

LIMIT = PLANS["free"].limits["posts"]
State = Delivery.State
NEXT_MONTH = (now().replace(day=1) + timedelta(days=32)).replace(day=2)


@pytest.fixture
def free(in_workspace):
    """`free(n)`: the plan with a limit, and room for n more posts."""

    def make(room: int):
        in_workspace.plan = "free"
        in_workspace.save(update_fields=["plan"])
        plans.count(in_workspace, "posts", LIMIT - room)
        return in_workspace

    return make


@pytest.mark.parametrize(
    ("used", "limit", "month", "wanted", "text"),
    [
        (12, 12, date(2026, 11, 1), 1, "12 of 12 posts of November are used. New ones go out from 1 December, "),
        (15, 12, date(2026, 12, 1), 2, "12 of 12 posts of December are used. New ones go out from 1 January, "),
        (0, 0, date(2027, 1, 1), 1, "0 of 0 posts of January are used. New ones go out from 1 February, "),
        (11, 12, date(2027, 2, 1), 3, "11 of 12 posts of February are used, and this goes to 3 accounts. More go out "),
        (2_000, 2_000, date(2027, 3, 1), 1, "2,000 of 2,000 posts of March are used. New ones go out from 1 April, "),
    ],
)
def test_words(used, limit, month, wanted, text):
    said = words_of(used, limit, month, wanted)
    assert said.startswith(text)
    assert said.endswith("or on a larger plan.")


@pytest.mark.parametrize(("room", "wanted", "speaks"), [(0, 1, True), (1, 1, False), (1, 2, True), (0, 0, False)])
def test_room_is_missed_exactly_where_the_last_place_is_gone(free, room, wanted, speaks):
    workspace = free(room)
    assert bool(say_room(workspace, wanted)) == speaks
    assert not say_room(workspace, wanted, NEXT_MONTH)


def test_no_limit_says_nothing_and_asks_nothing(in_workspace, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert (say_room(in_workspace, 1_000), beyond_room(in_workspace, [], {})) == ("", {})


def test_call_without_an_answer_takes_a_place(free, bob_actor, roastery):
    workspace = free(1)
    row = Delivery.objects.get(post=add_post(bob_actor, roastery))
    Attempt.objects.create(workspace=workspace, delivery=row, number=1, submitting_part=0)
    assert (count_used(workspace), count_used(workspace, besides=[row.pk])) == (LIMIT, LIMIT - 1)


def test_new_month_has_room_again(free):
    workspace = free(0)
    assert say_room(workspace, 1)
    with shifted(NEXT_MONTH - now()):
        assert not say_room(workspace, 1)


# --- before they go out -----------------------------------------------------------------------------------


@pytest.fixture
def rows(bob_actor, roastery: Connection):
    def make(*due: datetime, state: str = State.SCHEDULED) -> dict[Delivery, datetime]:
        found = {}
        for number, at in enumerate(due):
            row = Delivery.objects.select_related("workspace").get(post=add_post(bob_actor, roastery, text=f"{number}"))
            row.state = state
            found[row] = at
        return found

    return make


def refused(workspace, rows: dict[Delivery, datetime]) -> list[int]:
    """The places, in the order given, of those that will find no room."""
    found = beyond_room(workspace, list(rows), {row.pk: at for row, at in rows.items()})
    return [number for number, row in enumerate(rows) if row.pk in found]


def test_the_first_due_take_what_is_left(free, rows):
    workspace = free(2)
    at = now()
    soon = [at + timedelta(seconds=seconds) for seconds in (4, 1, 3, 2)]
    assert refused(workspace, rows(*soon)) == [0, 2]


def test_overdue_ones_go_out_this_month_and_later_ones_in_theirs(free, rows):
    workspace = free(0)
    last_month = now().replace(day=1) - timedelta(days=3)
    assert refused(workspace, rows(last_month, now(), NEXT_MONTH)) == [0, 1]


def test_what_is_under_way_is_not_refused(free, rows, in_workspace):
    workspace = free(0)
    [begun] = thread = rows(now())
    LivePart.objects.create(
        workspace=in_workspace, delivery=begun, connection=begun.connection, position=0, remote_id="1", content_hash="x"
    )
    assert refused(workspace, thread) == []
    assert refused(workspace, rows(now(), state=State.PUBLISHING)) == []


# --- where it is said -------------------------------------------------------------------------------------


@pytest.fixture
def typed(bob_client, roastery):
    def type_in(*to: Connection, **more) -> str:
        data = {"part-0-text": "Fresh beans", "connections": [str(one.pk) for one in to or (roastery,)]} | more
        page = bob_client.post("/posts/preview", data, headers={"HX-Request": "true"}).content.decode()
        found = re.search(r'<p class="cost is-high"\s+id="room"(.*?)</p>', page, re.DOTALL)
        return " ".join(re.sub(r"<[^>]*>", "", found[1].partition(">")[2]).split())

    return type_in


def test_composer_says_it_while_it_is_typed(free, typed, in_workspace):
    assert typed() == ""
    free(1)
    assert typed() == ""
    two = [add_connection(in_workspace, name) for name in ("one", "two")]
    assert f"{LIMIT - 1} of {LIMIT} posts" in typed(*two)
    plans.count(in_workspace, "posts")
    assert typed().endswith("or on a larger plan. See plans")
    assert typed(when="at", at=f"{NEXT_MONTH:%Y-%m-%d}T12:00") == ""
    assert f"{LIMIT} of {LIMIT} posts" in typed(when="at", at="")


def test_preflight_and_programs_say_the_same(free, bob_actor, bob_client, roastery, api, bob, in_workspace):
    free(0)
    row = Delivery.objects.get(post=add_post(bob_actor, roastery))
    at = datetime.now(UTC) + timedelta(minutes=1)
    Delivery.objects.filter(pk=row.pk).update(state=State.SCHEDULED, scheduled_at=at, due_at=at)
    text = f"{LIMIT} of {LIMIT} posts of"
    assert text in bob_client.get("/preflight/").content.decode()
    [flight] = api(bob, workspace=in_workspace).get("/api/preflight").json()["results"]
    [finding] = [one for one in flight["findings"] if one["code"] == "plan_posts"]
    assert (finding["level"], text in finding["text"]) == ("red", True)
    assert text in preview_post(bob_actor, {"post_id": str(row.post_id)})["note"]


def test_where_a_time_is_set_it_is_said_as_in_the_composer(free, bob_client, bob_actor, roastery):
    row = Delivery.objects.get(post=add_post(bob_actor, roastery))
    Delivery.objects.filter(pk=row.pk).update(state=State.FAILED, problem_code="network")
    pages = [f"/posts/{row.post_id}", f"/deliveries/{row.pk}", "/attention/?tab=failed"]
    workspace = free(1)
    assert not any("See plans" in bob_client.get(page).content.decode() for page in pages)
    plans.count(workspace, "posts")
    for page in pages:
        dialog = bob_client.get(page).content.decode().partition('name="at"')[2].partition("</form>")[0]
        assert say_room(workspace, 1) in dialog, page
