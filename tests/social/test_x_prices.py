import pytest

from sandbox.x import pricing
from social.networks.x import prices


def test_a_plain_post_has_the_plain_price() -> None:
    assert prices.part_cost("Fresh beans") == 15_000


@pytest.mark.parametrize("text", ["https://acme.com", "see acme.com today", "Café acmé.com", "http://a.co\n\nlast"])
def test_a_link_of_any_kind_has_the_price_of_links(text: str) -> None:
    assert prices.part_cost(text) == 200_000


@pytest.mark.parametrize("text", ["3.5 grams", "me@acme.com", "and so on...", "#acme.com", "version 1.2.3"])
def test_what_x_makes_no_link_of_costs_no_more(text: str) -> None:
    assert prices.part_cost(text) == 15_000


def test_an_answer_that_was_asked_for_is_cheaper() -> None:
    assert prices.part_cost("Thank you!", is_reply=True) == 10_000


def test_an_answer_with_a_link_costs_what_links_cost() -> None:
    assert prices.part_cost("Here: acme.com", is_reply=True) == 200_000


def test_ten_links_cost_as_much_as_one() -> None:
    assert prices.part_cost("acme.com " * 10) == 200_000


@pytest.mark.parametrize(
    "name",
    [
        "POST",
        "POST_WITH_URL",
        "SUMMONED_REPLY",
        "DELETE",
        "MEDIA_METADATA",
        "POST_READ",
        "USER_READ",
        "OWNED_READ",
    ],
)
def test_the_local_network_charges_the_same(name: str) -> None:
    assert getattr(prices, name) == getattr(pricing, name)
