"""Late posts and the monthly cap: on the settings page and at /api/workspace."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from accounts import usage
from accounts.models import AuditEntry, UsageTotal, Workspace
from accounts.scope import workspace_scope
from accounts.services import update_workspace
from accounts.usage_queries import month_summary
from lib.clock import now, shifted

pytestmark = pytest.mark.django_db
FORM = {"name": "Roastery", "time_zone": "Europe/Berlin", "late_minutes": "60", "late_policy": "ask", "monthly_cap": ""}
API = "/api/workspace"


@pytest.fixture
def save(alice_client):
    def post(**fields):
        return alice_client.post(reverse("accounts:settings"), FORM | fields, follow=True)

    return post


def fresh(workspace) -> Workspace:
    return Workspace.objects.get(pk=workspace.pk)


# --- the page -----------------------------------------------------------------------------------------------------


def test_late_policy_and_minutes_are_saved(save, workspace):
    assert "Settings saved" in save(late_policy="send", late_minutes="15").content.decode()
    assert (fresh(workspace).late_policy, fresh(workspace).late_minutes) == ("send", 15)


@pytest.mark.parametrize("policy", ["", "never"])
def test_policy_that_does_not_exist_is_explained(save, workspace, policy):
    response = save(late_policy=policy)
    assert (response.status_code, response.context["form"].errors.keys()) == (422, {"late_policy"})
    assert fresh(workspace).late_policy == "ask"


@pytest.mark.parametrize(
    ("typed", "micro"), [("", None), ("0", 0), ("12.5", 12_500_000), ("0.01", 10_000), ("1000000", 10**12)]
)
def test_cap_is_typed_in_dollars_and_kept_in_micro_dollars(save, workspace, typed, micro):
    save(monthly_cap=typed)
    assert fresh(workspace).monthly_cap_micro == micro


@pytest.mark.parametrize("typed", ["-1", "1.005", "1000001", "much", "NaN", "1e99"])
def test_wrong_cap_is_explained_and_changes_nothing(save, workspace, typed):
    response = save(monthly_cap=typed, name="New name")
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"monthly_cap"}
    assert (fresh(workspace).monthly_cap_micro, fresh(workspace).name) == (None, "Roastery")


def test_cap_is_shown_in_dollars_and_saved_again_unchanged(save, workspace, alice_client):
    save(monthly_cap="12.50")
    assert 'value="12.50"' in alice_client.get(reverse("accounts:settings")).content.decode()
    save(monthly_cap="12.50")
    assert fresh(workspace).monthly_cap_micro == 12_500_000


def test_change_is_in_the_trail(save, workspace):
    save(late_policy="send", monthly_cap="5")
    with workspace_scope(workspace.pk):
        data = AuditEntry.objects.filter(action="workspace.update").last().detail.data
    assert data["changed"] == {"late_policy": ["ask", "send"], "monthly_cap_micro": [None, 5_000_000]}


def test_unknown_setting_is_refused(in_workspace, alice_actor):
    with pytest.raises(TypeError, match="is_suspended"):
        update_workspace(by=alice_actor, is_suspended=False)


def test_page_says_what_is_spent(workspace, alice_client, save):
    with workspace_scope(workspace.pk):
        usage.record(workspace, "one", "post", 1_250_000)
    html = save(monthly_cap="5").content.decode()
    assert "$1.25" in html
    assert "25 % of $5.00" in html


# --- the forecast -------------------------------------------------------------------------------------------------


def at(*moment: int):
    return shifted(datetime(*moment, tzinfo=UTC) - now())


@pytest.mark.parametrize(
    ("moment", "forecast"),
    [
        ((2026, 11, 2, 23, 0), None),
        ((2026, 11, 4, 0, 0), 30_000_000),
        ((2026, 11, 16, 0, 0), 6_000_000),
        ((2026, 2, 15, 0, 0), 6_000_000),
    ],
)
def test_forecast_goes_on_at_this_pace_to_the_end_of_the_month(in_workspace, moment, forecast):
    with at(*moment):
        UsageTotal.objects.create(workspace=in_workspace, scope=usage.month_scope(now()), spent_micro=3_000_000)
        assert month_summary(in_workspace).forecast_micro == forecast


def test_month_that_is_over_has_no_forecast(in_workspace):
    with at(2026, 11, 16):
        assert month_summary(in_workspace, (now() - timedelta(days=30)).date()).forecast_micro is None


@pytest.mark.parametrize(("cap", "percent"), [(10_000_000, 35), (3_500_000, 100), (1, 100), (0, 100), (None, 100)])
def test_percent_counts_what_is_held_back(in_workspace, cap, percent):
    in_workspace.monthly_cap_micro = cap
    scope = usage.month_scope(now())
    UsageTotal.objects.create(workspace=in_workspace, scope=scope, spent_micro=3_000_000, reserved_micro=500_000)
    assert month_summary(in_workspace).percent == percent


# --- the API ------------------------------------------------------------------------------------------------------


def test_every_member_reads_the_settings(api, vic, workspace):
    answer = api(vic).get(API).json()
    assert (answer["slug"], answer["late_minutes"], answer["late_policy"]) == ("roastery", 60, "ask")
    assert (answer["monthly_cap_micro"], answer["is_stopped"]) == (None, False)


def test_guests_do_not(api, gwen):
    assert api(gwen).get(API).status_code == 403


def test_admin_changes_some_of_them(api, alice, workspace):
    answer = api(alice).patch(API, {"late_policy": "drop", "monthly_cap_micro": 5_000_000}, format="json")
    assert (answer.status_code, answer.json()["late_policy"]) == (200, "drop")
    assert (fresh(workspace).late_policy, fresh(workspace).monthly_cap_micro) == ("drop", 5_000_000)
    assert fresh(workspace).name == "Roastery"


def test_cap_is_taken_away(api, alice, workspace):
    api(alice).patch(API, {"monthly_cap_micro": 5_000_000}, format="json")
    api(alice).patch(API, {"monthly_cap_micro": None}, format="json")
    assert fresh(workspace).monthly_cap_micro is None


def test_editor_changes_nothing(api, bob, workspace):
    assert api(bob).patch(API, {"late_minutes": 5}, format="json").status_code == 403
    assert fresh(workspace).late_minutes == 60


@pytest.mark.parametrize("field", ["is_stopped", "slug", "is_suspended"])
def test_what_is_no_setting_is_left_alone(api, alice, workspace, field):
    before = getattr(fresh(workspace), field)
    assert api(alice).patch(API, {field: "x"}, format="json").status_code == 200
    assert getattr(fresh(workspace), field) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("late_policy", "never"),
        ("late_minutes", 0),
        ("monthly_cap_micro", -1),
        ("monthly_cap_micro", 10**18),
        ("time_zone", "Mars"),
        ("name", ""),
        ("name", "x" * 81),
    ],
)
def test_wrong_setting_is_named(api, alice, workspace, field, value):
    answer = api(alice).patch(API, {field: value}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
