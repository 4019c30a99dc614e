"""What staff clear in the queue: claims left behind, reviews, links. They decide nothing."""

from datetime import timedelta

import pytest

from accounts.models import AuditEntry
from accounts.scope import all_workspaces_scope
from compliance.models import Review, ReviewLink
from compliance.reviews.links import create_link
from compliance.reviews.staff import expire_reviews, release_claims, revoke_links
from compliance.reviews.subjects import SUBJECTS
from compliance.services import claim_review, reject_review
from lib.clock import shifted
from lib.ids import uuid7
from tests.compliance.poems import KIND, Poems, ask, events, fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def poems():
    made = Poems()
    made.register()
    yield made
    del SUBJECTS[KIND]


@pytest.fixture
def review(poems, in_workspace, bob_actor):
    return ask(bob_actor)


def staff_rows() -> list[str]:
    with all_workspaces_scope("test"):
        return list(AuditEntry.objects.filter(workspace=None).values_list("action", flat=True))


def test_a_claim_left_behind_is_released_and_written_down(review, rita_actor, staff):
    with all_workspaces_scope("staff"):
        assert release_claims([review], staff=staff) == 0
    claim_review(review, by=rita_actor)
    with all_workspaces_scope("staff"):
        assert release_claims([fresh(review)], staff=staff) == 1
    assert (fresh(review).claimed_by, events(review)[-1], staff_rows()) == (None, "released", ["review.release"])
    with shifted(timedelta(minutes=20)), all_workspaces_scope("staff"):
        assert release_claims([fresh(review)], staff=staff) == 0


def test_a_review_is_given_back_to_its_author_once(review, poems, staff, bob_actor, rita_actor):
    decided = ask(bob_actor)
    reject_review(decided, by=rita_actor, reason="No")
    with all_workspaces_scope("staff"):
        rows = list(Review.objects.select_related("workspace"))
        assert expire_reviews(rows, staff=staff) == 1
    assert (fresh(review).status, fresh(decided).status) == ("expired", "rejected")
    assert ("expired", review.pk) in poems.done
    assert staff_rows() == ["review.expire"]


def test_links_are_closed(in_workspace, alice_actor, staff):
    create_link(by=alice_actor, name="Ms Chen", scope_id=uuid7(), scope_label="x")
    with all_workspaces_scope("staff"):
        assert revoke_links(ReviewLink.objects.all(), staff=staff) == 1
        assert revoke_links(ReviewLink.objects.all(), staff=staff) == 0
    assert not ReviewLink.objects.get().is_open
    assert staff_rows() == ["review_link.revoke"]
