"""One call without the protocol: what is checked, done, undone, kept and counted."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts import plans
from accounts.access import Perm
from accounts.models import AuditEntry, Event, IdempotencyKey, RateCell
from accounts.scope import workspace_scope
from accounts.services import emit
from integrations.mcp import calls, limits
from integrations.mcp.auth import Caller
from integrations.mcp.calls import Answer, Unknown, call_tool, complete, get_prompt, read_resource
from integrations.mcp.errors import MOST_FAULTS, Failure
from integrations.mcp.limits import RESULT_BYTES, Deadline
from integrations.mcp.registry import ResourceDef
from integrations.models import McpUsage
from lib.clock import now, shifted
from tests.integrations.mcp.conftest import ring, tool
from tests.integrations.mcp.rows import server_of_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(caller: Caller, registry):
    def run(name: str, /, *, deadline: Deadline | None = None, **args) -> Answer | Failure:
        return call_tool(caller, registry.tools[name], args, deadline or Deadline())

    return run


@pytest.fixture
def rows(in_workspace):
    """How many rings and audit entries there are, and how often which call was used and failed."""

    def count() -> tuple[int, int, dict[str, tuple[int, int]]]:
        used = {one.tool: (one.calls, one.errors) for one in McpUsage.objects.all()}
        audited = AuditEntry.objects.filter(action="mcp.call").count()
        return Event.objects.filter(kind="bell.rung").count(), audited, used

    return count


def test_reads_answer_data_and_its_text_and_leave_no_trace_but_the_count(call, rows) -> None:
    assert call("look", name="Grüße") == Answer(
        '{"workspace":"Roastery","name":"Grüße"}', {"workspace": "Roastery", "name": "Grüße"}
    )
    assert call("picture").blocks == [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    assert rows() == (0, 0, {"look": (1, 0), "picture": (1, 0)})


def test_an_effect_is_done_in_the_agents_name_and_audited(call, rows) -> None:
    answer = call("ring", loud=True)
    assert answer.data == {"rung": 1, "said": {"loud": True}, "by": "MCP Notebook"}
    assert rows() == (1, 1, {"ring": (1, 0)})
    detail = AuditEntry.objects.get(action="mcp.call").detail
    assert (detail.actor, detail.data) == ("MCP Notebook", {"server": "Notebook", "tool": "ring"})


def test_a_dry_run_answers_what_would_happen_and_undoes_it_with_its_key(call, rows) -> None:
    answer = call("ring", dry_run=True, idempotency_key="a")
    assert answer.is_dry_run
    assert answer.data["rung"] == 1
    assert rows() == (0, 0, {"ring": (1, 0)})
    assert not IdempotencyKey.objects.exists()
    assert not call("ring", dry_run=False).is_dry_run


def test_a_repeated_key_answers_the_same_and_does_nothing(call, rows) -> None:
    first, again = call("ring", x=1, idempotency_key="a"), call("ring", idempotency_key="a", x=1)
    assert (again.data, again.is_replay, first.is_replay) == (first.data, True, False)
    assert rows() == (1, 1, {"ring": (2, 0)})
    other = call("ring", x=2, idempotency_key="a")
    assert (other.code, "different request" in other.text) == ("idempotency_mismatch", True)
    assert call("ring", x=1, idempotency_key="b").data["rung"] == 2
    assert rows() == (2, 2, {"ring": (4, 1)})


def test_two_servers_do_not_share_their_keys(call, caller, registry, alice_actor) -> None:
    other = Caller(server_of_all(alice_actor, registry, name="Phone"), caller.actor)
    call("ring", idempotency_key="a")
    answer = call_tool(other, registry.tools["ring"], {"idempotency_key": "a"}, Deadline())
    assert (answer.is_replay, answer.data["rung"]) == (False, 2)


def test_what_failed_frees_its_key(call) -> None:
    assert call("refuse", how="plain", idempotency_key="a").code == "invalid"
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize(
    ("how", "code", "text", "more"),
    [
        ("fields", "invalid", "Some arguments are not right.", {"fields": {"title": 2, "at": 1}}),
        ("plain", "invalid", "Not on Sundays.", {}),
        ("denied", "permission_denied", "Your role cannot ring.", {}),
        ("denied without words", "permission_denied", "This is not allowed.", {}),
        ("missing", "not_found", "Not found.", {}),
        ("rate", "rate_limited", "Too much ringing. Try again in 13 seconds.", {"retry_after_s": 12.346}),
        ("crash", "error", "Something went wrong on our side. It was recorded; nothing was changed.", {}),
    ],
)
def test_what_services_raise_becomes_words_and_changes_nothing(call, rows, how, code, text, more) -> None:
    failure = call("refuse", how=how)
    found = failure.as_json()
    found["fields"] = {name: len(texts) for name, texts in found.get("fields", {}).items()}
    assert found == {"code": code, "message": text, "fields": {}, **more}
    assert "hunter2" not in failure.words
    assert rows() == (0, 0, {"refuse": (1, 1)})


def test_words_name_each_field(call) -> None:
    assert call("refuse", how="fields").words.splitlines()[1:] == [
        "title: Too long.",
        "title: Too loud.",
        "at: In the past.",
    ]


@pytest.mark.parametrize(
    ("args", "fields"),
    [
        ({"count": 4}, {"count"}),
        ({"count": "3"}, {"count"}),
        ({"other": 1}, {"arguments"}),
        ({"name": "a\0b"}, {"name"}),
        ({"name": "\ud800"}, {"name"}),
        ({"name": 1, "count": 9}, {"name", "count"}),
        ({"na\0me": 1}, {"arguments"}),
    ],
)
def test_arguments_are_checked_before_anything_is_done(call, rows, args, fields) -> None:
    failure = call("look", **args)
    assert (failure.code, set(failure.fields)) == ("invalid", fields)
    failure.words.encode()
    assert rows() == (0, 0, {"look": (1, 1)})


def test_a_long_wrong_value_is_not_repeated_whole(call) -> None:
    assert len(call("look", count="x" * 10_000).words) < 400


def test_of_very_many_faults_some_are_told(call) -> None:
    failure = call("ring", posts=[{"text": "a\0"}] * 5_000)
    assert len(failure.fields) == MOST_FAULTS


def test_the_place_of_a_deep_fault_is_named(call) -> None:
    assert set(call("ring", posts=[{"text": "fine"}, {"text": "a\0"}]).fields) == {"posts.1.text"}


def test_an_answer_that_is_too_large_is_none(call, rows) -> None:
    room = RESULT_BYTES - len('{"water":""}')
    assert isinstance(call("flood", bytes=room), Answer)
    assert call("flood", bytes=room + 1).code == "too_large"


def test_work_past_its_deadline_is_rolled_back(call, rows) -> None:
    deadline = Deadline()
    assert deadline.gives_up()
    assert call("ring", deadline=deadline).code == "timeout"
    assert rows() == (0, 0, {"ring": (1, 1)})


def test_who_commits_first_answers() -> None:
    deadline = Deadline()
    deadline.require_commit()
    assert not deadline.gives_up()


def test_a_statement_does_not_outlive_the_deadline(caller, registry, rows) -> None:
    def sleep(actor, args):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")
        return {}

    failure = call_tool(caller, tool("sleep", sleep), {}, Deadline(0.05))
    assert failure == limits.TOO_LONG
    assert rows() == (0, 0, {"sleep": (1, 1)})


def test_a_server_is_held_to_its_pace_and_no_other(call, caller, registry, alice_actor) -> None:
    caller.server.calls_per_minute = 2
    other = Caller(server_of_all(alice_actor, registry), caller.actor)
    assert [type(call("look")) for _ in range(3)] == [Answer, Answer, Failure]
    refused = call("look")
    assert (refused.code, 0 < refused.retry_after_s <= 30) == ("rate_limited", True)
    assert isinstance(call_tool(other, registry.tools["look"], {}, Deadline()), Answer)
    with shifted(timedelta(seconds=31)):
        assert isinstance(call("look"), Answer)


def test_all_servers_of_a_workspace_share_a_pace(call, caller, monkeypatch) -> None:
    monkeypatch.setattr(limits, "WORKSPACE_PER_MINUTE", 1)
    assert isinstance(call("look"), Answer)
    assert call("look").code == "rate_limited"


def test_a_refused_call_writes_nothing(call, caller, rows) -> None:
    caller.server.calls_per_minute = 1
    call("look")
    cells = RateCell.objects.count()
    call("look")
    assert (rows()[2], RateCell.objects.count()) == ({"look": (1, 0)}, cells)


def test_uses_are_counted_by_day(call, in_workspace) -> None:
    call("look")
    with shifted(timedelta(days=1)):
        call("look")
    days = list(McpUsage.objects.order_by("day").values_list("day", "calls"))
    assert days == [(now().date(), 1), (now().date() + timedelta(days=1), 1)]


# --- resources and prompts --------------------------------------------------------------------------------------


def test_resources_are_text_bytes_or_json(caller, registry, rows) -> None:
    read = {name: registry.resources[name] for name in registry.resources}
    assert read_resource(caller, read["bells"], {}, Deadline()) == "ding"
    assert read_resource(caller, read["bell"], {"bell": "big"}, Deadline()) == '{"bell":"big"}'
    assert read_resource(caller, read["raw"], {"bell": "big"}, Deadline()) == b"\x00\xff"
    assert rows()[2] == {"resource:bells": (1, 0), "resource:bell": (1, 0), "resource:raw": (1, 0)}


def test_what_is_not_theirs_is_unknown(caller, registry) -> None:
    with pytest.raises(Unknown):
        read_resource(caller, registry.resources["bell"], {"bell": "stolen"}, Deadline())


@pytest.mark.parametrize("args", [{}, {"whom": ""}, {"whom": "  "}])
def test_prompts_say_what_is_missing(caller, registry, args) -> None:
    assert get_prompt(caller, registry.prompts["toast"], args, Deadline()).fields == {"whom": ["Needed."]}


def test_a_prompt_is_one_message(caller, registry) -> None:
    said = get_prompt(caller, registry.prompts["toast"], {"whom": "rita"}, Deadline())
    assert said == [{"role": "user", "content": {"type": "text", "text": "Drink to rita."}}]


def test_completions_come_from_the_definition(caller, registry) -> None:
    assert complete(caller, registry.prompts["toast"], "whom", "big", Deadline()) == ["big", "bigger"]
    assert complete(caller, registry.resources["bells"], "x", "", Deadline()) == []


def suggesting(suggest) -> ResourceDef:
    return ResourceDef("x://{y}", "x", "X", "X.", lambda actor, params: "", complete=suggest)


def test_a_completion_that_takes_too_long_is_stopped(caller) -> None:
    def sleep(actor, place, typed):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")

    assert complete(caller, suggesting(sleep), "y", "", Deadline(0.05)) == limits.TOO_LONG
    # The limit ends with its transaction.
    assert complete(caller, suggesting(lambda actor, place, typed: [place]), "y", "", Deadline()) == ["y"]


def test_a_completion_that_is_refused_says_so(caller) -> None:
    def deny(actor, place, typed):
        actor.require(Perm.REVIEW)

    assert complete(caller, suggesting(deny), "y", "", Deadline()).code == "permission_denied"


def test_every_call_is_inside_the_callers_workspace_only(caller, registry, other_workspace) -> None:
    with workspace_scope(other_workspace.pk):
        emit(other_workspace, "bell.rung")
    assert calls.call_tool(caller, registry.tools["ring"], {}, Deadline()).data["rung"] == 1


# --- the plan's calls of a month ------------------------------------------------------------------------------


@pytest.fixture
def one_left(caller: Caller, in_workspace) -> None:
    """Room for one more call."""
    caller.server.workspace.plan = "free"
    plans.count(in_workspace, "mcp_calls", plans.PLANS["free"].limits["mcp_calls"] - 1)


def test_only_calls_that_were_answered_are_counted(call, in_workspace) -> None:
    call("look")
    call("refuse")
    assert plans.counted(in_workspace, "mcp_calls") == 1


def test_past_the_plans_calls_nothing_is_done(one_left, call, rows, in_workspace) -> None:
    assert isinstance(call("ring"), Answer)
    refused = call("ring")
    assert (refused.code, rows()) == ("plan_limit", (1, 1, {"ring": (2, 1)}))
    assert "The Free plan has 1,000 MCP calls a month" in refused.text


def test_of_two_calls_that_want_the_last_place_the_later_is_undone(
    one_left, call, rows, in_workspace, registry
) -> None:
    def ring_while_another_ends(actor, args):
        plans.count_done(in_workspace, "mcp_calls")
        return ring(actor, args)

    registry.tools["slow"] = tool("slow", ring_while_another_ends, has_effect=True)
    refused = call("slow")
    assert (refused.code, rows()) == ("plan_limit", (0, 0, {"slow": (1, 1)}))
