"""Which post on the timeline is ours: adopted when it is, sent again when it is not, never both."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.engine import dispatch, job
from campaigns.engine.look_up import find_match, look_up_delivery
from campaigns.models import Attempt, Delivery, LivePart
from campaigns.rendering import RenderedPart
from compliance.models import Fingerprint
from lib import clock
from lib.clock import now
from social.networks.port import RemotePost

State, Outcome = Delivery.State, Attempt.Outcome
CREATE = "POST /2/tweets"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def remote(
    text: str = "Hello", remote_id: str = "1", *, at: datetime = NOON, media: int = 0, parent=None
) -> RemotePost:
    return RemotePost(remote_id, text, at, media, parent, "https://x.test/1")


def match(*posts: RemotePost, text: str = "Hello", parent: str | None = None, claimed=frozenset()):
    return find_match(RenderedPart(text, ()), list(posts), NOON, parent, set(claimed))


def test_the_oldest_match_is_taken():
    newer = remote(remote_id="2", at=NOON + timedelta(seconds=9))
    assert match(newer, remote()).remote_id == "1"


@pytest.mark.parametrize(
    "other",
    [
        remote("Hello!"),
        remote(at=NOON - timedelta(seconds=1)),
        remote(media=1),
        remote(parent="9"),
    ],
    ids=["text", "too old", "media", "parent"],
)
def test_a_post_that_differs_is_not_ours(other):
    assert match(other) is None


def test_a_post_of_another_delivery_is_not_ours():
    assert match(remote(), claimed={"1"}) is None


def test_a_reply_matches_only_under_its_parent():
    assert match(remote(parent="9"), parent="9").remote_id == "1"
    assert match(remote(), parent="9") is None


@pytest.mark.parametrize(
    "text",
    [
        "Cafe\u0301 in the Ko\u0308nigstra\u00dfe",
        "Read example.com/roasts today",
        "a < b && c > d &amp; &lt;",
        "  two  spaces\tand tabs  ",
        "Zeile eins\r\nZeile zwei",
        "新品上市：example.com 点这里",
        "👩‍👩‍👧 family",
    ],
    ids=["decomposed", "bare domain", "entities", "spaces", "line ends", "chinese", "joined emoji"],
)
def test_a_text_that_the_network_writes_differently_is_recognised(due, tick, sandbox, reload, live, text):
    delivery = due(text)
    sandbox.fault("accept_then_drop", route=CREATE)
    tick()
    tick(40)
    assert reload(delivery).state == State.PUBLISHED
    assert len(live()) == 1


@pytest.mark.parametrize("ahead", [-40, 40], ids=["our clock is behind", "our clock is ahead"])
def test_clocks_that_differ_do_not_double_a_post(due, sandbox, reload, live, ahead, tick):
    with clock.shifted(timedelta(seconds=ahead)):
        delivery = due("What time is it?")
        sandbox.fault("accept_then_drop", route=CREATE)
        tick()
        tick(40)
    assert live() == ["What time is it?"]
    assert (reload(delivery).state, reload(delivery).failures) == (State.PUBLISHED, 0)


def test_two_deliveries_with_the_same_text_never_adopt_the_same_post(due, tick, sandbox, reload, live):
    first = due("Evergreen")
    Fingerprint.objects.all().delete()
    second = due("Evergreen")
    sandbox.fault("accept_then_drop", route=CREATE, count=2)
    for later in (0, 1, 40, 45, 120, 240, 400, 800):
        tick(later)
    published = [row for row in (first, second) if reload(row).state == State.PUBLISHED]
    assert (len(published), len(live())) == (1, 1)
    assert LivePart.objects.count() == 1


def test_a_thread_whose_parts_say_the_same_adopts_each_part_once(due, tick, sandbox, reload, live):
    delivery = due("Again", "again", "again")
    sandbox.fault("accept_then_drop", route=CREATE, count=3)
    for later in (0, 40, 80, 120, 160, 200, 240):
        tick(later)
        sandbox.advance(40)
    assert live() == ["Again", "again", "again"]
    assert reload(delivery).state == State.PUBLISHED
    assert list(reload(delivery).live_parts.values_list("was_found", flat=True)) == [True] * 3


@pytest.fixture
def uncertain(due, claim):
    """A delivery whose worker was lost during the call, claimed for a look-up."""
    delivery = due("Is it there?")
    begun = job.start_job(*claim())
    job.begin_submission(begun, 0)
    with clock.shifted(timedelta(seconds=200)):
        dispatch.tick()
    return delivery


def test_a_look_up_that_runs_twice_decides_once(uncertain, reload):
    for _ in range(2):
        look_up_delivery(uncertain.workspace_id, uncertain.pk)
    assert (reload(uncertain).state, reload(uncertain).failures) == (State.RETRY_WAIT, 1)


def test_a_look_up_of_something_settled_does_nothing(due, tick, reload):
    delivery = due("Done")
    tick()
    look_up_delivery(delivery.workspace_id, delivery.pk)
    assert reload(delivery).state == State.PUBLISHED


def test_a_look_up_that_crashes_is_tried_again_and_then_a_person_is_asked(uncertain, reload, sandbox, settings):
    settings.X_API_BASE_URL = "not an address"
    look_up_delivery(uncertain.workspace_id, uncertain.pk)
    assert reload(uncertain).due_at > now()
    Delivery.objects.filter(pk=uncertain.pk).update(lookups=50)
    look_up_delivery(uncertain.workspace_id, uncertain.pk)
    assert (reload(uncertain).state, reload(uncertain).due_at) == (State.UNCONFIRMED, None)


def test_an_uncertain_delivery_without_an_open_call_can_still_be_settled(uncertain, reload):
    Attempt.objects.update(submitting_part=None)
    look_up_delivery(uncertain.workspace_id, uncertain.pk)
    assert reload(uncertain).state == State.RETRY_WAIT


def test_a_dead_log_in_during_the_look_up_waits_for_the_person_who_connects_again(
    uncertain, reload, sandbox, connection
):
    sandbox.fault("token_expired", route="GET /2/users/{id}/tweets")
    sandbox.fault("refresh_family_revoked")
    look_up_delivery(uncertain.workspace_id, uncertain.pk)
    connection.refresh_from_db()
    assert connection.status == "reconnect"
    assert reload(uncertain).state == State.UNCONFIRMED
    with clock.shifted(timedelta(seconds=900)):
        assert dispatch.tick().look_up == []
