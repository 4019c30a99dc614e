from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.access import Actor
from accounts.scope import workspace_scope
from campaigns.models import Delivery, MediaAsset, PartMedia, Post, Slot
from campaigns.services import PartDraft, PostDraft, update_post
from compliance.models import Review
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post, mark_published, texts_of
from tests.campaigns.conftest import png

NEW = "/posts/new"


def edit(post: Post) -> str:
    return f"/posts/{post.pk}/edit"


def fields(*texts: str, **more: object) -> dict[str, object]:
    return {f"part-{number}-text": text for number, text in enumerate(texts)} | {"action": "save"} | more


def test_a_new_form_is_empty_and_knows_the_accounts(bob_client: Client, roastery: Connection) -> None:
    page = bob_client.get(NEW)
    assert page.status_code == 200
    assert "@roastery" in page.content.decode()


def test_a_disconnected_account_is_not_offered(bob_client: Client, in_workspace) -> None:
    add_connection(in_workspace, "gone", status="disconnected")
    assert "@gone" not in bob_client.get(NEW).content.decode()


def test_the_form_of_a_new_post_takes_what_the_calendar_knows(bob_client: Client, roastery, campaign) -> None:
    page = bob_client.get(NEW, {"campaign": campaign.pk, "connections": roastery.pk, "at": "2030-01-02T09:00"})
    form = page.context["form"]
    assert (form.campaign_id, form.connection_ids) == (campaign.pk, [roastery.pk])
    assert (form.when, form.at) == ("at", "2030-01-02T09:00")


def test_a_draft_is_saved_and_shown(bob_client: Client, roastery: Connection) -> None:
    answer = bob_client.post(NEW, fields("one", "two", connections=str(roastery.pk)))
    post = Post.objects.get()
    assert answer.status_code == 302
    assert answer["Location"].endswith(f"/posts/{post.pk}")
    assert texts_of(post) == ["one", "two"]
    assert Delivery.objects.get(post=post).state == "draft"


def test_a_draft_needs_no_account(bob_client: Client, in_workspace) -> None:
    bob_client.post(NEW, fields("An idea"))
    assert not Post.objects.get().deliveries.exists()


def test_everything_of_the_form_is_kept(bob_client: Client, roastery, campaign, picture: MediaAsset) -> None:
    more = {
        "connections": str(roastery.pk),
        "campaign": str(campaign.pk),
        "title": "Named",
        "made_with_ai": "on",
        "part-0-media": str(picture.pk),
        f"part-0-alt-{picture.pk}": "A brown cup",
        f"part-0-override-{roastery.pk}": "own words",
    }
    bob_client.post(NEW, fields("shared words", **more))
    post = Post.objects.get()
    assert (post.title, post.campaign, post.made_with_ai) == ("Named", campaign, True)
    assert PartMedia.objects.get().alt_text == "A brown cup"
    assert post.deliveries.get().override_texts == ["own words"]


def test_a_file_sent_with_the_form_is_stored_and_attached(bob_client: Client, in_workspace) -> None:
    bob_client.post(NEW, fields("look", **{"part-0-files": [png("a.png"), png("b.png", "blue")]}))
    assert [use.asset.name for use in PartMedia.objects.select_related("asset")] == ["a.png", "b.png"]


def test_a_file_that_cannot_be_used_is_refused_with_the_text_kept(bob_client: Client, in_workspace) -> None:
    bad = SimpleUploadedFile("bad.png", b"not a picture", "image/png")
    page = bob_client.post(NEW, fields("precious words", **{"part-0-files": bad}))
    assert page.status_code == 422
    assert "precious words" in page.content.decode()
    assert "bad.png" in page.content.decode()
    assert not Post.objects.exists()


def test_submitting_sends_it_to_review(bob_client: Client, roastery: Connection) -> None:
    bob_client.post(NEW, fields("ready", connections=str(roastery.pk), action="submit"))
    assert Delivery.objects.get().state == "in_review"
    assert Review.objects.get().status == "waiting"


def test_what_the_network_would_refuse_comes_back_with_the_text(bob_client: Client, roastery: Connection) -> None:
    page = bob_client.post(NEW, fields("x" * 281, connections=str(roastery.pk), action="submit"))
    assert page.status_code == 422
    assert "1 over the limit of 280" in page.content.decode()
    assert "x" * 281 in page.content.decode()
    assert not Post.objects.exists()


def test_submitting_without_an_account_says_what_to_do(bob_client: Client, in_workspace) -> None:
    page = bob_client.post(NEW, fields("ready", action="submit"))
    assert page.status_code == 422
    assert "Choose at least one connection first." in page.content.decode()


# --- time -------------------------------------------------------------------------------------------------


def test_a_planned_time_is_in_the_zone_of_the_workspace(bob_client: Client, roastery: Connection) -> None:
    bob_client.post(NEW, fields("x", connections=str(roastery.pk), when="at", at="2030-07-01T09:00"))
    assert Delivery.objects.get().scheduled_at == datetime(2030, 7, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(("at", "reason"), [("", "Give a date and a time."), ("2020-01-01T09:00", "has passed")])
def test_a_time_that_cannot_be_is_refused_beside_its_field(bob_client: Client, roastery, at: str, reason: str) -> None:
    page = bob_client.post(NEW, fields("kept", connections=str(roastery.pk), when="at", at=at))
    html = page.content.decode()
    assert page.status_code == 422
    assert reason in html.split('id="at-error"')[1][:900]
    assert "kept" in html
    assert not Post.objects.exists()


def test_the_next_free_slot_is_taken(bob_client: Client, roastery: Connection) -> None:
    tomorrow = (now() + timedelta(days=1)).date()
    Slot.objects.create(
        workspace=roastery.workspace,
        connection=roastery,
        weekday=tomorrow.weekday(),
        time=time(9),
        time_zone="UTC",
    )
    bob_client.post(NEW, fields("x", connections=str(roastery.pk), when="slot"))
    assert Delivery.objects.get().scheduled_at == datetime.combine(tomorrow, time(9), UTC)


def test_without_slots_nothing_is_saved_and_the_reason_shown(bob_client: Client, roastery: Connection) -> None:
    page = bob_client.post(NEW, fields("kept", connections=str(roastery.pk), when="slot"))
    assert page.status_code == 409
    assert "no posting slots yet" in page.content.decode()
    assert not Post.objects.exists()


# --- editing ----------------------------------------------------------------------------------------------


def test_an_edit_opens_with_what_is_saved(bob_client: Client, post: Post) -> None:
    html = bob_client.get(edit(post)).content.decode()
    assert "Fresh beans." in html
    assert f'name="revision" value="{post.revision}"' in html


def test_an_edit_is_saved(bob_client: Client, post: Post, roastery: Connection) -> None:
    answer = bob_client.post(edit(post), fields("New words", connections=str(roastery.pk), revision=post.revision))
    assert answer.status_code == 302
    assert texts_of(post) == ["New words"]


def test_a_stale_form_keeps_the_words_and_explains(bob_client: Client, alice_actor: Actor, post, roastery) -> None:
    stale = post.revision
    other = PostDraft(parts=(PartDraft("Alice was faster"),), connections=(roastery.pk,))
    update_post(post, other, by=alice_actor)
    page = bob_client.post(edit(post), fields("Bob's words", connections=str(roastery.pk), revision=stale))
    assert page.status_code == 409
    assert "Bob&#x27;s words" in page.content.decode()
    assert "Somebody changed this post meanwhile" in page.content.decode()
    assert texts_of(post) == ["Alice was faster"]


def test_after_the_warning_saving_again_is_a_decision(bob_client: Client, alice_actor: Actor, post, roastery) -> None:
    stale = post.revision
    update_post(post, PostDraft(parts=(PartDraft("Alice"),), connections=(roastery.pk,)), by=alice_actor)
    page = bob_client.post(edit(post), fields("Bob", connections=str(roastery.pk), revision=stale))
    revision = page.context["form"].revision
    again = bob_client.post(edit(post), fields("Bob", connections=str(roastery.pk), revision=revision))
    assert again.status_code == 302
    assert texts_of(post) == ["Bob"]


def test_a_published_post_is_not_changed(bob_client: Client, post: Post, roastery: Connection) -> None:
    mark_published(post)
    page = bob_client.post(edit(post), fields("Too late", connections=str(roastery.pk), revision=post.revision))
    assert page.status_code == 409
    assert "Duplicate it instead" in page.content.decode()
    assert texts_of(post) == ["Fresh beans."]


def test_editing_what_is_approved_sends_it_to_review_again(bob_client: Client, post, roastery, approved) -> None:
    approved(post)
    answer = bob_client.post(
        edit(post), fields("Changed", connections=str(roastery.pk), revision=post.revision, action="submit")
    )
    assert answer.status_code == 302
    assert Delivery.objects.get(post=post).state == "in_review"


def test_a_canceled_account_is_not_planned_again_by_an_edit(bob_client: Client, post, roastery) -> None:
    Delivery.objects.filter(post=post).update(state="canceled")
    data = fields("x", connections=str(roastery.pk), revision=post.revision, when="at", at="2030-07-01T09:00")
    bob_client.post(edit(post), data)
    assert Delivery.objects.get(post=post).scheduled_at is None


def test_a_campaign_that_is_gone_is_refused_beside_its_field(bob_client: Client, campaign) -> None:
    gone = str(campaign.pk)
    campaign.delete()
    page = bob_client.post(NEW, fields("kept", campaign=gone))
    assert page.status_code == 422
    assert "does not exist any more" in page.content.decode().split('id="campaign-error"')[1][:900]


# --- without JavaScript -----------------------------------------------------------------------------------


def test_buttons_that_change_the_shape_work_without_scripts(bob_client: Client, in_workspace) -> None:
    page = bob_client.post(NEW, fields("one", action="part-add"))
    assert page.status_code == 200
    assert 'name="part-1-text"' in page.content.decode()
    assert not Post.objects.exists()


def test_enter_in_a_text_field_saves_a_draft(bob_client: Client, in_workspace) -> None:
    first_button = bob_client.get(NEW).content.decode().split('id="composer-form"')[1].split("<button")[1]
    assert 'name="action" value="save"' in first_button


# --- who --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["rita_client", "vic_client", "gwen_client"])
def test_only_editors_write(client: str, request: pytest.FixtureRequest, post: Post) -> None:
    visitor: Client = request.getfixturevalue(client)
    assert visitor.get(NEW).status_code == 403
    assert visitor.post(NEW, fields("no")).status_code == 403
    assert visitor.post(edit(post), fields("no")).status_code in {403, 404}
    assert Post.objects.count() == 1


def test_a_stranger_finds_no_post(charlie_client: Client, post: Post) -> None:
    assert charlie_client.get(edit(post)).status_code == 404


def test_accounts_of_another_workspace_are_refused(
    bob_client: Client, in_workspace, charlie_actor: Actor, tmp_path: Path
) -> None:
    with workspace_scope(charlie_actor.workspace.pk):
        foreign = add_connection(charlie_actor.workspace, "bakery")
        add_post(charlie_actor, foreign)
    page = bob_client.post(NEW, fields("x", connections=str(foreign.pk)))
    assert page.status_code == 422
    assert not Post.objects.exists()


# --- the same form twice ------------------------------------------------------------------------------------


@pytest.fixture
def filled(bob_client: Client, roastery: Connection) -> dict[str, object]:
    new_id = bob_client.get(NEW).context["form"].new_id
    return fields("Only once", connections=str(roastery.pk), new_id=str(new_id))


def test_the_same_form_sent_twice_makes_one_post(bob_client: Client, filled) -> None:
    first, second = bob_client.post(NEW, filled), bob_client.post(NEW, filled)
    assert Post.objects.count() == 1
    assert second.status_code == 302
    assert second["Location"] == first["Location"]


def test_a_form_saved_first_and_then_submitted_is_in_review(bob_client: Client, filled) -> None:
    bob_client.post(NEW, filled)
    bob_client.post(NEW, filled | {"action": "submit"})
    assert Delivery.objects.get().state == "in_review"


def test_a_form_that_comes_back_after_the_post_is_live_changes_nothing(bob_client: Client, filled) -> None:
    bob_client.post(NEW, filled)
    mark_published(Post.objects.get())
    answer = bob_client.post(NEW, filled)
    assert answer.status_code == 409
    assert Post.objects.count() == 1


def test_the_way_back_to_the_form_leads_to_what_it_made(bob_client: Client, filled) -> None:
    bob_client.post(NEW, filled)
    answer = bob_client.get(NEW, {"new_id": filled["new_id"]})
    assert answer.headers["Location"] == edit(Post.objects.get())


def test_two_forms_with_the_same_words_make_two_posts(bob_client: Client, filled) -> None:
    bob_client.post(NEW, filled)
    bob_client.post(NEW, filled | {"new_id": str(bob_client.get(NEW).context["form"].new_id)})
    assert Post.objects.count() == 2


def test_other_words_after_the_way_back_are_shown_before_they_replace_anything(bob_client: Client, filled) -> None:
    bob_client.post(NEW, filled)
    answer = bob_client.post(NEW, filled | {"part-0-text": "Better words"})
    assert answer.status_code == 409
    assert "Better words" in answer.content.decode()
    assert texts_of(Post.objects.get()) == ["Only once"]


def test_saving_them_again_changes_the_post_that_is_there(bob_client: Client, filled) -> None:
    bob_client.post(NEW, filled)
    other = filled | {"part-0-text": "Better words"}
    form = bob_client.post(NEW, other).context["form"]
    bob_client.post(NEW, other | {"revision": str(form.revision)})
    assert texts_of(Post.objects.get()) == ["Better words"]


def test_the_id_of_somebody_elses_post_reaches_nothing(bob_client: Client, filled, in_workspace, alice_actor) -> None:
    theirs = add_post(alice_actor, text="Hers")
    answer = bob_client.post(NEW, filled | {"new_id": str(theirs.pk)})
    assert answer.status_code == 404
    assert texts_of(Post.objects.get()) == ["Hers"]


def test_the_composer_says_when_the_clocks_skip_its_time(bob_client: Client, filled, workspace) -> None:
    answer = bob_client.post(NEW, filled | {"when": "at", "at": "2027-03-28T02:30"}, follow=True)
    assert "02:30 does not exist, so it goes out at 03:30" in answer.content.decode()
