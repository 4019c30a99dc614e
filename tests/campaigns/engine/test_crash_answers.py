"""Answers that come late, strange or not at all, and errors that nobody expected."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import Notification
from campaigns.engine import dispatch, job, outcome
from campaigns.models import Attempt, Delivery, LivePart, MediaUpload
from campaigns.services import MediaDraft, PartDraft
from lib import clock
from lib.clock import now
from social.networks.port import Accepted, Failure, NetworkError

State, Outcome = Delivery.State, Attempt.Outcome
CREATE = "POST /2/tweets"
LATER = 200


@pytest.fixture
def submitted(due, claim):
    """A job whose call is out: what a worker holds while it waits for X."""

    def begin(*texts: str, position: int = 0) -> job.Job:
        due(*texts)
        begun = job.start_job(*claim())
        job.begin_submission(begun, position)
        return begun

    return begin


def answer(remote_id: str = "123") -> Accepted:
    return Accepted(remote_id, f"https://x.test/{remote_id}", 201, "req", "{}")


def refusal(failure: Failure, **facts) -> NetworkError:
    return NetworkError(failure, "code", "Message.", **facts)


# --- late answers -----------------------------------------------------------------------------------------


def test_an_answer_after_the_look_up_said_no_still_counts(submitted, tick, reload, live):
    begun = submitted("Late, not lost")
    tick(LATER)
    assert reload(begun.delivery).state == State.RETRY_WAIT
    outcome.record_accepted(begun, 0, answer())
    tick(LATER + 1000)
    assert live() == []
    assert reload(begun.delivery).state == State.PUBLISHED


def test_an_answer_while_the_next_worker_prepares_stops_that_worker(submitted, tick, reload, live):
    begun = submitted("Just in time")
    tick(LATER)
    with clock.shifted(timedelta(seconds=LATER + 100)):
        second = job.start_job(*dispatch.tick().publish[0])
        outcome.record_accepted(begun, 0, answer())
        with pytest.raises(job.ClaimLost):
            job.begin_submission(second, 0)
    tick(LATER + 400)
    tick(LATER + 401)
    assert live() == []
    assert reload(begun.delivery).state == State.PUBLISHED


def test_an_answer_after_the_delivery_was_given_up_still_counts(submitted, reload):
    begun = submitted("Given up too early")
    Delivery.objects.filter(pk=begun.delivery.pk).update(state=State.FAILED, due_at=None, lease_until=None)
    outcome.record_accepted(begun, 0, answer())
    assert reload(begun.delivery).state == State.PUBLISHED


def test_a_late_answer_for_one_part_closes_its_attempt_and_the_thread_goes_on(submitted, tick, reload):
    begun = submitted("One", "Two")
    with clock.shifted(timedelta(seconds=LATER)):
        dispatch.tick()
    outcome.record_accepted(begun, 0, answer())
    waiting = reload(begun.delivery)
    assert (waiting.state, waiting.lease_until) == (State.RETRY_WAIT, None)
    assert waiting.attempts.get().outcome == Outcome.ACCEPTED


def test_two_answers_for_one_part_keep_the_first_receipt(submitted, reload):
    begun = submitted("Only one receipt")
    outcome.record_accepted(begun, 0, answer("1"))
    outcome.record_accepted(begun, 0, answer("2"))
    assert list(LivePart.objects.values_list("remote_id", flat=True)) == ["1"]


def test_an_answer_for_a_deleted_delivery_is_only_logged(submitted):
    begun = submitted("Erased meanwhile")
    Delivery.objects.filter(pk=begun.delivery.pk).delete()
    outcome.record_accepted(begun, 0, answer())
    assert not LivePart.objects.exists()


def test_a_part_that_is_live_already_settles_an_uncertain_delivery_without_reading(submitted, tick, reload, sandbox):
    begun = submitted("Known to be live")
    tick_at = Delivery.objects.filter(pk=begun.delivery.pk)
    tick_at.update(state=State.UNCONFIRMED, due_at=now(), lease_until=None)
    LivePart.objects.create(
        workspace=begun.delivery.workspace,
        delivery=begun.delivery,
        connection=begun.connection,
        position=0,
        content_hash="x",
        remote_id="5",
        url="",
    )
    before = len(sandbox.ledger())
    tick(1)
    assert reload(begun.delivery).state == State.PUBLISHED
    assert len(sandbox.ledger()) == before


# --- how long nobody may look ------------------------------------------------------------------------------


def test_a_lost_call_is_not_looked_up_before_its_last_moment_is_over(submitted, reload, settings):
    begun = submitted("Sent at the last moment of the lease")
    lease = reload(begun.delivery).lease_until
    with clock.shifted(timedelta(seconds=settings.LEASE_S + 1)):
        found = dispatch.tick()
    assert (found.uncertain, found.look_up) == (1, [])
    assert reload(begun.delivery).due_at >= lease + dispatch.quiet_period()


def test_the_call_is_not_begun_when_it_could_outlive_the_lease(submitted, monkeypatch, settings):
    begun = submitted("Six seconds are not enough for a call of one plus connecting")
    settings.LEASE_S = 120
    monkeypatch.setattr(job, "boot_seconds", lambda: begun.lease_ends - 5)
    with pytest.raises(job.ClaimLost):
        job.check_deadline(begun, settings.X_TIMEOUT_S)


# --- answers that do not fit -------------------------------------------------------------------------------


@pytest.mark.parametrize("detail", ["no \x00 no", "x" * 5000])
def test_a_refusal_in_strange_words_is_still_a_refusal(due, tick, sandbox, reload, detail):
    delivery = due("Refused oddly")
    sandbox.fault("status", route=CREATE, status=400, body={"detail": detail}, headers={"x-transaction-id": "t" * 200})
    tick()
    failed = reload(delivery)
    assert (failed.state, failed.problem_code) == (State.FAILED, "invalid")
    assert failed.attempts.get().http_status == 400


def test_halves_of_characters_in_a_refusal_are_left_out(submitted, reload):
    begun = submitted("Half a smile")
    outcome.record_failure(begun, NetworkError(Failure.REJECTED, "odd", "half \ud83d of it", raw="\ud83d"))
    assert (reload(begun.delivery).state, reload(begun.delivery).problem_text) == (State.FAILED, "half  of it")


def test_an_answer_with_an_endless_request_id_is_recorded(submitted, reload):
    begun = submitted("Accepted oddly")
    outcome.record_accepted(begun, 0, Accepted("7", "https://x.test/7", 201, "r" * 500, "raw \x00 answer"))
    assert reload(begun.delivery).state == State.PUBLISHED
    assert len(reload(begun.delivery).attempts.get().request_id) == 80


def test_the_longest_explanation_of_a_retry_fits(submitted, reload):
    begun = submitted("Verbose")
    outcome.record_failure(begun, NetworkError(Failure.TEMPORARY, "c" * 60, "long " * 100))
    assert reload(begun.delivery).state == State.RETRY_WAIT


def test_a_retry_waits_as_long_as_the_network_asked(submitted, reload):
    begun = submitted("Come back in ten minutes")
    outcome.record_failure(begun, refusal(Failure.TEMPORARY, retry_at=now() + timedelta(minutes=10)))
    assert reload(begun.delivery).due_at > now() + timedelta(minutes=9)


# --- nobody expected this ----------------------------------------------------------------------------------


@pytest.fixture
def broken_file(due, picture):
    """Approved, then its file turns into something that cannot be read."""

    def make() -> Delivery:
        asset = picture()
        delivery = due(PartDraft("Look", (MediaDraft(asset.pk),)))
        default_storage.delete(asset.file)
        (django_settings.MEDIA_ROOT / asset.file).mkdir()
        return delivery

    return make


def test_an_unexpected_error_before_the_call_is_a_retry_with_a_reason(broken_file, tick, reload):
    delivery = broken_file()
    tick()
    waiting = reload(delivery)
    assert (waiting.state, waiting.failures, waiting.problem_code) == (State.RETRY_WAIT, 1, "internal")
    assert waiting.attempts.get().submitting_part is None


def test_an_unexpected_error_that_stays_ends_with_a_person(broken_file, tick, reload, alice):
    delivery = broken_file()
    for later in range(0, 800, 100):
        tick(later)
    assert reload(delivery).state == State.FAILED
    assert Notification.objects.filter(user=alice, kind="delivery.failed").count() == 1


def test_an_unexpected_error_during_the_call_is_left_to_the_look_up(submitted, tick, reload):
    begun = submitted("Broken in the middle")
    outcome.record_crash(begun)
    assert reload(begun.delivery).state == State.PUBLISHING
    assert tick(LATER).uncertain == 1


def test_one_delivery_that_was_looked_up_too_often_does_not_stop_the_engine(submitted, reload, settings):
    begun = submitted("Thirty-two thousand times")
    Delivery.objects.filter(pk=begun.delivery.pk).update(
        state=State.UNCONFIRMED, due_at=now(), lease_until=None, lookups=32_767
    )
    with clock.shifted(timedelta(seconds=1)):
        assert len(dispatch.tick().look_up) == 1


def test_every_attempt_counts_its_own_look_ups(due, claim, reload):
    delivery = due("Looked up before")
    Delivery.objects.filter(pk=delivery.pk).update(lookups=50)
    claim()
    assert reload(delivery).lookups == 0


# --- files -------------------------------------------------------------------------------------------------


def test_a_file_whose_bytes_were_replaced_after_approval_is_not_published(due, picture, tick, live, reload):
    asset = picture("plum")
    other = default_storage.open(picture("teal").file).read()
    delivery = due(PartDraft("Look", (MediaDraft(asset.pk),)))
    default_storage.delete(asset.file)
    assert default_storage.save(asset.file, ContentFile(other)) == asset.file
    tick()
    failed = reload(delivery)
    assert live() == []
    assert (failed.state, failed.problem_code) == (State.FAILED, "file_changed")
    assert not MediaUpload.objects.exists()


def test_a_file_that_vanished_fails_with_what_to_do(due, picture, tick, reload):
    asset = picture()
    delivery = due(PartDraft("Look", (MediaDraft(asset.pk),)))
    default_storage.delete(asset.file)
    tick()
    assert (reload(delivery).state, reload(delivery).problem_code) == (State.FAILED, "file_missing")


def test_the_same_file_with_another_description_goes_up_again(due, picture, tick, sandbox, reload):
    asset = picture()
    first = due(PartDraft("One", (MediaDraft(asset.pk, "A cup"),)))
    second = due(PartDraft("Two", (MediaDraft(asset.pk, "A bowl"),)))
    tick()
    tick(1)
    posts = {post["text"]: post["media_ids"] for post in sandbox.posts("roastery")}
    assert {reload(first).state, reload(second).state} == {State.PUBLISHED}
    assert posts["One"] != posts["Two"]


def test_a_description_that_may_or_may_not_have_arrived_is_never_reused(due, picture, tick, sandbox, reload):
    asset = picture()
    described = due(PartDraft("One", (MediaDraft(asset.pk, "A cup"),)))
    plain = due(PartDraft("Two", (MediaDraft(asset.pk),)))
    sandbox.fault("accept_then_drop", route="POST /2/media/metadata")
    tick()
    Delivery.objects.filter(pk=described.pk).update(state=State.CANCELED)
    tick(1)
    starts = [entry for entry in sandbox.ledger() if entry["path"].endswith("/initialize")]
    assert reload(plain).state == State.PUBLISHED
    assert len(starts) == 2


def test_the_same_file_and_description_go_up_once(due, picture, tick, sandbox):
    asset = picture()
    due(PartDraft("One", (MediaDraft(asset.pk, "A cup"),)))
    due(PartDraft("Two", (MediaDraft(asset.pk, "A cup"),)))
    tick()
    tick(1)
    starts = [entry for entry in sandbox.ledger() if entry["path"].endswith("/initialize")]
    assert len(starts) == 1
    assert len(sandbox.posts("roastery")) == 2


# --- accounts ----------------------------------------------------------------------------------------------


def test_people_are_told_once_that_an_account_has_to_be_connected_again(due, tick, sandbox, alice):
    due("Waiting for you")
    sandbox.fault("token_expired", route=CREATE)
    sandbox.fault("refresh_family_revoked")
    tick()
    assert Notification.objects.filter(user=alice, kind="connection").count() == 1
