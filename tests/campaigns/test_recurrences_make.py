"""The occurrences of recurring posts: one for each date, through the rules and the review."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Notification, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns import recurrences as services
from campaigns.models import Delivery, Post, Recurrence
from campaigns.recurrences_make import due_recurrences, make_occurrence
from campaigns.services import PartDraft, PostDraft, create_post, update_post
from campaigns.slots import add_slot
from compliance.models import Review
from compliance.services import approve_review
from lib.clock import now, shifted
from tests.campaigns.cast import add_connection, add_post, set_state
from tests.campaigns.engine import workers

State = Delivery.State
BERLIN = "Europe/Berlin"
MONDAY_NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on_monday():
    with shifted(MONDAY_NOON - now()):
        yield


@pytest.fixture
def weekly(post: Post, bob_actor) -> Recurrence:
    """Wednesdays at nine."""
    return services.repeat_post(post, by=bob_actor, kind="weekly", time_zone=BERLIN, weekdays=[2], at=time(9))


@pytest.fixture
def evergreen(post: Post, roastery, bob_actor) -> Recurrence:
    add_slot(roastery, by=bob_actor, weekdays=list(range(7)), at=time(18), time_zone=BERLIN)
    return services.repeat_post(post, by=bob_actor, kind="evergreen", time_zone=BERLIN, cooldown_days=10)


def make(row: Recurrence) -> Post | None:
    return make_occurrence(row.workspace_id, row.pk)


def read(row: Recurrence) -> Recurrence:
    return Recurrence.objects.get(pk=row.pk)


def later(days: float):
    return shifted(timedelta(days=days))


def delivery_of(post: Post) -> Delivery:
    return Delivery.objects.get(post=post)


# --- weekly -----------------------------------------------------------------------------------------------


def test_an_occurrence_is_a_post_of_its_own_in_review_with_its_time(weekly: Recurrence, post: Post) -> None:
    made = make(weekly)
    assert made != post
    assert made.title == "Fresh beans. (9 Dec)"
    assert made.external_id == f"recurrence:{weekly.pk}:2026-12-09"
    row = delivery_of(made)
    assert (row.state, row.scheduled_at) == (State.IN_REVIEW, datetime(2026, 12, 9, 8, tzinfo=UTC))


def test_the_next_is_made_no_more_than_a_week_ahead(weekly: Recurrence) -> None:
    assert make(weekly)
    assert make(weekly) is None
    with later(2):
        assert make(weekly).external_id.endswith("2026-12-16")


def test_a_date_that_was_made_already_is_not_made_again(weekly: Recurrence) -> None:
    first = make(weekly)
    Recurrence.objects.update(next_at=weekly.next_at)
    assert make(weekly) is None
    assert Post.objects.filter(external_id=first.external_id).count() == 1
    assert read(weekly).next_at == datetime(2026, 12, 16, 8, tzinfo=UTC)


def test_a_date_that_was_made_and_canceled_stays_canceled(weekly: Recurrence) -> None:
    set_state(make(weekly), State.CANCELED)
    Recurrence.objects.update(next_at=weekly.next_at)
    assert make(weekly) is None


def test_a_skipped_date_is_not_made(weekly: Recurrence, bob_actor) -> None:
    services.skip_next(weekly, by=bob_actor)
    with later(2):
        assert make(weekly).external_id.endswith("2026-12-16")
    assert not Post.objects.filter(external_id__endswith="2026-12-09").exists()


def test_after_the_last_day_nothing_is_made(post: Post, bob_actor) -> None:
    row = services.repeat_post(
        post, by=bob_actor, kind="weekly", time_zone=BERLIN, weekdays=[2], at=time(9), ends_on=date(2026, 12, 9)
    )
    assert make(row)
    assert read(row).next_at is None
    assert make(row) is None


def test_dates_that_passed_unseen_are_left_out_and_told(weekly: Recurrence, bob) -> None:
    with later(20):
        assert make(weekly) is None
        assert read(weekly).next_at == datetime(2026, 12, 30, 8, tzinfo=UTC)
        assert "did not repeat on 9 Dec" in Notification.objects.filter(user=bob).first().text
        assert make(weekly).external_id.endswith("2026-12-30")


def test_the_zone_of_the_recurrence_says_which_date_it_is(post: Post, bob_actor) -> None:
    row = services.repeat_post(
        post, by=bob_actor, kind="weekly", time_zone="Pacific/Kiritimati", weekdays=[2], at=time(0, 15)
    )
    made = make(row)
    assert made.external_id.endswith("2026-12-09")
    assert delivery_of(made).scheduled_at == datetime(2026, 12, 8, 10, 15, tzinfo=UTC)


# --- rules and four eyes ----------------------------------------------------------------------------------


def test_who_wrote_the_text_cannot_approve_its_copy(weekly: Recurrence, in_workspace, alice_actor, post) -> None:
    Workspace.objects.filter(pk=in_workspace.pk).update(four_eyes=True)
    alice_actor.workspace.four_eyes = True
    connections = tuple(post.deliveries.values_list("connection_id", flat=True))
    update_post(post, PostDraft((PartDraft("Fresh beans."),), connections=connections), by=alice_actor)
    review = Review.objects.get(object_id=delivery_of(make(weekly)).pk)
    with pytest.raises(PermissionDenied, match="four eyes"):
        approve_review(review, by=alice_actor, seen_hash=review.action_hash)


def test_somebody_else_approves_it_and_it_is_planned(weekly: Recurrence, rita_actor) -> None:
    row = delivery_of(make(weekly))
    review = Review.objects.get(object_id=row.pk)
    approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    row.refresh_from_db()
    assert (row.state, row.due_at) == (State.SCHEDULED, datetime(2026, 12, 9, 8, tzinfo=UTC))


def test_a_text_that_the_network_would_refuse_leaves_a_reason_and_no_post(weekly: Recurrence, post: Post) -> None:
    post.parts.update(text="x" * 300)
    assert make(weekly) is None
    assert "over the limit" in read(weekly).problem_text
    assert Post.objects.count() == 1


def test_once_it_is_mended_the_same_date_is_made(weekly: Recurrence, post: Post) -> None:
    post.parts.update(text="x" * 300)
    make(weekly)
    post.parts.update(text="short")
    assert make(weekly).external_id.endswith("2026-12-09")
    assert read(weekly).problem_text == ""


def test_a_text_that_is_repeated_too_soon_is_refused_with_the_reason(weekly, bob_actor, roastery, submitted) -> None:
    submitted(add_post(bob_actor, roastery))
    assert make(weekly) is None
    assert "The same text stands in" in read(weekly).problem_text


def test_a_post_that_is_no_longer_sent_anywhere_leaves_a_reason(weekly: Recurrence, roastery) -> None:
    type(roastery).objects.update(status="disconnected")
    assert make(weekly) is None
    assert "Choose at least one connection" in read(weekly).problem_text


def test_an_account_that_was_taken_off_is_left_out(weekly: Recurrence, in_workspace, bob_actor, post, cafe) -> None:
    Delivery.objects.create(workspace=in_workspace, post=post, connection=cafe)
    type(cafe).objects.filter(pk=cafe.pk).update(status="disconnected")
    assert delivery_of(make(weekly)).connection.handle == "roastery"


# --- evergreen --------------------------------------------------------------------------------------------


def test_an_evergreen_post_takes_the_next_free_slot(evergreen: Recurrence) -> None:
    row = delivery_of(make(evergreen))
    assert row.scheduled_at == datetime(2026, 12, 7, 17, tzinfo=UTC)
    assert (row.is_queued, row.state) == (True, State.IN_REVIEW)


def test_one_open_occurrence_is_enough(evergreen: Recurrence) -> None:
    make(evergreen)
    Recurrence.objects.update(next_at=now())
    assert make(evergreen) is None
    with later(40):
        assert make(evergreen) is None
    assert Post.objects.count() == 2


def test_it_rests_since_it_went_out(evergreen: Recurrence) -> None:
    set_state(make(evergreen), State.PUBLISHED, published_at=datetime(2026, 12, 8, 12, tzinfo=UTC))
    with shifted(datetime(2026, 12, 18, 11, tzinfo=UTC) - now()):
        assert make(evergreen) is None
    with shifted(datetime(2026, 12, 19, tzinfo=UTC) - now()):
        assert delivery_of(make(evergreen)).scheduled_at == datetime(2026, 12, 19, 17, tzinfo=UTC)


def test_one_that_failed_does_not_come_again_at_once(evergreen: Recurrence) -> None:
    set_state(make(evergreen), State.FAILED)
    Recurrence.objects.update(next_at=now())
    assert make(evergreen) is None
    with later(11):
        assert make(evergreen)


def test_without_slots_it_says_what_is_missing(evergreen: Recurrence, roastery) -> None:
    roastery.slots.all().delete()
    assert make(evergreen) is None
    assert "no posting slots" in read(evergreen).problem_text
    assert read(evergreen).next_at > now()


def test_after_its_last_day_it_ends(evergreen: Recurrence) -> None:
    Recurrence.objects.update(ends_on=date(2026, 12, 8))
    with later(3):
        assert make(evergreen) is None
    assert read(evergreen).next_at is None


# --- which are due ----------------------------------------------------------------------------------------


def test_due_are_those_of_every_workspace_that_come_soon(weekly: Recurrence, evergreen: Recurrence) -> None:
    assert {pk for _workspace, pk in due_recurrences()} == {weekly.pk, evergreen.pk}


@pytest.mark.parametrize(
    "fields", [{"is_active": False}, {"next_at": None}, {"next_at": datetime(2026, 12, 15, tzinfo=UTC)}]
)
def test_what_is_paused_over_or_far_is_not_due(weekly: Recurrence, fields: dict) -> None:
    Recurrence.objects.update(**fields)
    assert due_recurrences() == []
    assert make(weekly) is None


def test_a_suspended_workspace_repeats_nothing(weekly: Recurrence, in_workspace) -> None:
    Workspace.objects.filter(pk=in_workspace.pk).update(is_suspended=True)
    assert due_recurrences() == []


@pytest.mark.django_db(transaction=True)
def test_many_workers_make_one_occurrence(workspace, bob_actor) -> None:
    with workspace_scope(workspace.pk):
        draft = PostDraft((PartDraft("Fresh beans."),), connections=(add_connection(workspace).pk,))
        post = create_post(draft, by=bob_actor)
        row = services.repeat_post(post, by=bob_actor, kind="weekly", time_zone=BERLIN, weekdays=[2], at=time(9))
    workers.answers_of(lambda _number: bool(make_occurrence(workspace.pk, row.pk)), 4)
    with all_workspaces_scope("look"):
        assert Post.objects.filter(external_id__startswith="recurrence:").count() == 1
