import hashlib
import json
from uuid import uuid4

import pytest

from accounts.models import AuditEntry, ServiceTenant
from accounts.service_clients import create_client, issue_token, sync_tenant
from agents.models import Assistant, PromptTemplate, PromptVersion
from agents.prompts.labels import MAX_LABELS
from agents.prompts.library import shipped_templates
from agents.prompts.templates import MAX_OWN
from tests.agents.prompts.conftest import BODY, Caller

pytestmark = pytest.mark.django_db


def errors(answer, status=400):
    assert answer.status_code == status, answer.content
    return answer.json().get("errors", answer.json()["detail"])


# --- making -------------------------------------------------------------------------------------------------


def test_a_new_assistant_answers_with_all_it_was_given(call):
    given = {
        "key": "cafe",
        "name": "  Café   writer ",
        "description": "Writes.",
        "workflow": "campaign",
        "settings": {"language": "zh"},
        "metadata": {"team": "north"},
        "body": " Write for {{brand}}.\n",
        "config": {"temperature": 0},
        "variables": {"brand": "Who"},
        "message": "First",
    }
    answer = call.make(**given)
    assert {name: answer[name] for name in given} == given | {"name": "Café writer"}
    assert answer["sha256"] == hashlib.sha256(given["body"].encode()).hexdigest()
    assert (answer["revision"], answer["author"], answer["protected_labels"]) == (1, "alice@example.org", [])
    assert call.get("assistants/cafe").json() == call.get(f"assistants/{answer['id']}").json() == answer


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"body": ""}, "body"),
        ({"body": "{% if x %}"}, "body"),
        ({"body": "@@@prompt:name=gone@@@"}, "body"),
        ({"body": "@@@prompt:name=cafe@@@", "key": "cafe"}, "body"),
        ({"body": "key sk-proj-AAAABBBBCCCCDDDDEEEEFFFF"}, "body"),
        ({"body": "x" * 200_001}, "body"),
        ({"body": ["x"]}, "body"),
        ({"key": "Café"}, "key"),
        ({"key": "-a"}, "key"),
        ({"key": "clone"}, "key"),
        ({"key": "templates"}, "key"),
        ({"key": "018f0000-0000-7000-8000-000000000000"}, "key"),
        ({"key": "k" * 61}, "key"),
        ({"key": "taken"}, "key"),
        ({"workflow": "nothing"}, "workflow"),
        ({"variables": {"a b": "no name"}}, "variables"),
        ({"variables": {"a": {"b": 1}}}, "variables"),
        ({"variables": {f"v{n}": "" for n in range(101)}}, "variables"),
        ({"config": {"a": "\x00"}}, "config"),
        ({"settings": {"a": "x" * 20_001}}, "settings"),
        ({"metadata": []}, "metadata"),
    ],
)
def test_what_cannot_be_saved_is_told_beside_its_field(call, given, field):
    call.make(key="taken")
    assert set(errors(call.post("assistants", {**BODY, **given}))) == {field}
    assert len(call.get("assistants").json()["results"]) == 1


def test_keys_are_made_of_names_and_take_no_shipped_prompts_place(call):
    names = ["Café Writer", "Café writer", "Writer", "写手", "Clone", "?"]
    keys = [call.make(name=name)["key"] for name in names]
    assert keys == ["cafe-writer", "cafe-writer-2", "writer-2", "assistant", "clone-2", "assistant-2"]
    assert call.make(key="writer")["key"] == "writer"


@pytest.mark.parametrize("sign", [b"\\u0000", b"\\ud800"])
def test_characters_that_cannot_be_stored_are_refused(call, sign):
    answer = call.client.post(
        "/v1/assistants", b'{"name": "A", "body": "a' + sign + b'b"}', content_type="application/json"
    )
    assert set(errors(answer)) == {"body"}


def test_the_same_request_with_one_idempotency_key_makes_one(call):
    first = call.post("assistants", BODY, key="once")
    again = call.post("assistants", BODY, key="once")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert call.post("assistants", {**BODY, "name": "Other"}, key="once").status_code == 422
    assert len(call.get("assistants").json()["results"]) == 1


# --- changing -----------------------------------------------------------------------------------------------


def test_patch_merges_and_null_takes_away(call):
    one = f"assistants/{call.make(config={'a': 1, 'b': 2}, variables={'brand': 'x'}, settings={'s': 1})['id']}"
    answer = call.patch(one, {"config": {"a": None, "c": 3}, "settings": {"t": 2}, "message": "Tuned"}).json()
    assert (answer["version"], answer["config"], answer["settings"]) == (2, {"b": 2, "c": 3}, {"s": 1, "t": 2})
    assert (answer["variables"], answer["message"]) == ({"brand": "x"}, "Tuned")
    assert call.patch(one, {"variables": {"brand": None}}).json()["variables"] == {}


def test_put_empties_what_is_left_out(call):
    made = call.make(key="cafe", description="d", settings={"s": 1}, config={"a": 1}, workflow="social")
    answer = call.put("assistants/cafe", {"name": "New", "body": "Other."}).json()
    kept = {name: answer[name] for name in ("id", "key", "created_at")}
    assert kept == {name: made[name] for name in kept}
    assert [answer[name] for name in ("description", "settings", "config", "workflow")] == ["", {}, {}, "chat"]


def test_a_change_of_nothing_said_makes_no_version(call):
    one = f"assistants/{call.make()['id']}"
    for method, body in [
        ("patch", {"name": "Renamed"}),
        ("patch", {"body": BODY["body"]}),
        ("put", {**BODY, "message": "Same"}),
    ]:
        answer = getattr(call, method)(one, body)
        assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert answer.json()["revision"] == 4


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_stale_if_match_changes_nothing(call, method):
    one = f"assistants/{call.make()['id']}"
    sha = call.get(one).json()["sha256"]
    call.patch(one, {"body": "Meanwhile."})
    for stale in ("1", sha, "0", "nonsense"):
        answer = getattr(call, method)(one, {"name": "Late", "body": "Late."}, match=stale)
        assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert call.get(one, {"label": "latest"}).json()["body"] == "Meanwhile."


@pytest.mark.parametrize("tag", ["revision", "sha256"])
def test_a_current_if_match_changes_it(call, tag):
    made = call.make()
    answer = call.patch(f"assistants/{made['id']}", {"body": "Mine."}, match=made[tag])
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')


def test_every_act_of_a_stale_caller_is_refused(call):
    one = f"assistants/{call.make()['id']}"
    call.patch(one, {"body": "Meanwhile."})
    answers = [
        call.post(f"{one}/rollback", {"to": 1}, match="1"),
        call.put(f"{one}/labels/production", {"version": 1}, match="1"),
        call.delete(f"{one}/labels/production", match="1"),
        call.delete(f"{one}/versions/1", match="1"),
    ]
    assert [answer.status_code for answer in answers] == [409, 409, 409, 409]


def test_a_deleted_assistant_is_gone_until_it_is_restored(call):
    made = call.make(key="cafe")
    assert call.delete("assistants/cafe").status_code == 204
    assert call.get("assistants/cafe").status_code == call.patch("assistants/cafe", {}).status_code == 404
    assert call.get("assistants").json()["results"] == []
    assert [row["key"] for row in call.get("assistants", {"archived": "true"}).json()["results"]] == ["cafe"]
    assert set(errors(call.post("assistants", {**BODY, "key": "cafe"}))) == {"key"}
    restored = call.post("assistants/cafe/restore").json()
    assert (restored["id"], restored["archived_at"], restored["version"]) == (made["id"], None, 1)
    assert call.post("assistants/cafe/restore").status_code == 404


# --- versions and labels ------------------------------------------------------------------------------------


def test_versions_have_addresses_and_hashes_of_their_own(call):
    made = call.make()
    one = f"assistants/{made['id']}"
    call.patch(one, {"body": "Two."})
    answer = call.get(f"{one}/versions/1")
    assert (answer.json()["body"], answer.headers["ETag"]) == (BODY["body"], f'"{made["sha256"]}"')
    for number in ("0", "9", "2147483648", "99999999999999999999"):
        assert call.get(f"{one}/versions/{number}").status_code == 404


def test_a_list_comes_in_pages(call):
    for number in range(3):
        call.make(name=f"A{number}")
    first = call.get("assistants", {"page_size": 2}).json()
    rest = call.client.get(first["next"]).json()
    assert [row["key"] for row in first["results"] + rest["results"]] == ["a2", "a1", "a0"]
    assert rest["next"] is None


def test_a_list_takes_as_many_queries_for_many(call, django_assert_max_num_queries):
    def count(limit):
        with django_assert_max_num_queries(limit) as seen:
            assert call.get("assistants").status_code == 200
        return len(seen)

    call.make()
    call.get("assistants")
    few = count(40)
    for _ in range(4):
        call.make()
    assert count(few) <= few


@pytest.mark.parametrize(
    ("label", "body", "status"),
    [
        ("latest", {"version": 1}, 409),
        ("production", {"version": 9}, 400),
        ("production", {"version": 0}, 400),
        ("production", {}, 400),
        ("Big", {"version": 1}, 400),
        ("a" * 41, {"version": 1}, 400),
        ("v1", {"version": 1}, 200),
    ],
)
def test_labels_have_plain_names_and_real_versions(call, label, body, status):
    one = f"assistants/{call.make()['id']}"
    assert call.put(f"{one}/labels/{label}", body).status_code == status


def test_an_unprotected_production_label_may_be_moved_by_editors(call, caller, bob):
    one = f"assistants/{call.make()['id']}"
    answer = call.put(f"{one}/labels/production", {"version": 1, "is_protected": False}).json()
    assert answer["protected_labels"] == []
    call.patch(one, {"body": "Two."})
    assert caller(bob).put(f"{one}/labels/production", {"version": 2}).json()["labels"]["production"] == 2
    assert caller(bob).put(f"{one}/labels/production", {"version": 1, "is_protected": True}).status_code == 403


def test_labels_are_few_and_can_be_taken_away(call):
    one = f"assistants/{call.make()['id']}"
    names = [f"l{number}" for number in range(MAX_LABELS)]
    statuses = [call.put(f"{one}/labels/{name}", {"version": 1}).status_code for name in names]
    # `latest` is one of them.
    assert statuses == [200] * (MAX_LABELS - 1) + [409]
    assert call.delete(f"{one}/labels/l0").status_code == 204
    assert call.delete(f"{one}/labels/l0").status_code == 404
    assert call.delete(f"{one}/labels/latest").status_code == 409


def test_a_rollback_to_nothing_is_refused(call):
    one = f"assistants/{call.make()['id']}"
    assert set(errors(call.post(f"{one}/rollback", {"to": 9}))) == {"version"}
    assert set(errors(call.post(f"{one}/rollback", {}))) == {"to"}
    assert set(errors(call.post("prompts/rollback", {"to": 1}))) == {"assistant_id"}
    assert call.get(one).json()["version"] == 1


def test_a_clone_may_begin_with_an_old_version(call):
    one = f"assistants/{call.make(key='cafe', settings={'s': 1}, config={'c': 1})['id']}"
    call.patch(one, {"body": "Two."})
    copy = call.post("prompts/clone", {"assistant_id": "cafe", "version": 1, "name": "Bar"}).json()
    assert [copy[name] for name in ("key", "name", "cloned_from", "body", "settings", "config")] == [
        "bar",
        "Bar",
        "cafe@1",
        BODY["body"],
        {"s": 1},
        {"c": 1},
    ]
    assert call.post(f"{one}/clone").json()["name"] == "Café writer (copy)"
    assert call.post(f"{one}/clone", {"version": 9}).status_code == 404


def test_a_diff_marks_words(call):
    one = f"assistants/{call.make()['id']}"
    call.patch(one, {"body": "Write well for {{brand}}."})
    answer = call.get(f"{one}/diff", {"from": 1, "to": 2}).json()
    assert [change for change in answer["changes"] if change["kind"] != "same"] == [{"kind": "ins", "text": "well "}]
    assert call.get(f"{one}/diff", {"from": 2, "to": 2}).json()["is_same"] is True
    assert call.get(f"{one}/diff", {"from": 1, "to": 9}).status_code == 404
    assert set(errors(call.get(f"{one}/diff", {"from": "x"}))) == {"from", "to"}


def test_what_is_named_by_prompts_in_use_cannot_go_away(call):
    call.make(key="base", body="One.")
    call.patch("assistants/base", {"body": "Two."})
    call.patch("assistants/base", {"body": "Three."})
    call.put("assistants/base/labels/staging", {"version": 2})
    call.make(key="top", body="@@@prompt:name=base|version=1@@@ @@@prompt:name=base|label=staging@@@")
    assert call.delete("assistants/base/versions/1").status_code == 409
    assert call.delete("assistants/base/labels/staging").status_code == 409
    assert call.delete("assistants/base").status_code == 409
    call.patch("assistants/top", {"body": "Alone."})
    assert call.delete("assistants/base/versions/1").status_code == 204
    assert call.delete("assistants/base/labels/staging").status_code == 204
    assert call.delete("assistants/base").status_code == 204


def test_a_version_that_no_longer_holds_together_gets_no_label(call):
    call.make(key="base", body="One.")
    call.put("assistants/base/labels/production", {"version": 1})
    call.make(key="top", body="@@@prompt:name=base@@@")
    call.patch("assistants/top", {"body": "Alone."})
    assert call.delete("assistants/base").status_code == 204
    assert set(errors(call.put("assistants/top/labels/production", {"version": 1}))) == {"body"}
    assert set(errors(call.post("assistants/top/rollback", {"to": 1}))) == {"body"}


def test_two_prompts_cannot_come_to_name_each_other(call):
    for key in ("a", "b"):
        call.make(key=key, body="Plain.")
        call.put(f"assistants/{key}/labels/production", {"version": 1})
    assert call.patch("assistants/a", {"body": "@@@prompt:name=b@@@"}).status_code == 200
    assert call.patch("assistants/b", {"body": "@@@prompt:name=a@@@"}).status_code == 200
    assert call.put("assistants/a/labels/production", {"version": 2}).status_code == 200
    assert call.put("assistants/b/labels/production", {"version": 2}).status_code == 400


def test_every_decision_is_in_the_audit_trail(call, rows):
    call.make(key="cafe")
    call.patch("assistants/cafe", {"body": "Two."})
    call.put("assistants/cafe", {**BODY, "body": "Three."})
    call.put("assistants/cafe/labels/production", {"version": 2})
    call.delete("assistants/cafe/labels/production")
    call.post("assistants/cafe/rollback", {"to": 1})
    call.post("assistants/cafe/clone")
    call.delete("assistants/cafe/versions/2")
    call.delete("assistants/cafe")
    call.post("assistants/cafe/restore")
    made = call.post("prompts/templates", {"name": "T", "body": "Text"}).json()
    call.patch(f"prompts/templates/{made['key']}", {"body": "More"})
    call.delete(f"prompts/templates/{made['key']}")
    entries = rows(lambda: list(AuditEntry.objects.order_by("number").values_list("action", flat=True)))
    assert [action for action in entries if action.startswith(("assistant", "prompt"))] == [
        "assistant.create",
        "assistant.update",
        "assistant.replace",
        "prompt.label",
        "prompt.unlabel",
        "prompt.rollback",
        "assistant.create",
        "prompt.delete",
        "assistant.archive",
        "assistant.restore",
        "prompt_template.create",
        "prompt_template.update",
        "prompt_template.delete",
    ]


# --- validate and reload ------------------------------------------------------------------------------------


def test_validation_fills_in_and_saves_nothing(call, rows):
    call.make(key="cafe")
    draft = {"body": "Hi {{name}}", "values": {"name": "{{x}}"}}
    for path in ("assistants/cafe/validate", "prompts/cafe/validate", "prompts/validate"):
        answer = call.post(path, draft).json()
        assert (answer["can_be_saved"], answer["rendered"], answer["variables"]) == (True, "Hi {{x}}", ["name"])
    assert call.post("assistants/cafe/validate").json()["text"] == BODY["body"]
    assert rows(PromptVersion.objects.count) == 1


def test_validation_answers_findings_with_places(call):
    answer = call.post("prompts/validate", {"body": "", "values": {}}).json()
    assert (answer["can_be_saved"], answer["rendered"], answer["findings"][0]["code"]) == (False, None, "empty")
    finding = call.post("prompts/validate", {"body": "a {{b.c}}"}).json()["findings"][0]
    assert (finding["code"], finding["start"], finding["end"]) == ("unsupported_syntax", 2, 9)
    declared = call.post("prompts/validate", {"body": "x", "variables": {"old": "gone"}}).json()["findings"]
    assert [finding["code"] for finding in declared] == ["unused_variable"]
    assert call.post("prompts/validate", {}).status_code == 400
    assert call.post("prompts/validate", {"body": "x", "assistant_id": "gone"}).status_code == 404


def test_reload_says_what_the_next_run_is_told(call):
    one = f"assistants/{call.make(key='writer')['id']}"
    assert call.post(f"{one}/reload").json()["version"] == 0
    call.put(f"{one}/labels/production", {"version": 1})
    answer = call.post(f"{one}/reload").json()
    assert (answer["key"], answer["version"]) == ("writer", 1)
    call.make(key="own")
    assert call.post("assistants/own/reload").status_code == 409


# --- prompts by tenant --------------------------------------------------------------------------------------


def test_a_prompt_answers_its_text_and_what_it_came_from(call, workspace):
    call.make(key="base", body="Be kind.")
    made = call.make(key="cafe", body="@@@prompt:name=base|version=1@@@ Go.")
    answer = call.get("prompts/cafe").json()
    assert (answer["text"], answer["resolution_graph"]) == ("Be kind. Go.", {"cafe@1": ["base@1"], "base@1": []})
    assert (answer["assistant_id"], answer["tenant_id"]) == (made["id"], str(workspace.pk))
    for tenant in (workspace.pk, workspace.slug):
        for version in ("1", "latest"):
            assert call.get(f"prompts/cafe/{tenant}/{version}").json() == answer
        for version in ("2", "0", "production", "99999999999", "x" * 41):
            assert call.get(f"prompts/cafe/{tenant}/{version}").status_code == 404


def test_reserved_words_are_acts_and_never_ids(call, workspace):
    call.make(key="cafe")
    assert call.get("prompts/templates").status_code == 200
    for word in ("clone", "rollback", "validate", "templates"):
        assert call.put(f"prompts/{word}/cafe", {"body": "x"}).status_code in {404, 405}
        assert call.put(f"prompts/{workspace.slug}/{word}", {"body": "x"}).status_code in {404, 405}
        assert call.get(f"assistants/{word}").status_code == 404
    assert call.get("prompts/cafe").json()["version"] == 1


def test_an_integrator_writes_prompts_of_its_own_tenants_only(api, alice, charlie, workspace, rows):
    client, _key = create_client("Shop", alice)
    stranger, _key = create_client("Other", charlie)
    tenant = sync_tenant(client, "customer-7", 1, {"name": "Customer"}).tenant
    theirs = sync_tenant(stranger, "customer-8", 1, {"name": "Theirs"}).tenant
    service = Caller(api(issue_token(client)))
    service.client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_token(client)}", HTTP_X_TENANT_ID=tenant.external_id)
    assert service.make(key="cafe")["author"] == "Service Shop"
    assert service.put("prompts/customer-7/cafe", {"body": "New."}).json()["version"] == 2
    assert service.get("prompts/cafe/customer-7/2").json()["body"] == "New."
    for other in (theirs.external_id, theirs.workspace_id, workspace.pk, uuid4()):
        assert service.put(f"prompts/{other}/cafe", {"body": "New."}).status_code == 404
    # Production is protected: the integrator has an editor's rights.
    assert service.put("assistants/cafe/labels/production", {"version": 2}).status_code == 403
    ServiceTenant.objects.filter(pk=tenant.pk).update(is_active=False)
    assert service.put("prompts/customer-7/cafe", {"body": "Later."}).status_code in {401, 403, 404}


# --- templates ----------------------------------------------------------------------------------------------


def test_the_library_holds_shipped_and_own_templates(call):
    own = call.post("prompts/templates", {"name": "Zebra", "body": "Hi {{name}}", "industry": "food", "language": "zh"})
    assert (own.status_code, own.json()["variables"], own.json()["is_own"]) == (201, ["name"], True)
    everything = call.get("prompts/templates").json()["results"]
    assert [row["is_own"] for row in everything] == [True] + [False] * len(shipped_templates())
    found = call.get("prompts/templates", {"industry": "food", "language": "zh"}).json()["results"]
    assert len(found) >= 2
    assert {(row["industry"], row["language"]) for row in found} == {("food", "zh")}
    assert [row["name"] for row in call.get("prompts/templates", {"search": "ZEBRA"}).json()["results"]] == ["Zebra"]


def test_templates_are_checked_and_unique(call, rows):
    one = f"prompts/templates/{call.post('prompts/templates', {'name': 'T', 'body': 'Text'}).json()['key']}"
    assert set(errors(call.post("prompts/templates", {"name": "T", "body": "Text"}))) == {"name"}
    assert set(errors(call.post("prompts/templates", {"name": "U", "body": "{{{x}}}"}))) == {"body"}
    assert set(errors(call.patch(one, {"body": "password: hunter2-Rk9x"}))) == {"body"}
    assert call.patch(one, {"language": "de"}).json()["language"] == "de"
    assert call.delete(one).status_code == 204
    assert call.get(one).status_code == 404


def test_a_workspace_has_only_so_many_templates(call, rows, workspace):
    many = [PromptTemplate(workspace=workspace, name=f"T{number}", body="x") for number in range(MAX_OWN)]
    rows(lambda: PromptTemplate.objects.bulk_create(many))
    assert call.post("prompts/templates", {"name": "One more", "body": "x"}).status_code == 409


# --- hostile callers ----------------------------------------------------------------------------------------

HOSTILE = [None, [], "x", 7, {"name": 1, "body": {"a": 1}}, {"name": "x", "body": "x", "config": "x"}, {"to": "1e99"}]


@pytest.mark.parametrize(
    "path", ["assistants", "assistants/cafe/rollback", "assistants/cafe/clone", "prompts/validate"]
)
def test_hostile_bodies_are_the_callers_mistake(call, path):
    call.make(key="cafe")
    for body in (json.dumps(value).encode() for value in HOSTILE):
        answer = call.client.post(f"/v1/{path}", body, content_type="application/json")
        assert answer.status_code in {200, 201, 400}, body
    deep = b'{"body": "x", "name": "x", "config": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}"
    assert call.client.post(f"/v1/{path}", deep, content_type="application/json").status_code in {200, 201, 400}


def test_a_row_of_a_version_never_changes(call, rows):
    call.make(key="cafe")

    def change():
        PromptVersion.objects.update(body="Other")

    with pytest.raises(Exception, match="written once"):
        rows(change)
    assert rows(lambda: Assistant.objects.get().versions.get().body) == BODY["body"]
