"""Clashing times and texts that come twice."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.calendar_warnings import find_warnings, with_texts
from campaigns.models import Delivery
from campaigns.services import PartDraft, PostDraft, create_post
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post, set_state

State = Delivery.State
BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2026, 12, 15, 8, tzinfo=UTC)


@pytest.fixture
def plan(bob_actor, roastery):
    """A post to roastery, or to the named account, some minutes after nine."""

    def add(text: str, minutes: float = 0, *, to=None, state: str = State.SCHEDULED, **fields):
        post = add_post(bob_actor, to or roastery, text=text)
        set_state(post, state, scheduled_at=NINE + timedelta(minutes=minutes), **fields)
        return post

    return add


def warnings() -> dict[str, list[str]]:
    rows = list(with_texts(Delivery.objects.select_related("post", "connection").order_by("pk")))
    found = find_warnings(rows, BERLIN)
    return {f"{row.post} {row.connection}": list(found[row.pk]) for row in rows if row.pk in found}


def test_posts_less_than_ten_minutes_apart_warn_of_each_other(plan):
    plan("one")
    plan("two", 9.5)
    assert warnings() == {
        "one @roastery": ["Less than 10 minutes before “two” (09:09) on @roastery."],
        "two @roastery": ["Less than 10 minutes after “one” (09:00) on @roastery."],
    }


def test_posts_ten_minutes_apart_do_not_clash(plan):
    plan("one")
    plan("two", 10)
    assert warnings() == {}


def test_two_accounts_at_the_same_time_do_not_clash(plan, cafe):
    plan("one")
    plan("two", to=cafe)
    assert warnings() == {}


@pytest.mark.parametrize("state", ["canceled", "failed", "missed"])
def test_what_will_not_go_out_clashes_with_nothing(plan, state):
    plan("one")
    plan("two", 1, state=state)
    assert warnings() == {}


def test_what_was_sent_is_warned_of_but_carries_no_warning(plan):
    plan("sent", state=State.PUBLISHED, published_at=NINE)
    plan("next", 3)
    assert list(warnings()) == ["next @roastery"]


def test_the_same_text_twice_is_told_with_its_day(plan):
    plan("Fresh beans.")
    plan("Fresh beans. ", 60 * 24)
    first, second = find_warnings(with_texts(Delivery.objects.order_by("scheduled_at")), BERLIN).values()
    assert first == ("The same text goes to @roastery on 16 Dec.",)
    assert second == ("The same text goes to @roastery on 15 Dec.",)


def test_a_network_that_forbids_repeats_counts_all_its_accounts(plan, cafe):
    plan("Fresh beans.")
    plan("Fresh beans.", 60, to=cafe)
    assert warnings() == {
        "Fresh beans. @roastery": ["The same text goes to @cafe on 15 Dec."],
        "Fresh beans. @cafe": ["The same text goes to @roastery on 15 Dec."],
    }


def test_elsewhere_another_account_may_say_the_same(plan, in_workspace):
    one, two = (add_connection(in_workspace, name) for name in ("one", "two"))
    Connection.objects.update(network="telegram")
    plan("Fresh beans.", to=one)
    plan("Fresh beans.", 60, to=two)
    assert warnings() == {}


def test_posts_without_text_are_not_the_same_text(plan):
    plan("")
    plan("", 60)
    assert warnings() == {}


def test_a_text_of_its_own_is_what_counts(plan, bob_actor, cafe):
    plan("Hello")
    draft = PostDraft((PartDraft("Other"),), connections=(cafe.pk,), overrides={cafe.pk: ["Hello"]})
    set_state(create_post(draft, by=bob_actor), State.SCHEDULED, scheduled_at=NINE + timedelta(hours=1))
    assert sorted(warnings()) == ["Hello @roastery", "Other @cafe"]


def test_threads_are_the_same_only_as_a_whole(plan, bob_actor, roastery):
    plan("Hello")
    draft = PostDraft((PartDraft("Hello"), PartDraft("World")), connections=(roastery.pk,))
    set_state(create_post(draft, by=bob_actor), State.SCHEDULED, scheduled_at=NINE + timedelta(hours=1))
    assert warnings() == {}
