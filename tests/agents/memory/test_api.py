"""/v1/memory, /v1/brand, /v1/knowledge."""

import pytest

from accounts.models import Workspace
from agents.memory.documents import read_document
from agents.models import Document, MemoryItem

pytestmark = pytest.mark.django_db


def test_remember_find_undo_and_forget(api, api_key, in_workspace: Workspace) -> None:
    client = api(api_key("read", "write"))
    made = client.post("/v1/memory", {"text": "GLW-8842 is discontinued.", "subject": "GLW-8842"}, format="json")
    assert made.status_code == 201, made.data
    newer = client.post("/v1/memory", {"text": "GLW-8842 is back in stock.", "subject": "glw-8842"}, format="json")
    assert client.get(f"/v1/memory/{made.data['id']}").json()["superseded_by"] == newer.data["id"]
    found = client.post("/v1/memory/search", {"query": "GLW-8842"}, format="json").data
    assert [one["text"] for one in found["results"]] == ["GLW-8842 is back in stock."]
    assert found["degraded"] == "lexical"
    assert client.post(f"/v1/memory/{newer.data['id']}/undo").data["status"] == "undone"
    assert [row["id"] for row in client.get("/v1/memory?status=active").data["results"]] == [made.data["id"]]
    assert client.delete(f"/v1/memory/{made.data['id']}").status_code == 204
    again = client.post("/v1/memory", {"text": "GLW-8842 is discontinued."}, format="json")
    assert again.status_code == 400
    assert "forgotten on purpose" in str(again.json())
    insisted = {"text": "GLW-8842 is discontinued.", "is_again": True}
    assert client.post("/v1/memory", insisted, format="json").status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/v1/memory", {"text": "x"}),
        ("patch", "/v1/brand", {"voice": "x"}),
        ("post", "/v1/knowledge", {"title": "x", "text": "y"}),
    ],
)
def test_a_key_that_reads_writes_nothing(api, api_key, method: str, path: str, body: dict[str, str]) -> None:
    client = api(api_key("read"))
    assert getattr(client, method)(path, body, format="json").status_code == 403
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/memory", {"text": ""}),
        ("/v1/memory", {"text": "x", "kind": "rumour"}),
        ("/v1/memory", {"text": "x", "tier": "soon"}),
        ("/v1/memory/search", {"query": "x", "k": 0}),
        ("/v1/memory/search", {}),
        ("/v1/knowledge", {"title": "x"}),
        ("/v1/knowledge", {"text": "x", "url": "https://example.org"}),
        ("/v1/knowledge", {"url": "file:///etc/passwd"}),
    ],
)
def test_bad_input_is_a_problem_beside_its_field(api, api_key, path: str, body: dict[str, object]) -> None:
    answer = api(api_key()).post(path, body, format="json")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_brand_is_read_and_changed(api, api_key) -> None:
    client = api(api_key())
    assert client.patch("/v1/brand", {"voice": "Warm.", "languages": "de, en"}, format="json").status_code == 200
    brand = client.get("/v1/brand").data
    assert (brand["voice"], brand["languages"], brand["audience"]) == ("Warm.", "de, en", "")
    assert client.patch("/v1/brand", {"languages": "x" * 501}, format="json").status_code == 400


def test_a_text_becomes_knowledge_and_goes(api, api_key, in_workspace: Workspace) -> None:
    client = api(api_key())
    made = client.post("/v1/knowledge", {"title": "Refunds", "text": "# Refunds\nWithin 30 days."}, format="json")
    assert (made.status_code, made.data["status"]) == (201, "waiting")
    read_document(in_workspace.pk, Document.objects.get().pk)
    assert client.get(f"/v1/knowledge/{made.data['id']}").data["chunk_count"] == 1
    found = client.post("/v1/memory/search", {"query": "refunds"}, format="json").data["results"]
    assert [(one["kind"], one["title"]) for one in found] == [("chunk", "Refunds · Refunds · 1")]
    assert client.delete(f"/v1/knowledge/{made.data['id']}").status_code == 204
    assert client.get("/v1/knowledge").data["results"] == []


def test_own_memory_is_nobody_elses(api, bob, vic, learn, workspace: Workspace) -> None:
    item = learn("Bob prefers short answers.", user=bob)
    assert api(bob, workspace=workspace).get(f"/v1/memory/{item.pk}").data["is_own"]
    stranger = api(vic, workspace=workspace)
    assert stranger.get(f"/v1/memory/{item.pk}").status_code == 404
    assert stranger.get("/v1/memory").data["results"] == []
    assert stranger.post("/v1/memory/search", {"query": "short answers"}, format="json").data["results"] == []
    assert MemoryItem.objects.count() == 1
