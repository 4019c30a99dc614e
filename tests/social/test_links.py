import pytest
from django.core.exceptions import ValidationError

from social.models import Connection, Network
from social.networks.links import LINK_EXAMPLES, clean_reply_to, find_post_id, post_url

ROASTERY = Connection(network=Network.X, remote_id="7", handle="roastery")
CHANNEL = Connection(network=Network.TELEGRAM, remote_id="-1001234567890", handle="roasterynews", kind="channel")
PRIVATE = Connection(network=Network.TELEGRAM, remote_id="-1001234567890", name="Regulars", kind="supergroup")
TOPIC = Connection(network=Network.TELEGRAM, remote_id="-1001234567890:15", name="Offers", kind="supergroup")
# Of a chat whose own number is longer, or shorter, than most.
LONG = Connection(network=Network.TELEGRAM, remote_id="-1012345678901", name="Later", kind="channel")
SHORT = Connection(network=Network.TELEGRAM, remote_id="-1000000000123", name="First", kind="channel")
OLD_GROUP = Connection(network=Network.TELEGRAM, remote_id="-4242", name="Crew", kind="group")


@pytest.mark.parametrize(
    "link",
    [
        "1445880548472328192",
        "  1445880548472328192\n",
        "https://x.com/roastery/status/1445880548472328192",
        "https://twitter.com/roastery/statuses/1445880548472328192",
        "https://x.com/i/status/1445880548472328192?s=20",
        "https://mobile.x.com/roastery/status/1445880548472328192/photo/1",
        "x.com/roastery/status/1445880548472328192#m",
    ],
)
def test_a_link_on_x_names_its_post(link):
    assert find_post_id(ROASTERY, link) == "1445880548472328192"


@pytest.mark.parametrize(
    "link",
    [
        "",
        "roastery",
        "https://x.com/roastery",
        "https://x.com/roastery/status/",
        "https://x.com/roastery/status/12a",
        "12345678901234567890",
        "https://t.me/roasterynews/12",
    ],
)
def test_what_is_no_post_on_x_names_none(link):
    assert find_post_id(ROASTERY, link) == ""


@pytest.mark.parametrize(
    ("connection", "link"),
    [
        (CHANNEL, "77"),
        (CHANNEL, "https://t.me/roasterynews/77"),
        (CHANNEL, "https://t.me/RoasteryNews/77?single"),
        (CHANNEL, "t.me/roasterynews/77"),
        (PRIVATE, "https://t.me/c/1234567890/77"),
        (TOPIC, "https://t.me/c/1234567890/15/77"),
        (OLD_GROUP, "https://t.me/c/4242/77"),
        (SHORT, "https://t.me/c/0000000123/77"),
    ],
)
def test_a_link_on_telegram_names_its_message(connection, link):
    assert find_post_id(connection, link) == "77"


@pytest.mark.parametrize(
    ("connection", "link"),
    [
        (CHANNEL, "https://t.me/othernews/77"),
        (CHANNEL, "https://t.me/c/999/77"),
        (PRIVATE, "https://t.me/c/999/77"),
        (PRIVATE, "https://t.me/roasterynews/77"),
        (CHANNEL, "https://t.me/roasterynews"),
        (CHANNEL, "https://x.com/roastery/status/77"),
        (CHANNEL, "hello"),
    ],
)
def test_the_message_of_another_chat_is_none_of_ours(connection, link):
    assert find_post_id(connection, link) == ""


def test_posts_on_x_are_found_without_knowing_the_handle(settings):
    settings.X_WEB_BASE_URL = "https://x.com"
    assert post_url(ROASTERY, "12") == "https://x.com/i/status/12"


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        (CHANNEL, "https://t.me/roasterynews/77"),
        (PRIVATE, "https://t.me/c/1234567890/77"),
        (TOPIC, "https://t.me/c/1234567890/77"),
        (OLD_GROUP, "https://t.me/c/4242/77"),
        (LONG, "https://t.me/c/12345678901/77"),
        (SHORT, "https://t.me/c/123/77"),
    ],
)
def test_messages_have_the_link_of_their_chat(settings, connection, url):
    settings.TELEGRAM_WEB_BASE_URL = "https://t.me"
    assert post_url(connection, "77") == url


@pytest.mark.parametrize("connection", [ROASTERY, CHANNEL, PRIVATE, TOPIC, LONG, SHORT])
def test_our_own_links_are_understood(connection):
    assert find_post_id(connection, post_url(connection, "77")) == "77"


def test_every_network_has_an_example():
    assert LINK_EXAMPLES.keys() == set(Network)


# --- the post that is answered ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    [
        "123",
        " 123 ",
        "https://x.com/acme/status/123",
        "https://twitter.com/acme/statuses/123/",
        "https://mobile.x.com/acme/status/123?s=20&t=x",
        "https://x.com/i/web/status/123#m",
        "x.com/acme/status/123/photo/1",
        "http://127.0.0.1:8100/x/acme/status/123",
    ],
)
def test_the_id_is_read_from_any_link_of_a_post(link: str) -> None:
    assert clean_reply_to(link) == "123"


@pytest.mark.parametrize("link", ["", "   "])
def test_nothing_is_nothing(link: str) -> None:
    assert clean_reply_to(link) == ""


@pytest.mark.parametrize(
    "link",
    [
        "hello",
        "https://x.com/acme",
        "https://x.com/acme/status/",
        "https://x.com/acme/status/12a",
        "1" * 21,
        "１２３",
        "1/2",
    ],
)
def test_anything_else_is_refused_beside_its_field(link: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        clean_reply_to(link)
    assert list(refusal.value.message_dict) == ["reply_to"]
