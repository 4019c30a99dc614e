"""The OpenAPI document as integrators read it: the promised paths, and an example of every body that would be taken."""

import json
from typing import Any

import jsonschema
import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from campaigns.exports import COLUMNS
from marketing.api_document import JSON, add_examples, examples, operations

PROMISED = [
    "/api/auth/register",
    "/api/auth/login",
    "/api/auth/me",
    "/api/twitter/connect",
    "/api/twitter/status",
    "/api/twitter/disconnect",
    "/api/campaigns",
    "/api/campaigns/{campaign_id}",
    "/api/analytics/dashboard",
    "/api/analytics/campaigns/{campaign_id}",
    "/api/ai/generate-content",
    "/api/ai/analyze-audience",
    "/api/ai/optimize-timing",
    "/api/projects",
    "/api/projects/scan",
    "/api/tasks/publish",
    "/api/users/{user_id}/watchlist",
    "/api/users/{user_id}/preferences",
    "/v1/auth/token",
    "/v1/auth/verify",
    "/v1/auth/test",
    "/v1/threads",
    "/v1/threads/{thread_id}",
    "/v1/threads/{thread_id}/runs/wait",
    "/v1/threads/{thread_id}/runs/async",
    "/v1/threads/{thread_id}/runs/{run_id}/status",
    "/v1/threads/{thread_id}/runs/{run_id}/cancel",
    "/v1/threads/{thread_id}/runs/{run_id}/resume",
    "/v1/threads/{thread_id}/runs/{run_id}/stream",
    "/v1/messages",
    "/v1/messages/responses",
    "/v1/messages/responses/structured",
    "/v1/assistants",
    "/v1/assistants/{assistant_id}",
    "/v1/prompts/{assistant_id}",
    "/v1/prompts/{assistant_id}/{tenant_id}/{version}",
    "/v1/prompts/{tenant_id}/{assistant_id}",
    "/v1/prompts/rollback",
    "/v1/prompts/clone",
    "/v1/prompts/validate",
    "/v1/prompts/templates",
    "/v1/social-media/comment",
    "/v1/social-media/reply",
    "/v1/social-media/keywords",
    "/v1/social-media/chat",
    "/v1/social-media/reload-prompt",
    "/v1/tenants/sync",
    "/v1/tenants/{tenant_id}",
    "/v1/tenants/{tenant_id}/status",
]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(OpenApiJsonRenderer().render(SchemaGenerator().get_schema(public=True)))


def bodies(document):
    """(operation id, body) of every operation that takes JSON."""
    for operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get(JSON)
        if body:
            yield operation["operationId"], body


def as_json_schema(document):
    """OpenAPI 3.0 says `nullable`; JSON Schema says it with a type."""

    def plain(node):
        if isinstance(node, list):
            return [plain(one) for one in node]
        if not isinstance(node, dict):
            return node
        made = {name: plain(value) for name, value in node.items()}
        return {"anyOf": [made, {"type": "null"}]} if made.pop("nullable", False) else made

    return plain(document["components"])


def test_every_promised_path_is_there(document):
    assert [path for path in PROMISED if path not in document["paths"]] == []


def test_what_asks_a_model_says_that_the_money_may_be_used_up(document):
    for path in ("/v1/messages", "/v1/messages/responses", "/v1/social-media/reply", "/api/ai/generate-content"):
        assert "402" in document["paths"][path]["post"]["responses"], path
    assert "402" not in document["paths"]["/api/campaigns"]["post"]["responses"]


def test_search_says_what_it_takes(document):
    taken = {one["name"]: one["schema"] for one in document["paths"]["/api/search"]["get"]["parameters"]}
    assert taken["q"] == {"type": "string", "minLength": 1, "maxLength": 200}
    assert (taken["limit"]["minimum"], taken["limit"]["maximum"]) == (1, 50)


def test_slots_are_answered_whole_when_made_and_in_pages_when_read(document):
    slots = document["paths"]["/api/connections/{connection_id}/slots"]
    answers = {"post": "201", "get": "200"}
    made, read = (slots[method]["responses"][code]["content"][JSON]["schema"] for method, code in answers.items())
    assert made == {"type": "array", "items": {"$ref": "#/components/schemas/SlotAnswer"}}
    assert read == {"$ref": "#/components/schemas/PaginatedSlotAnswerList"}


def test_syncing_a_tenant_says_that_a_revision_may_be_taken(document):
    for operation in document["paths"]["/v1/tenants/sync"].values():
        assert "409" in operation["responses"]


def test_an_export_is_a_file_or_in_json_a_list_of_rows(document):
    answers = document["paths"]["/api/export"]["get"]["responses"]["200"]["content"]
    assert answers["text/csv"]["schema"] == {"type": "string", "format": "binary"}
    row = answers["application/json"]["schema"]["items"]
    jsonschema.validate(dict.fromkeys(COLUMNS, ""), row)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"title": None}, row)


def test_no_operation_is_described_by_the_words_of_a_base_class(document):
    said = [operation.get("description", "") for path in document["paths"].values() for operation in path.values()]
    assert not [words for words in said if "self.actor" in words or (said.count(words) > 2 and words)]


def test_every_body_has_an_example(document):
    assert [name for name, body in bodies(document) if not {"example", "examples"} & body.keys()] == []


def test_every_example_fits_its_schema(document):
    components = as_json_schema(document)
    for name, body in bodies(document):
        given = [one["value"] for one in body.get("examples", {}).values()] or [body.get("example")]
        for example in given:
            schema = {**body["schema"], "components": components}
            problems = list(jsonschema.Draft202012Validator(schema).iter_errors(example))
            assert not problems, (name, example, problems[0].message)


def test_no_example_is_of_an_operation_that_is_gone(document):
    assert examples().keys() <= {operation["operationId"] for operation in operations(document)}


def test_an_example_of_the_operation_itself_stays():
    own = {"schema": {}, "examples": {"mine": {"value": {}}}}
    made = {"paths": {"/x": {"post": {"operationId": "login", "requestBody": {"content": {JSON: own}}}}}}
    assert add_examples(made)["paths"]["/x"]["post"]["requestBody"]["content"][JSON] == own
