"""Assistants: what they are told, every version of it, and which one is in use."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, add_errors, member_view
from agents.forms_assistants import AssistantForm, values_from, values_of
from agents.models import Assistant, PromptLabel, PromptVersion
from agents.prompts import assistants
from agents.prompts.errors import PromptConflict
from agents.prompts.library import shipped_prompts
from agents.prompts.serving import LATEST, PRODUCTION
from agents.prompts.syntax import Finding
from agents.prompts.templates import find_template
from agents.prompts.validation import Report, validate_prompt
from agents.prompts.versions import newest, served_version
from lib.text import storable
from lib.text_diff import diff_words

PAGE_SIZE = 30
SHOWN = 200


# --- reading ------------------------------------------------------------------------------------------------


@require_GET
@member_view(Perm.VIEW)
def assistant_list(request: MemberRequest) -> HttpResponse:
    is_archived = "archived" in request.GET
    rows = assistants.visible_assistants(request.actor, is_archived=is_archived)
    own = set(assistants.visible_assistants(request.actor).values_list("key", flat=True))
    context = {
        "page": Paginator(rows.prefetch_related("labels__version"), PAGE_SIZE).get_page(request.GET.get("page")),
        "is_archived": is_archived,
        "has_archived": assistants.visible_assistants(request.actor, is_archived=True).exists(),
        "built_in": [shipped for key, shipped in shipped_prompts().items() if key not in own],
    }
    return render(request, "agents/assistant_list.html", context)


@require_GET
@member_view(Perm.VIEW)
def assistant_detail(request: MemberRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistants.get_assistant(request.actor, assistant_id)
    chosen = request.GET.get("version", "")
    version = served_version(assistant, number=int(chosen) if chosen.isdecimal() and len(chosen) < 10 else None)
    return render(request, "agents/assistant_detail.html", _facts(request.actor, assistant, version))


def _facts(actor: Actor, assistant: Assistant, version: PromptVersion) -> dict[str, Any]:
    rows = list(PromptLabel.objects.filter(assistant=assistant).select_related("version"))
    versions = PromptVersion.objects.filter(assistant=assistant).prefetch_related("labels")[:SHOWN]
    production = next((row for row in rows if row.label == PRODUCTION), None)
    is_protected = production.is_protected if production else True
    return {
        "assistant": assistant,
        "version": version,
        "labels": rows,
        "versions": versions,
        "production": production,
        "is_production": bool(production and production.version_id == version.pk),
        "is_newest": any(row.label == LATEST and row.version_id == version.pk for row in rows),
        "is_built_in": assistant.key in shipped_prompts(),
        "may_promote": actor.can(Perm.SETTINGS) or (actor.can(Perm.CONTENT_EDIT) and not is_protected),
        "report": validate_prompt(assistant.workspace, version.body, key=assistant.key, declared=version.variables),
    }


@require_GET
@member_view(Perm.VIEW)
def assistant_diff(request: MemberRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistants.get_assistant(request.actor, assistant_id)
    versions = list(PromptVersion.objects.filter(assistant=assistant).prefetch_related("labels")[:SHOWN])
    newer = _chosen(request, "to", versions) or versions[0]
    before = [version for version in versions if version.number < newer.number]
    older = _chosen(request, "from", versions) or next(iter(before), newer)
    context = {
        "assistant": assistant,
        "versions": versions,
        "newer": newer,
        "older": older,
        "changes": diff_words(older.body, newer.body),
        "besides": [name for name in ("config", "variables") if getattr(older, name) != getattr(newer, name)],
    }
    return render(request, "agents/assistant_diff.html", context)


def _chosen(request: MemberRequest, name: str, versions: list[PromptVersion]) -> PromptVersion | None:
    return next((version for version in versions if str(version.number) == request.GET.get(name)), None)


@require_GET
@member_view(Perm.VIEW)
def assistant_built_in(request: MemberRequest, key: str) -> HttpResponse:
    shipped = shipped_prompts().get(key)
    if shipped is None:
        raise Http404("Not found.")
    own = assistants.visible_assistants(request.actor).filter(key=key).first()
    return render(request, "agents/assistant_built_in.html", {"shipped": shipped, "own": own})


# --- writing ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A finding, and where people look for it."""

    finding: Finding
    number: int
    words: str


def lines_of(report: Report, body: str) -> list[Line]:
    return [
        Line(finding, body.count("\n", 0, finding.start) + 1, body[finding.start : finding.end][:30])
        for finding in report.findings
    ]


@member_view(Perm.CONTENT_EDIT)
def assistant_new(request: MemberRequest) -> HttpResponse:
    key = request.GET.get("template", "")
    initial = values_from(find_template(request.actor, key)) if key else {"workflow": "chat"}
    form = AssistantForm(request.POST or None, initial=initial)
    return _edit(request, form, None)


@member_view(Perm.CONTENT_EDIT)
def assistant_edit(request: MemberRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistants.get_assistant(request.actor, assistant_id)
    form = AssistantForm(request.POST or None, initial=values_of(assistant))
    return _edit(request, form, assistant)


def _edit(request: MemberRequest, form: AssistantForm, assistant: Assistant | None) -> HttpResponse:
    """Looks at the prompt as it stands; with `check` it only looks."""
    is_check = "check" in request.POST
    status = 200
    if request.method == "POST" and not is_check and form.is_valid():
        try:
            saved = _save(form, assistant, request.actor)
        except ValidationError as error:
            add_errors(form, error)
        except PromptConflict as error:
            form.add_error(None, f"{error} Your text is still here.")
        else:
            messages.success(request, f"Saved as version {newest(saved).number}.")
            return redirect("agents:assistant", saved.pk)
    if request.method == "POST" and not is_check and form.errors:
        status = 422
    context = {"form": form, "assistant": assistant, **_look(request, form, assistant)}
    return render(request, "agents/assistant_form.html", context, status=status)


def _save(form: AssistantForm, assistant: Assistant | None, by: Actor) -> Assistant:
    if assistant is None:
        return assistants.create_assistant(by=by, draft=form.draft(), **form.fields_of())
    prompt = form.prompt_after(newest(assistant).variables)
    expected = form.cleaned_data["revision"]
    return assistants.update_assistant(assistant, by=by, expected=expected, prompt=prompt, **form.fields_of())


def _look(request: MemberRequest, form: AssistantForm, assistant: Assistant | None) -> dict[str, Any]:
    body = storable(_typed(form, "body") or "")
    variables = _typed(form, "variables") or {}
    report = validate_prompt(request.actor.workspace, body, key=assistant.key if assistant else "", declared=variables)
    return {"report": report, "lines": lines_of(report, body), "is_untouched": not form.is_bound and not body}


def _typed(form: forms.Form, name: str) -> Any:
    value = form[name].value()
    return form.fields[name].to_python(value) if isinstance(value, str) else value
