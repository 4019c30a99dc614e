"""The life of a document: added, read once, read again, found, cited, deleted."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage

from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from agents.memory import documents, recall
from agents.models import Chunk, Document

pytestmark = pytest.mark.django_db


class Site(BaseHTTPRequestHandler):
    pages: dict[str, tuple[int, str, bytes]] = {}

    def do_GET(self) -> None:
        status, kind, body = self.pages.get(self.path, (404, "text/html", b""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def site(settings) -> Iterator[str]:
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.1/32"]
    server = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def read(document: Document) -> Document:
    documents.read_document(document.workspace_id, document.pk)
    document.refresh_from_db()
    return document


def test_a_file_is_read_found_and_cited(bob_actor: Actor, in_workspace: Workspace) -> None:
    text = "# Refunds\nWithin 30 days, with the receipt.\n# 会员日\n每月 18 号，双倍积分。"
    document = read(documents.add_file("Policy.md", text.encode("gb18030"), by=bob_actor))
    assert (document.status, document.chunk_count, document.title, document.kind) == (
        "ready",
        2,
        "Policy.md",
        "markdown",
    )
    [found] = recall(in_workspace, None, "会员日几号")
    assert (found.kind, found.title) == ("chunk", "Policy.md · 会员日 · 2")
    name = document.file.name
    assert name.startswith(f"{in_workspace.pk}/knowledge/")
    documents.delete_document(document, by=bob_actor)
    assert recall(in_workspace, None, "会员日几号") == []
    assert not Chunk.objects.exists()


def test_its_file_goes_with_it(bob_actor: Actor, in_workspace: Workspace, django_capture_on_commit_callbacks) -> None:
    document = documents.add_text("Note", "A bag costs 9 €.", by=bob_actor)
    name = document.file.name
    assert default_storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        documents.delete_document(document, by=bob_actor)
    assert not default_storage.exists(name)


def test_the_same_file_twice_and_too_large_files_are_refused(bob_actor: Actor, in_workspace, monkeypatch) -> None:
    documents.add_file("a.txt", b"A bag costs 9.", by=bob_actor)
    with pytest.raises(ValidationError, match="here already"):
        documents.add_file("b.txt", b"A bag costs 9.", by=bob_actor)
    monkeypatch.setattr(documents, "MAX_BYTES", 5)
    with pytest.raises(ValidationError, match="larger"):
        documents.add_file("c.txt", b"123456", by=bob_actor)
    assert Document.objects.count() == 1


def test_a_page_is_read_and_read_again(site: str, bob_actor: Actor, in_workspace: Workspace) -> None:
    Site.pages = {"/a": (200, "text/html; charset=utf-8", b"<title>Shop</title><h1>Prices</h1><p>A bag costs 9.")}
    document = read(documents.add_page(f"{site}/a", by=bob_actor))
    assert (document.status, document.title, document.problem) == ("ready", "Shop", "")
    with pytest.raises(ValidationError, match="here already"):
        documents.add_page(f"{site}/a", by=bob_actor)
    Site.pages = {"/a": (200, "text/plain", b"A bag costs 12.")}
    assert documents.read_again(document, by=bob_actor)
    assert not documents.read_again(document, by=bob_actor)
    assert [one.text for one in recall(in_workspace, None, "what does a bag cost")] == ["A bag costs 9."]
    read(document)
    assert [one.text for one in recall(in_workspace, None, "what does a bag cost")] == ["A bag costs 12."]
    Site.pages = {}
    documents.read_again(document, by=bob_actor)
    read(document)
    assert (document.status, document.problem) == ("ready", "There is nothing at this address.")
    assert [one.url for one in recall(in_workspace, None, "what does a bag cost")] == [f"{site}/a"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, "text/html", b""), "nothing at this address"),
        ((200, "image/png", b"\x89PNG"), "something else"),
        ((200, "text/html", b"<p hidden>only this</p>"), "no text"),
        ((200, "text/plain", b"\x7fELF"), "program"),
        ((200, "text/html", b"<p>" + b"x" * (documents.MAX_PAGE_BYTES + 1)), "larger than"),
    ],
)
def test_pages_that_cannot_be_read_say_why(site: str, bob_actor: Actor, in_workspace, answer, said: str) -> None:
    Site.pages = {"/b": answer}
    document = read(documents.add_page(f"{site}/b", by=bob_actor))
    assert document.status == "failed"
    assert said in document.problem


def test_pages_inside_the_network_are_not_read(bob_actor: Actor, in_workspace: Workspace, settings) -> None:
    settings.OUTBOUND_ALLOW_CIDRS = []
    document = read(documents.add_page("http://127.0.0.1:9/meta-data", by=bob_actor))
    assert (document.status, document.problem) == ("failed", "This address is not on the public internet.")


def test_what_ends_its_worker_is_not_tried_for_ever(bob_actor: Actor, in_workspace: Workspace) -> None:
    document = documents.add_text("Bomb", "Tick.", by=bob_actor)
    Document.objects.filter(pk=document.pk).update(tries=documents.MAX_TRIES)
    assert read(document).status == "failed"
    assert "broke off" in document.problem


def test_lost_messages_are_found_again(bob_actor: Actor, in_workspace: Workspace) -> None:
    from datetime import timedelta

    from lib.clock import shifted

    document = documents.add_text("Note", "A bag costs 9 €.", by=bob_actor)
    assert documents.unread_documents() == []
    with shifted(timedelta(seconds=documents.READING_S + 1)):
        assert documents.unread_documents() == [(in_workspace.pk, document.pk)]
    read(document)
    assert read(document).chunk_count == 1


def test_a_document_that_was_deleted_meanwhile_leaves_nothing(bob_actor: Actor, in_workspace: Workspace) -> None:
    document = documents.add_text("Note", "A bag costs 9 €.", by=bob_actor)
    waiting = documents._begin(document.pk)
    assert waiting is not None
    title, pieces = documents._read(waiting)
    documents.delete_document(document, by=bob_actor)
    documents._finish(waiting, title, pieces)
    documents.read_document(in_workspace.pk, waiting.pk)
    assert not Chunk.objects.exists()


def test_a_lost_file_is_said(bob_actor: Actor, in_workspace: Workspace) -> None:
    document = documents.add_text("Note", "A bag costs 9 €.", by=bob_actor)
    default_storage.delete(document.file.name)
    assert "Upload it again" in read(document).problem


def test_documents_belong_to_their_workspace(bob_actor, vic_actor, other_workspace, in_workspace) -> None:
    document = read(documents.add_text("Note", "The secret blend has Sidamo.", by=bob_actor))
    with workspace_scope(other_workspace.pk):
        assert not Document.objects.exists()
    assert recall(other_workspace, None, "secret blend") == []
    for act in (documents.read_again, documents.delete_document):
        with pytest.raises(PermissionDenied):
            act(document, by=vic_actor)
    assert documents.rename_document(document, "Blends", by=bob_actor).title == "Blends"
    with pytest.raises(ValidationError):
        documents.rename_document(document, "  ", by=bob_actor)
