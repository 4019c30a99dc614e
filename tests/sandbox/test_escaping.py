"""Pages show what strangers wrote: nothing of it may become markup."""

from html.parser import HTMLParser

import pytest
import requests

from tests.sandbox.cast import Client, Sandbox, photo
from tests.sandbox.test_oauth2 import grant

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</p></article><h1>owned</h1>",
    "<!-- comment",
    "&lt;b&gt;",
    "javascript:alert(1)",
    'http://example.com/"onmouseover="alert(1)',
    "http://example.com/?a=<b>&c='d'",
    "</title><script>1</script>",
]


class Reader(HTMLParser):
    """What a browser would make of a page: its tags, attributes and words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attributes]

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def is_harmless(self) -> bool:
        is_quiet = not any(name.startswith("on") for name, _ in self.attributes)
        has_no_scheme = not any(value.startswith("javascript:") for name, value in self.attributes if name == "href")
        return is_quiet and has_no_scheme and not {"script", "svg", "iframe"} & set(self.tags)


def read(sandbox: Sandbox, path: str, **params: str) -> Reader:
    answer = requests.get(sandbox.url + path, params=params, timeout=30)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Reader(answer.text)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("path", ["/", "/x/alice", "/x/alice/status/{id}", "/x/i/status/{id}"])
def test_a_text_stays_a_text_on_every_page(sandbox: Sandbox, alice: Client, attack: str, path: str) -> None:
    page = read(sandbox, path.format(id=alice.post_id(attack)))
    assert page.is_harmless
    assert attack in page.words


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_name_stays_a_name_on_every_page(sandbox: Sandbox, attack: str) -> None:
    sandbox.post("/accounts", handle="mallory", name=attack)
    sandbox.sign_in("mallory").post_id("Hello")
    for path in ("/", "/x/mallory"):
        page = read(sandbox, path)
        assert page.is_harmless
        assert attack in page.words


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_alt_text_stays_an_attribute(sandbox: Sandbox, alice: Client, attack: str) -> None:
    media_id = photo(alice)
    metadata = {"id": media_id, "metadata": {"alt_text": {"text": attack}}}
    alice.call("POST", "/2/media/metadata", json=metadata)
    page = read(sandbox, f"/x/alice/status/{alice.post_id('Look', media={'media_ids': [media_id]})}")
    assert ("alt", attack) in page.attributes
    assert page.is_harmless


@pytest.mark.parametrize("label", ["<b>Tea</b>", '"><img src=x>', "</li><li>Third"])
def test_the_options_of_a_poll_stay_words(sandbox: Sandbox, alice: Client, label: str) -> None:
    post_id = alice.post_id("Which?", poll={"options": [label, "Coffee"], "duration_minutes": 60})
    page = read(sandbox, f"/x/alice/status/{post_id}")
    assert page.tags.count("li") == 2
    assert label in page.words


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_name_of_an_app_stays_a_name_on_the_authorise_page(sandbox: Sandbox, attack: str) -> None:
    sandbox.post("/apps", client_id="sandbox-client", name=attack)
    page = read(sandbox, "/x/i/oauth2/authorize", **grant())
    assert page.is_harmless
    assert attack in page.words


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_state_stays_a_value_on_the_authorise_page(sandbox: Sandbox, attack: str) -> None:
    page = read(sandbox, "/x/i/oauth2/authorize", **grant(state=attack))
    assert ("value", attack) in page.attributes
    assert page.is_harmless


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_unknown_scope_is_quoted_harmlessly(sandbox: Sandbox, attack: str) -> None:
    assert read(sandbox, "/x/i/oauth2/authorize", **grant(scope=attack)).is_harmless


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_request_in_the_ledger_stays_words_on_the_front_page(sandbox: Sandbox, alice: Client, attack: str) -> None:
    alice.call("GET", "/2/tweets?" + attack.replace(" ", "%20"))
    page = read(sandbox, "/")
    assert page.is_harmless
    assert "/2/tweets?" in page.words


def test_links_in_a_text_lead_out_without_a_trace(sandbox: Sandbox, alice: Client) -> None:
    page = read(sandbox, f"/x/alice/status/{alice.post_id('See https://example.com/?a=1&b=2')}")
    assert ("href", "https://example.com/?a=1&b=2") in page.attributes
    assert ("rel", "nofollow noreferrer") in page.attributes


@pytest.mark.parametrize("path", ["/", "/x/sandbox_demo", "/x/nobody"])
def test_every_page_may_load_nothing_from_elsewhere(sandbox: Sandbox, path: str) -> None:
    headers = requests.get(sandbox.url + path, timeout=30).headers
    assert headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/x/sandbox_demo", "/x/nobody", "/x/sandbox_demo/status/1"])
def test_every_page_says_that_it_is_not_real_and_fits_a_phone(sandbox: Sandbox, path: str) -> None:
    page = read(sandbox, path)
    assert "Sandbox: nothing here is real" in page.words
    assert ("name", "viewport") in page.attributes
    assert ("lang", "en") in page.attributes


def test_media_are_served_as_what_they_are_and_nothing_else(sandbox: Sandbox, alice: Client) -> None:
    headers = requests.get(f"{sandbox.url}/x/i/media/3_{photo(alice)}", timeout=30).headers
    assert (headers["content-type"], headers["x-content-type-options"]) == ("image/png", "nosniff")


@pytest.mark.parametrize("name", ["alice", "<script>", "%3Csvg%3E", "&amp;", "'", ".svg", "é"])
def test_an_avatar_shows_one_letter_of_any_name(sandbox: Sandbox, name: str) -> None:
    answer = requests.get(f"{sandbox.url}/x/i/avatar/{name}.svg", timeout=30)
    page = Reader(answer.text)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert page.tags == ["svg", "rect", "text"]
    assert len(page.words) == 1
