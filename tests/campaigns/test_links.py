"""Short links are made when a draft is saved, so the approved text is the sent one."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from campaigns import links
from campaigns.models import Post
from campaigns.rendering import render
from campaigns.services import PartDraft, PostDraft, create_post, update_post
from tests.campaigns.cast import texts_of


@pytest.fixture
def shortened(monkeypatch) -> list[tuple[str, Post]]:
    """What a registered shortener was asked for."""
    asked: list[tuple[str, Post]] = []

    def shorten(url: str, post: Post, _draft: PostDraft) -> str:
        asked.append((url, post))
        return f"https://r.co/{len(asked)}"

    monkeypatch.setitem(links.SHORTENERS, "Own links", shorten)
    return asked


def test_nothing_is_shortened_unless_asked(shortened, bob_actor, in_workspace) -> None:
    assert texts_of(create_post(PostDraft((PartDraft("See acme.com"),)), by=bob_actor)) == ["See acme.com"]
    assert shortened == []


def test_every_address_becomes_one_short_link(shortened, bob_actor, roastery) -> None:
    draft = PostDraft(
        (PartDraft("See https://acme.com/a, acme.com/b"), PartDraft("Again https://acme.com/a.")),
        connections=(roastery.pk,),
        overrides={roastery.pk: ["Only acme.com/b", None]},
        shortener="Own links",
    )
    post = create_post(draft, by=bob_actor)
    assert texts_of(post) == ["See https://r.co/1, https://r.co/2", "Again https://r.co/1."]
    assert post.deliveries.get().override_texts == ["Only https://r.co/2", None]
    assert [(url, asked.pk) for url, asked in shortened] == [
        ("https://acme.com/a", post.pk),
        ("acme.com/b", post.pk),
    ]


def test_what_is_approved_holds_the_short_link(shortened, bob_actor, roastery) -> None:
    draft = PostDraft((PartDraft("See acme.com"),), connections=(roastery.pk,), shortener="Own links")
    post = create_post(draft, by=bob_actor)
    assert render(post.deliveries.get()).parts[0].text == "See https://r.co/1"
    assert len(shortened) == 1


def test_an_edit_can_shorten_too(shortened, bob_actor, in_workspace) -> None:
    post = create_post(PostDraft((PartDraft("x"),)), by=bob_actor)
    post = update_post(post, PostDraft((PartDraft("See acme.com"),), shortener="Own links"), by=bob_actor)
    assert texts_of(post) == ["See https://r.co/1"]


def test_a_link_behind_words_is_shortened(shortened, bob_actor, in_workspace) -> None:
    draft = PostDraft((PartDraft("[shop](https://acme.com/a)"),), is_marked=True, shortener="Own links")
    assert texts_of(create_post(draft, by=bob_actor)) == ["[shop](https://r.co/1)"]


def test_a_shortener_that_is_gone_is_told(bob_actor, in_workspace) -> None:
    with pytest.raises(ValidationError, match="no longer available"):
        create_post(PostDraft((PartDraft("See acme.com"),), shortener="Own links"), by=bob_actor)
    assert not Post.objects.exists()


def test_the_switch_shows_only_with_a_shortener(bob_client: Client, in_workspace, monkeypatch) -> None:
    for name in list(links.SHORTENERS):
        monkeypatch.delitem(links.SHORTENERS, name)
    assert "Short links" not in bob_client.get("/posts/new").content.decode()


def test_the_composer_asks_for_short_links(shortened, bob_client: Client, in_workspace) -> None:
    assert "<option>Own links</option>" in bob_client.get("/posts/new").content.decode()
    bob_client.post("/posts/new", {"part-0-text": "See acme.com", "shortener": "Own links", "action": "save"})
    assert texts_of(Post.objects.get()) == ["See https://r.co/1"]
