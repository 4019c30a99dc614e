"""What our rules let through Telegram takes, and what they stop it would refuse: both sides are asked."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lib.media import probe
from social.models import Network
from social.networks.markup import read_marked
from social.networks.port import Failure, NetworkError, OutgoingMedia, OutgoingPart
from social.networks.rules import RULES, check_part, missing_scopes
from tests.sandbox.cast import picture

RULE = RULES[Network.TELEGRAM]


@dataclass
class Chat:
    """The facts about a connection that rules ask for."""

    network: str = Network.TELEGRAM
    is_premium: bool = False
    scopes: list[str] = field(default_factory=list)

    def get_network_display(self) -> str:
        return "Telegram"


@pytest.fixture
def takes(cafe, tmp_path: Path):
    """Whether our rules let a part pass, and whether Telegram does."""

    def ask(text: str, *files: bytes, entities=(), options=None) -> tuple[bool, bool]:
        infos, media = [], []
        for number, content in enumerate(files):
            path = tmp_path / f"{number}.{'gif' if content.startswith(b'GIF') else 'png'}"
            path.write_bytes(content)
            infos.append(probe(path))
            media.append(_outgoing(content, infos[-1].mime, infos[-1].kind))
        messages = check_part(Chat(), text, infos) + RULE.check_entities(entities)
        messages += RULE.check_options(options or {}, [len(files)])
        part = OutgoingPart(text, entities=tuple(entities), media=tuple(media), options=options or {})
        return not messages, _is_taken(cafe.client(), part)

    return ask


def _outgoing(content: bytes, mime: str, kind: str) -> OutgoingMedia:
    return OutgoingMedia(lambda: io.BytesIO(content), mime, kind, len(content))


def _is_taken(client, part: OutgoingPart) -> bool:
    try:
        client.publish(part)
    except NetworkError as error:
        if error.failure is not Failure.REJECTED:
            raise
        return False
    return True


BOTH, NEITHER = (True, True), (False, False)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Fresh coffee", BOTH),
        ("x" * 4096, BOTH),
        ("x" * 4097, NEITHER),
        ("😀" * 2048, BOTH),
        ("😀" * 2048 + "x", NEITHER),
        ("咖" * 4096, BOTH),
        ("a\r\nb", BOTH),
        ("a\x07b", BOTH),
        ("<b>", BOTH),
        ("\u2028\u202e", NEITHER),
        ("\u202e \n", NEITHER),
    ],
)
def test_a_text(takes, text, verdict):
    assert takes(text) == verdict


@pytest.mark.parametrize(
    ("caption", "verdict"),
    [("x" * 1024, BOTH), ("x" * 1025, NEITHER), ("😀" * 512, BOTH), ("😀" * 513, NEITHER), ("", BOTH)],
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_caption(takes, caption, verdict, count):
    assert takes(caption, *[picture()] * count) == verdict


@pytest.mark.parametrize(
    ("size", "verdict"),
    [((2000, 100), BOTH), ((2001, 100), NEITHER), ((9900, 100), NEITHER), ((9600, 500), NEITHER), ((1, 1), BOTH)],
)
def test_the_shape_of_a_photo(takes, size, verdict):
    assert takes("", picture("PNG", size)) == verdict


MOVING = picture("GIF", frames=3)


@pytest.mark.parametrize(
    ("files", "verdict"),
    [
        ([MOVING], BOTH),
        ([MOVING, picture()], NEITHER),
        ([MOVING, MOVING], NEITHER),
        ([picture()] * 10, BOTH),
        ([picture()] * 11, NEITHER),
        ([picture("GIF")] * 2, BOTH),
    ],
)
def test_a_mix_of_files(takes, files, verdict):
    assert takes("", *files) == verdict


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("https://example.org/a?b=c#d", BOTH),
        ("https://localhost/a", NEITHER),
        ("https://example.org:x/", NEITHER),
        ("https://.org/", NEITHER),
        ("https://пример.рф/", BOTH),
    ],
)
def test_a_link_behind_words(takes, url, verdict):
    marked = read_marked(f"[menu]({url})")
    assert [entity.kind for entity in marked.entities] == ["text_link"]
    assert takes(marked.text, entities=marked.entities) == verdict


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("https://example.org/menu", BOTH),
        ("http://example.org:8080", BOTH),
        ("https://intranet", NEITHER),
        ("https://a b.org", NEITHER),
        ("https://[a.b", NEITHER),
    ],
)
def test_an_address_of_a_button(takes, url, verdict):
    assert takes("Hello", options={"buttons": [[{"text": "Go", "url": url}]]}) == verdict


@pytest.mark.parametrize(("count", "verdict"), [(100, BOTH), (101, NEITHER)])
def test_the_number_of_buttons(takes, count, verdict):
    rows = [[{"text": "Go", "url": "https://example.org"}] * 8] * (count // 8)
    rest = [[{"text": "Go", "url": "https://example.org"}] * (count % 8)]
    assert takes("Hello", options={"buttons": rows + rest}) == verdict


def test_formatting_does_not_count(takes):
    marked = read_marked("**" + "x" * 4096 + "**")
    assert takes(marked.text, entities=marked.entities) == BOTH


# --- what only the author sees --------------------------------------------------------------------------------


def test_the_author_is_told_that_a_caption_is_shorter(tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    info = probe(tmp_path / "a.png")
    assert check_part(Chat(), "x" * 1030, [info]) == ["The caption is 6 over the limit of 1024 characters."]
    assert check_part(Chat(), "x" * 4100, []) == ["The text is 4 over the limit of 4096 characters."]


def test_a_poll_cannot_be_sent_yet():
    (message,) = check_part(Chat(), "Tea or coffee?", [], {"options": ["Tea", "Coffee"], "minutes": 60})
    assert message == "Polls cannot be sent to Telegram yet. Take the poll off."


def test_half_a_character_is_refused():
    (message,) = check_part(Chat(), "Hello \ud83d", [])
    assert "a character that the network refuses" in message


def test_no_permission_is_ever_missing():
    assert missing_scopes(Chat(), has_media=True) == []


def test_a_description_is_no_matter_for_telegram():
    assert RULE.max_alt_text >= 1000
