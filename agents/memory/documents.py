"""Knowledge: files and web pages, cut into pieces that search finds and drafts cite."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import PurePath
from uuid import UUID

import structlog
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from accounts.scope import all_workspaces_scope, workspace_scope
from agents.memory.reading import Piece, UnreadableFile, cut, read_file, sniff
from agents.memory.search import search_fields
from agents.models import Chunk, Document
from lib.clock import now
from lib.public_http import FetchError, check_url, fetch
from lib.text import one_line, storable

log = structlog.get_logger(__name__)

Status = Document.Status
MAX_BYTES = 10 * 1024**2
MAX_PAGE_BYTES = 3 * 1024**2
MAX_DOCUMENTS = 1_000
MAX_CHUNKS = 5_000
MAX_TITLE = 200
MAX_TRIES = 3
# A worker that has not finished by then is taken for dead.
READING_S = 300
HANDED_OUT = 50
PAGE_TYPES = {"text/html", "application/xhtml+xml", "text/plain", "text/markdown", "text/csv", "application/pdf", ""}


def visible_documents(actor: Actor) -> QuerySet[Document]:
    actor.require(Perm.VIEW)
    return Document.objects.filter(workspace=actor.workspace)


def get_document(actor: Actor, document_id: UUID) -> Document:
    document = visible_documents(actor).filter(pk=document_id).first()
    if document is None:
        raise Http404("Not found.")
    return document


def add_file(name: str, data: bytes, *, by: Actor, title: str = "") -> Document:
    """Keep a file and have it read. Raises ValidationError beside "file"."""
    by.require(Perm.CONTENT_EDIT)
    if len(data) > MAX_BYTES:
        raise ValidationError({"file": f"The file is larger than {MAX_BYTES // 1024**2} MB. Split it."})
    try:
        kind = sniff(data, name)
    except UnreadableFile as error:
        raise ValidationError({"file": str(error)}) from error
    digest = hashlib.sha256(data).hexdigest()
    same = visible_documents(by).filter(sha256=digest, url="").first()
    if same is not None:
        raise ValidationError({"file": f"This file is here already, as “{same.title}”."})
    document = Document(
        workspace=by.workspace,
        title=_title(title) or _title(PurePath(name).name) or "Untitled",
        kind=kind,
        sha256=digest,
        size=len(data),
        created_by=by.user,
    )
    document.file.name = default_storage.save(f"{by.workspace.pk}/knowledge/{document.pk}", ContentFile(data))
    return _add(document, by)


def add_text(title: str, text: str, *, by: Actor) -> Document:
    """A note that somebody typed: Markdown."""
    return add_file(f"{_title(title) or 'Note'}.md", storable(text).encode(), by=by, title=title)


def add_page(url: str, *, by: Actor, title: str = "") -> Document:
    """Have a public web page read. Raises ValidationError beside "url"."""
    by.require(Perm.CONTENT_EDIT)
    url = url.strip()
    try:
        check_url(url)
    except FetchError as error:
        raise ValidationError({"url": error.message}) from error
    if visible_documents(by).filter(url=url).exists():
        raise ValidationError({"url": "This page is here already. Read it again from its own page."})
    return _add(Document(workspace=by.workspace, title=_title(title) or url[:200], kind=Document.Kind.WEB, url=url), by)


def _title(text: str) -> str:
    return one_line(storable(text))[:MAX_TITLE]


def _add(document: Document, by: Actor) -> Document:
    if visible_documents(by).count() >= MAX_DOCUMENTS:
        raise ValidationError(f"There can be {MAX_DOCUMENTS:,} documents at most.")
    with transaction.atomic():
        document.created_by = by.user
        document.save(force_insert=True)
        audit.record("knowledge.add", document, by=by, kind=document.kind)
        _enqueue(document)
    return document


def read_again(document: Document, *, by: Actor) -> bool:
    """Fetch a page anew, or try a file once more; its pieces stay in use until then. False while it is being read."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        idle = Document.objects.filter(pk=document.pk).exclude(status=Status.WAITING)
        if not idle.update(status=Status.WAITING, problem="", tries=0, wanted_at=now()):
            return False
        audit.record("knowledge.read_again", document, by=by)
        _enqueue(document)
    return True


def rename_document(document: Document, title: str, *, by: Actor) -> Document:
    by.require(Perm.CONTENT_EDIT)
    document.title = _title(title)
    if not document.title:
        raise ValidationError({"title": "Write a title."})
    with transaction.atomic():
        document.save(update_fields=["title"])
        audit.record("knowledge.rename", document, by=by)
    return document


def delete_document(document: Document, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    name = document.file.name
    with transaction.atomic():
        audit.record("knowledge.delete", document, by=by, kind=document.kind)
        document.delete()
        if name:
            transaction.on_commit(lambda: default_storage.delete(name))


def _enqueue(document: Document) -> None:
    from agents.tasks import read_document

    transaction.on_commit(lambda: read_document.delay(str(document.workspace_id), str(document.pk)))


# --- the worker's side ------------------------------------------------------------------------------------


def unread_documents() -> list[tuple[UUID, UUID]]:
    """Those whose message or worker was lost: workspace and document ids."""
    with all_workspaces_scope("documents of lost messages"):
        rows = Document.objects.filter(status=Status.WAITING, wanted_at__lt=now() - timedelta(seconds=READING_S))
        return list(rows.order_by("wanted_at").values_list("workspace_id", "pk")[:HANDED_OUT])


def read_document(workspace_id: UUID, document_id: UUID) -> None:
    """Reads it outside of any transaction and swaps its pieces at once. May run twice, and may be killed anywhere."""
    with workspace_scope(workspace_id):
        document = _begin(document_id)
    if document is None:
        return
    try:
        title, pieces = _read(document)
    except UnreadableFile as error:
        with workspace_scope(workspace_id):
            _fail(document, str(error))
        return
    with workspace_scope(workspace_id):
        _finish(document, title, pieces)


def _begin(document_id: UUID) -> Document | None:
    """Counted before the reading begins: what ends the worker is not tried for ever."""
    waiting = Document.objects.filter(pk=document_id, status=Status.WAITING)
    if not waiting.update(tries=F("tries") + 1, wanted_at=now()):
        return None
    document = Document.objects.get(pk=document_id)
    if document.tries > MAX_TRIES:
        _fail(document, "Reading it broke off several times. Save it in another format.")
        return None
    return document


def _read(document: Document) -> tuple[str, list[Piece]]:
    if document.url:
        kind, data, charset = _fetch(document.url)
        document.sha256, document.size = hashlib.sha256(data).hexdigest(), len(data)
    else:
        kind, charset = Document.Kind(document.kind), ""
        data = _stored(document.file.name or "")
    title, sections = read_file(data, kind, charset)
    pieces = []
    for piece in cut(sections):
        pieces.append(piece)
        if len(pieces) > MAX_CHUNKS:
            raise UnreadableFile("There is too much text in it. Split it.")
    return title, pieces


def _stored(name: str) -> bytes:
    try:
        with default_storage.open(name) as file:
            return bytes(file.read())
    except OSError as error:
        raise UnreadableFile("The file is gone. Upload it again.") from error


def _fetch(url: str) -> tuple[Document.Kind, bytes, str]:
    try:
        answer = fetch(url, max_bytes=MAX_PAGE_BYTES, accept="text/html, text/plain;q=0.9, application/pdf;q=0.8")
    except FetchError as error:
        log.info("page_not_read", code=error.code)
        raise UnreadableFile(error.message[:200]) from error
    if answer.content_type not in PAGE_TYPES:
        raise UnreadableFile("There is no page at this address, but something else.")
    is_page = answer.content_type in {"text/html", "application/xhtml+xml"}
    return (Document.Kind.WEB if is_page else sniff(answer.body, url)), answer.body, answer.charset


def _finish(document: Document, title: str, pieces: Iterable[Piece]) -> None:
    # Whoever deleted it in the meantime has deleted the right thing.
    if not Document.objects.select_for_update(no_key=True).filter(pk=document.pk, status=Status.WAITING).exists():
        return
    if document.url and document.title == document.url[:200] and title:
        document.title = title
    Chunk.objects.filter(document=document).delete()
    rows = [_chunk(document, n, piece) for n, piece in enumerate(pieces, start=1)]
    Chunk.objects.bulk_create(rows, batch_size=500)
    document.status, document.problem, document.chunk_count = Status.READY, "", len(rows)
    document.read_at, document.tries = now(), 0
    document.save(
        update_fields=["status", "problem", "chunk_count", "read_at", "tries", "title", "sha256", "size"],
    )


def _chunk(document: Document, n: int, piece: Piece) -> Chunk:
    return Chunk(
        workspace_id=document.workspace_id,
        document=document,
        n=n,
        heading=piece.heading,
        text=piece.text,
        **search_fields(piece.text, heading=f"{document.title} {piece.heading}"),
    )


def _fail(document: Document, problem: str) -> None:
    """What was read of it before stays in use."""
    status = Status.READY if document.chunk_count else Status.FAILED
    waiting = Document.objects.filter(pk=document.pk, status=Status.WAITING)
    waiting.update(status=status, problem=problem[:200])
