"""Pages of uploaded and fetched knowledge."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from agents.forms_memory import FileForm, NoteForm, PageForm
from agents.memory import documents
from agents.models import Document

PAGE_SIZE = 30
CHUNKS = 20
FORMS: dict[str, type[forms.Form]] = {"file": FileForm, "page": PageForm, "note": NoteForm}


@require_GET
@member_view(Perm.VIEW)
def document_list(request: MemberRequest) -> HttpResponse:
    page = Paginator(documents.visible_documents(request.actor), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "agents/knowledge_list.html", {"page": page})


@member_view(Perm.CONTENT_EDIT)
def document_new(request: MemberRequest) -> HttpResponse:
    """Three ways to add: a file, a page, a note. The posted `way` says which."""
    way = request.POST.get("way", "") or request.GET.get("way", "file")
    way = way if way in FORMS else "file"
    is_posted = request.method == "POST"
    form = FORMS[way](request.POST, request.FILES) if is_posted else FORMS[way]()
    if is_posted and form.is_valid():
        try:
            document = _add(request, way, form)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Added. It is being read.")
            return redirect("agents:knowledge-document", document.pk)
    context = {"form": form, "way": way}
    return render(request, "agents/knowledge_new.html", context, status=422 if form.errors else 200)


def _add(request: MemberRequest, way: str, form: forms.Form) -> Document:
    data = form.cleaned_data
    if way == "page":
        return documents.add_page(data["url"], by=request.actor)
    if way == "note":
        return documents.add_text(data["title"], data["text"], by=request.actor)
    upload = data["file"]
    # Read only as far as the limit: the service refuses one byte more.
    content = upload.read(documents.MAX_BYTES + 1)
    return documents.add_file(upload.name, content, by=request.actor, title=data["title"])


@require_GET
@member_view(Perm.VIEW)
def document_detail(request: MemberRequest, document_id: UUID) -> HttpResponse:
    document = documents.get_document(request.actor, document_id)
    context = {
        "document": document,
        "page": Paginator(document.chunks.defer("tokens"), CHUNKS).get_page(request.GET.get("page")),
        "may_change": request.actor.can(Perm.CONTENT_EDIT),
    }
    return render(request, "agents/knowledge_document.html", context)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def document_read(request: MemberRequest, document_id: UUID) -> HttpResponse:
    document = documents.get_document(request.actor, document_id)
    if documents.read_again(document, by=request.actor):
        messages.success(request, "It is being read again.")
    else:
        messages.warning(request, "It is being read already.")
    return redirect("agents:knowledge-document", document.pk)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def document_rename(request: MemberRequest, document_id: UUID) -> HttpResponse:
    document = documents.get_document(request.actor, document_id)
    try:
        documents.rename_document(document, request.POST.get("title", ""), by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("agents:knowledge-document", document_id)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def document_delete(request: MemberRequest, document_id: UUID) -> HttpResponse:
    documents.delete_document(documents.get_document(request.actor, document_id), by=request.actor)
    messages.success(request, "Deleted. No draft cites it any more.")
    return redirect("agents:knowledge")
