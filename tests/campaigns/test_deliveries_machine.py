"""Whatever people, workers and the network do in whatever order: a delivery never reaches an impossible state."""

import os
from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from campaigns import deliveries
from campaigns.engine import dispatch, job, outcome
from campaigns.engine.publish import NotNow, _check
from campaigns.errors import NotAllowedNow
from campaigns.models import Attempt, Campaign, Delivery, LivePart, Post
from campaigns.queries import with_content
from campaigns.rendering import render
from campaigns.services import PartDraft, PostDraft, create_post, set_campaign_status, update_post
from compliance.models import Review
from compliance.services import ReviewClosed, approve_review, reject_review
from lib import clock
from lib.clock import now
from social.networks.port import Accepted, Failure, NetworkError

State = Delivery.State
TEXTS = [("One",), ("One", "Two"), ("Three", "Four", "Five")]
REFUSED = (NotAllowedNow, ValidationError, ReviewClosed, job.ClaimLost, NotNow)


class World:
    """One post to one account, the people around it, and every worker that ever claimed it."""

    def __init__(self, author, reviewer, connection, campaign) -> None:
        self.author, self.reviewer, self.connection, self.campaign = author, reviewer, connection, campaign
        self.post = create_post(self.draft(TEXTS[1]), by=author)
        self.pk = Delivery.objects.get(post=self.post).pk
        self.jobs: list[job.Job] = []
        self.accepted = 0
        self.later = 0.0

    def draft(self, texts) -> PostDraft:
        parts = tuple(map(PartDraft, texts))
        return PostDraft(parts, connections=(self.connection.pk,), campaign=self.campaign)

    @property
    def row(self) -> Delivery:
        return with_content(Delivery.objects.filter(pk=self.pk)).get()

    # --- people ---

    def submit(self, _n: int) -> None:
        deliveries.submit_post(self.post, by=self.author)

    def approve(self, _n: int) -> None:
        if review := Review.objects.order_by("-requested_at").first():
            approve_review(review, by=self.reviewer, seen_hash=review.action_hash)

    def approve_an_old_one(self, _n: int) -> None:
        if review := Review.objects.first():
            approve_review(review, by=self.reviewer, seen_hash=review.action_hash)

    def reject(self, _n: int) -> None:
        if review := Review.objects.order_by("-requested_at").first():
            reject_review(review, by=self.reviewer, reason="No")

    def edit(self, n: int) -> None:
        update_post(self.post, self.draft(TEXTS[n % 3]), by=self.author)

    def schedule(self, n: int) -> None:
        deliveries.schedule_delivery(self.row, now() + timedelta(minutes=n), by=self.author)

    def publish_now(self, _n: int) -> None:
        deliveries.publish_now(self.row, by=self.author)

    def unschedule(self, _n: int) -> None:
        deliveries.unschedule(self.row, by=self.author)

    def cancel(self, _n: int) -> None:
        deliveries.cancel_delivery(self.row, by=self.author)

    def confirm_live(self, _n: int) -> None:
        deliveries.confirm_live(self.row, self.next_id(), by=self.author)

    def send_again(self, _n: int) -> None:
        deliveries.send_again(self.row, by=self.author)

    def campaign_status(self, n: int) -> None:
        set_campaign_status(self.campaign, ["running", "paused", "completed"][n % 3], by=self.author)

    # --- the engine ---

    def tick(self, n: int) -> None:
        due = self.row.due_at
        # Mostly when there is something to do.
        jump = max(0.0, (due - now()).total_seconds()) + 1 if due and n % 4 else 0
        self.later += jump
        with clock.shifted(timedelta(seconds=jump)):
            self.dispatch()

    def dispatch(self) -> None:
        for claimed in dispatch.tick().publish:
            if started := job.start_job(*claimed):
                self.jobs.append(started)

    def wait(self, n: int) -> None:
        self.later += [1, 130, 400, 4000][n % 4]

    def begin(self, n: int) -> None:
        if current := self.worker(n):
            _check(current)
            position = current.remaining[0] if current.remaining else 0
            job.begin_submission(current, position)

    def accept(self, n: int) -> None:
        current = self.worker(n)
        if current and current.submitting_part is not None:
            position, current.submitting_part = current.submitting_part, None
            outcome.record_accepted(current, position, Accepted(self.next_id(), "", 201, "", ""))
            current.live[position] = "x"

    def fail(self, n: int) -> None:
        current = self.worker(n)
        if current and current.submitting_part is not None:
            failure = [Failure.UNKNOWN, Failure.TEMPORARY, Failure.REJECTED, Failure.DUPLICATE, Failure.RATE_LIMIT]
            outcome.record_failure(current, NetworkError(failure[n % 5], "code", "Message."))
            current.submitting_part = None

    def crash(self, n: int) -> None:
        if current := self.worker(n):
            outcome.record_crash(current)

    def change_behind_the_services(self, n: int) -> None:
        self.post.parts.filter(position=0).update(text=f"Changed {n}")
        for current in self.jobs[-1:]:
            outcome.set_aside(current, NotNow(State.IN_REVIEW, "changed", "It changed."))

    def worker(self, n: int) -> job.Job | None:
        """Mostly the newest; sometimes one that should long be gone."""
        return self.jobs[-1 - (n % 7 == 0 and len(self.jobs) > 1)] if self.jobs else None

    def next_id(self) -> str:
        self.accepted += 1
        return str(self.accepted)


ACTS: list[Callable[[World, int], None]] = [
    World.submit, World.approve, World.approve_an_old_one, World.reject, World.edit, World.schedule,
    World.publish_now, World.unschedule, World.cancel, World.confirm_live, World.send_again, World.campaign_status,
    World.tick, World.wait, World.begin, World.accept, World.fail, World.crash, World.change_behind_the_services,
]  # fmt: skip
# What usually happens next; now and then anything happens.
LIKELY: dict[str, list[Callable[[World, int], None]]] = {
    State.DRAFT: [World.submit, World.submit, World.submit, World.schedule, World.edit, World.cancel],
    State.IN_REVIEW: [World.approve, World.approve, World.approve, World.reject, World.edit, World.cancel],
    State.APPROVED: [World.publish_now, World.publish_now, World.publish_now, World.schedule, World.edit],
    State.SCHEDULED: [World.tick, World.tick, World.tick, World.wait, World.edit, World.cancel, World.unschedule],
    State.RETRY_WAIT: [World.tick, World.tick, World.wait, World.wait, World.edit, World.cancel, World.accept],
    State.PUBLISHING: [World.begin, World.begin, World.accept, World.fail, World.crash, World.wait, World.tick],
    State.UNCONFIRMED: [World.accept, World.confirm_live, World.send_again, World.wait, World.tick, World.edit],
    State.FAILED: [World.publish_now, World.publish_now, World.edit, World.cancel],
    State.MISSED: [World.publish_now, World.schedule, World.edit],
    State.CANCELED: [World.schedule, World.schedule, World.edit],
    State.PUBLISHED: [World.edit, World.cancel, World.send_again, World.tick],
}


def check(world: World) -> None:
    row = world.row
    live = list(LivePart.objects.filter(delivery=row).order_by("position").values_list("position", flat=True))
    waiting = Review.objects.filter(object_id=row.pk, status="waiting").count()
    attempt = Attempt.objects.filter(delivery=row, number=row.fence).first()
    claims = {
        "live parts have no gap": live == list(range(len(live))),
        "in review means one waiting review": (row.state == State.IN_REVIEW) == (waiting == 1),
        "never two waiting reviews": waiting <= 1,
    }
    match row.state:
        case State.PUBLISHED:
            claims["all parts are live"] = len(live) >= len(render(row).parts)
            claims["it is over"] = row.due_at is None and row.lease_until is None and row.published_at is not None
        case State.SCHEDULED | State.RETRY_WAIT:
            claims["it will be claimed or asked about"] = row.due_at is not None and row.scheduled_at is not None
            claims["it was approved"] = len(row.approved_hash) == 64 and row.lease_until is None
        case State.PUBLISHING:
            claims["somebody holds it"] = row.lease_until is not None and attempt is not None
            claims["its attempt is open"] = attempt is not None and attempt.outcome == Attempt.Outcome.OPEN
        case State.UNCONFIRMED:
            claims["there is something to find out"] = row.attempts.exclude(submitting_part=None).exists()
            claims["somebody will look"] = row.due_at is not None
        case State.DRAFT | State.IN_REVIEW | State.CANCELED:
            claims["nothing is planned for the engine"] = row.due_at is None and row.lease_until is None
            claims["no approval is left"] = row.approved_hash == ""
        case State.FAILED | State.MISSED | State.APPROVED:
            claims["nobody is at it"] = row.due_at is None and row.lease_until is None
    broken = [claim for claim, holds in claims.items() if not holds]
    assert not broken, (row.state, broken)


def play(world: World, rng: Random, steps: int) -> None:
    for _ in range(steps):
        acts = ACTS if rng.random() < 0.15 else LIKELY[world.row.state]
        with clock.shifted(timedelta(seconds=world.later)):
            try:
                with transaction.atomic():
                    rng.choice(acts)(world, rng.randrange(40))
            except REFUSED:
                pass
            check(world)


# ALL_ORDERS plays many more; each seed is another order for good.
@pytest.mark.parametrize("seed", range(40 if "ALL_ORDERS" in os.environ else 4))
def test_no_order_of_acts_leads_to_an_impossible_state(roastery, campaign, alice_actor, rita_actor, seed: int):
    rng = Random(seed)
    for _ in range(2):
        Post.objects.all().delete()
        Campaign.objects.update(status=Campaign.Status.DRAFT)
        play(World(alice_actor, rita_actor, roastery, campaign), rng, steps=40)
