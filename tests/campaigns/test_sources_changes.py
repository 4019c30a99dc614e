import pytest

from campaigns.deliveries import cancel_delivery, schedule_delivery, submit_post
from campaigns.models import Campaign, Delivery, LivePart, Post, Source
from campaigns.services import PartDraft, PostDraft, delete_post, update_post
from campaigns.sources import create_source, scan_source
from compliance.models import Review
from compliance.services import approve_review
from social.models import Connection
from tests.campaigns.cast import add_connection, folder_of, items_of, mark_published, post_of, set_state, texts_of
from tests.campaigns.test_sources_scan import LATER, codes, counts
from tests.media_files import write_image, write_json, write_pair

pytestmark = pytest.mark.django_db


@pytest.fixture
def roastery(in_workspace) -> Connection:
    return add_connection(in_workspace)


@pytest.fixture
def source(bob_actor, roastery) -> Source:
    return create_source(by=bob_actor, name="Spring", folder="spring", connections=[roastery.pk])


@pytest.fixture
def folder(source, bob_actor):
    """With one file that is a post already."""
    folder = folder_of(source)
    write_pair(folder / "hero.jpg", title="Before")
    scan_source(source, by=bob_actor)
    return folder


@pytest.fixture
def post(source, folder) -> Post:
    return post_of(source, "hero.jpg")


def approve(post: Post, author, reviewer) -> Delivery:
    submit_post(post, by=author)
    review = Review.objects.get(status="waiting")
    approve_review(review, by=reviewer, seen_hash=review.action_hash)
    return Delivery.objects.get(post=post)


# --- changed ------------------------------------------------------------------------------------------------


def test_changed_text_updates_the_draft(source, folder, post, bob_actor):
    write_json(folder / "hero.json", title="After")
    assert counts(scan_source(source, by=bob_actor)) == (0, 1, 0, 0, 0)
    post.refresh_from_db()
    assert (post.title, texts_of(post), post.revision) == ("After", ["After"], 2)


def test_changed_picture_updates_the_draft(source, folder, post, bob_actor):
    before = post.parts.get().media.get().asset
    write_image(folder / "hero.jpg")
    assert scan_source(source, by=bob_actor).updated == 1
    assert post.parts.get().media.get().asset.sha256 != before.sha256


def test_change_is_taken_once(source, folder, post, bob_actor):
    write_json(folder / "hero.json", title="After")
    scan_source(source, by=bob_actor)
    assert counts(scan_source(source, by=bob_actor)) == (0, 0, 1, 0, 0)


def test_change_revokes_the_approval(source, folder, post, alice_actor, rita_actor):
    row = approve(post, alice_actor, rita_actor)
    assert row.state == "approved"
    write_json(folder / "hero.json", title="After")
    scan_source(source)
    row.refresh_from_db()
    assert (row.state, row.approved_hash) == ("in_review", "")


def test_change_of_nothing_that_is_sent_keeps_the_approval(source, folder, post, alice_actor, rita_actor):
    row = approve(post, alice_actor, rita_actor)
    write_json(folder / "hero.json", title="Before", language="en")
    assert scan_source(source).updated == 1
    row.refresh_from_db()
    assert row.state == "approved"


def test_change_keeps_where_a_person_put_the_post(source, folder, post, bob_actor, in_workspace):
    bakery = add_connection(in_workspace, "bakery")
    campaign = Campaign.objects.create(workspace=in_workspace, name="Mine")
    moved = PostDraft(
        parts=(PartDraft("Before"),), campaign=campaign, connections=(bakery.pk,), overrides={bakery.pk: ["Own words"]}
    )
    update_post(post, moved, by=bob_actor)
    write_json(folder / "hero.json", title="After")
    scan_source(source, by=bob_actor)
    post.refresh_from_db()
    assert (post.campaign, texts_of(post)) == (campaign, ["After"])
    assert [(d.connection, d.override_texts) for d in post.deliveries.all()] == [(bakery, ["Own words"])]


def test_new_time_in_the_file_moves_the_plan(source, folder, post, bob_actor):
    write_json(folder / "hero.json", title="Before", scheduled_time=LATER.isoformat())
    scan_source(source, by=bob_actor)
    assert post.deliveries.get().scheduled_at == LATER


def test_plan_of_an_unchanged_file_stays_where_a_person_moved_it(source, folder, post, bob_actor):
    schedule_delivery(post.deliveries.get(), LATER, by=bob_actor)
    scan_source(source, by=bob_actor)
    assert post.deliveries.get().scheduled_at == LATER


def test_canceled_delivery_is_not_planned_again(source, folder, post, bob_actor):
    cancel_delivery(post.deliveries.get(), by=bob_actor)
    write_json(folder / "hero.json", title="Before", scheduled_time=LATER.isoformat())
    scan_source(source, by=bob_actor)
    row = post.deliveries.get()
    assert (row.state, row.scheduled_at) == ("canceled", None)


# --- sent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["publishing", "published", "unconfirmed"])
def test_post_that_is_out_or_on_its_way_stays_and_says_that_there_is_a_newer_file(source, folder, post, state):
    set_state(post, state)
    write_json(folder / "hero.json", title="After")
    report = scan_source(source)
    assert (counts(report)[:3], codes(report)) == ((0, 0, 0), {"hero.jpg": "newer_file"})
    item = items_of(source)["hero.jpg"]
    assert (item.has_newer_file, item.status, texts_of(post)) == (True, "used", ["Before"])


def test_thread_that_is_half_live_stays(source, folder, post, roastery):
    row = post.deliveries.get()
    LivePart.objects.create(
        workspace=post.workspace, delivery=row, connection=roastery, position=0, remote_id="1", content_hash="x"
    )
    set_state(post, "retry_wait")
    write_json(folder / "hero.json", title="After")
    scan_source(source)
    assert (items_of(source)["hero.jpg"].has_newer_file, texts_of(post)) == (True, ["Before"])


def test_newer_file_is_said_at_every_scan(source, folder, post):
    mark_published(post)
    write_json(folder / "hero.json", title="After")
    scan_source(source)
    assert codes(scan_source(source)) == {"hero.jpg": "newer_file"}


def test_file_changed_back_is_no_longer_newer(source, folder, post):
    mark_published(post)
    write_json(folder / "hero.json", title="After")
    scan_source(source)
    write_json(folder / "hero.json", title="Before")
    assert counts(scan_source(source))[2] == 1
    item = items_of(source)["hero.jpg"]
    assert (item.has_newer_file, item.code) == (False, "")


def test_change_that_the_services_refuse_leaves_the_post_with_the_reason(source, folder, post, roastery):
    Connection.objects.filter(pk=roastery.pk).update(status=Connection.Status.DISCONNECTED)
    write_json(folder / "hero.json", title="After")
    assert codes(scan_source(source)) == {"hero.jpg": "refused"}
    item = items_of(source)["hero.jpg"]
    assert (item.has_newer_file, texts_of(post)) == (True, ["Before"])
    assert "There is no connection" in item.message


def test_refused_change_is_taken_when_it_can_be(source, folder, post, roastery):
    Connection.objects.filter(pk=roastery.pk).update(status=Connection.Status.DISCONNECTED)
    write_json(folder / "hero.json", title="After")
    scan_source(source)
    Connection.objects.filter(pk=roastery.pk).update(status=Connection.Status.ACTIVE)
    assert scan_source(source).updated == 1
    assert texts_of(post) == ["After"]


# --- gone ---------------------------------------------------------------------------------------------------


def test_vanished_file_is_marked_and_its_unsent_post_stays(source, folder, post):
    (folder / "hero.jpg").unlink()
    (folder / "hero.json").unlink()
    assert counts(scan_source(source)) == (0, 0, 0, 0, 1)
    item = items_of(source)["hero.jpg"]
    assert (item.status, item.post) == ("vanished", post)
    assert "not sent yet" in item.message


def test_vanished_file_of_a_sent_post_says_so(source, folder, post):
    mark_published(post)
    (folder / "hero.jpg").unlink()
    (folder / "hero.json").unlink()
    scan_source(source)
    assert "was sent" in items_of(source)["hero.jpg"].message


def test_vanished_file_of_a_deleted_post_says_so(source, folder, post, bob_actor):
    delete_post(post, by=bob_actor)
    (folder / "hero.jpg").unlink()
    (folder / "hero.json").unlink()
    scan_source(source)
    assert items_of(source)["hero.jpg"].message == "The file is gone, and its post was deleted."


def test_vanished_file_is_counted_once(source, folder, post):
    (folder / "hero.jpg").unlink()
    (folder / "hero.json").unlink()
    scan_source(source)
    assert counts(scan_source(source)) == (0, 0, 0, 0, 0)
    assert items_of(source)["hero.jpg"].status == "vanished"


def test_media_that_vanished_leaves_its_json_as_an_orphan(source, folder, post):
    (folder / "hero.jpg").unlink()
    report = scan_source(source)
    assert (report.vanished, codes(report)) == (1, {"hero.json": "orphan"})
    assert {path: item.status for path, item in items_of(source).items()} == {
        "hero.jpg": "vanished",
        "hero.json": "problem",
    }


def test_file_that_came_back_is_the_same_post(source, folder, post):
    parked = folder.parent / "parked"
    folder.rename(parked)
    folder.mkdir()
    scan_source(source)
    folder.rmdir()
    parked.rename(folder)
    assert counts(scan_source(source)) == (0, 0, 1, 0, 0)
    assert (items_of(source)["hero.jpg"].status, Post.objects.get()) == ("used", post)


def test_folder_that_could_not_be_read_to_its_end_makes_nothing_vanish(source, folder, post):
    for number in range(2000):
        (folder / f"a{number}.txt").touch()
    assert codes(scan_source(source))["."] == "too_many_files"
    assert items_of(source)["hero.jpg"].status == "used"


# --- renamed and copied -------------------------------------------------------------------------------------


def rename(folder, old: str, new: str) -> None:
    (folder / new).parent.mkdir(exist_ok=True)
    (folder / f"{old}.jpg").rename(folder / f"{new}.jpg")
    (folder / f"{old}.json").rename(folder / f"{new}.json")


def test_renamed_file_keeps_its_post(source, folder, post):
    rename(folder, "hero", "may/opening")
    assert counts(scan_source(source)) == (0, 0, 0, 1, 0)
    assert {path: item.post for path, item in items_of(source).items()} == {"may/opening.jpg": post}
    assert Post.objects.count() == 1


def test_renamed_file_of_a_sent_post_is_not_posted_again(source, folder, post):
    mark_published(post)
    rename(folder, "hero", "opening")
    scan_source(source)
    assert Post.objects.get() == post


def test_file_that_vanished_and_came_back_under_another_name_keeps_its_post(source, folder, post):
    rename(folder.parent, "spring/hero", "hero")
    assert scan_source(source).vanished == 1
    rename(folder.parent, "hero", "spring/again")
    assert counts(scan_source(source)) == (0, 0, 0, 1, 0)
    assert items_of(source)["again.jpg"].status == "used"


def test_swapped_names_are_two_changes_and_no_third_post(source, folder, post):
    write_pair(folder / "other.jpg", title="Other")
    scan_source(source)
    rename(folder, "hero", "parked")
    rename(folder, "other", "hero")
    rename(folder, "parked", "other")
    scan_source(source)
    assert Post.objects.count() == 2
    assert sorted(Post.objects.values_list("title", flat=True)) == ["Before", "Other"]


def copy(folder, old: str, new: str) -> None:
    (folder / f"{new}.jpg").write_bytes((folder / f"{old}.jpg").read_bytes())
    (folder / f"{new}.json").write_bytes((folder / f"{old}.json").read_bytes())


def test_copy_of_a_used_file_is_reported_and_makes_no_post(source, folder, post):
    copy(folder, "hero", "a copy")
    report = scan_source(source)
    assert (counts(report), codes(report)) == ((0, 0, 1, 0, 0), {"a copy.jpg": "copy"})
    assert "hero.jpg" in items_of(source)["a copy.jpg"].message


def test_of_two_new_copies_one_becomes_a_post(source, folder, post):
    write_pair(folder / "x.jpg", title="X")
    copy(folder, "x", "y")
    report = scan_source(source)
    assert (report.created, codes(report)) == (1, {"y.jpg": "copy"})


def test_copy_takes_over_when_the_original_vanishes(source, folder, post):
    copy(folder, "hero", "a copy")
    scan_source(source)
    (folder / "hero.jpg").unlink()
    (folder / "hero.json").unlink()
    assert counts(scan_source(source)) == (0, 0, 0, 1, 0)
    assert {path: item.post for path, item in items_of(source).items()} == {"a copy.jpg": post}


# --- deleted here -------------------------------------------------------------------------------------------


def test_post_that_a_person_deleted_does_not_come_back(source, folder, post, bob_actor):
    delete_post(post, by=bob_actor)
    assert counts(scan_source(source)) == (0, 0, 1, 0, 0)
    assert not Post.objects.exists()
    assert items_of(source)["hero.jpg"].code == "post_deleted"


def test_changed_file_of_a_deleted_post_makes_a_new_one(source, folder, post, bob_actor):
    delete_post(post, by=bob_actor)
    write_json(folder / "hero.json", title="After")
    assert scan_source(source).created == 1
    assert Post.objects.get().title == "After"
