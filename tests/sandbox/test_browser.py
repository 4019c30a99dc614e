"""The visitors' browser: cookies, redirects, headers, and the machine that it never leaves."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.addresses import is_here, is_loopback, web_addresses, without_addresses
from sandbox.visitors.browser import MAX_HOPS, Browser, OffLimits, where
from tests.sandbox.visitors_cast import Shop

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"


@pytest.fixture
def phone() -> Browser:
    return Browser(AGENT, "203.0.113.7", "de-DE,de;q=0.9")


# --- addresses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("169.254.169.254", False),
        ("example.com", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("", False),
    ],
)
def test_loopback_addresses_are_told_from_all_others(host: str, is_ours: bool) -> None:
    assert is_loopback(host) is is_ours


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See http://127.0.0.1:8000/l/x.", ["http://127.0.0.1:8000/l/x"]),
        ("(http://localhost/a), https://b.example/c?d=e!", ["http://localhost/a", "https://b.example/c?d=e"]),
        ("看这里http://localhost/a。谢谢", ["http://localhost/a"]),
        ("no link, example.com", []),
        ("ftp://localhost/a", []),
        ("HTTP://LOCALHOST/A", ["HTTP://LOCALHOST/A"]),
    ],
)
def test_addresses_are_found_in_texts(text: str, found: list[str]) -> None:
    assert web_addresses(text) == found
    assert "://" not in without_addresses(text) or not found


@given(st.text(max_size=80))
def test_any_text_can_be_looked_through(text: str) -> None:
    for url in web_addresses(text):
        assert url in text
        assert isinstance(is_here(url), bool)


@pytest.mark.parametrize("url", ["http://[", "http://[::1", "x", ""])
def test_a_broken_address_is_not_here(url: str) -> None:
    assert not is_here(url)


@pytest.mark.parametrize(
    ("url", "hosts", "place"),
    [
        ("http://127.0.0.1:8000/a", {}, ("127.0.0.1", 8000)),
        ("http://localhost/a", {}, ("localhost", 80)),
        ("https://go.example.com/a", {"go.example.com": "127.0.0.1:9"}, ("127.0.0.1", 9)),
        ("http://GO.example.com:81/a", {"go.example.com:81": "localhost:9"}, ("localhost", 9)),
        ("http://[::1]:5/a", {}, ("::1", 5)),
    ],
)
def test_a_name_stands_for_a_place_on_this_machine(url: str, hosts: dict[str, str], place: Any) -> None:
    assert where(urlsplit(url), hosts) == place


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://example.com/", {}),
        ("https://127.0.0.1/", {}),
        ("ftp://localhost/", {}),
        ("http:///a", {}),
        ("http://localhost@example.com/", {}),
        ("http://go.example.com/", {"go.example.com": "example.org:80"}),
        ("http://other.example.com/", {"example.com": "127.0.0.1:80"}),
    ],
)
def test_no_other_machine_is_ever_visited(url: str, hosts: dict[str, str]) -> None:
    with pytest.raises(OffLimits):
        where(urlsplit(url), hosts)


# --- requests -------------------------------------------------------------------------------------------------


def test_a_browser_says_who_it_is(shop: Shop, phone: Browser) -> None:
    phone.open(f"{shop.url}/page?a=b")
    [one] = shop.asked
    assert (one.method, one.path, one.query) == ("GET", "/page", {"a": "b"})
    assert one.headers["user-agent"] == AGENT
    assert one.headers["accept-language"] == "de-DE,de;q=0.9"
    assert one.headers["x-forwarded-for"] == "203.0.113.7"
    assert one.headers["host"] == shop.place
    assert "cookie" not in one.headers


def test_a_name_that_stands_for_this_machine_is_sent_as_the_host(shop: Shop) -> None:
    phone = Browser(AGENT, "203.0.113.7", hosts={"go.example.com": shop.place})
    phone.open("https://go.example.com/l/x")
    assert shop.asked[0].headers["host"] == "go.example.com"
    assert shop.asked[0].headers["x-forwarded-proto"] == "https"
    assert "accept-language" not in shop.asked[0].headers


def test_cookies_come_back_and_are_forgotten_when_they_end(shop: Shop, phone: Browser) -> None:
    shop.answers["/set"] = (200, {"Set-Cookie": 'a="1 2"; Path=/; Secure; HttpOnly; Max-Age=60'})
    shop.answers["/end"] = (200, {"Set-Cookie": "a=; Max-Age=0"})
    for path in ("/set", "/see", "/end", "/see"):
        phone.open(shop.url + path)
    first, second = shop.at("/see")
    assert first.cookies == {"a": "1 2"}
    assert second.cookies == {}


@pytest.mark.parametrize(
    ("cookie", "is_kept"),
    [
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", False),
        ("a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", True),
        ("a=1; Expires=soon", True),
        ("a=1; Max-Age=-5", False),
        ("a=1; Max-Age=x", True),
        ("=;;==", False),
    ],
)
def test_cookies_end_as_they_say(shop: Shop, phone: Browser, cookie: str, is_kept: bool) -> None:
    shop.answers["/set"] = (200, {"Set-Cookie": cookie})
    phone.open(f"{shop.url}/set")
    phone.open(f"{shop.url}/see")
    assert ("a" in shop.asked[-1].cookies) is is_kept


def test_cookies_stay_with_their_host(shop: Shop) -> None:
    phone = Browser(AGENT, "203.0.113.7", hosts={"one.example": shop.place, "two.example": shop.place})
    shop.answers["/set"] = (200, {"Set-Cookie": "a=1"})
    phone.open("http://one.example/set")
    phone.open("http://two.example/see")
    phone.open("http://one.example/see")
    assert [one.cookies for one in shop.at("/see")] == [{}, {"a": "1"}]


def test_somebody_without_cookies_keeps_none(shop: Shop) -> None:
    phone = Browser(AGENT, "203.0.113.7", keeps_cookies=False)
    phone.follow(shop.link)
    phone.follow(shop.link)
    assert shop.people == 2


def test_a_click_ends_where_the_redirects_end(shop: Shop, phone: Browser) -> None:
    trail = phone.follow(shop.link, "https://t.co/")
    assert trail.has_arrived
    assert trail.url == f"{shop.url}/_sandbox/landing/spring?variant=a&click=c0"
    assert trail.urls == [shop.link, trail.url]
    assert [one.headers["referer"] for one in shop.asked] == ["https://t.co/"] * 2


def test_addresses_are_sent_as_their_bytes(shop: Shop, phone: Browser) -> None:
    shop.answers["/%E5%92%96%E5%95%A1"] = (302, {"Location": "/_sandbox/landing/a?q=%C3%A4"})
    trail = phone.follow(f"{shop.url}/咖啡", "http://127.0.0.1/ä?b=100%25")
    assert trail.has_arrived
    assert [one.headers["referer"] for one in shop.asked] == ["http://127.0.0.1/%C3%A4?b=100%25"] * 2
    assert shop.asked[1].query == {"q": "ä"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_followed(shop: Shop, phone: Browser, status: int) -> None:
    shop.answers["/from"] = (status, {"Location": "to"})
    assert phone.follow(f"{shop.url}/from").url == f"{shop.url}/to"


@pytest.mark.parametrize("status", [200, 304, 201])
def test_a_location_without_a_redirect_leads_nowhere(shop: Shop, phone: Browser, status: int) -> None:
    shop.answers["/from"] = (status, {"Location": "/to"})
    assert phone.follow(f"{shop.url}/from").url == f"{shop.url}/from"
    assert not shop.at("/to")


def test_a_redirect_to_another_machine_is_noted_and_not_followed(shop: Shop, phone: Browser) -> None:
    shop.answers["/out"] = (302, {"Location": "https://example.com/a"})
    trail = phone.follow(f"{shop.url}/out")
    assert (trail.left, trail.failure, trail.has_arrived) == ("example.com", None, False)


def test_a_circle_ends(shop: Shop, phone: Browser) -> None:
    shop.answers["/round"] = (302, {"Location": "/round"})
    assert phone.follow(f"{shop.url}/round").failure == "TooManyRedirects"
    assert len(shop.asked) == MAX_HOPS


@pytest.mark.parametrize("status", [404, 410, 429, 500])
def test_a_refusal_is_a_failure_by_its_number(shop: Shop, phone: Browser, status: int) -> None:
    shop.answers["/l/x"] = (status, {})
    trail = phone.follow(shop.link)
    assert (trail.failure, trail.has_arrived) == (str(status), False)


def test_nobody_home_is_a_failure_too(shop: Shop, phone: Browser) -> None:
    url = shop.link
    shop.close()
    try:
        assert phone.follow(url).failure == "ConnectionRefusedError"
    finally:
        shop.__post_init__()


@pytest.mark.parametrize("url", ["http://localhost:x/", "http://[::1/", "http://localhost:99999/"])
def test_a_broken_address_is_a_failure(phone: Browser, url: str) -> None:
    trail = phone.follow(url)
    assert trail.failure or trail.left
    assert not trail.has_arrived
