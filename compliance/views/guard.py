"""Pages of the guard: settings, the workspace's own list, the rules in force, and a box to try a text."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from compliance.forms_guard import CheckForm, FileForm, GuardSettingsForm, TermForm
from compliance.guard.port import Severity
from compliance.guard_check import Question, check_text, rules_in_force
from compliance.guard_settings import settings_data, settings_of, update_guard_settings
from compliance.models import WorkspaceTerm
from compliance.places import MARKETS, PLATFORMS
from compliance.terms import (
    FileReport,
    add_term,
    change_term,
    delete_term,
    draft_of,
    export_terms,
    get_term,
    import_terms,
    read_text,
    visible_terms,
)

PAGE_SIZE = 30


def _page(request: MemberRequest, template: str, form: forms.BaseForm | None = None, **context: Any) -> HttpResponse:
    context |= {"form": form, "may_change": request.actor.can(Perm.SETTINGS)}
    return render(request, f"compliance/{template}", context, status=422 if form and form.errors else 200)


@member_view(Perm.VIEW)
def guard_settings_page(request: MemberRequest) -> HttpResponse:
    """Everybody may look; who may not change anything is refused by the service."""
    form = GuardSettingsForm(request.POST or None, data_of=settings_data(settings_of(request.actor)))
    if request.method == "POST" and form.is_valid():
        try:
            update_guard_settings(by=request.actor, **form.settings())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Settings saved.")
            return redirect("compliance:guard-settings")
    if not request.actor.can(Perm.SETTINGS):
        for field in form.fields.values():
            field.disabled = True
    return _page(request, "guard_settings.html", form)


# --- the workspace's own list -----------------------------------------------------------------------------


@require_GET
@member_view(Perm.VIEW)
def term_list(request: MemberRequest) -> HttpResponse:
    return _term_page(request)


def _term_page(request: MemberRequest, form: FileForm | None = None, **context: Any) -> HttpResponse:
    words, kind = request.GET.get("q", "").strip()[:120], request.GET.get("kind", "")
    rows = visible_terms(request.actor)
    shown = rows.filter(Q(term__icontains=words) | Q(reason__icontains=words)) if words else rows
    if kind in WorkspaceTerm.Kind.values:
        shown = shown.filter(kind=kind)
    context |= {
        "page": Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page")),
        "has_terms": rows.exists(),
        "words": words,
        "kind": kind,
        "kinds": WorkspaceTerm.Kind.choices,
        "platform_names": PLATFORMS,
    }
    return _page(request, "guard_terms.html", form or FileForm(), **context)


@member_view(Perm.SETTINGS)
def term_new(request: MemberRequest) -> HttpResponse:
    return _edit_term(request, TermForm(request.POST or None, initial={"term": request.GET.get("term", "")}), None)


@member_view(Perm.SETTINGS)
def term_edit(request: MemberRequest, term_id: UUID) -> HttpResponse:
    row = get_term(request.actor, term_id)
    return _edit_term(request, TermForm(request.POST or None, initial=vars(draft_of(row))), row)


def _edit_term(request: MemberRequest, form: TermForm, row: WorkspaceTerm | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            if row:
                change_term(row, form.draft(), by=request.actor)
            else:
                add_term(form.draft(), by=request.actor)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved. It counts from the next check on.")
            return redirect("compliance:guard-terms")
    return _page(request, "guard_term_form.html", form, term=row)


@require_POST
@member_view(Perm.SETTINGS)
def term_delete(request: MemberRequest, term_id: UUID) -> HttpResponse:
    delete_term(get_term(request.actor, term_id), by=request.actor)
    messages.success(request, "Deleted.")
    return redirect("compliance:guard-terms")


@require_POST
@member_view(Perm.SETTINGS)
def term_import(request: MemberRequest) -> HttpResponse:
    """First what the file would do; with `apply` it is done."""
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _term_page(request, form)
    content, is_dry_run = form.content(), "apply" not in request.POST
    try:
        report = import_terms(content, by=request.actor, is_dry_run=is_dry_run)
    except ValidationError as error:
        add_errors(form, error)
        return _term_page(request, form)
    if is_dry_run:
        return _page(request, "guard_terms_import.html", report=report, text=read_text(content))
    messages.success(request, _told(report))
    return redirect("compliance:guard-terms")


def _told(report: FileReport) -> str:
    left_out = f", {len(report.wrong)} lines left out" if report.wrong else ""
    return f"{len(report.new)} added, {len(report.changed)} changed{left_out}."


@require_GET
@member_view(Perm.VIEW)
def term_export(request: MemberRequest) -> HttpResponse:
    response = HttpResponse(export_terms(visible_terms(request.actor)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="words.csv"'
    return response


# --- rules ------------------------------------------------------------------------------------------------


@require_GET
@member_view(Perm.VIEW)
def rule_list(request: MemberRequest) -> HttpResponse:
    wanted = {name: request.GET.get(name, "").strip()[:120] for name in ("q", "market", "severity")}
    rules = rules_in_force(
        request.actor, words=wanted["q"], market=wanted["market"].upper(), severity=wanted["severity"]
    )
    context: dict[str, Any] = {
        "page": Paginator(rules, PAGE_SIZE).get_page(request.GET.get("page")),
        "wanted": wanted,
        "is_narrow": any(wanted.values()),
        "markets": MARKETS.items(),
        "severities": [(severity.value, label) for severity, label in SEVERITIES.items()],
        "market_names": MARKETS,
        "platform_names": PLATFORMS,
    }
    return _page(request, "guard_rules.html", **context)


SEVERITIES = {Severity.BLOCK: "Blocks", Severity.REVIEW: "Asks a person", Severity.NOTE: "Notes"}


@member_view(Perm.VIEW)
def try_text(request: MemberRequest) -> HttpResponse:
    """Checks what is posted and keeps nothing of it."""
    settings = settings_of(request.actor)
    form = CheckForm(request.POST or None, initial={"markets": settings.markets, "industry": settings.industry})
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        question = Question(**form.cleaned_data)
        decision = check_text(question, by=request.actor)
        context = {"decision": decision, "pieces": _pieces(question.text, decision.hits)}
    return _page(request, "guard_try.html", form, **context)


def _pieces(text: str, hits: Any) -> list[tuple[str, str]]:
    """The text in pieces, each with the severity of its hit or nothing; of overlapping hits the first."""
    pieces, at = [], 0
    for hit in hits:
        if hit.start < at or hit.start == hit.end:
            continue
        pieces += [(text[at : hit.start], ""), (text[hit.start : hit.end], hit.severity.value)]
        at = hit.end
    return [piece for piece in [*pieces, (text[at:], "")] if piece[0]]
