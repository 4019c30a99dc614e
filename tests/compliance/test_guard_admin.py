"""Rules in the staff admin."""

import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client

from accounts.access import Actor
from accounts.models import AuditEntry, Notification, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from compliance import rule_expiry
from compliance.models import GuardRule, RuleStat
from compliance.rule_admin import check_rule, ending_rules
from compliance.rulesets import forget_rules, load_packs
from compliance.tasks import tell_ending_rules
from compliance.terms import TermDraft, add_term
from lib.clock import now
from tests.compliance.test_guard_rulesets import NEW

pytestmark = pytest.mark.django_db
LIST = "/admin/compliance/guardrule/"


@pytest.fixture(autouse=True)
def loaded():
    load_packs()
    yield
    forget_rules()


@pytest.fixture
def opt_out() -> GuardRule:
    return GuardRule.objects.get(rule="OPT-OUT")


def post(client: Client, path: str, data: object, *, is_enabled: bool = True):
    text = data if isinstance(data, str) else json.dumps(data, default=str)
    return client.post(path, {"data": text} | ({"is_enabled": "on"} if is_enabled else {}))


def editable(client: Client, row: GuardRule) -> dict:
    """As the form offers it."""
    form = client.get(f"{LIST}{row.pk}/change/").context["adminform"].form
    return json.loads(form["data"].value())


def acts() -> list[tuple[str, dict]]:
    with all_workspaces_scope("test"):
        rows = AuditEntry.objects.filter(workspace=None, action__startswith="guard_rule").order_by("number")
        return [(row.action, row.detail.data) for row in rows]


@pytest.mark.parametrize(
    "query",
    [
        "", "?q=广告", "?pack=pii", "?engine=platform", "?severity=block", "?jurisdictions__contains=CN",
        "?is_enabled__exact=1", "?is_edited__exact=0", "?end=soon", "?end=past",
    ],
)  # fmt: skip
def test_the_list_is_searched_and_filtered(staff_client: Client, query: str) -> None:
    page = staff_client.get(LIST + query)
    assert page.status_code == 200
    if "CN" in query:
        assert all("CN" in row.data["jurisdictions"] for row in page.context["cl"].result_list)
        assert page.context["cl"].result_list


def test_people_without_the_permission_see_nothing(alice_client: Client) -> None:
    assert alice_client.get(LIST).status_code == 302
    assert alice_client.get(f"{LIST}statistics/").status_code == 302


def test_staff_change_a_rule_and_it_says_who_and_when(staff_client: Client, staff: User, opt_out: GuardRule) -> None:
    data = editable(staff_client, opt_out) | {"message": "Said by staff.", "valid_to": "2027-03-01"}
    assert post(staff_client, f"{LIST}{opt_out.pk}/change/", data).status_code == 302
    opt_out.refresh_from_db()
    assert opt_out.data["message"] == "Said by staff."
    assert (opt_out.is_edited, opt_out.updated_by) == (True, staff)
    assert str(opt_out.valid_to) == "2027-03-01"
    # The rows of the pack are run, and not kept twice.
    assert "tests" not in opt_out.data
    [(action, detail)] = acts()
    assert action == "guard_rule.change"
    assert detail["before"]["data"]["message"] != "Said by staff."
    assert detail["after"]["data"]["message"] == "Said by staff."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"severity": "loud"}, "is not one of"),
        ({"engine": "dragons"}, "there is no engine dragons"),
        ({"match": {"when": {"opted_out": {"near": 1}}}}, "when"),
        ({"match": {"nonsense": True}}, "nonsense"),
        ({"severity": "note"}, "Test row 1 fails"),
        ({"match": {"when": {"another_fact": True}}}, "is not found"),
        ({"tests": [{"text": "x", "verdict": "block"}]}, "is not found"),
        ({"id": "OTHER"}, "The id stays OPT-OUT"),
        ({"message": ""}, "message"),
        ({"valid_to": "soon"}, "valid_to"),
    ],
)
def test_a_rule_that_does_not_pass_is_refused(
    staff_client: Client, opt_out: GuardRule, change: dict, said: str
) -> None:
    answer = post(staff_client, f"{LIST}{opt_out.pk}/change/", editable(staff_client, opt_out) | change)
    assert answer.status_code == 200
    assert said in " ".join(answer.context["adminform"].form.errors["data"])
    opt_out.refresh_from_db()
    assert not opt_out.is_edited
    assert acts() == []


@pytest.mark.parametrize("text", ["{", "[]", "null", "7"])
def test_what_is_no_rule_at_all_is_refused(staff_client: Client, opt_out: GuardRule, text: str) -> None:
    answer = post(staff_client, f"{LIST}{opt_out.pk}/change/", text)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["data"]
    assert acts() == []


@pytest.mark.parametrize("pattern", ["(a+)+b", "(?:.*x)*", "a{1,900}", "("])
def test_a_pattern_that_could_be_made_slow_is_refused(pattern: str) -> None:
    with pytest.raises(Exception, match=r"\S"):
        check_rule(NEW | {"match": {"patterns": [pattern]}, "tests": []})


def test_staff_add_a_rule_and_delete_it(staff_client: Client) -> None:
    assert "NEW-RULE" in staff_client.get(f"{LIST}add/").content.decode()
    assert post(staff_client, f"{LIST}add/", NEW).status_code == 302
    row = GuardRule.objects.get(rule="STAFF-1")
    assert (row.is_edited, row.shipped, row.data["tests"]) == (True, {}, NEW["tests"])
    again = post(staff_client, f"{LIST}add/", NEW)
    assert "There is a rule STAFF-1 already" in " ".join(again.context["adminform"].form.errors["data"])
    assert staff_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not GuardRule.objects.filter(rule="STAFF-1").exists()
    assert [action for action, _ in acts()] == ["guard_rule.add", "guard_rule.delete"]


def test_a_shipped_rule_cannot_be_deleted(staff_client: Client, opt_out: GuardRule) -> None:
    assert staff_client.post(f"{LIST}{opt_out.pk}/delete/", {"post": "yes"}).status_code == 403
    assert GuardRule.objects.filter(pk=opt_out.pk).exists()


def test_rules_are_switched_off_and_taken_back_from_the_list(staff_client: Client, opt_out: GuardRule) -> None:
    post(staff_client, f"{LIST}{opt_out.pk}/change/", editable(staff_client, opt_out) | {"message": "Ours."})
    for action in ("disable", "enable", "reset", "reset"):
        answer = staff_client.post(LIST, {"action": action, "_selected_action": [str(opt_out.pk)]}, follow=True)
        assert answer.status_code == 200
    opt_out.refresh_from_db()
    assert (opt_out.is_enabled, opt_out.is_edited, opt_out.data) == (True, False, opt_out.shipped)
    done = ["guard_rule.change", "guard_rule.disable", "guard_rule.enable", "guard_rule.reset"]
    assert [action for action, _ in acts()] == done


# --- statistics -------------------------------------------------------------------------------------------


def test_statistics_show_rules_days_and_workspaces(
    staff_client: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    today = now().date()
    rows = [(workspace, "A-1", today, 5), (other_workspace, "A-1", today, 2), (workspace, "B-1", today, 3)]
    rows += [(workspace, "A-1", today - timedelta(days=1), 1), (workspace, "OLD", today - timedelta(days=40), 99)]
    for owner, rule, day, hits in rows:
        with workspace_scope(owner.pk):
            RuleStat.objects.create(workspace=owner, rule=rule, day=day, hits=hits, blocked=1, approved=0)
    page = staff_client.get(f"{LIST}statistics/")
    assert [(row["rule"], row["hits"], row["blocked"]) for row in page.context["rows"]] == [
        ("A-1", 8, 3),
        ("B-1", 3, 1),
    ]
    page = staff_client.get(f"{LIST}statistics/", {"rule": "A-1"})
    assert page.context["days"] == [(today, 7, 2, 0), (today - timedelta(days=1), 1, 1, 0)]
    assert "Bakery" in page.content.decode()
    assert "No rule was hit" in staff_client.get(f"{LIST}statistics/", {"rule": "NONE"}).content.decode()


# --- what ends soon ---------------------------------------------------------------------------------------


def set_end(row: GuardRule, days: int, **fields: object) -> None:
    GuardRule.objects.filter(pk=row.pk).update(valid_to=now().date() + timedelta(days=days), **fields)


def test_staff_who_may_change_rules_are_told_once(staff: User, alice: User, opt_out: GuardRule) -> None:
    helper = User.objects.create_user("helper@example.org", "x", is_staff=True)
    keeper = User.objects.create_user("keeper@example.org", "x", is_staff=True)
    keeper.user_permissions.add(Permission.objects.get(codename="change_guardrule"))
    set_end(opt_out, 30)
    tell_ending_rules()
    tell_ending_rules()
    told = sorted(address for message in mail.outbox for address in message.to)
    assert told == sorted([staff.email, keeper.email])
    assert helper.email not in told
    assert "OPT-OUT" in mail.outbox[0].body
    opt_out.refresh_from_db()
    assert opt_out.expiry_told_at


@pytest.mark.parametrize(("days", "fields", "is_told"), [
    (30, {}, True),
    (0, {}, True),
    (31, {}, False),
    (-1, {}, False),
    (5, {"is_enabled": False}, False),
])  # fmt: skip
def test_only_what_ends_within_thirty_days_is_told(opt_out: GuardRule, days: int, fields: dict, is_told: bool) -> None:
    GuardRule.objects.update(valid_to=None)
    set_end(opt_out, days, **fields)
    assert list(ending_rules(GuardRule.objects.all())) == ([opt_out] if is_told else [])


def test_a_mail_that_fails_is_tried_again(staff: User, opt_out: GuardRule, monkeypatch, settings) -> None:
    set_end(opt_out, 3)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with pytest.raises(OSError, match=r"."):
        rule_expiry.tell_staff()
    opt_out.refresh_from_db()
    assert opt_out.expiry_told_at is None


def test_a_rule_that_gets_a_new_end_may_be_told_again(staff_client: Client, opt_out: GuardRule) -> None:
    set_end(opt_out, 3, expiry_told_at=now())
    data = editable(staff_client, opt_out) | {"valid_to": str(now().date() + timedelta(days=20))}
    post(staff_client, f"{LIST}{opt_out.pk}/change/", data)
    opt_out.refresh_from_db()
    assert opt_out.expiry_told_at is None
    assert rule_expiry.tell_staff() == 1


def test_a_workspace_is_told_of_its_words_once_for_each_end(alice: User, alice_actor: Actor, workspace) -> None:
    today = now().date()
    with workspace_scope(workspace.pk):
        add_term(TermDraft("soon", valid_to=today + timedelta(days=7)), by=alice_actor)
        add_term(TermDraft("later", valid_to=today + timedelta(days=8)), by=alice_actor)
    tell_ending_rules()
    tell_ending_rules()
    with workspace_scope(workspace.pk):
        texts = list(Notification.objects.filter(user=alice, kind="guard.term_ends").values_list("text", flat=True))
    assert len(texts) == 1
    assert re.match(r"“soon” leaves your list after \d+ \w+ \d{4}\.", texts[0])
