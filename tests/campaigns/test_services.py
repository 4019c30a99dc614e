"""Campaigns and posts: what the services let happen, to whom and when."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.access import Perm, system_actor
from accounts.models import AuditEntry, Event
from campaigns import services
from campaigns.access import visible_campaigns
from campaigns.errors import NotAllowedNow, StaleForm
from campaigns.models import Campaign, Delivery, MediaAsset, PartMedia, Post, PostPart
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post, update_post
from compliance.models import Review
from lib.clock import now
from lib.ids import uuid7
from tests.campaigns.cast import add_post, set_state

State = Delivery.State


def draft_of(*texts: str, to=(), **fields) -> PostDraft:
    return PostDraft(tuple(map(PartDraft, texts)), connections=tuple(c.pk for c in to), **fields)


# --- campaigns ---------------------------------------------------------------------------------------------


def test_a_new_campaign_is_a_draft_with_an_event_and_an_entry(in_workspace, bob_actor):
    campaign = services.create_campaign(by=bob_actor, name="  Spring  ", goal=" More ", config={"a": 1})
    assert (campaign.name, campaign.goal, campaign.status) == ("Spring", "More", Campaign.Status.DRAFT)
    assert Event.objects.get(kind="campaign.created").payload == {"campaign": str(campaign.pk)}
    assert AuditEntry.objects.get(action="campaign.create").object_id == str(campaign.pk)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 121},
        {"name": "x", "goal": "x" * 201},
        {"name": "x", "starts_on": date(2026, 2, 2), "ends_on": date(2026, 2, 1)},
    ],
    ids=["no name", "long name", "long goal", "ends before it starts"],
)
def test_a_campaign_that_makes_no_sense_is_refused(in_workspace, bob_actor, fields):
    with pytest.raises(ValidationError):
        services.create_campaign(by=bob_actor, **fields)
    assert not Campaign.objects.exists()


def test_updating_writes_only_what_changed(campaign, bob_actor):
    services.update_campaign(campaign, by=bob_actor, name="Spring", brief=" New ")
    assert Campaign.objects.get().brief == "New"
    assert AuditEntry.objects.get(action="campaign.update").detail.data == {"changed": ["brief"]}


def test_updating_nothing_writes_nothing(campaign, bob_actor):
    services.update_campaign(campaign, by=bob_actor, name="Spring")
    assert not AuditEntry.objects.filter(action="campaign.update").exists()


MOVES = [(before, after) for before in Campaign.Status for after in Campaign.Status if before != after]
ALLOWED = [(before, after) for before, after in MOVES if after in Campaign.NEXT[before]]


@pytest.mark.parametrize(("before", "after"), ALLOWED)
def test_a_status_follows_where_the_table_allows(campaign, bob_actor, before, after):
    Campaign.objects.update(status=before)
    assert services.set_campaign_status(campaign, after, by=bob_actor).status == after


@pytest.mark.parametrize(("before", "after"), sorted(set(MOVES) - set(ALLOWED)))
def test_a_status_follows_nowhere_else(campaign, bob_actor, before, after):
    Campaign.objects.update(status=before)
    with pytest.raises(NotAllowedNow, match=f"cannot become {after}"):
        services.set_campaign_status(campaign, after, by=bob_actor)
    assert Campaign.objects.get().status == before


def test_a_status_that_does_not_exist_is_refused(campaign, bob_actor):
    with pytest.raises(ValidationError):
        services.set_campaign_status(campaign, "exploded", by=bob_actor)


def test_the_same_status_again_is_no_second_event(campaign, bob_actor):
    for _ in range(2):
        services.set_campaign_status(campaign, "running", by=bob_actor)
    assert Event.objects.filter(kind="campaign.running").count() == 1
    assert AuditEntry.objects.filter(action="campaign.status").count() == 1


def test_a_campaign_is_deleted_with_its_posts_and_their_reviews(campaign, roastery, bob_actor, submitted):
    submitted(add_post(bob_actor, roastery, campaign=campaign))
    services.delete_campaign(campaign, by=bob_actor)
    assert not Post.objects.exists()
    assert Review.objects.get().status == Review.Status.OBSOLETE


def test_a_campaign_with_a_receipt_stays(campaign, roastery, bob_actor):
    set_state(add_post(bob_actor, roastery, campaign=campaign), State.PUBLISHED, fence=1)
    with pytest.raises(NotAllowedNow, match="Archive"):
        services.delete_campaign(campaign, by=bob_actor)
    assert Post.objects.exists()


def test_a_shared_campaign_is_all_that_a_guest_sees(campaign, alice_actor, gwen, gwen_actor):
    services.create_campaign(by=alice_actor, name="Secret")
    services.share_campaign(campaign, gwen, by=alice_actor)
    assert list(visible_campaigns(gwen_actor)) == [campaign]
    services.unshare_campaign(campaign, gwen, by=alice_actor)
    assert not visible_campaigns(gwen_actor).exists()


def test_only_guests_get_a_share(campaign, alice_actor, vic, charlie):
    for user in (vic, charlie):
        with pytest.raises(ValidationError):
            services.share_campaign(campaign, user, by=alice_actor)


# --- writing posts -----------------------------------------------------------------------------------------


def test_a_post_keeps_its_parts_media_and_connections(roastery, cafe, picture, bob_actor, bob):
    draft = PostDraft(
        (PartDraft("One", (MediaDraft(picture.pk, "A cup"),)), PartDraft("Two")), connections=(roastery.pk, cafe.pk)
    )
    post = create_post(draft, by=bob_actor)
    assert list(post.parts.values_list("position", "text")) == [(0, "One"), (1, "Two")]
    assert PartMedia.objects.get().alt_text == "A cup"
    assert set(post.deliveries.values_list("connection_id", "state")) == {(roastery.pk, "draft"), (cafe.pk, "draft")}
    assert (post.title, post.authors, post.revision) == ("One", [str(bob.pk)], 1)


@pytest.mark.parametrize(
    ("title", "text", "shown"),
    [
        (" Mine ", "x", "Mine"),
        ("", "First\nSecond", "First"),
        ("", "w" * 80, "w" * 59 + "…"),
        ("t" * 300, "x", "t" * 200),
    ],
)
def test_a_post_without_a_title_is_called_by_its_first_words(in_workspace, bob_actor, title, text, shown):
    assert create_post(draft_of(text, title=title), by=bob_actor).title == shown


@pytest.mark.parametrize("draft", [draft_of(), draft_of(*"x" * 26)], ids=["no part", "26 parts"])
def test_a_post_has_between_one_and_twenty_five_parts(in_workspace, bob_actor, draft):
    with pytest.raises(ValidationError):
        create_post(draft, by=bob_actor)
    assert not Post.objects.exists()


def test_a_novel_is_refused_before_it_is_stored(roastery, bob_actor):
    with pytest.raises(ValidationError, match="25,000"):
        create_post(draft_of("x" * 25_001), by=bob_actor)
    with pytest.raises(ValidationError, match="25,000"):
        create_post(draft_of("x", to=[roastery], overrides={roastery.pk: ["x" * 25_001]}), by=bob_actor)
    assert not PostPart.objects.exists()


def test_characters_that_the_database_refuses_are_left_out_everywhere(roastery, picture, bob_actor):
    odd = "a\x00b\ud83dc"
    draft = PostDraft(
        (PartDraft(odd, (MediaDraft(picture.pk, odd),)),),
        title=odd,
        connections=(roastery.pk,),
        overrides={roastery.pk: [odd]},
    )
    post = create_post(draft, by=bob_actor)
    kept = [post.title, post.parts.get().text, PartMedia.objects.get().alt_text, *post.deliveries.get().override_texts]
    assert kept == ["abc"] * 4


def test_the_first_words_carry_no_marks(in_workspace, bob_actor):
    draft = draft_of("Fresh **beans** from [the shop](https://example.com/beans)", is_marked=True)
    assert create_post(draft, by=bob_actor).title == "Fresh beans from the shop"


def test_a_title_comes_from_what_is_stored(in_workspace, bob_actor):
    assert create_post(draft_of("\x00Hello"), by=bob_actor).title == "Hello"


def test_files_and_connections_of_others_do_not_exist(roastery, in_workspace, bob_actor):
    with pytest.raises(ValidationError) as refusal:
        create_post(PostDraft((PartDraft("x", (MediaDraft(uuid7()),)),)), by=bob_actor)
    assert "media" in refusal.value.message_dict
    with pytest.raises(ValidationError) as refusal:
        create_post(PostDraft((PartDraft("x"),), connections=(uuid7(),)), by=bob_actor)
    assert "connections" in refusal.value.message_dict
    assert not Post.objects.exists()


def test_a_disconnected_account_cannot_be_chosen(roastery, bob_actor):
    roastery.status = "disconnected"
    roastery.save()
    with pytest.raises(ValidationError):
        create_post(draft_of("x", to=[roastery]), by=bob_actor)


def test_a_description_beyond_the_column_is_a_message_not_a_crash(picture, bob_actor):
    with pytest.raises(ValidationError):
        create_post(PostDraft((PartDraft("x", (MediaDraft(picture.pk, "x" * 1001),)),)), by=bob_actor)


@pytest.mark.parametrize("texts", [[], [None, None], ["", ""]])
def test_own_texts_that_say_nothing_are_none(roastery, bob_actor, texts):
    post = create_post(draft_of("x", to=[roastery], overrides={roastery.pk: texts}), by=bob_actor)
    assert post.deliveries.get().override_texts == []


# --- changing posts ----------------------------------------------------------------------------------------


def test_a_change_raises_the_revision_and_remembers_who(post, roastery, alice_actor, alice, bob):
    changed = update_post(post, draft_of("New", to=[roastery]), by=alice_actor, revision=1)
    assert changed.revision == 2
    assert set(changed.authors) == {str(alice.pk), str(bob.pk)}
    assert list(changed.parts.values_list("text", flat=True)) == ["New"]


def test_a_stale_form_is_told_so_and_changes_nothing(post, roastery, alice_actor, bob_actor):
    update_post(post, draft_of("First", to=[roastery]), by=alice_actor, revision=1)
    with pytest.raises(StaleForm):
        update_post(post, draft_of("Second", to=[roastery]), by=bob_actor, revision=1)
    assert post.parts.get().text == "First"


def test_an_untried_connection_that_is_taken_off_is_gone(post, cafe, bob_actor, submitted):
    submitted(post)
    update_post(post, draft_of("New", to=[cafe]), by=bob_actor)
    assert list(post.deliveries.values_list("connection__handle", "state")) == [("cafe", State.DRAFT)]
    assert Review.objects.get().status == Review.Status.OBSOLETE


def test_a_planned_post_moved_into_a_new_campaign_starts_it(post, roastery, campaign, approved, bob_actor):
    approved(post)
    at = now() + timedelta(days=1)
    set_state(post, State.SCHEDULED, scheduled_at=at, due_at=at)
    update_post(post, draft_of("Fresh beans.", to=[roastery], campaign=campaign), by=bob_actor)
    assert post.deliveries.get().state == State.SCHEDULED
    assert Campaign.objects.get().status == Campaign.Status.RUNNING


def test_a_duplicate_is_a_new_draft_with_everything_but_the_approval(post, roastery, picture, approved, bob_actor):
    media = (MediaDraft(picture.pk, "A cup"),)
    draft = PostDraft(
        (PartDraft("One", media), PartDraft("Two")),
        connections=(roastery.pk,),
        made_with_ai=True,
        overrides={roastery.pk: [None, "Zwei"]},
    )
    update_post(post, draft, by=bob_actor)
    approved(post)
    set_state(post, State.PUBLISHED, fence=1)
    copy = services.duplicate_post(Post.objects.get(pk=post.pk), by=bob_actor)
    row = copy.deliveries.get()
    assert (row.state, row.approved_hash, row.override_texts) == (State.DRAFT, "", [None, "Zwei"])
    assert (copy.made_with_ai, copy.title) == (True, "One (copy)")
    assert copy.parts.first().media.get().alt_text == "A cup"


def test_a_duplicate_leaves_out_accounts_that_are_gone(post, roastery, bob_actor):
    roastery.status = "disconnected"
    roastery.save()
    assert not services.duplicate_post(post, by=bob_actor).deliveries.exists()


def test_a_post_that_was_tried_is_not_deleted(post, bob_actor):
    set_state(post, State.FAILED, fence=1)
    with pytest.raises(NotAllowedNow, match="receipt"):
        services.delete_post(post, by=bob_actor)


def test_a_deleted_post_leaves_the_file_in_the_library(roastery, picture, bob_actor):
    draft = PostDraft((PartDraft("x", (MediaDraft(picture.pk),)),), connections=(roastery.pk,))
    services.delete_post(create_post(draft, by=bob_actor), by=bob_actor)
    assert not Post.objects.exists()
    assert MediaAsset.objects.exists()
    assert AuditEntry.objects.filter(action="post.delete").count() == 1


# --- who may -----------------------------------------------------------------------------------------------

ACTS = {
    "create campaign": lambda post, campaign, by: services.create_campaign(by=by, name="x"),
    "update campaign": lambda post, campaign, by: services.update_campaign(campaign, by=by, name="y"),
    "status": lambda post, campaign, by: services.set_campaign_status(campaign, "running", by=by),
    "delete campaign": lambda post, campaign, by: services.delete_campaign(campaign, by=by),
    "create post": lambda post, campaign, by: create_post(draft_of("x"), by=by),
    "update post": lambda post, campaign, by: update_post(post, draft_of("x"), by=by),
    "duplicate": lambda post, campaign, by: services.duplicate_post(post, by=by),
    "delete post": lambda post, campaign, by: services.delete_post(post, by=by),
    "share": lambda post, campaign, by: services.share_campaign(campaign, by.user, by=by),
    "unshare": lambda post, campaign, by: services.unshare_campaign(campaign, by.user, by=by),
}


@pytest.mark.parametrize("act", ACTS)
def test_reviewers_viewers_and_guests_change_nothing(post, campaign, rita_actor, vic_actor, gwen_actor, act):
    entries = AuditEntry.objects.count()
    for actor in (rita_actor, vic_actor, gwen_actor):
        with pytest.raises(PermissionDenied):
            ACTS[act](post, campaign, actor)
    assert AuditEntry.objects.count() == entries


def test_whoever_wrote_the_text_is_an_author_of_each_copy(post, in_workspace, bob, alice, alice_actor):
    machine = system_actor(in_workspace, "robot", (Perm.CONTENT_EDIT,))
    assert services.duplicate_post(post, by=machine).authors == [str(bob.pk)]
    assert services.duplicate_post(post, by=alice_actor).authors == sorted([str(bob.pk), str(alice.pk)])
