from io import StringIO
from multiprocessing.pool import ThreadPool

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connection, connections, transaction

from accounts.access import Actor
from accounts.audit import link_hash, record, record_staff, verify_chain
from accounts.models import AuditDetail, AuditEntry, AuditHead
from accounts.scope import all_workspaces_scope, workspace_scope

pytestmark = pytest.mark.django_db


def delete_entries(as_intruder, which: str) -> None:
    as_intruder(
        f"DELETE FROM accounts_auditdetail WHERE entry_id IN (SELECT id FROM accounts_auditentry WHERE {which})"
    )
    as_intruder(f"DELETE FROM accounts_auditentry WHERE {which}")


def faults(workspace) -> list[str]:
    with workspace_scope(workspace.pk):
        return list(verify_chain(workspace))


def test_untouched_chain_has_no_fault(chain):
    assert faults(chain) == []


def test_entries_are_numbered_without_gaps_and_linked(chain):
    with workspace_scope(chain.pk):
        entries = list(AuditEntry.objects.order_by("number"))
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.previous_hash for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]


def test_edited_entry_is_found(chain, as_intruder):
    as_intruder("UPDATE accounts_auditentry SET action = 'test.other' WHERE number = 3")
    assert faults(chain) == ["entry 3 was changed"]


def test_edited_entry_with_a_new_hash_is_found_by_the_next_one(chain, as_intruder):
    with workspace_scope(chain.pk):
        entry = AuditEntry.objects.get(number=3)
    entry.action = "test.other"
    as_intruder(
        "UPDATE accounts_auditentry SET action = %s, hash = %s WHERE number = 3", entry.action, link_hash(entry)
    )
    assert faults(chain) == ["entry 4 does not follow the one before it"]


def test_deleted_entry_is_found(chain, as_intruder):
    as_intruder(
        "DELETE FROM accounts_auditdetail WHERE entry_id IN (SELECT id FROM accounts_auditentry WHERE number = 3)"
    )
    as_intruder("DELETE FROM accounts_auditentry WHERE number = 3")
    assert faults(chain) == ["entry 3 is missing: the next one is 4", "entry 4 does not follow the one before it"]


def test_swapped_entries_are_found(chain, as_intruder):
    as_intruder("UPDATE accounts_auditentry SET number = 99 WHERE number = 2")
    as_intruder("UPDATE accounts_auditentry SET number = 2 WHERE number = 3")
    as_intruder("UPDATE accounts_auditentry SET number = 3 WHERE number = 99")
    assert "entry 2 was changed" in faults(chain)


def test_cut_tail_is_found(chain, as_intruder):
    as_intruder(
        "DELETE FROM accounts_auditdetail WHERE entry_id IN (SELECT id FROM accounts_auditentry WHERE number > 3)"
    )
    as_intruder("DELETE FROM accounts_auditentry WHERE number > 3")
    assert faults(chain) == ["the chain ends at entry 3, its head says 5"]


def test_emptied_chain_is_found(chain, as_intruder):
    delete_entries(as_intruder, "true")
    assert faults(chain) == ["the chain ends at entry 0, its head says 5"]


def test_missing_head_is_found(chain, as_intruder):
    as_intruder("DELETE FROM accounts_audithead")
    assert faults(chain) == ["the chain ends at entry 5, its head says nothing"]


def test_added_entry_is_found(chain, as_intruder):
    as_intruder(
        "INSERT INTO accounts_auditentry "
        "(workspace_id, number, at, action, object_kind, object_id, digest, previous_hash, hash) "
        "SELECT workspace_id, 6, now(), 'test.added', object_kind, object_id, digest, hash, hash "
        "FROM accounts_auditentry WHERE number = 5"
    )
    assert faults(chain) == ["entry 6 was changed", "the chain ends at entry 6, its head says 5"]


def test_changed_detail_is_found(chain, as_intruder):
    as_intruder("UPDATE accounts_auditdetail SET actor = 'mallory' WHERE data->>'number' = '4'")
    assert faults(chain) == ["the detail of entry 4 was changed"]


def test_erased_detail_leaves_the_chain_whole(chain):
    with workspace_scope(chain.pk):
        AuditDetail.objects.filter(entry__number=4).update(actor="", data={}, salt="")
        AuditDetail.objects.filter(entry__number=5).delete()
    assert faults(chain) == []


@pytest.mark.parametrize("sql", ["UPDATE accounts_auditentry SET action = 'x'", "DELETE FROM accounts_auditentry"])
def test_database_refuses_to_change_an_entry(chain, sql):
    with pytest.raises(Error, match="append-only"), workspace_scope(chain.pk), connection.cursor() as cursor:
        cursor.execute(sql)


def test_database_refuses_to_empty_the_trail(chain):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # The tests' own clean-up needs it off (conftest).
        cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER no_truncate")
        with pytest.raises(Error, match="append-only"):
            cursor.execute("TRUNCATE accounts_auditentry CASCADE")


def test_entry_is_undone_with_the_act_it_records(chain, alice_actor):
    with workspace_scope(chain.pk):
        with transaction.atomic():
            record("test.act", chain, by=alice_actor)
            transaction.set_rollback(True)
        assert AuditHead.objects.get().number == 5
    assert faults(chain) == []


def test_staff_have_a_chain_of_their_own(chain):
    with all_workspaces_scope("test"):
        record_staff("workspace.suspend", chain, staff="staff@example.org")
        assert not list(verify_chain(None))
        assert AuditEntry.objects.get(workspace=None).number == 1


def test_digests_of_equal_details_differ(workspace, alice_actor):
    with workspace_scope(workspace.pk):
        first, second = (record("test.act", workspace, by=alice_actor, value="same") for _ in range(2))
    assert first.digest != second.digest


def verify(*args: str) -> tuple[int, list[str]]:
    out = StringIO()
    try:
        call_command("verify_audit", *args, stdout=out)
    except SystemExit as stop:
        return int(stop.code), out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def test_command_says_that_all_chains_are_whole(chain, other_workspace):
    assert verify() == (0, ["3 chains are whole."])


def test_command_prints_one_line_per_fault_and_fails(chain, as_intruder, other_workspace):
    as_intruder("UPDATE accounts_auditdetail SET actor = 'mallory' WHERE data->>'number' IN ('3', '4')")
    assert verify() == (
        1,
        ["roastery: the detail of entry 3 was changed", "roastery: the detail of entry 4 was changed"],
    )


def test_command_finds_a_broken_staff_chain(chain, as_intruder):
    with all_workspaces_scope("test"):
        record_staff("workspace.suspend", chain, staff="staff@example.org")
    as_intruder("UPDATE accounts_auditentry SET action = 'x' WHERE workspace_id IS NULL")
    assert verify() == (1, ["staff: entry 1 was changed"])


def test_command_finds_a_chain_that_vanished_but_for_its_head(chain, as_intruder):
    delete_entries(as_intruder, "true")
    assert verify() == (1, ["roastery: the chain ends at entry 0, its head says 5"])


def test_command_looks_at_one_workspace_only(chain, as_intruder, other_workspace):
    as_intruder("UPDATE accounts_auditdetail SET actor = 'mallory' WHERE data->>'number' = '3'")
    assert verify("--workspace", "bakery") == (0, ["1 chain is whole."])


def test_command_knows_no_such_workspace(db):
    with pytest.raises(CommandError, match="no workspace nothing"):
        verify("--workspace", "nothing")


@pytest.mark.django_db(transaction=True)
def test_entries_written_at_once_form_one_chain(workspace, alice_actor: Actor):
    def write(number: int) -> None:
        with workspace_scope(workspace.pk):
            record("test.act", workspace, by=alice_actor, number=number)
        connections.close_all()

    with ThreadPool(4) as pool:
        pool.map(write, range(20))
    with workspace_scope(workspace.pk):
        assert AuditHead.objects.get().number == 21
        assert list(verify_chain(workspace)) == []
