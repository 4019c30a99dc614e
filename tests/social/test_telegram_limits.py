import pytest

from lib.media import MediaInfo
from social.networks.port import Entity
from social.networks.telegram.limits import check_entities, check_media, check_options, is_web_address

MB = 1024**2


def info(kind: str = "image", **facts) -> MediaInfo:
    known = {"mime": "image/png", "width": 1200, "height": 800, "size_bytes": MB, "sha256": "0" * 64}
    more = {"duration_ms": None, "fps": None, "frames": None, "has_audio": None}
    return MediaInfo(kind=kind, **{**more, **known, **facts})


PHOTO, GIF, VIDEO = info(), info("gif", mime="image/gif"), info("video", mime="video/mp4")


# --- media ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("items", [[], [PHOTO], [GIF], [VIDEO], [PHOTO] * 10, [VIDEO] * 10, [PHOTO, VIDEO] * 5])
def test_what_fits_is_not_criticised(items):
    assert check_media(items) == []


def test_eleven_do_not_fit():
    assert check_media([PHOTO] * 11) == ["Telegram takes at most 10 photos and videos in a message; here are 11."]


@pytest.mark.parametrize("items", [[GIF, PHOTO], [GIF, VIDEO], [GIF, GIF]])
def test_a_gif_stands_alone(items):
    (message,) = check_media(items)
    assert message.startswith("Telegram takes a GIF only alone")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (info(size_bytes=10 * MB + 1), "The photo has 10.0 MB; Telegram takes at most 10 MB"),
        (info(width=6000, height=4001), "6000 × 4001"),
        (info(width=2001, height=100), "from 1:20 to 20:1"),
        (info(width=100, height=2001), "from 1:20 to 20:1"),
        (info("gif", size_bytes=50 * MB + 1), "The GIF has 50.0 MB"),
        (info("video", mime="video/mp4", size_bytes=50 * MB + 1), "The video has 50.0 MB"),
        (info("video", mime="video/webm"), "Export it as MP4"),
    ],
)
def test_what_telegram_refuses_is_said_in_a_sentence(item, words):
    (message,) = check_media([item])
    assert words in message


@pytest.mark.parametrize(
    "item",
    [
        info(size_bytes=10 * MB),
        info(width=6000, height=4000),
        info(width=2000, height=100),
        info("video", mime="video/mp4", size_bytes=50 * MB),
        info("video", mime="video/quicktime"),
        info("video", mime="video/mp4", duration_ms=3_600_000),
    ],
)
def test_the_limit_itself_is_allowed(item):
    assert check_media([item]) == []


def test_the_file_is_named_where_there_are_several():
    (message,) = check_media([PHOTO, info(size_bytes=11 * MB)])
    assert message.startswith("Media 2: ")


# --- formatting -----------------------------------------------------------------------------------------------


def test_a_hundred_marks_fit():
    bold = Entity("bold", 0, 1)
    assert check_entities([bold] * 100) == []
    assert "here are 101" in check_entities([bold] * 101)[0]


def test_a_link_that_telegram_cannot_open_is_named():
    (message,) = check_entities([Entity("text_link", 0, 1, url="https://localhost/menu")])
    assert "https://localhost/menu" in message


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "http://example.org:8080/menu?size=1#top",
        "https://пример.рф/меню",
        "https://user@example.org/",
        "https://example.org/" + "x" * 2000,
    ],
)
def test_addresses_that_open(url):
    assert is_web_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "https://",
        "https://localhost",
        "https://.org",
        "https://exa mple.org",
        "https://example.org:port",
        "https://[example.org",
        "ftp://example.org",
        "javascript:alert(1)",
        "tg://user?id=1",
        "https://example.org/" + "x" * 2048,
    ],
)
def test_addresses_that_do_not(url):
    assert not is_web_address(url)


# --- buttons --------------------------------------------------------------------------------------------------


def rows(*buttons: tuple[str, str]) -> dict:
    return {"buttons": [[{"text": text, "url": url}] for text, url in buttons]}


MENU = ("Menu", "https://example.org/menu")


@pytest.mark.parametrize("counts", [[0], [1], [2, 0], [10, 1], []])
def test_buttons_stand_below_texts_and_single_files(counts):
    assert check_options(rows(MENU), counts) == []


@pytest.mark.parametrize("counts", [[2], [0, 10]])
def test_buttons_do_not_stand_below_an_album(counts):
    (message,) = check_options(rows(MENU), counts)
    assert message.startswith("Telegram shows no buttons below several")


def test_an_album_without_buttons_is_fine():
    assert check_options({"silent": True}, [10]) == []


def test_a_hundred_buttons_fit():
    assert check_options(rows(*[MENU] * 100), [0]) == []
    assert "here are 101" in check_options(rows(*[MENU] * 101), [0])[0]


def test_a_button_leads_to_a_full_address():
    (message,) = check_options(rows(("Menu", "https://intranet/menu")), [0])
    assert "“Menu”" in message


def test_a_button_says_something():
    (message,) = check_options(rows(("\u202e", "https://example.org")), [0])
    assert message == "A button has no text that can be seen."
