"""What an intruder may do to the trail, and what the check then says; and that honest use is never called a fault."""

import unicodedata
from multiprocessing.pool import ThreadPool

import pytest
from django.db import Error, connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.access import Perm, system_actor
from accounts.audit import record, record_staff, verify_chain
from accounts.models import AuditDetail, AuditEntry, AuditHead, User
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import create_workspace
from accounts.staff import revoke_keys, suspend_workspace, unsuspend_workspace

pytestmark = pytest.mark.django_db


def faults(workspace) -> list[str]:
    with all_workspaces_scope("test"):
        return list(verify_chain(workspace))


# --- every column is covered -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "action = 'test.other'",
        "object_kind = 'post'",
        "object_id = 'another'",
        "at = at + interval '1 microsecond'",
        "hash = reverse(hash)",
    ],
)
def test_edit_of_any_column_of_the_last_entry_is_found(chain, as_intruder, change):
    as_intruder(f"UPDATE accounts_auditentry SET {change} WHERE number = 5")
    assert faults(chain)[0] == "entry 5 was changed"


def test_edited_digest_is_found_in_the_entry_and_in_its_detail(chain, as_intruder):
    as_intruder("UPDATE accounts_auditentry SET digest = reverse(digest) WHERE number = 3")
    assert faults(chain) == ["entry 3 was changed", "the detail of entry 3 was changed"]


def test_edited_link_is_found_twice(chain, as_intruder):
    as_intruder("UPDATE accounts_auditentry SET previous_hash = reverse(previous_hash) WHERE number = 3")
    assert faults(chain) == ["entry 3 does not follow the one before it", "entry 3 was changed"]


@pytest.mark.parametrize(
    "change",
    ["actor = 'mallory'", "salt = repeat('0', 32)", "salt = ''", "data = '{}'", "data = data || '{\"more\": null}'"],
)
def test_edit_of_any_column_of_a_detail_is_found(chain, as_intruder, change):
    as_intruder(f"UPDATE accounts_auditdetail SET {change} WHERE data->>'number' = '4'")
    assert faults(chain) == ["the detail of entry 4 was changed"]


def test_swapped_details_are_both_found(chain, as_intruder):
    as_intruder(
        "UPDATE accounts_auditdetail d SET data = o.data, salt = o.salt FROM accounts_auditdetail o "
        "WHERE d.data->>'number' IN ('3', '4') AND o.data->>'number' IN ('3', '4') AND d.entry_id <> o.entry_id"
    )
    assert faults(chain) == ["the detail of entry 3 was changed", "the detail of entry 4 was changed"]


@pytest.mark.parametrize(("column", "said"), [("number = 3", 3), ("number = 9", 9), ("hash = reverse(hash)", 5)])
def test_head_that_was_moved_is_found(chain, as_intruder, column, said):
    as_intruder(f"UPDATE accounts_audithead SET {column}")
    assert faults(chain) == [f"the chain ends at entry 5, its head says {said}"]


def test_several_faults_are_all_named_in_the_order_of_the_trail(chain, as_intruder):
    as_intruder("UPDATE accounts_auditentry SET action = 'test.other' WHERE number = 1")
    as_intruder("DELETE FROM accounts_auditdetail WHERE data->>'number' IN ('2', '5')")
    as_intruder("UPDATE accounts_auditdetail SET actor = 'mallory' WHERE data->>'number' = '4'")
    as_intruder("DELETE FROM accounts_auditentry WHERE number IN (2, 5)")
    assert faults(chain) == [
        "entry 1 was changed",
        "entry 2 is missing: the next one is 3",
        "entry 3 does not follow the one before it",
        "the detail of entry 4 was changed",
        "the chain ends at entry 4, its head says 5",
    ]


def test_entry_taken_to_another_workspace_is_found_in_both(chain, as_intruder, other_workspace):
    # With its detail the database would not let it go.
    as_intruder("DELETE FROM accounts_auditdetail WHERE data->>'number' = '5'")
    as_intruder(
        "UPDATE accounts_auditentry SET workspace_id = %s, number = 2 WHERE number = 5 AND workspace_id = %s",
        other_workspace.pk,
        chain.pk,
    )
    assert faults(chain) == ["the chain ends at entry 4, its head says 5"]
    assert "entry 2 was changed" in faults(other_workspace)


def test_chain_of_one_workspace_says_nothing_about_another(chain, as_intruder, other_workspace):
    as_intruder("DELETE FROM accounts_audithead WHERE workspace_id = %s", chain.pk)
    assert faults(other_workspace) == []


def test_erased_details_do_not_hide_an_edited_entry(chain, as_intruder):
    with workspace_scope(chain.pk):
        AuditDetail.objects.update(actor="", data={}, salt="")
    assert faults(chain) == []
    as_intruder("UPDATE accounts_auditentry SET object_id = 'another' WHERE number = 2")
    assert faults(chain) == ["entry 2 was changed"]


# --- what is written down -----------------------------------------------------------------------------------------

# PostgreSQL's JSON has no NUL, and no halves of surrogate pairs.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
FACTS = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=FACTS, who=WORDS)
def test_whatever_is_recorded_reads_back_as_it_was_hashed(chain, facts, who):
    with workspace_scope(chain.pk):
        record("test.act", chain, by=system_actor(chain, who, []), facts=facts)
        assert list(verify_chain(chain)) == []


def test_letter_written_in_another_form_is_a_change(chain, alice_actor, as_intruder):
    with workspace_scope(chain.pk):
        record("test.act", chain, by=alice_actor, name="Café 烘焙 ☕🏽")
    as_intruder(
        "UPDATE accounts_auditdetail SET data = jsonb_build_object('name', %s::text) WHERE data ? 'name' "
        "AND data->>'name' LIKE 'Caf%%烘焙%%'",
        unicodedata.normalize("NFD", "Café 烘焙 ☕🏽"),
    )
    assert faults(chain) == ["the detail of entry 6 was changed"]


def test_person_with_the_longest_address_leaves_a_trail(db):
    address = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.org"
    mine = create_workspace("Long", owner=User.objects.create_user(address, None))
    with workspace_scope(mine.pk):
        assert AuditEntry.objects.get().detail.actor == address[:120]
        assert list(verify_chain(mine)) == []


def test_policy_that_decides_is_named_like_a_person(in_workspace):
    entry = record("test.act", in_workspace, by=system_actor(in_workspace, "policy nightly", [Perm.REVIEW]))
    assert entry.detail.actor == "policy nightly"


def test_entry_says_what_it_is_about(in_workspace, alice_actor):
    entry = record("test.act", in_workspace, by=alice_actor)
    assert (entry.object_kind, entry.object_id, str(entry)) == ("workspace", str(in_workspace.pk), "2 test.act")


# --- staff -----------------------------------------------------------------------------------------------------


def test_acts_of_staff_are_one_chain_over_all_workspaces(workspace, other_workspace, staff):
    with all_workspaces_scope("test"):
        for each in (workspace, other_workspace):
            suspend_workspace(each, staff=staff, reason="Spam")
        unsuspend_workspace(workspace, staff=staff, reason="Spam")
        entries = AuditEntry.objects.filter(workspace=None).values_list("number", "action", "object_id")
        assert list(entries) == [
            (1, "workspace.suspend", str(workspace.pk)),
            (2, "workspace.suspend", str(other_workspace.pk)),
            (3, "workspace.unsuspend", str(workspace.pk)),
        ]
    assert faults(None) == []


def test_act_of_staff_that_changes_nothing_is_not_recorded(workspace, staff):
    with all_workspaces_scope("test"):
        assert unsuspend_workspace(workspace, staff=staff, reason="Spam") is False
        assert revoke_keys([], staff=staff) == 0
        assert not AuditEntry.objects.filter(workspace=None).exists()


def test_chain_of_staff_cannot_be_written_from_inside_a_workspace(in_workspace):
    with pytest.raises(Error, match="row-level security"), transaction.atomic():
        record_staff("workspace.suspend", in_workspace, staff="staff@example.org")


def test_chain_of_staff_is_not_seen_from_inside_a_workspace(workspace, staff):
    with all_workspaces_scope("test"):
        suspend_workspace(workspace, staff=staff, reason="Spam")
    with workspace_scope(workspace.pk):
        assert not AuditHead.objects.filter(workspace=None).exists()
        assert not AuditEntry.objects.filter(workspace=None).exists()


# --- at once -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_chains_grow_side_by_side_and_are_whole_while_they_grow(workspace, other_workspace, alice_actor, charlie_actor):
    def write(actor) -> list[str]:
        try:
            with workspace_scope(actor.workspace.pk):
                record("test.act", actor.workspace, by=actor)
            with workspace_scope(actor.workspace.pk):
                return list(verify_chain(actor.workspace))
        finally:
            connections.close_all()

    with ThreadPool(4) as pool:
        assert pool.map(write, [alice_actor, charlie_actor] * 8, chunksize=1) == [[]] * 16
    with all_workspaces_scope("test"):
        assert set(AuditHead.objects.values_list("workspace", "number")) == {
            (workspace.pk, 9),
            (other_workspace.pk, 9),
        }


@pytest.mark.django_db(transaction=True)
def test_entry_waits_for_the_one_before_it_to_be_committed(workspace, other_workspace, alice_actor, charlie_actor):
    def write(actor) -> str:
        try:
            with workspace_scope(actor.workspace.pk):
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '200ms'")
                return str(record("test.later", actor.workspace, by=actor).number)
        except Error as error:
            return type(error).__name__
        finally:
            connections.close_all()

    with ThreadPool(1) as pool, workspace_scope(workspace.pk):
        record("test.earlier", workspace, by=alice_actor)
        # Another workspace's chain is free; this one's head is held.
        assert pool.map(write, [charlie_actor, alice_actor]) == ["2", "OperationalError"]
