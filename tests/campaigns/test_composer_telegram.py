"""A post for Telegram in the composer, alone and beside X."""

import re

import pytest
from django.test import Client

from campaigns.models import MediaAsset
from social.models import Connection
from tests.campaigns.cast import add_asset, add_connection


@pytest.fixture
def channel(in_workspace) -> Connection:
    row = add_connection(in_workspace, "channel", name="Acme channel")
    Connection.objects.filter(pk=row.pk).update(network="telegram")
    return row


@pytest.fixture
def album(in_workspace) -> list[MediaAsset]:
    return [add_asset(in_workspace, name) for name in ("a.png", "b.png", "c.png", "d.png", "e.png")]


@pytest.fixture
def typed(bob_client: Client, channel: Connection):
    def type_in(text: str, to: tuple[Connection, ...] = (channel,), **more: object) -> str:
        data = {"part-0-text": text, "connections": [str(row.pk) for row in to]}
        fields = {name.replace("__", "-"): value for name, value in more.items()}
        html = bob_client.post("/posts/preview", data | fields, headers={"HX-Request": "true"}).content.decode()
        return " ".join(html.split())

    return type_in


def bubble(html: str) -> str:
    found = re.search(r'<div class="tgpost-text">(.*?)</div>', html)
    assert found
    return found[1]


def test_marks_become_formatting(typed) -> None:
    html = typed("**Fresh** [beans](https://acme.com)", is_marked="on")
    assert bubble(html) == '<b>Fresh</b> <span class="entity" title="https://acme.com">beans</span>'
    assert "11 / 4096" in html


def test_without_the_switch_marks_are_text(typed) -> None:
    assert bubble(typed("**Fresh**")) == "**Fresh**"


def test_beside_it_x_shows_plain_text(typed, channel, roastery) -> None:
    html = typed("**Fresh** [beans](https://acme.com)", to=(channel, roastery), is_marked="on")
    assert '<div class="xpost-text">Fresh beans <span class="entity">https://acme.com</span></div>' in html
    assert "35 / 280" in html


def test_a_picture_makes_the_text_a_caption(typed, album) -> None:
    html = typed("x" * 1025, part__0__media=str(album[0].pk))
    assert "1025 / 1024" in html
    assert "The caption is 1 over the limit of 1024 characters." in html


def test_an_album_is_shown_whole(typed, album) -> None:
    html = typed("Look", part__0__media=[str(asset.pk) for asset in album])
    assert 'data-count="5"' in html
    assert html.count("media-cell") == 5


def test_an_album_takes_no_buttons_and_says_so(typed, album) -> None:
    pictures = [str(asset.pk) for asset in album]
    html = typed("Look", part__0__media=pictures, action="targets")
    assert "Telegram shows no buttons below an album." in html
    assert 'value="buttons-drop"' not in html


def test_buttons_that_an_album_cannot_have_can_be_removed(typed, album) -> None:
    html = typed(
        "Look",
        part__0__media=[str(asset.pk) for asset in album],
        button__0__text="Shop",
        button__0__url="https://acme.com",
        action="targets",
    )
    assert 'value="buttons-drop"' in html
    assert 'value="https://acme.com"' in html


def test_buttons_marks_and_the_pin_are_shown(typed) -> None:
    html = typed(
        "Hello",
        button__0__text=["Shop", "<i>"],
        button__0__url=["https://acme.com", "https://b.co"],
        telegram__silent="on",
        telegram__pin="on",
        telegram__protect="on",
    )
    assert '<span class="tgpost-button" title="https://acme.com"><span class="truncate">Shop</span>' in html
    assert "&lt;i&gt;" in html
    for words in ("Pinned message", "Without a sound", "Protected"):
        assert words in html


@pytest.mark.parametrize(
    ("preview", "order"),
    [("", ["text", "card"]), ("above", ["card", "text"]), ("off", ["text"]), ("large", ["text", "card"])],
)
def test_the_card_of_a_link_stands_where_it_is_wanted(typed, preview: str, order: list[str]) -> None:
    html = typed("See https://acme.com/shop", telegram__preview=preview)
    assert re.findall(r'class="tgpost-(text|card)', html) == order


def test_a_button_that_is_not_finished_keeps_the_other_options_in_the_preview(typed) -> None:
    html = typed("Hello", button__0__text="Shop", button__0__url="acme", telegram__silent="on")
    assert "needs an address" in html
    assert "Without a sound" in html


def test_the_tools_for_formatting_show(typed) -> None:
    html = typed("Hello", action="targets")
    assert 'data-mark="**"' in html
    assert 'name="is_marked"' in html


def test_a_poll_beside_telegram_says_what_is_wrong(typed, channel, roastery) -> None:
    poll = {"part__0__poll__minutes": "60", "part__0__poll__choice": ["Light", "Dark"]}
    html = typed("Which?", to=(channel, roastery), **poll)
    assert "Polls cannot be sent to Telegram yet." in html
    assert "<li>Light</li>" in html
