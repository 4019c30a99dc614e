"""The library of templates: those the product ships, and the workspace's own."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from agents.forms_assistants import INDUSTRIES, LANGUAGES, LibraryFilter, TemplateForm
from agents.models import PromptTemplate
from agents.prompts.assistants import get_assistant
from agents.prompts.errors import PromptConflict
from agents.prompts.templates import create_template, delete_template, find_templates, get_template, update_template
from agents.prompts.versions import newest


@require_GET
@member_view(Perm.VIEW)
def prompt_library(request: MemberRequest) -> HttpResponse:
    form = LibraryFilter(request.GET)
    wanted = form.wanted()
    found = find_templates(request.actor, **wanted)
    context = {"form": form, "words": wanted["words"], "is_filtered": any(wanted.values())}
    context["templates"] = [
        (row, INDUSTRIES.get(row.industry, row.industry), LANGUAGES.get(row.language, row.language)) for row in found
    ]
    return render(request, "agents/prompt_library.html", context)


@member_view(Perm.CONTENT_EDIT)
def template_new(request: MemberRequest) -> HttpResponse:
    """Empty, or with what an assistant says: ?from=<id>."""
    initial: dict[str, Any] = {}
    if request.GET.get("from"):
        assistant = get_assistant(request.actor, request.GET["from"])
        initial = {"name": assistant.name, "body": newest(assistant).body}
    return _edit(request, TemplateForm(request.POST or None, initial=initial), None)


@member_view(Perm.CONTENT_EDIT)
def template_edit(request: MemberRequest, template_id: UUID) -> HttpResponse:
    row = get_template(request.actor, template_id)
    initial = {name: getattr(row, name) for name in ("name", "language", "industry", "body")}
    return _edit(request, TemplateForm(request.POST or None, initial=initial), row)


def _edit(request: MemberRequest, form: TemplateForm, row: PromptTemplate | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            if row:
                update_template(row, by=request.actor, **form.cleaned_data)
            else:
                create_template(by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        except PromptConflict as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("agents:prompt-library")
    context = {"form": form, "template": row}
    return render(request, "agents/prompt_template_form.html", context, status=422 if form.errors else 200)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def template_delete(request: MemberRequest, template_id: UUID) -> HttpResponse:
    delete_template(get_template(request.actor, template_id), by=request.actor)
    messages.success(request, "Deleted. Assistants made from it keep their text.")
    return redirect("agents:prompt-library")
