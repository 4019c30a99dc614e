"""/usage/ and /api/usage: what paid networks cost."""

import csv
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from accounts import usage
from accounts.models import Notification
from accounts.scope import workspace_scope
from campaigns.services import create_campaign
from lib.clock import now, shifted

pytestmark = pytest.mark.django_db
URL, EXPORT, API = "/usage/", "/usage/export", "/api/usage"


@pytest.fixture
def costs(in_workspace, roastery, bob_actor):
    """On the 16th of November 2026 and the day before."""
    spring = create_campaign(by=bob_actor, name="=Spring")
    with at(2026, 11, 15, 9):
        usage.record(in_workspace, "a", "x.post", 15_000, connection_id=roastery.pk)
    with at(2026, 11, 16, 9):
        usage.record(in_workspace, "b", "x.post_link", 200_000, connection_id=roastery.pk, campaign_id=spring.pk)
        usage.reserve(in_workspace, "c", "x.post", 15_000, campaign_id=spring.pk)
        usage.reserve(in_workspace, "d", "x.post", 99_000_000)
        usage.release(in_workspace, "d")
        yield spring


def at(*moment: int):
    return shifted(datetime(*moment, tzinfo=UTC) - now())


def rows(client, **query):
    return [(label, cost.spent, cost.reserved_micro) for label, cost, _ in client.get(URL, query).context["rows"]]


def test_new_workspace_has_spent_nothing(vic_client, in_workspace):
    html = vic_client.get(URL).content.decode()
    assert "Nothing spent" in html
    assert "$0.00" in html


def test_days_come_newest_first(vic_client, costs):
    assert rows(vic_client) == [("Mon 16 Nov", "$0.20", 15_000), ("Sun 15 Nov", "$0.015", 0)]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("kind", [("X post link", "$0.20", 0), ("X post", "$0.015", 15_000)]),
        ("campaign", [("=Spring", "$0.20", 15_000), ("Without a campaign", "$0.015", 0)]),
        ("connection", [("@roastery", "$0.215", 0), ("Without an account", "$0.00", 15_000)]),
        ("moon", [("Mon 16 Nov", "$0.20", 15_000), ("Sun 15 Nov", "$0.015", 0)]),
    ],
)
def test_dearest_comes_first_in_the_other_sums(vic_client, costs, by, expected):
    assert rows(vic_client, by=by) == expected


def test_longest_bar_is_the_dearest(vic_client, costs):
    assert [share for _, _, share in vic_client.get(URL).context["rows"]] == [100, 6]


def test_sum_and_what_is_held_back_stand_above(vic_client, costs):
    html = vic_client.get(URL).content.decode()
    assert "$0.215" in html
    assert "$0.015 held back" in html


def test_deleted_campaign_keeps_its_costs(vic_client, costs):
    costs.delete()
    assert rows(vic_client, by="campaign")[0] == ("Deleted", "$0.20", 15_000)


def test_other_months_have_their_own_page(vic_client, costs):
    page = vic_client.get(URL, {"month": "2026-10"})
    assert (page.context["rows"], page.context["later"].month, page.context["earlier"].month) == ([], 11, 9)
    assert "October 2026" in page.content.decode()


@pytest.mark.parametrize("month", ["2026-12", "2026-13", "1999-01", "soon", "", "2026-11-01"])
def test_month_that_cannot_be_is_this_one(vic_client, costs, month):
    page = vic_client.get(URL, {"month": month})
    assert (f"{page.context['month']:%Y-%m}", page.context["later"]) == ("2026-11", None)


@pytest.mark.parametrize(
    ("month", "earlier", "later"), [("2026-01", "2025-12", "2026-02"), ("2025-12", "2025-11", "2026-01")]
)
def test_year_ends_between_months(vic_client, costs, month, earlier, later):
    context = vic_client.get(URL, {"month": month}).context
    assert (f"{context['earlier']:%Y-%m}", f"{context['later']:%Y-%m}") == (earlier, later)


def test_month_belongs_to_utc(vic_client, in_workspace):
    with at(2026, 11, 30, 23, 30):
        usage.record(in_workspace, "late", "x.post", 15_000)
    with at(2026, 12, 1, 1):
        assert rows(vic_client) == []
        assert rows(vic_client, month="2026-11") == [("Mon 30 Nov", "$0.015", 0)]


def test_guests_and_strangers_see_nothing(gwen_client, charlie_client, other_workspace, costs):
    assert gwen_client.get(URL).status_code == 403
    with workspace_scope(other_workspace.pk):
        assert rows(charlie_client) == []


# --- the file -----------------------------------------------------------------------------------------------------


def table(response) -> list[dict[str, str]]:
    return list(csv.DictReader(response.content.decode().splitlines()))


def test_file_holds_every_entry_of_the_month(vic_client, costs):
    response = vic_client.get(EXPORT, {"month": "2026-11"})
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="usage-2026-11.csv"' in response.headers["Content-Disposition"]
    found = [(row["key"], row["kind"], row["status"], row["usd"]) for row in table(response)]
    assert found == [
        ("a", "x.post", "settled", "0.015000"),
        ("b", "x.post_link", "settled", "0.200000"),
        ("c", "x.post", "reserved", "0.015000"),
    ]


def test_file_names_campaigns_and_accounts(vic_client, costs):
    first, second, _ = table(vic_client.get(EXPORT))
    assert (first["campaign"], first["connection"]) == ("", "'@roastery")
    assert second["campaign"] == "'=Spring"


def test_no_cell_is_a_formula(vic_client, costs):
    assert table(vic_client.get(EXPORT))[1]["campaign"] == "'=Spring"


def test_number_of_queries_does_not_grow_with_the_entries(vic_client, in_workspace, django_assert_max_num_queries):
    for number in range(30):
        usage.record(in_workspace, str(number), "x.post", 1, connection_id=uuid4())
    with django_assert_max_num_queries(20):
        vic_client.get(EXPORT)


# --- the API ------------------------------------------------------------------------------------------------------


def test_api_answers_sums_in_micro_dollars(api, vic, costs):
    answer = api(vic).get(API, {"month": "2026-11", "by": "campaign"}).json()
    assert (answer["spent_micro"], answer["reserved_micro"], answer["cap_micro"]) == (215_000, 15_000, None)
    assert answer["results"] == [
        {"of": str(costs.pk), "name": "=Spring", "count": 2, "spent_micro": 200_000, "reserved_micro": 15_000},
        {"of": None, "name": "Without a campaign", "count": 1, "spent_micro": 15_000, "reserved_micro": 0},
    ]


def test_api_without_a_month_means_this_one(api, vic, costs):
    answer = api(vic).get(API).json()
    assert (answer["month"], answer["by"]) == ("2026-11", "day")
    assert [row["of"] for row in answer["results"]] == ["2026-11-16", "2026-11-15"]


def test_api_forecasts_this_month_only(api, vic, costs):
    assert api(vic).get(API).json()["forecast_micro"] > 215_000
    assert api(vic).get(API, {"month": "2026-10"}).json()["forecast_micro"] is None


@pytest.mark.parametrize(("name", "value"), [("month", "2026-13"), ("month", "1999-01"), ("by", "moon")])
def test_api_names_what_is_wrong(api, vic, in_workspace, name, value):
    answer = api(vic).get(API, {name: value})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


def test_api_is_not_for_guests(api, gwen, costs):
    assert api(gwen).get(API).status_code == 403


# --- warnings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "alerted"), [(0, 60, False), (60, 81, True), (81, 100, True), (10, 20, None), (85, 90, True)]
)
def test_marks_of_the_budget_are_told_and_the_high_ones_mailed(in_workspace, alice, before, after, alerted):
    in_workspace.monthly_cap_micro = 100
    usage.record(in_workspace, "before", "x.post", before)
    usage.reserve(in_workspace, "after", "x.post", after - before)
    told = Notification.objects.filter(kind="budget").values_list("is_alert", flat=True)
    assert list(told) == ([] if alerted is None else [alerted])


def test_way_from_the_warning_leads_here(in_workspace, alice, vic_client):
    in_workspace.monthly_cap_micro = 100
    usage.reserve(in_workspace, "all", "x.post", 100)
    assert vic_client.get(Notification.objects.get().path).status_code == 200


def test_old_months_stay_what_they_were(vic_client, costs):
    with shifted(timedelta(days=40)):
        assert rows(vic_client, month="2026-11")[0] == ("Mon 16 Nov", "$0.20", 15_000)
