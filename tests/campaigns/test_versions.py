"""Every save that changes a post leaves a version, and any of them can come back."""

import pytest
from django.http import Http404

from accounts.models import AuditEntry
from campaigns.errors import NotAllowedNow, StaleForm
from campaigns.models import Delivery, MediaAsset, Post, PostVersion
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post, update_post
from campaigns.version_acts import bring_back_version
from campaigns.versions import changed_besides_text, content_of, draft_of, get_version, text_of
from social.models import Connection
from tests.campaigns.cast import mark_published, texts_of

POLL = {"options": ["Light", "Dark"], "minutes": 60}


@pytest.fixture
def written(bob_actor, roastery):
    """A post with as many versions as texts."""

    def write(*texts: str) -> Post:
        first, *others = [PostDraft((PartDraft(text),), connections=(roastery.pk,)) for text in texts]
        post = create_post(first, by=bob_actor)
        for draft in others:
            post = update_post(post, draft, by=bob_actor)
        return post

    return write


def revisions(post: Post) -> list[int]:
    return list(PostVersion.objects.filter(post=post).values_list("revision", flat=True))


def test_every_save_that_changes_something_is_a_version(written) -> None:
    assert revisions(written("one", "two", "three")) == [3, 2, 1]


def test_a_save_that_changes_nothing_is_none(written) -> None:
    assert revisions(written("one", "two", "two")) == [2, 1]


def test_a_version_says_who_wrote_it(written, bob) -> None:
    assert PostVersion.objects.get(post=written("one")).author == str(bob)


def test_a_save_that_is_refused_leaves_no_version(written, bob_actor) -> None:
    post = written("one")
    with pytest.raises(StaleForm):
        update_post(post, PostDraft((PartDraft("two"),)), by=bob_actor, revision=7)
    assert revisions(post) == [1]


def test_a_version_holds_the_whole_content(bob_actor, roastery, picture: MediaAsset, campaign) -> None:
    draft = PostDraft(
        parts=(PartDraft("one", (MediaDraft(picture.pk, "A cup"),)), PartDraft("?", poll=POLL)),
        title="Named",
        campaign=campaign,
        made_with_ai=True,
        connections=(roastery.pk,),
        overrides={roastery.pk: [None, "own"]},
        is_marked=True,
        options={"telegram": {"silent": True}},
        reply_to="123",
        tags=("spring",),
        language="de",
    )
    post = create_post(draft, by=bob_actor)
    assert draft_of(get_version(post, 1)) == draft


def test_what_the_database_cannot_hold_is_left_out(bob_actor, in_workspace) -> None:
    post = create_post(PostDraft((PartDraft("a\x00b\ud800c"),)), by=bob_actor)
    assert PostVersion.objects.get(post=post).content["parts"] == [{"text": "abc"}]


def test_a_version_goes_with_its_post(written, bob_actor) -> None:
    post = written("one", "two")
    Post.objects.filter(pk=post.pk).delete()
    assert not PostVersion.objects.exists()


def test_a_version_of_another_post_is_none(written) -> None:
    first, second = written("one", "two"), written("one")
    assert get_version(first, 2)
    with pytest.raises(Http404):
        get_version(second, 2)


# --- the way back -------------------------------------------------------------------------------------------


def test_an_old_text_comes_back_as_a_new_version(written, bob_actor) -> None:
    post = written("one", "two")
    post = bring_back_version(post, get_version(post, 1), by=bob_actor)
    assert texts_of(post) == ["one"]
    assert (post.revision, revisions(post)) == (3, [3, 2, 1])


def test_bringing_back_is_in_the_audit_trail(written, bob_actor) -> None:
    post = written("one", "two")
    bring_back_version(post, get_version(post, 1), by=bob_actor)
    assert AuditEntry.objects.get(action="post.bring_back").object_id == str(post.pk)


def test_bringing_back_ends_an_approval(written, bob_actor, approved) -> None:
    post = written("one", "two")
    assert approved(post).state == "approved"
    bring_back_version(post, get_version(post, 1), by=bob_actor)
    assert Delivery.objects.get(post=post).state == "in_review"


def test_what_is_live_is_not_changed_by_its_past(written, bob_actor) -> None:
    post = written("one", "two")
    mark_published(post)
    with pytest.raises(NotAllowedNow):
        bring_back_version(post, get_version(post, 1), by=bob_actor)
    assert texts_of(post) == ["two"]


def test_an_account_that_is_gone_does_not_come_back(written, bob_actor, roastery: Connection) -> None:
    post = written("one", "two")
    Connection.objects.filter(pk=roastery.pk).update(status="disconnected")
    post = bring_back_version(post, get_version(post, 1), by=bob_actor)
    assert not post.deliveries.exclude(state="canceled").exists()


def test_a_file_that_is_gone_does_not_come_back(bob_actor, picture: MediaAsset) -> None:
    draft = PostDraft((PartDraft("one", (MediaDraft(picture.pk),)),))
    post = create_post(draft, by=bob_actor)
    post = update_post(post, PostDraft((PartDraft("two"),)), by=bob_actor)
    picture.delete()
    post = bring_back_version(post, get_version(post, 1), by=bob_actor)
    assert texts_of(post) == ["one"]
    assert not post.parts.get().media.exists()


# --- comparing ----------------------------------------------------------------------------------------------


def test_everything_followers_see_is_text_to_compare(picture: MediaAsset) -> None:
    draft = PostDraft((PartDraft("one", (MediaDraft(picture.pk, "A cup"),)), PartDraft("?", poll=POLL)))
    assert text_of(content_of(draft)) == "one\n[file: A cup]\n\n?\n( ) Light\n( ) Dark"


def test_what_else_changed_is_named(picture: MediaAsset) -> None:
    before = content_of(PostDraft((PartDraft("one"),), tags=("a",)))
    after = content_of(PostDraft((PartDraft("two", (MediaDraft(picture.pk),)),), title="New", is_marked=True))
    assert changed_besides_text(before, after) == ["the name", "formatting", "the tags", "the files"]


def test_a_changed_text_alone_names_nothing_else() -> None:
    before, after = (content_of(PostDraft((PartDraft(text),))) for text in ("one", "two"))
    assert changed_besides_text(before, after) == []
