"""How a conversion is told: templates, pixels, servers; and how orders about it are read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.visitors import manners, telling
from sandbox.visitors.browser import Browser
from sandbox.visitors.manners import BadOrder, Manners, Telling, parse_manners, parse_telling
from tests.sandbox.visitors_cast import Shop

FACTS = {"variant": "a", "url": "http://127.0.0.1/l?x=1&y=ä", "value": 12.5, "order": "order-7-1", "click": "c 1"}


# --- landing pages' addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "variant"),
    [
        ("http://127.0.0.1:8100/_sandbox/landing/spring", "spring"),
        ("http://127.0.0.1:8100/_sandbox/landing/spring?v=b", "b"),
        ("http://127.0.0.1:8100/_sandbox/landing/spring?v=b&variant=c", "c"),
        ("http://127.0.0.1:8100/_sandbox/landing/spring?v=&utm_source=x", "spring"),
        ("http://127.0.0.1:8100/_sandbox/landing/", None),
        ("http://127.0.0.1:8100/_sandbox/landing/a/thanks", None),
        ("http://127.0.0.1:8100/landing/spring", None),
        ("http://127.0.0.1:8100/", None),
    ],
)
def test_a_landing_page_says_its_variant(url: str, variant: str | None) -> None:
    assert telling.variant_of(url) == variant


def test_a_landing_page_says_its_name_and_its_query() -> None:
    url = "http://127.0.0.1/_sandbox/landing/spring?rc=a%20b&empty="
    assert telling.landing_of(url) == "spring"
    assert telling.query_of(url) == {"rc": "a b", "empty": ""}


# --- templates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{variant}", "a"),
        ("{variant}-{order}", "a-order-7-1"),
        ("{value}", 12.5),
        ("€{value}", "€12.5"),
        ("{unknown}", ""),
        ("{ variant }", "{ variant }"),
        ({"a": ["{variant}", 1, None], "b": {"c": "{click}"}}, {"a": ["a", 1, None], "b": {"c": "c 1"}}),
        (3, 3),
    ],
)
def test_templates_are_filled_in(template: Any, filled: Any) -> None:
    assert telling.fill(template, FACTS) == filled


def test_what_is_put_into_an_address_is_quoted() -> None:
    template = "http://127.0.0.1/px?u={url}&c={click}&n={none}"
    expected = "http://127.0.0.1/px?u=http%3A%2F%2F127.0.0.1%2Fl%3Fx%3D1%26y%3D%C3%A4&c=c%201&n="
    assert telling.fill_address(template, FACTS) == expected


@given(st.text(), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_any_template_can_be_filled(template: str, facts: dict[str, str]) -> None:
    assert isinstance(telling.fill(template, {**facts, "value": 1}), str | int)
    assert isinstance(telling.fill_address(template, facts), str)


# --- calls ----------------------------------------------------------------------------------------------------


@pytest.fixture
def person() -> Browser:
    return Browser("Mozilla/5.0", "203.0.113.7", "es-ES", jar={"127.0.0.1": {"person": "9"}})


def test_a_pixel_is_asked_for_by_the_persons_browser(shop: Shop, person: Browser) -> None:
    made = telling.tell(Telling(pixel=shop.url + "/px.gif?c={click}"), person, FACTS, 1)
    [one] = shop.asked
    assert made == [("pixel", None)]
    assert (one.method, one.path, one.query, one.cookies) == ("GET", "/px.gif", {"c": "c 1"}, {"person": "9"})
    assert one.headers["referer"] == "http://127.0.0.1/l?x=1&y=%C3%A4"
    assert one.headers["user-agent"] == "Mozilla/5.0"


def test_a_server_calls_without_the_person(shop: Shop, person: Browser) -> None:
    server = {
        "url": shop.url + "/api/{variant}",
        "headers": {"Authorization": "Bearer k", "Idempotency-Key": "{order}"},
        "json": {"order": "{order}", "value": "{value}"},
    }
    assert telling.tell(Telling(server=server), person, FACTS, 1) == [("server", None)]
    [one] = shop.asked
    assert (one.method, one.path, one.body) == ("POST", "/api/a", {"order": "order-7-1", "value": 12.5})
    assert one.headers["authorization"] == "Bearer k"
    assert one.headers["idempotency-key"] == "order-7-1"
    assert one.headers["content-type"] == "application/json"
    assert one.cookies == {}


def test_a_server_may_use_another_method_and_no_body(shop: Shop, person: Browser) -> None:
    telling.tell(Telling(server={"url": shop.url + "/s2s?o={order}", "method": "GET"}), person, FACTS, 1)
    assert (shop.asked[0].method, shop.asked[0].query, shop.asked[0].body) == ("GET", {"o": "order-7-1"}, None)


def test_a_repeated_call_is_the_same_word_for_word(shop: Shop, person: Browser) -> None:
    server = {"url": shop.url + "/api", "json": {"order": "{order}"}, "headers": {"Idempotency-Key": "{order}"}}
    made = telling.tell(Telling(pixel=shop.url + "/px", server=server), person, FACTS, 2)
    assert [kind for kind, _ in made] == ["pixel", "server", "pixel", "server"]
    first, second = shop.at("/api")
    assert (first.body, first.headers) == (second.body, second.headers)


@pytest.mark.parametrize(
    ("pixel", "failure"),
    [
        ("{shop}/gone", "404"),
        ("https://example.com/px", "OffLimits"),
        ("http://127.0.0.1:1/", "ConnectionRefusedError"),
    ],
)
def test_a_call_that_fails_says_how(shop: Shop, person: Browser, pixel: str, failure: str) -> None:
    shop.answers["/gone"] = (404, {})
    assert telling.tell(Telling(pixel=pixel.replace("{shop}", shop.url)), person, FACTS, 1) == [("pixel", failure)]


def test_nothing_is_told_where_nothing_listens(shop: Shop, person: Browser) -> None:
    assert telling.tell(Telling(), person, FACTS, 2) == []


# --- orders ---------------------------------------------------------------------------------------------------


def test_an_empty_order_is_the_usual_one() -> None:
    assert parse_manners({}) == Manners()
    assert parse_telling({}) == Telling()


def test_what_an_order_says_goes_before_what_a_landing_says() -> None:
    order = Telling(rates={"a": 0.5}, pixel="p", value=3)
    landing = Telling(rates={"a": 0.1, "b": 0.2}, rate=0.05, pixel="q", server={"url": "s"}, value=9)
    both = order.over(landing)
    assert [both.rate_of(name) for name in ("a", "b", "c")] == [0.5, 0.2, 0.05]
    assert (both.pixel, both.server, both.value) == ("p", {"url": "s"}, 3)
    assert Telling().over(landing) == landing
    assert landing.over(Telling()) == landing


def test_a_rate_of_zero_is_said_too() -> None:
    assert Telling(rate=0.0).over(Telling(rate=0.3)).rate_of("a") == 0
    assert Telling(rates={"a": 0.0}).over(Telling(rates={"a": 0.3})).rate_of("a") == 0


@pytest.mark.parametrize(
    ("value", "draw", "spent"),
    [(None, 2, 0), (20, 2, 20), ({"mean": 40, "sd": 10}, 1.5, 55), ({"mean": 1, "sd": 10}, -3, 0), ({"mean": 2}, 3, 2)],
)
def test_people_spend_around_the_mean_and_never_less_than_nothing(value: Any, draw: float, spent: float) -> None:
    assert parse_telling({"value": value} if value is not None else {}).value_for(draw) == spent


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"bots": -1}, "bots is a number from 0 to 10"),
        ({"repeat": 1.1}, "repeat is a number from 0 to 1"),
        ({"cookieless": "all"}, "cookieless is a number"),
        ({"repeat_calls": True}, "repeat_calls is a number"),
        ({"joins": None}, "joins is a number"),
        ({"threads": 0}, "threads is a whole number from 1 to 32"),
        ({"threads": 2.0}, "threads is a whole number"),
        ({"hosts": ["a"]}, "hosts has the wrong type"),
        ({"hosts": {"a.example": "b.example"}}, "a.example has to stand for a loopback address"),
        ({"hosts": {"a.example": 8000}}, "loopback"),
        ({"hosts": {"a.example": "[::1"}}, "loopback"),
        ({"rates": {"a": 2}}, "a is a number from 0 to 1"),
        ({"rates": 0.1}, "rates has the wrong type"),
        ({"rate": -0.1}, "rate is a number"),
        ({"pixel": 1}, "pixel has the wrong type"),
        ({"server": "http://localhost"}, "server has the wrong type"),
        ({"server": {}}, "url is required"),
        ({"server": {"url": "http://localhost", "headers": []}}, "headers has the wrong type"),
        ({"value": -1}, "value is a number"),
        ({"value": {"mean": "x"}}, "mean is a number"),
        ({"value": {"sd": -1}}, "sd is a number"),
    ],
)
def test_nonsense_is_refused_with_a_reason(body: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadOrder, match=reason):
        parse_manners(body)


def test_fields_that_nobody_knows_are_refused() -> None:
    with pytest.raises(BadOrder, match="no field vistors; there are visitors"):
        manners.refuse_unknown({"vistors": 1}, ("visitors",))


@pytest.mark.parametrize("value", [None, "", 3, []])
def test_a_required_text_is_a_text(value: Any) -> None:
    with pytest.raises(BadOrder, match="name is required"):
        manners.text({"name": value}, "name")
