"""What a post will cost, said while it is typed."""

import re

import pytest
from django.test import Client

from accounts.usage import reserve
from campaigns.services import create_campaign
from social.models import Connection
from tests.campaigns.cast import add_connection


@pytest.fixture
def typed(bob_client: Client, roastery: Connection):
    def type_in(*texts: str, to: tuple[Connection, ...] = (roastery,), **more: object) -> str:
        data = {f"part-{number}-text": text for number, text in enumerate(texts)}
        data["connections"] = [str(connection.pk) for connection in to]
        html = bob_client.post("/posts/preview", data | more, headers={"HX-Request": "true"}).content.decode()
        return " ".join(re.sub(r"</?(?:b|span)[^>]*>", "", html).split())

    return type_in


def summary(html: str) -> str:
    found = re.search(r'<p class="cost[^>]*id="cost"[^>]*>(.*?)</p>', html)
    assert found
    return re.sub(r"<[^>]*>", "", found[1]).strip()


def test_a_plain_post_costs_a_cent_and_a_half(typed) -> None:
    html = typed("Fresh beans")
    assert "11 / 280 $0.015" in html
    assert summary(html) == "$0.015"


def test_a_link_says_what_it_adds(typed) -> None:
    assert "$0.20 with the link, $0.015 without" in typed("See acme.com")


def test_a_thread_says_its_sum(typed) -> None:
    assert summary(typed("one", "two", "see acme.com", "four", "five")) == "$0.26 for 5 parts"


def test_every_account_pays_for_itself(typed, roastery, cafe) -> None:
    assert summary(typed("one", to=(roastery, cafe))) == "$0.03 (@cafe $0.015, @roastery $0.015)"


def test_telegram_costs_nothing(typed, in_workspace) -> None:
    channel = add_connection(in_workspace, "channel")
    Connection.objects.filter(pk=channel.pk).update(network="telegram")
    html = typed("See acme.com", to=(channel,))
    assert "$" not in html


def test_an_empty_form_costs_nothing(typed) -> None:
    assert summary(typed("")) == ""


def test_the_months_cap_says_what_is_left(typed, in_workspace) -> None:
    in_workspace.monthly_cap_micro = 1_000_000
    in_workspace.save()
    reserve(in_workspace, "earlier", "post", 100_000)
    html = typed("see acme.com")
    assert summary(html) == "$0.20; leaves $0.70 of $1.00 this month"
    assert "is-high" not in html.split('id="cost"')[0].rsplit("<p", 1)[1]


def test_too_much_for_the_month_is_told(typed, in_workspace) -> None:
    in_workspace.monthly_cap_micro = 100_000
    in_workspace.save()
    html = typed("see acme.com")
    assert summary(html) == "$0.20; $0.10 more than is left this month"
    assert "is-high" in html.split('id="cost"')[0].rsplit("<p", 1)[1]


def test_the_campaigns_budget_counts_too(typed, alice_actor, in_workspace) -> None:
    campaign = create_campaign(by=alice_actor, name="Spring")
    campaign.cap_micro = 500_000
    campaign.save()
    assert summary(typed("see acme.com", campaign=str(campaign.pk))) == "$0.20; leaves $0.30 of $0.50 in this campaign"
