"""The rules in force: shipped, changed by staff, and a workspace's own."""

import subprocess
import sys
from datetime import timedelta
from time import monotonic

import pytest

from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import all_workspaces_scope
from compliance import rulesets
from compliance.guard import Context, Draft, check
from compliance.guard.rules import RuleSet, rule_from, shipped_rules
from compliance.models import GuardRule
from compliance.rule_admin import reset_rule, save_rule, set_enabled
from compliance.rulesets import LOOK_EVERY_S, forget_rules, instance_rules, load_packs, own_rules
from compliance.terms import TermDraft, add_term
from lib.clock import now

NEW = {
    "id": "STAFF-1",
    "engine": "phrases",
    "severity": "block",
    "message": "Nobody says frobnicate.",
    "match": {"terms": ["frobnicate"]},
    "tests": [{"text": "We frobnicate.", "verdict": "block"}],
}


@pytest.fixture(autouse=True)
def fresh_rules():
    """A row of one test must not be in force in the next."""
    forget_rules()
    yield
    forget_rules()


def ids(rules: RuleSet) -> set[str]:
    return {rule.id for rule in rules.rules}


def hits_of(text: str, rules: RuleSet, **context: object) -> list[str]:
    decision = check(Draft.of(text), Context(today=now().date(), **context), rules)
    return [hit.rule for hit in decision.hits]


@pytest.fixture
def staffs(staff: User, django_capture_on_commit_callbacks):
    """An act of staff, its commit included."""

    def act(function, *args, **more):
        with django_capture_on_commit_callbacks(execute=True), all_workspaces_scope("test"):
            return function(*args, staff=staff, **more)

    return act


@pytest.mark.django_db
def test_without_a_table_the_packs_count() -> None:
    assert ids(instance_rules()) == ids(shipped_rules())


@pytest.mark.django_db
def test_the_packs_are_loaded_once() -> None:
    assert load_packs()["new"] == len(shipped_rules().rules)
    assert load_packs() == {"new": 0, "updated": 0, "kept": 0, "gone": 0}
    assert ids(instance_rules()) == ids(shipped_rules())
    assert not GuardRule.objects.filter(is_edited=True).exists()


@pytest.mark.django_db
def test_loading_updates_what_nobody_changed_and_keeps_what_staff_did(staffs) -> None:
    load_packs()
    left, edited, gone = GuardRule.objects.order_by("rule")[:3]
    for row in (left, edited, gone):
        GuardRule.objects.filter(pk=row.pk).update(shipped=row.shipped | {"message": "As it was."})
    GuardRule.objects.filter(pk=edited.pk).update(data=edited.data | {"message": "Ours."}, is_edited=True)
    GuardRule.objects.filter(pk=gone.pk).update(rule="GONE-1")
    assert load_packs() == {"new": 1, "updated": 1, "kept": 1, "gone": 1}
    edited.refresh_from_db()
    left.refresh_from_db()
    assert edited.data["message"] == "Ours."
    assert edited.shipped["message"] != "As it was."
    assert left.data == left.shipped
    assert not GuardRule.objects.filter(rule="GONE-1").exists()


@pytest.mark.django_db
def test_what_staff_switch_off_edit_and_add_is_in_force_at_once(staffs) -> None:
    load_packs()
    first, second = GuardRule.objects.filter(data__engine="platform").order_by("rule")[:2]
    staffs(set_enabled, first, False)
    staffs(save_rule, second, second.data | {"message": "Said by staff."})
    staffs(save_rule, GuardRule(), NEW)
    rules = instance_rules()
    assert first.rule not in ids(rules)
    assert next(rule for rule in rules.rules if rule.id == second.rule).message == "Said by staff."
    assert hits_of("We frobnicate.", rules) == ["STAFF-1"]
    staffs(reset_rule, second)
    staffs(set_enabled, first, True)
    rules = instance_rules()
    assert first.rule in ids(rules)
    assert next(rule for rule in rules.rules if rule.id == second.rule).message == second.shipped["message"]


@pytest.mark.django_db
def test_a_process_asks_the_database_only_now_and_then(django_assert_num_queries) -> None:
    instance_rules()
    with django_assert_num_queries(0):
        assert instance_rules() is instance_rules()


OTHER_WORKER = """
import sys, django
django.setup()
from compliance.rulesets import instance_rules
before = instance_rules()
print(len(before.rules), flush=True)
sys.stdin.readline()
import time
began = time.monotonic()
while "STAFF-1" not in {rule.id for rule in instance_rules().rules}:
    if time.monotonic() - began > 60:
        sys.exit("never seen")
    time.sleep(0.02)
print(time.monotonic() - began, flush=True)
"""


@pytest.mark.django_db(transaction=True)
def test_another_worker_sees_a_change_within_two_seconds(child_env: dict[str, str], staff: User) -> None:
    env = child_env | {"DJANGO_SETTINGS_MODULE": "marketing.settings"}
    worker = subprocess.Popen(
        [sys.executable, "-c", OTHER_WORKER], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    assert worker.stdin is not None
    try:
        # It has the old rules in its memory.
        assert int(worker.stdout.readline()) == len(shipped_rules().rules)
        with all_workspaces_scope("test"):
            save_rule(GuardRule(), NEW, staff=staff)
        worker.stdin.write("look\n")
        worker.stdin.flush()
        # It looks that often; the rest is for a busy machine.
        assert (float(worker.stdout.readline()) <= LOOK_EVERY_S + 8, LOOK_EVERY_S) == (True, 2)
    finally:
        worker.kill()
        worker.communicate()


@pytest.mark.django_db
def test_a_row_changed_behind_our_back_is_seen_when_the_time_has_come(monkeypatch) -> None:
    """What another process wrote: the version of the table tells."""
    instance_rules()
    GuardRule.objects.create(rule="STAFF-1", data=NEW, is_edited=True)
    assert "STAFF-1" not in ids(instance_rules())
    later = monotonic() + LOOK_EVERY_S + 0.1
    monkeypatch.setattr(rulesets, "monotonic", lambda: later)
    assert "STAFF-1" in ids(instance_rules())


# --- a workspace's own ------------------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["cheap", "最便宜", "a/b {c,d}", "C++", "/a.b/", "{a,b}"])
def test_every_word_becomes_a_rule_that_finds_it(term: str, alice_actor: Actor, in_workspace: Workspace) -> None:
    row = add_term(TermDraft(term, replacement="fair"), by=alice_actor)
    rules, _allowed = own_rules(in_workspace.pk)
    decision = check(Draft.of(f"Well, {term} it is"), Context(today=now().date()), rules)
    [hit] = [hit for hit in decision.hits if hit.rule == f"OWN-{row.pk}"]
    assert hit.replacement == "fair"
    assert decision.verdict == "block"


def test_a_word_counts_until_its_last_day(alice_actor: Actor, in_workspace: Workspace) -> None:
    today = now().date()
    for day, term in ((today, "lastday"), (today - timedelta(days=1), "overnow"), (None, "forever")):
        add_term(TermDraft(term, valid_to=day), by=alice_actor)
    rules, _allowed = own_rules(in_workspace.pk)
    found = {rule.match["terms"][0] for rule in rules.rules}
    assert found == {"lastday", "forever"}


def test_a_list_nobody_changed_keeps_its_matcher(alice_actor: Actor, in_workspace: Workspace) -> None:
    add_term(TermDraft("cheap"), by=alice_actor)
    first = own_rules(in_workspace.pk)[0]
    assert own_rules(in_workspace.pk)[0] is first
    add_term(TermDraft("best"), by=alice_actor)
    assert own_rules(in_workspace.pk)[0] is not first


def test_a_word_for_one_platform_is_not_looked_for_elsewhere(alice_actor: Actor, in_workspace: Workspace) -> None:
    add_term(TermDraft("cheap", platforms=("x",)), by=alice_actor)
    rules = own_rules(in_workspace.pk)[0]
    assert hits_of("so cheap", rules, platform="x")
    assert not hits_of("so cheap", rules, platform="telegram")


def test_shipped_data_reads_back_as_the_same_rule() -> None:
    names = ("id", "engine", "severity", "message", "citation", "fix", "jurisdictions", "platforms", "actions")
    for rule in shipped_rules().rules:
        again = rule_from(rulesets.shipped_data(rule), rule.pack)
        assert all(getattr(again, name) == getattr(rule, name) for name in names), rule.id
        assert dict(again.match) == dict(rule.match)
        assert (again.valid_from, again.valid_to) == (rule.valid_from, rule.valid_to)
