"""What holds for every tool, whatever it does."""

import ast
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from jsonschema import validate

import integrations
from accounts.access import ROLE_PERMS, Perm
from accounts.models import Role
from campaigns.models import AutonomyPolicy, Delivery
from compliance.models import Review
from integrations.mcp.calls import Answer, read_resource
from integrations.mcp.errors import Failure
from integrations.mcp.limits import Deadline
from integrations.mcp.registry import PROMPTS, REGISTRY, RESOURCES, TOOLS
from tests.integrations.mcp.tools.cast import CASES, JSON, NOBODY, SECRETS, Cast, Program, cases, contents

EFFECTS = {name for name, tool in TOOLS.items() if tool.has_effect}
# What may never be done through a program: deciding on content, signing for it, vouching for it.
DECISIONS = {
    *("approve_review", "approve_reviews", "approve_delivery", "reject_review", "request_changes", "sign_policy"),
    *("answer_interrupt", "promote_item", "approve_by_policy", "save_claim", "confirm_live", "send_again"),
}


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside leaves nothing for the next one."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def effects() -> list[tuple[str, Any]]:
    return [(name, args) for name, args in cases() if name in EFFECTS]


def test_every_tool_has_its_cases_and_nothing_else_has() -> None:
    assert CASES.keys() == TOOLS.keys()


# --- how they describe themselves ---------------------------------------------------------------------------


def nodes(schema: Any) -> Iterator[JSON]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())
def test_schema_is_closed_and_bounded(tool) -> None:
    for node in nodes(tool.schema):
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node.get("required", []) == [name for name in node.get("required", []) if name in node["properties"]]
        elif node.get("type") == "array":
            assert "maxItems" in node
        elif node.get("type") == "string":
            assert "maxLength" in node or "enum" in node
        elif node.get("type") == "integer":
            assert "enum" in node or {"minimum", "maximum"} <= node.keys()
    for name, node in tool.schema["properties"].items():
        assert node["description"].endswith((".", "…")), name


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())
def test_description_is_short_and_says_something(tool) -> None:
    assert 40 <= len(tool.description) <= 400
    assert tool.description.endswith(".")
    assert "approve" not in tool.name


def test_all_of_them_fit_into_a_models_attention() -> None:
    shown = [{"name": one.name, "description": one.description, "schema": one.schema} for one in TOOLS.values()]
    assert len(json.dumps(shown)) < 32_000


# --- what they do -------------------------------------------------------------------------------------------


def test_each_answers_with_small_json_that_opens_no_account(bobs: Program, cast: Cast, sandbox) -> None:
    for name, args in cases():
        with undone():
            answer = bobs.answer(name, args(cast))
        assert isinstance(answer, Answer), (name, answer)
        assert len(answer.text) < 16_000, name
        assert not secrets_in(answer), name
        if TOOLS[name].output_schema:
            validate(answer.data, TOOLS[name].output_schema)
    places = {"month": "2026-12", "campaign_id": str(cast.campaign.pk), "post_id": str(cast.live.post_id)}
    for resource in RESOURCES.values():
        assert not secrets_in(read_resource(bobs.caller, resource, places, Deadline())), resource.name
    for prompt in PROMPTS.values():
        said = prompt.render(bobs.actor, {"url": "https://acme.example", "campaign_id": str(cast.campaign.pk)})
        assert not secrets_in(said), prompt.name


def secrets_in(said: object) -> list[str]:
    return [secret for secret in SECRETS.values() if secret in str(said)]


def test_reading_changes_nothing(bobs: Program, cast: Cast) -> None:
    before = contents()
    for name, args in cases():
        if name not in EFFECTS:
            bobs(name, **args(cast))
    assert contents() == before


def test_dry_run_answers_alike_and_changes_nothing(bobs: Program, cast: Cast, sandbox) -> None:
    before = contents()
    tried = [bobs(name, **args(cast), dry_run=True) for name, args in effects()]
    assert contents() == before
    for (name, args), said in zip(effects(), tried, strict=True):
        with undone():
            assert bobs(name, **args(cast)).keys() == said.keys(), name
    bobs("cancel_post", delivery_id=str(cast.approved.pk))
    assert contents() != before


def test_repeat_with_the_same_key_answers_the_same_and_does_nothing(bobs: Program, cast: Cast, sandbox) -> None:
    calls = [(name, args(cast) | {"idempotency_key": f"key {n}"}) for n, (name, args) in enumerate(effects())]
    first = [bobs(name, **args) for name, args in calls]
    once = contents()
    again = [bobs.answer(name, args) for name, args in calls]
    assert all(isinstance(one, Answer) and one.is_replay for one in again)
    assert [one.data for one in again if isinstance(one, Answer)] == first
    assert contents() == once


# --- who may ------------------------------------------------------------------------------------------------


def test_viewer_sees_only_what_looks(vics: Program) -> None:
    seen = {tool.name for tool in REGISTRY.tools_for(vics.caller.server, vics.actor)}
    assert seen == {name for name, tool in TOOLS.items() if tool.perm is Perm.VIEW}
    assert not seen & EFFECTS


def test_services_refuse_a_viewer_even_where_a_tool_were_offered(vics: Program, cast: Cast) -> None:
    before = contents()
    for name, args in cases():
        if TOOLS[name].perm is not Perm.VIEW:
            assert vics.refused(name, **args(cast)).code == "permission_denied", name
    assert contents() == before


def test_somebody_without_rights_gets_nothing(bobs: Program, cast: Cast) -> None:
    nobody = Program(replace(bobs.caller, actor=replace(bobs.actor, perms=frozenset())))
    assert REGISTRY.tools_for(nobody.caller.server, nobody.actor) == []
    before = contents()
    for name, args in cases():
        if name not in GUARDED_BY_REGISTRY:
            assert isinstance(nobody.answer(name, args(cast)), Failure), name
    assert nobody("search", query="beans")["found"] == []
    assert contents() == before


# Their permission stands in the registry, as it stands on the view for the same page.
GUARDED_BY_REGISTRY = {"list_connections", "best_times", "recall", "search"}


# --- other people's -----------------------------------------------------------------------------------------


def ids_in(args: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where an id stands in arguments, lists and objects included."""
    if isinstance(args, dict):
        for name, value in args.items():
            if name.endswith("_id"):
                yield (*place, name)
            elif name.endswith("_ids"):
                yield from ((*place, name, number) for number in range(len(value)))
            else:
                yield from ids_in(value, (*place, name))
    elif isinstance(args, list):
        for number, value in enumerate(args):
            yield from ids_in(value, (*place, number))


def put(args: Any, place: tuple[Any, ...], value: str) -> Any:
    changed = json.loads(json.dumps(args))
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return changed


def found(args: Any, place: tuple[Any, ...]) -> str:
    for step in place:
        args = args[step]
    return args


def test_foreign_id_is_answered_as_a_missing_one(bobs: Program, cast: Cast, strange: Cast) -> None:
    before, walked = contents(), set()
    for name, case in cases():
        mine, theirs = case(cast), case(strange)
        for place in ids_in(mine):
            tried = (found(theirs, place), NOBODY)
            said = [bobs.answer(name, put(mine, place, value)) for value in tried]
            texts = [str(one).replace(value, "ID") for one, value in zip(said, tried, strict=True)]
            assert texts[0] == texts[1], (name, place)
            # A filter finds nothing; everything else is refused.
            assert not isinstance(said[0], Answer) or said[0].data.get("items", said[0].data.get("posts")) == []
            walked.add((name, name_of(place)))
    assert contents() == before
    assert walked >= {
        (name, argument)
        for name, tool in TOOLS.items()
        for node in nodes(tool.schema)
        for argument in node.get("properties", {})
        if argument.endswith(("_id", "_ids"))
    }


def name_of(place: tuple[Any, ...]) -> str:
    return next(step for step in reversed(place) if isinstance(step, str))


def test_list_holds_nothing_of_others(bobs: Program, cast: Cast, strange: Cast) -> None:
    theirs = {str(value.pk) for value in vars(strange).values()}
    for name, tool in TOOLS.items():
        if not tool.schema.get("required") and name not in {"draft_post", "explain_block", "receipts"}:
            text = str(bobs(name))
            assert "bakery" not in text, name
            assert not [pk for pk in theirs if pk in text], name


# --- what is sent wrong -------------------------------------------------------------------------------------


def test_unknown_argument_is_named(bobs: Program, cast: Cast) -> None:
    for name, args in cases():
        refusal = bobs.refused(name, **args(cast), sudo=True)
        assert refusal.code == "invalid"
        assert "sudo" in refusal.words


def test_missing_argument_is_named(bobs: Program, cast: Cast) -> None:
    for name, args in cases():
        for needed in TOOLS[name].schema.get("required", []):
            given = {key: value for key, value in args(cast).items() if key != needed}
            assert needed in bobs.refused(name, **given).words, name


def test_what_is_no_id_is_refused_by_its_name(bobs: Program, cast: Cast) -> None:
    before = contents()
    for name, case in cases():
        for place in ids_in(args := case(cast)):
            for wrong in ("beans", "x" * 37, 7, None, ["a"], {"a": 1}):
                refusal = bobs.refused(name, **put(args, place, wrong))
                assert refusal.code == "invalid", (name, place, wrong)
                assert name_of(place) in str(refusal.fields), (name, place, wrong)
    assert contents() == before


@pytest.mark.parametrize("wrong", ["tomorrow", "2026-12-01", "2026-12-01T09:00:00", "2026-13-01T09:00:00Z", "9" * 40])
def test_time_without_day_or_zone_is_refused(bobs: Program, cast: Cast, wrong: str) -> None:
    assert "zone" in bobs.refused("draft_post", text="Beans.", planned_at=wrong).words
    assert "zone" in bobs.refused("schedule_post", delivery_id=str(cast.approved.pk), at=wrong).words
    cast.approved.refresh_from_db()
    assert cast.approved.scheduled_at is None


def test_made_up_cursor_is_refused(bobs: Program) -> None:
    for tool in ("list_campaigns", "list_posts", "list_connections", "experiments", "list_inbox", "calendar"):
        for wrong in ("beans", "-1", "1_1", "٣", "2026-01-01T00:00:00Z_beans", "2026-01-01_" + NOBODY):
            assert "cursor" in bobs.refused(tool, cursor=wrong).fields, (tool, wrong)


# --- nobody but people approves -----------------------------------------------------------------------------


def test_even_an_owners_program_with_every_right_approves_nothing(bobs: Program, cast: Cast, alice, sandbox) -> None:
    mighty = replace(bobs.actor, user=alice, role=Role.OWNER, perms=ROLE_PERMS[Role.OWNER])
    program = Program(replace(bobs.caller, actor=mighty))
    approved = set(Delivery.objects.exclude(approved_hash="").values_list("pk", "approved_hash"))
    for name, args in effects():
        program.answer(name, args(cast))
        after = set(Delivery.objects.exclude(approved_hash="").values_list("pk", "approved_hash"))
        assert after <= approved, name
        assert not Review.objects.filter(status=Review.Status.APPROVED).exists(), name
        assert not AutonomyPolicy.objects.exists(), name


def test_no_code_of_the_endpoint_knows_how_to_decide() -> None:
    folder = Path(integrations.__file__).parent / "mcp"
    names = {
        name for path in folder.rglob("*.py") for node in ast.walk(ast.parse(path.read_text())) for name in _names(node)
    }
    assert "submit_post" in names
    assert not names & DECISIONS


def _names(node: ast.AST) -> set[str]:
    if isinstance(node, ast.ImportFrom | ast.Import):
        return {alias.name.split(".")[-1] for alias in node.names}
    return {node.attr} if isinstance(node, ast.Attribute) else set()
