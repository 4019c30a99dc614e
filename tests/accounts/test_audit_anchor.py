"""Anchors: what is written each day, and what they find that a chain alone cannot."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection

from accounts.access import Actor
from accounts.audit import WORKSPACE_DELETED, Anchor, link_hash, record, record_staff, verify_chain
from accounts.audit_anchor import anchor_chains, anchor_files, read_anchors, verify_files, verify_workspace
from accounts.models import INSTANCE_CHAIN, AuditDetail, AuditEntry, AuditHead, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.tasks import anchor_audit
from lib.clock import now, shifted

pytestmark = pytest.mark.django_db


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def act(workspace: Workspace, by: Actor, **data) -> None:
    with workspace_scope(workspace.pk):
        record("test.act", workspace, by=by, **data)


def verify(*args: str) -> tuple[int, list[str]]:
    out = StringIO()
    try:
        call_command("verify_audit", *args, stdout=out)
    except SystemExit as stop:
        return int(stop.code), out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def file_faults() -> list[str]:
    with all_workspaces_scope("test"):
        return list(verify_files())


@pytest.fixture
def anchored(chain, alice_actor, other_workspace) -> Workspace:
    """Five entries under the first file, two more under the second, one under none."""
    with shifted(-timedelta(days=2)):
        anchor_chains()
    for number in (6, 7):
        act(chain, alice_actor, number=number)
    anchor_chains()
    act(chain, alice_actor, number=8)
    return chain


# --- writing ------------------------------------------------------------------------------------------------


def test_first_file_holds_every_head(chain, other_workspace):
    path = anchor_chains()
    header, *heads = lines(path)
    with all_workspaces_scope("test"):
        expected = {str(head.chain): (head.number, head.hash) for head in AuditHead.objects.exclude(workspace=None)}
    assert header == {"file": 1, "at": header["at"], "previous": ""}
    assert {head["chain"]: (head["number"], head["hash"]) for head in heads} == expected
    assert path.name == f"{now():%Y-%m-%d}-000001.jsonl"


def test_later_file_holds_what_changed_and_the_digest_of_the_one_before(anchored, other_workspace):
    first, second = anchor_files()
    header, *heads = lines(second.path)
    assert (header["file"], header["previous"]) == (2, first.digest)
    assert {head["chain"]: head["number"] for head in heads}.items() >= {
        str(anchored.pk): 7,
        str(INSTANCE_CHAIN): 1,
    }.items()


def test_head_that_rests_is_not_written_again(chain, other_workspace, alice_actor):
    with shifted(-timedelta(hours=5)):
        anchor_chains()
    with all_workspaces_scope("test"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER append_only")
        cursor.execute("UPDATE accounts_auditentry SET at = at - interval '9 hours'")
        cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER append_only")
    act(chain, alice_actor)
    _header, *heads = lines(anchor_chains())
    assert [head["chain"] for head in heads] == [str(INSTANCE_CHAIN), str(chain.pk)]


def test_act_that_was_under_way_at_the_last_anchor_is_in_the_next_file(chain, alice_actor):
    anchor_chains()
    # Dated before the anchor, committed after it.
    with shifted(-timedelta(minutes=30)):
        act(chain, alice_actor)
    assert {"chain": str(chain.pk), "number": 6}.items() <= lines(anchor_chains())[-1].items()


def test_quiet_day_writes_no_file(anchored):
    assert anchor_chains() is not None
    assert anchor_chains() is None
    assert len(anchor_files()) == 3


def test_file_is_noted_in_the_chain_of_the_instance_and_closed_for_writing(chain):
    path = anchor_chains()
    with all_workspaces_scope("test"):
        note = AuditEntry.objects.select_related("detail").get(workspace=None)
        assert list(verify_chain(None)) == []
    assert (note.action, note.detail.actor) == ("audit.anchor", "daily anchor")
    assert note.detail.data == {"file": path.name, "sha256": anchor_files()[0].digest, "chains": 1}
    assert path.stat().st_mode & 0o222 == 0
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_left_over_of_a_killed_run_is_written_over(chain, settings):
    settings.AUDIT_ANCHOR_DIR.mkdir()
    (settings.AUDIT_ANCHOR_DIR / f"{now():%Y-%m-%d}-000001.part").write_text("half a l")
    assert lines(anchor_chains())[0]["file"] == 1


def test_other_files_in_the_folder_are_left_alone(chain, settings):
    settings.AUDIT_ANCHOR_DIR.mkdir()
    (settings.AUDIT_ANCHOR_DIR / "erasures.jsonl").write_text("{}\n")
    assert anchor_chains().name.endswith("-000001.jsonl")
    assert file_faults() == []


def test_many_heads_are_read_in_one_query(chain, django_assert_max_num_queries):
    workspaces = Workspace.objects.bulk_create([Workspace(name=f"W{n}", slug=f"w{n}") for n in range(3000)])
    with all_workspaces_scope("test"):
        AuditHead.objects.bulk_create(
            [AuditHead(chain=each.pk, workspace=each, number=1, hash="a" * 64) for each in workspaces]
        )
    # The scope, the lock, the heads, and the note with its head.
    with django_assert_max_num_queries(16):
        path = anchor_chains()
    assert len(lines(path)) == 3002


def test_task_and_command_write_a_file(chain, alice_actor):
    anchor_audit()
    act(chain, alice_actor)
    out = StringIO()
    call_command("anchor_audit", stdout=out)
    assert out.getvalue().strip() == str(anchor_files()[1].path)
    out = StringIO()
    call_command("anchor_audit", stdout=out)
    assert out.getvalue().strip() == "Nothing changed since the last anchor."


def test_note_that_fails_leaves_no_file(chain, monkeypatch):
    with all_workspaces_scope("test"), connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'full'; END$$; "
            "CREATE TRIGGER refuse BEFORE INSERT ON accounts_auditdetail FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    with pytest.raises(Exception, match="full"):
        anchor_chains()
    assert anchor_files() == []


# --- what the owner of the database can do ----------------------------------------------------------------------


def truncate(run, chain) -> None:
    """The tail goes, and the head says that it was never there."""
    run("DELETE FROM accounts_auditdetail WHERE data->>'number' IN ('6', '7', '8')")
    run("DELETE FROM accounts_auditentry WHERE workspace_id = %s AND number > 5", chain.pk)
    move_head(run, chain)


def move_head(run, chain) -> None:
    run(
        "UPDATE accounts_audithead h SET number = e.number, hash = e.hash FROM accounts_auditentry e "
        "WHERE h.chain = %s AND e.workspace_id = h.chain "
        "AND e.number = (SELECT max(number) FROM accounts_auditentry WHERE workspace_id = h.chain)",
        chain.pk,
    )


def hash_anew(run, chain) -> None:
    """Every hash is computed again, as if the trail had always said so."""
    with all_workspaces_scope("test"):
        previous = ""
        for entry in AuditEntry.objects.filter(workspace=chain).order_by("number"):
            entry.previous_hash = previous
            previous = entry.hash = link_hash(entry)
            run(
                "UPDATE accounts_auditentry SET previous_hash = %s, hash = %s WHERE id = %s",
                entry.previous_hash,
                entry.hash,
                entry.pk,
            )
    move_head(run, chain)


def edit_and_hash_anew(run, chain) -> None:
    run("UPDATE accounts_auditentry SET action = 'test.harmless' WHERE workspace_id = %s AND number = 3", chain.pk)
    hash_anew(run, chain)


def delete_and_hash_anew(run, chain) -> None:
    run("DELETE FROM accounts_auditdetail WHERE data->>'number' = '3'")
    run("DELETE FROM accounts_auditentry WHERE workspace_id = %s AND number = 3", chain.pk)
    for number in range(4, 9):
        run(
            "UPDATE accounts_auditentry SET number = %s WHERE workspace_id = %s AND number = %s",
            *(number - 1, chain.pk, number),
        )
    hash_anew(run, chain)


def swap(run, chain) -> None:
    for new, old in ((99, 3), (3, 4), (4, 99)):
        run("UPDATE accounts_auditentry SET number = %s WHERE workspace_id = %s AND number = %s", new, chain.pk, old)


def swap_and_hash_anew(run, chain) -> None:
    swap(run, chain)
    hash_anew(run, chain)


def empty(run, chain) -> None:
    run("DELETE FROM accounts_auditdetail WHERE workspace_id = %s", chain.pk)
    run("DELETE FROM accounts_auditentry WHERE workspace_id = %s", chain.pk)
    run("DELETE FROM accounts_audithead WHERE workspace_id = %s", chain.pk)


TAMPERS = {
    "edited entry": (
        lambda run, chain: run("UPDATE accounts_auditentry SET object_id = 'x' WHERE number = 4"),
        "entry 4 was changed",
    ),
    "edited detail": (
        lambda run, chain: run("UPDATE accounts_auditdetail SET actor = 'mallory' WHERE data->>'number' = '4'"),
        "the detail of entry 4 was changed",
    ),
    "deleted entry": (
        lambda run, chain: (
            run("DELETE FROM accounts_auditdetail WHERE data->>'number' = '4'"),
            run("DELETE FROM accounts_auditentry WHERE number = 4"),
        ),
        "entry 4 is missing: the next one is 5",
    ),
    "swapped entries": (swap, "entry 3 was changed"),
    "cut tail with its head": (truncate, "entry 7 is gone: the anchor of {second} saw it"),
    "edited and hashed anew": (edit_and_hash_anew, "entry 5 is not the one that the anchor of {first} saw"),
    "deleted and hashed anew": (delete_and_hash_anew, "entry 5 is not the one that the anchor of {first} saw"),
    "swapped and hashed anew": (swap_and_hash_anew, "entry 5 is not the one that the anchor of {first} saw"),
    "emptied with its head": (empty, "entry 5 is gone: the anchor of {first} saw it"),
}


@pytest.mark.parametrize(("tamper", "fault"), TAMPERS.values(), ids=TAMPERS)
def test_tampering_is_found(anchored, as_intruder, tamper, fault):
    assert verify("--workspace", anchored.slug) == (0, ["1 chain is whole."])
    days = dict(zip(("first", "second"), (file.day for file in anchor_files()), strict=True))
    tamper(as_intruder, anchored)
    for args in (["--workspace", anchored.slug], []):
        code, said = verify(*args)
        assert code == 1
        assert f"roastery: {fault.format(**days)}" in said
    # The neighbours and the files are as they were.
    assert not [line for line in said if not line.startswith("roastery: ")]


@pytest.mark.parametrize("tamper", [truncate, edit_and_hash_anew, delete_and_hash_anew, swap_and_hash_anew, empty])
def test_without_anchors_these_would_pass(anchored, as_intruder, tamper):
    tamper(as_intruder, anchored)
    with all_workspaces_scope("test"):
        assert list(verify_chain(anchored)) == []
        assert list(verify_chain(anchored, read_anchors({anchored.pk})[anchored.pk])) != []


def test_chain_rewritten_between_two_anchors_is_found_by_the_older_one(chain, alice_actor, as_intruder):
    anchor_chains()
    edit_and_hash_anew(as_intruder, chain)
    act(chain, alice_actor)
    anchor_chains()
    day = anchor_files()[0].day
    assert verify() == (1, [f"roastery: entry 5 is not the one that the anchor of {day} saw"])


def test_erased_details_are_no_fault(anchored):
    with workspace_scope(anchored.pk):
        AuditDetail.objects.filter(entry__number__in=[2, 6]).update(actor="", data={}, salt="")
        AuditDetail.objects.filter(entry__number=3).delete()
    assert verify()[0] == 0


# --- what the owner of the disk can do --------------------------------------------------------------------------


def rewrite(file, change) -> None:
    file.path.chmod(0o640)
    file.path.write_text(change(file.path.read_text()))


@pytest.fixture
def three_files(anchored) -> list:
    anchor_chains()
    assert file_faults() == []
    return anchor_files()


@pytest.mark.parametrize("gone", [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]])
def test_removed_file_is_found(three_files, gone):
    for number in gone:
        three_files[number].path.unlink()
    assert file_faults() == [f"anchor file {three_files[number].path.name} is missing" for number in gone]
    assert verify()[0] == 1


def test_gap_is_found_without_the_notes_too(three_files):
    three_files[1].path.unlink()
    with all_workspaces_scope("test"):
        AuditDetail.objects.filter(entry__workspace=None).update(actor="", data={}, salt="")
    assert file_faults() == ["anchor file 2 is missing"]


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"number":7', '"number":6').replace('"number":8', '"number":1') + "\n",
        lambda text: "\n".join(text.splitlines()[:-1]) + "\n",
        lambda text: text.replace('"file":', '"file": '),
        lambda text: "not json\n" + text,
        lambda text: "",
    ],
    ids=["numbers", "last line", "spaces", "garbage", "emptied"],
)
def test_changed_file_is_found(three_files, which, change):
    rewrite(three_files[which], change)
    assert f"anchor file {three_files[which].path.name} was changed" in file_faults()


def test_changed_file_is_found_by_the_next_one_without_the_notes(three_files):
    with all_workspaces_scope("test"):
        AuditDetail.objects.filter(entry__workspace=None).update(actor="", data={}, salt="")
    rewrite(three_files[0], lambda text: text.replace('"number":5', '"number":4'))
    assert file_faults() == [f"anchor file {anchor_files()[1].path.name} does not follow the one before it"]


def test_file_that_is_there_twice_is_found(three_files):
    double = three_files[1].path.with_name(f"2020-01-01-{2:06d}.jsonl")
    double.write_bytes(three_files[1].path.read_bytes())
    assert any("is there twice" in fault or "was changed" in fault for fault in file_faults())


def test_next_anchor_is_written_although_files_are_gone(three_files, anchored, alice_actor):
    three_files[2].path.unlink()
    act(anchored, alice_actor)
    assert anchor_chains() is not None
    assert verify()[0] == 1


# --- deleted workspaces -----------------------------------------------------------------------------------------


def delete_for_good(workspace: Workspace, *, is_recorded: bool) -> None:
    pk = workspace.pk
    with all_workspaces_scope("test"), connection.cursor() as cursor:
        Workspace.objects.filter(pk=pk).update(deletes_at=now() - timedelta(days=1))
        if is_recorded:
            record_staff(WORKSPACE_DELETED, workspace, staff="grace period")
        cursor.execute("SELECT set_config('app.deleting_workspace', %s, true)", [str(pk)])
        for table in ("auditdetail", "auditentry", "audithead", "membership"):
            cursor.execute(f"DELETE FROM accounts_{table} WHERE workspace_id = %s", [pk])
        cursor.execute("UPDATE accounts_user SET last_workspace_id = NULL")
        cursor.execute("DELETE FROM accounts_workspace WHERE id = %s", [pk])


@pytest.mark.parametrize("is_recorded", [True, False])
def test_deleted_workspace_is_no_fault_when_its_deletion_was_recorded(anchored, other_workspace, is_recorded):
    pk = anchored.pk
    delete_for_good(anchored, is_recorded=is_recorded)
    fault = f"anchors: the chain of workspace {pk} is gone, and no deletion was recorded"
    assert verify() == ((0, ["2 chains are whole."]) if is_recorded else (1, [fault]))


# --- what people are told ---------------------------------------------------------------------------------------


def test_report_says_how_far_the_anchors_reach(anchored, alice_actor):
    with workspace_scope(anchored.pk):
        report = verify_workspace(by=alice_actor)
    second = anchor_files()[1].day
    assert (report.entries, report.anchored_to, report.anchored_on, report.faults) == (8, 7, second, [])
    assert report.is_whole


def test_report_without_anchors_covers_nothing(chain, alice_actor):
    with workspace_scope(chain.pk):
        report = verify_workspace(by=alice_actor)
    assert (report.entries, report.anchors, report.anchored_to, report.anchored_on) == (5, 0, 0, "")


def test_report_stops_at_the_first_twenty_faults(chain, alice_actor, as_intruder):
    for number in range(30):
        act(chain, alice_actor, number=number)
    as_intruder("UPDATE accounts_auditdetail SET actor = 'mallory'")
    with workspace_scope(chain.pk):
        assert len(verify_workspace(by=alice_actor).faults) == 20


def test_only_who_may_read_the_trail_may_check_it(chain, bob_actor):
    with workspace_scope(chain.pk), pytest.raises(PermissionDenied):
        verify_workspace(by=bob_actor)


def test_same_anchor_in_two_files_is_said_once(chain, as_intruder):
    with all_workspaces_scope("test"):
        twice = [Anchor(5, "wrong", "2025-01-01"), Anchor(5, "wrong", "2025-01-02"), Anchor(9, "x", "2025-01-03")]
        assert list(verify_chain(chain, twice)) == [
            "entry 5 is not the one that the anchor of 2025-01-01 saw",
            "entry 9 is gone: the anchor of 2025-01-03 saw it",
        ]
