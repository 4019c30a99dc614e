"""Staff and the health of accounts: the list, forcing a state, the groups, and the front page."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import staff_groups
from accounts.models import AuditEntry, Notification, User
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.staff import suspend_workspace
from compliance.health import note_signal
from compliance.models import AccountHealth, GuardDecision, HealthSignal, Review
from lib.clock import now
from lib.ids import uuid7
from social.models import Connection
from tests.campaigns.cast import add_connection

pytestmark = pytest.mark.django_db
LIST = "/admin/compliance/accounthealth/"
REASON = "They wrote to us"


@pytest.fixture
def account(workspace) -> Connection:
    with workspace_scope(workspace.pk):
        return add_connection(workspace)


@pytest.fixture
def strikes(workspace, account):
    def add(number: int, to: Connection | None = None) -> None:
        with workspace_scope(workspace.pk):
            for _ in range(number):
                note_signal(workspace, (to or account).pk, "strike", "Reported by X")

    return add


@pytest.fixture
def member_of(db, client_of):
    def make(group: str):
        user = User.objects.create_user(f"{group.lower()}@example.org", "correct horse battery", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        return client_of(user)

    return make


@pytest.fixture
def moderator(member_of):
    return member_of(staff_groups.MODERATION)


@pytest.fixture
def support(member_of):
    return member_of(staff_groups.SUPPORT)


def row_of(account: Connection) -> AccountHealth:
    with all_workspaces_scope("test"):
        return AccountHealth.objects.get(connection_id=account.pk)


def press(client, action: str, account: Connection, reason: str = REASON):
    data = {"action": action, "_selected_action": [str(row_of(account).pk)], "reason": reason}
    return client.post(LIST, data, follow=True)


# --- the list ------------------------------------------------------------------------------------------------


def test_every_account_is_listed_also_one_that_nothing_happened_to(support, account):
    page = support.get(LIST)
    assert [row.connection_id for row in page.context["cl"].result_list] == [account.pk]
    assert "@roastery on X" in page.content.decode()


def test_a_disconnected_account_does_not_come_back_by_looking(support, account, workspace):
    with workspace_scope(workspace.pk):
        Connection.objects.update(status="disconnected")
    assert support.get(LIST).context["cl"].result_count == 0


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("?current=unhealthy", True),
        ("?current=warned", True),
        ("?current=healthy", False),
        ("?current=nonsense", True),
        ("?q=roastery", True),
        ("?q=Roastery", True),
        ("?q=nobody", False),
        ("?forced_state__isempty=0", False),
    ],
)
def test_the_list_can_be_filtered_and_searched(support, account, strikes, query, is_found):
    strikes(1)
    assert support.get(LIST + query).context["cl"].result_count == int(is_found)


def test_the_filter_goes_by_what_staff_set(moderator, account, strikes):
    strikes(1)
    press(moderator, "force_healthy", account)
    assert moderator.get(LIST + "?current=unhealthy").context["cl"].result_count == 0
    assert moderator.get(LIST + "?current=healthy&forced_state__isempty=0").context["cl"].result_count == 1


def test_the_number_of_queries_does_not_grow(support, workspace, strikes, account):
    counts = []
    for batch in ("a", "b"):
        with workspace_scope(workspace.pk):
            for number in range(4):
                strikes(1, add_connection(workspace, f"{batch}{number}"))
        support.get(LIST)
        with CaptureQueriesContext(database) as queries:
            support.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_page_of_an_account_lists_its_signals(support, account, strikes):
    strikes(2)
    html = support.get(f"{LIST}{row_of(account).pk}/change/").content.decode()
    assert html.count("Reported by X") >= 2
    assert "2 strikes" in html


def test_signals_are_found_by_their_account(support, account, strikes):
    strikes(2)
    for query, number in (
        (f"?q={account.pk}", 2),
        (f"?q={uuid7()}", 0),
        ("?kind__exact=strike", 2),
        ("?q=Reported", 2),
    ):
        page = support.get("/admin/compliance/healthsignal/" + query)
        assert page.context["cl"].result_count == number


# --- acting --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["healthy", "warned", "restricted", "suspended"])
def test_a_forced_state_holds_and_is_told(moderator, account, strikes, alice, state):
    strikes(3 if state != "suspended" else 1)
    html = press(moderator, f"force_{state}", account).content.decode()
    assert f"1 forced to {state}." in html
    assert (row_of(account).forced_state, row_of(account).forced_reason) == (state, REASON)
    with all_workspaces_scope("test"):
        assert Notification.objects.filter(user=alice, kind="connection").count() >= 2
        entries = AuditEntry.objects.filter(action="health.force").select_related("detail")
        found = {entry.workspace_id: (entry.detail.actor, entry.detail.data["reason"]) for entry in entries}
    assert found == {None: ("moderation@example.org", REASON), account.workspace_id: ("staff", REASON)}


def test_the_reason_stands_on_the_card_of_the_account(moderator, support, account, alice_client):
    support.get(LIST)
    press(moderator, "force_restricted", account)
    html = alice_client.get("/connections").content.decode()
    assert "Set by staff: They wrote to us." in html
    press(moderator, "unforce", account)
    assert "Set by staff" not in alice_client.get("/connections").content.decode()


def test_an_appeal_takes_a_strike_back(moderator, account, strikes):
    strikes(1)
    press(moderator, "appeal", account)
    assert (row_of(account).state, row_of(account).score) == ("healthy", 0)
    press(moderator, "strike", account)
    assert row_of(account).state == "warned"


@pytest.mark.parametrize("button", ["suspend_this", "heal_this", "unforce_this", "strike_this", "appeal_this"])
def test_every_button_leads_to_an_action_that_exists(moderator, support, account, button):
    support.get(LIST)
    address = reverse(f"admin:compliance_accounthealth_{button}", args=[row_of(account).pk])
    page = moderator.get(address)
    assert page.context["action"] in dict(moderator.get(LIST).context["action_form"].fields["action"].choices)
    assert "@roastery on X" in page.content.decode()


def test_a_button_on_nothing_is_a_missing_page(moderator):
    address = reverse("admin:compliance_accounthealth_suspend_this", args=[uuid7()])
    assert moderator.get(address).status_code == 404


@pytest.mark.parametrize("action", ["force_suspended", "unforce", "strike", "appeal"])
def test_support_may_look_and_not_act(support, account, strikes, action):
    strikes(1)
    press(support, action, account)
    assert (row_of(account).forced_state, row_of(account).state) == ("", "warned")
    with all_workspaces_scope("test"):
        assert HealthSignal.objects.count() == 1


# --- groups --------------------------------------------------------------------------------------------------


def test_support_reads_every_page_and_changes_none(db):
    codes = set(Group.objects.get(name=staff_groups.SUPPORT).permissions.values_list("codename", flat=True))
    assert {"view_review", "view_guarddecision", "view_accounthealth", "view_workspace", "view_connection"} <= codes
    assert all(code.startswith("view_") for code in codes)


def test_moderators_see_the_same_and_act_on_a_few(db):
    permissions = {
        group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()
    }
    more = permissions[staff_groups.MODERATION] - permissions[staff_groups.SUPPORT]
    assert more == {
        *("change_workspace", "change_apikey", "change_connection", "change_review", "change_accounthealth"),
        *("change_campaign", "change_delivery", "change_source"),
    }


def test_making_the_groups_again_takes_nothing_away(db):
    from django.contrib.auth.models import Permission

    group = Group.objects.get(name=staff_groups.SUPPORT)
    group.permissions.add(Permission.objects.get(codename="change_switch"))
    before = set(group.permissions.all())
    staff_groups.make_staff_groups()
    assert set(group.permissions.all()) == before
    assert Group.objects.count() == 2


@pytest.mark.parametrize(("group", "status"), [(staff_groups.SUPPORT, False), (staff_groups.MODERATION, True)])
def test_only_moderators_suspend(member_of, workspace, account, group, status):
    client = member_of(group)
    for address, row in (("/admin/accounts/workspace/", workspace), ("/admin/social/connection/", account)):
        data = {"action": "suspend", "_selected_action": [str(row.pk)], "reason": REASON}
        client.post(address, data)
    workspace.refresh_from_db()
    assert workspace.is_suspended is status
    with all_workspaces_scope("test"):
        assert (Connection.objects.get().status == "suspended") is status


# --- the front page ------------------------------------------------------------------------------------------------


def figures(client) -> dict[str, int]:
    return {figure.label: figure.number for figure in client.get("/admin/").context["figures"]}


def test_a_calm_day(support, account):
    assert set(figures(support).values()) == {0}


def test_what_waits_and_what_is_wrong_is_counted_and_linked(support, staff, workspace, account, strikes):
    strikes(3)
    with all_workspaces_scope("test"):
        for due, held in ((-1, None), (1, None), (-1, now())):
            Review.objects.create(
                workspace=workspace,
                kind="delivery",
                object_id=uuid7(),
                due_at=now() + timedelta(hours=due),
                held_at=held,
            )
        for verdict, age in (("block", 0), ("review", 0), ("block", 2)):
            GuardDecision.objects.create(
                workspace=workspace, kind="delivery", object_id=uuid7(), verdict=verdict, at=now() - timedelta(days=age)
            )
        Connection.objects.update(status="suspended")
        suspend_workspace(workspace, staff=staff, reason=REASON)
    assert figures(support) == {
        "Reviews waiting": 3,
        "Reviews late": 1,
        "Blocked today (UTC)": 1,
        "Accounts not healthy": 1,
        "Workspaces suspended": 1,
        "Connections suspended": 1,
    }
    page = support.get("/admin/")
    for figure in page.context["figures"]:
        assert support.get(figure.url).context["cl"].result_count == figure.number, figure.label
    for _title, rows in page.context["lists"]:
        for row in rows:
            assert support.get(row.url).status_code == 200
    assert "@roastery on X, Roastery" in page.content.decode()


def test_who_may_open_nothing_sees_no_figures(client_of, db):
    nobody = User.objects.create_user("new@example.org", "correct horse battery", is_staff=True)
    page = client_of(nobody).get("/admin/")
    assert (page.status_code, page.context["figures"], page.context["lists"]) == (200, [], [])
