"""What is typed is kept until it is saved, for its author alone, and never replaced unseen."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from campaigns.autosave import (
    MAX_KEPT,
    KeptElsewhere,
    draft_for,
    forget_old_drafts,
    form_from,
    keep_draft,
    newest_new_draft,
    version_of,
)
from campaigns.models import ComposerDraft, Post
from campaigns.services import PartDraft, PostDraft, update_post
from lib.clock import now

URL, NEW = "/composer/autosave", "/posts/new"
ID = UUID("018f0000-0000-7000-8000-000000000001")


def typed(text: str = "precious", **more: str) -> dict[str, list[str]]:
    return {"part-0-text": [text]} | {name: [value] for name, value in more.items()}


def send(client: Client, text: str = "precious", **more: object):
    fields = {"part-0-text": text, "draft_of": str(ID), "seen": ""} | more
    return client.post(URL, fields)


@pytest.fixture
def kept(bob_actor, in_workspace) -> ComposerDraft:
    return keep_draft(ID, typed(), by=bob_actor, seen="")


# --- keeping ------------------------------------------------------------------------------------------------


def test_typed_text_comes_back_as_the_form_it_was(kept: ComposerDraft, bob_actor) -> None:
    assert form_from(draft_for(bob_actor, ID)).parts[0].text == "precious"


def test_what_was_seen_may_be_replaced(kept: ComposerDraft, bob_actor) -> None:
    keep_draft(ID, typed("more"), by=bob_actor, seen=version_of(kept))
    assert form_from(draft_for(bob_actor, ID)).parts[0].text == "more"


@pytest.mark.parametrize("seen", ["", "2020-01-01T00:00:00+00:00", "nonsense"])
def test_what_was_not_seen_is_not_replaced(kept: ComposerDraft, bob_actor, seen: str) -> None:
    with pytest.raises(KeptElsewhere):
        keep_draft(ID, typed("other tab"), by=bob_actor, seen=seen)
    assert form_from(draft_for(bob_actor, ID)).parts[0].text == "precious"


def test_the_same_text_again_is_no_conflict(kept: ComposerDraft, bob_actor) -> None:
    assert keep_draft(ID, typed(), by=bob_actor, seen="").pk == kept.pk


def test_somebody_may_decide_for_their_tab(kept: ComposerDraft, bob_actor) -> None:
    keep_draft(ID, typed("this one"), by=bob_actor, seen="", is_forced=True)
    assert form_from(draft_for(bob_actor, ID)).parts[0].text == "this one"


def test_everybody_has_their_own(kept: ComposerDraft, alice_actor, bob_actor) -> None:
    keep_draft(ID, typed("alice"), by=alice_actor, seen="")
    assert form_from(draft_for(bob_actor, ID)).parts[0].text == "precious"


def test_what_the_database_cannot_hold_is_left_out(bob_actor, in_workspace) -> None:
    keep_draft(ID, typed("a\x00b\ud800"), by=bob_actor, seen="")
    assert form_from(draft_for(bob_actor, ID)).parts[0].text == "ab"


def test_what_belongs_to_the_page_is_not_kept(bob_actor, in_workspace) -> None:
    row = keep_draft(ID, typed(csrfmiddlewaretoken="t", action="save", seen="", force="on"), by=bob_actor, seen="")
    assert row.data == typed()


def test_only_editors_keep_anything(vic_actor, in_workspace) -> None:
    with pytest.raises(PermissionDenied):
        keep_draft(ID, typed(), by=vic_actor, seen="")


def test_nobody_fills_the_database(bob_actor, in_workspace) -> None:
    rows = [
        ComposerDraft(workspace=in_workspace, user=bob_actor.user, post_id=uuid4(), data={}) for _ in range(MAX_KEPT)
    ]
    ComposerDraft.objects.bulk_create(rows)
    keep_draft(ID, typed(), by=bob_actor, seen="")
    assert ComposerDraft.objects.count() == MAX_KEPT
    assert draft_for(bob_actor, ID)


def test_after_a_month_it_is_forgotten(kept: ComposerDraft, bob_actor) -> None:
    old = keep_draft(uuid4(), typed("old"), by=bob_actor, seen="")
    ComposerDraft.objects.filter(pk=old.pk).update(updated_at=now() - timedelta(days=31))
    assert forget_old_drafts() == 1
    assert list(ComposerDraft.objects.all()) == [kept]


def test_the_newest_of_the_unsaved_posts_is_offered(kept: ComposerDraft, post: Post, bob_actor) -> None:
    keep_draft(post.pk, typed("of a saved post"), by=bob_actor, seen="")
    keep_draft(uuid4(), typed("  "), by=bob_actor, seen="")
    assert newest_new_draft(bob_actor) == kept


def test_unsaved_work_on_a_deleted_post_is_not_lost(post: Post, bob_actor) -> None:
    row = keep_draft(post.pk, typed("still here"), by=bob_actor, seen="")
    post.delete()
    assert newest_new_draft(bob_actor) == row


# --- pages --------------------------------------------------------------------------------------------------


def test_the_page_is_told_when_it_was_kept(bob_client: Client, in_workspace, bob_actor) -> None:
    answer = send(bob_client)
    assert answer.status_code == 200
    assert answer.json()["text"].startswith("Kept ")
    assert answer.json()["seen"] == version_of(draft_for(bob_actor, ID))


def test_the_other_tab_is_told(bob_client: Client, kept: ComposerDraft) -> None:
    answer = send(bob_client, "other tab")
    assert answer.status_code == 409
    assert "another tab" in answer.json()["text"]


def test_the_other_tab_may_insist(bob_client: Client, kept: ComposerDraft, bob_actor) -> None:
    assert send(bob_client, "other tab", force="on").status_code == 200
    assert form_from(draft_for(bob_actor, ID)).parts[0].text == "other tab"


def test_a_colleagues_save_is_told_while_typing(bob_client: Client, post: Post, alice_actor) -> None:
    update_post(post, PostDraft((PartDraft("alice"),)), by=alice_actor)
    answer = send(bob_client, draft_of=str(post.pk), revision="1")
    assert "Somebody saved this post meanwhile" in answer.json()["stale"]


def test_ones_own_revision_is_not_stale(bob_client: Client, post: Post) -> None:
    assert send(bob_client, draft_of=str(post.pk), revision="1").json()["stale"] == ""


@pytest.mark.parametrize("draft_of", ["", "nonsense"])
def test_text_of_no_post_is_refused(bob_client: Client, in_workspace, draft_of: str) -> None:
    assert send(bob_client, draft_of=draft_of).status_code == 422


def test_somebody_logged_out_is_sent_to_log_in(client: Client, in_workspace) -> None:
    assert "/accounts/login/" in send(client)["Location"]


def test_a_page_whose_token_is_old_gets_a_new_one(bob_client: Client, in_workspace) -> None:
    assert len(bob_client.get(URL).json()["token"]) > 30


def test_a_viewer_keeps_nothing(vic_client: Client, in_workspace) -> None:
    assert send(vic_client).status_code == 403


def test_more_than_five_megabytes_are_refused(bob_client: Client, in_workspace) -> None:
    assert send(bob_client, "x" * (5 * 1024 * 1024 + 1)).status_code == 400
    assert not ComposerDraft.objects.exists()


def test_a_new_post_offers_what_was_not_saved(bob_client: Client, kept: ComposerDraft) -> None:
    html = bob_client.get(NEW).content.decode()
    assert "There is text that was not saved." in html
    assert "precious" in html
    assert "precious</textarea>" not in html


def test_one_goes_on_where_one_was(bob_client: Client, kept: ComposerDraft) -> None:
    page = bob_client.get(NEW, {"draft": "continue"})
    assert "precious</textarea>" in page.content.decode()
    assert f'name="new_id" value="{ID}"' in " ".join(page.content.decode().split())
    assert f'data-seen="{version_of(kept)}"' in page.content.decode()


def test_saving_forgets_what_was_kept(bob_client: Client, kept: ComposerDraft) -> None:
    bob_client.post(NEW, {"part-0-text": "precious", "new_id": str(ID), "action": "save"})
    assert Post.objects.filter(pk=ID).exists()
    assert not ComposerDraft.objects.exists()


def test_a_refused_save_forgets_nothing(bob_client: Client, kept: ComposerDraft) -> None:
    bob_client.post(NEW, {"part-0-text": "precious", "new_id": str(ID), "action": "save", "reply_to": "?"})
    assert ComposerDraft.objects.exists()


def test_it_can_be_discarded(bob_client: Client, kept: ComposerDraft) -> None:
    answer = bob_client.post("/composer/discard", {"draft_of": str(ID)})
    assert answer["Location"].endswith(NEW)
    assert not ComposerDraft.objects.exists()


def test_nobody_discards_what_a_colleague_typed(alice_client: Client, kept: ComposerDraft) -> None:
    alice_client.post("/composer/discard", {"draft_of": str(ID)})
    assert ComposerDraft.objects.exists()


@pytest.fixture
def changed(post: Post, bob_actor) -> Post:
    fields = typed("Fresh tea.", revision="1", connections=str(post.deliveries.get().connection_id))
    keep_draft(post.pk, fields, by=bob_actor, seen="")
    return post


def test_a_saved_post_shows_what_is_different(bob_client: Client, changed: Post) -> None:
    html = bob_client.get(f"/posts/{changed.pk}/edit").content.decode()
    assert "<del>beans</del><ins>tea</ins>" in html
    assert "The post was saved since" not in html


def test_an_older_text_says_that_the_post_changed(bob_client: Client, changed: Post, alice_actor) -> None:
    update_post(changed, PostDraft((PartDraft("alice"),)), by=alice_actor)
    assert "The post was saved since" in bob_client.get(f"/posts/{changed.pk}/edit").content.decode()


def test_going_on_with_an_older_text_is_told_when_saving(bob_client: Client, changed: Post, alice_actor) -> None:
    update_post(changed, PostDraft((PartDraft("alice"),)), by=alice_actor)
    page = bob_client.get(f"/posts/{changed.pk}/edit", {"draft": "continue"}).content.decode()
    assert "Fresh tea.</textarea>" in page
    assert 'name="revision" value="1"' in " ".join(page.split())


def test_what_is_the_same_is_not_offered(bob_client: Client, post: Post, bob_actor) -> None:
    same = typed("Fresh beans. ", revision="1", connections=str(post.deliveries.get().connection_id))
    keep_draft(post.pk, same, by=bob_actor, seen="")
    assert "not saved" not in bob_client.get(f"/posts/{post.pk}/edit").content.decode()


def test_a_colleague_is_offered_nothing(alice_client: Client, changed: Post) -> None:
    assert "not saved" not in alice_client.get(f"/posts/{changed.pk}/edit").content.decode()
