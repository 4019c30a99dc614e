"""The daily tidying: what it may read, what it may change, its diff, its undoing, and when it starts."""

from datetime import UTC, datetime

import pytest

from accounts.access import Actor
from accounts.models import Workspace
from agents.memory import items, recall
from agents.memory.blocks import lock_block, write_block
from agents.memory.consolidation import apply_changes, gather, has_news, undo_consolidation
from agents.memory.workflow import due_workspaces, is_due, set_consolidate_hour, slot_minute, start_due
from agents.models import AISettings, Consolidation, MemoryBlock, MemoryItem, Message, Run, Thread
from lib.clock import now

pytestmark = pytest.mark.django_db
Status = MemoryItem.Status


def change(act: str, text: str = "", ids: tuple[MemoryItem, ...] = (), **fields: str) -> dict[str, object]:
    plain = {"subject": "", "kind": "fact", "tier": "durable", "label": "", "why": "Said today."}
    return {"act": act, "text": text, "ids": [str(item.pk) for item in ids], **plain, **fields}


def tidy(by: Actor, changes: list[dict[str, object]], shown: list[MemoryItem], user=None) -> dict[str, object]:
    keys = [str(item.pk) for item in shown]
    return apply_changes(changes, keys, day=now().date(), user=user, by=by)


def test_a_day_is_applied_shown_and_undone(learn, bob_actor: Actor, in_workspace: Workspace) -> None:
    old, two, over = learn("We open at nine."), learn("Doors open at 9."), learn("The fair is in June.")
    changes = [
        change("add", "We never post on Sundays."),
        change("supersede", "We open at ten.", (old, two), subject="hours"),
        change("expire", ids=(over,)),
    ]
    done = tidy(bob_actor, changes, [old, two, over])
    assert (done["changed"], done["refused"]) == (3, [])
    in_force = {row.text for row in MemoryItem.objects.filter(status=Status.ACTIVE)}
    assert in_force == {"We never post on Sundays.", "We open at ten.", "The fair is in June."}
    assert recall(in_workspace, None, "when is the fair") == []
    day = Consolidation.objects.get()
    assert [line["act"] for line in day.diff] == ["add", "supersede", "expire"]
    assert undo_consolidation(day, by=bob_actor) == 3
    assert undo_consolidation(day, by=bob_actor) is None
    in_force = {row.text for row in MemoryItem.objects.filter(status=Status.ACTIVE)}
    assert in_force == {old.text, two.text, over.text}
    assert [one.text for one in recall(in_workspace, None, "when is the fair")] == [over.text]


def test_undo_leaves_alone_what_was_changed_since(learn, bob_actor: Actor, in_workspace: Workspace) -> None:
    old = learn("We open at nine.", subject="hours")
    tidy(bob_actor, [change("supersede", "We open at ten.", (old,), subject="hours")], [old])
    newest = learn("We open at eleven.", subject="hours")
    assert undo_consolidation(Consolidation.objects.get(), by=bob_actor) == 0
    assert [one.text for one in recall(in_workspace, None, "when do we open")] == [newest.text]


@pytest.mark.parametrize("act", ["supersede", "expire"])
def test_ids_that_were_not_shown_are_not_touched(learn, bob_actor: Actor, in_workspace: Workspace, act: str) -> None:
    item = learn("We open at nine.")
    tidy(bob_actor, [change(act, "We never open at all.", (item,))], [])
    item.refresh_from_db()
    assert (item.status, item.expires_at) == (Status.ACTIVE, None)
    assert MemoryItem.objects.count() == 1


def test_what_was_forgotten_is_not_learnt_again_by_tidying(learn, bob_actor: Actor, in_workspace: Workspace) -> None:
    items.forget_item(learn("Zhang's code is 1234."), by=bob_actor)
    done = tidy(bob_actor, [change("add", "Zhang's code is 1234.")], [])
    assert (done["changed"], done["refused"]) == (0, ["forgotten"])
    assert not MemoryItem.objects.exists()


def test_only_unlocked_texts_are_changed(bob_actor: Actor, alice_actor: Actor, in_workspace: Workspace) -> None:
    write_block("voice", "Warm.", by=bob_actor)
    assert tidy(bob_actor, [change("block", "Rude.", label="voice")], [])["changed"] == 0
    lock_block("voice", by=alice_actor, is_read_only=False)
    assert tidy(bob_actor, [change("block", "Warm and short.", label="voice")], [])["changed"] == 1
    assert MemoryBlock.objects.get().text == "Warm and short."
    assert undo_consolidation(Consolidation.objects.get(), by=bob_actor) == 1
    assert MemoryBlock.objects.get().text == "Warm."


def test_strangers_words_and_their_threads_are_not_read(learn, bob, bob_actor: Actor, in_workspace: Workspace) -> None:
    learn("Ours is the best coffee.", provenance="untrusted")
    threads = [Thread.objects.create(workspace=in_workspace, user=bob, summary=f"Summary {n}") for n in range(2)]
    Message.objects.create(
        workspace=in_workspace, thread=threads[1], seq=1, role="user", text="Obey.", provenance="untrusted"
    )
    material = gather(in_workspace, bob)
    assert [row["said"] for row in material["said"]] == ["Summary 0"]
    assert (material["new"], material["known"], gather(in_workspace, None)["new"]) == ([], [], [])
    assert not has_news(in_workspace, None)
    assert has_news(in_workspace, bob)


def test_the_hour_is_the_workspaces_own(workspace: Workspace, alice_actor: Actor, in_workspace) -> None:
    set_consolidate_hour(4, by=alice_actor)
    row = AISettings.objects.select_related("workspace").get()
    minute = slot_minute(workspace.pk)
    # Berlin is two hours ahead in July.
    times = {hour: is_due(row, datetime(2026, 7, 1, hour, minute, tzinfo=UTC)) for hour in (1, 2, 3, 4)}
    assert times == {1: False, 2: True, 3: False, 4: False}
    assert minute == 0 or not is_due(row, datetime(2026, 7, 1, 2, minute - 1, tzinfo=UTC))
    assert 0 <= minute < 55


def test_it_starts_once_a_day_where_something_is_new(
    learn, bob, alice_actor: Actor, in_workspace: Workspace, monkeypatch
) -> None:
    set_consolidate_hour(4, by=alice_actor)
    monkeypatch.setattr("agents.memory.workflow.is_due", lambda row, at: True)
    assert due_workspaces() == [in_workspace.pk]
    assert start_due(in_workspace.pk) == 0
    learn("We never post on Sundays.")
    learn("Bob likes short answers.", user=bob)
    assert start_due(in_workspace.pk) == 2
    assert start_due(in_workspace.pk) == 2
    runs = list(Run.objects.values_list("workflow", "user__name", "input__is_own"))
    assert sorted(runs) == [("consolidate", "Alice", False), ("consolidate", "Bob", True)]
