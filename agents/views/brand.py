"""Pages of the brand: its blocks with their versions, and what it may claim."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from agents.forms_memory import BlockForm, ClaimForm
from agents.memory.blocks import (
    BRAND_BLOCKS,
    KINDS,
    OWN_BLOCK,
    OWN_BLOCKS,
    BlockKind,
    block_versions,
    get_block,
    lock_block,
    restore_block,
    write_block,
)
from agents.memory.claims import delete_claim, get_claim, save_claim, visible_claims
from agents.models import BrandClaim
from lib.clock import now


@require_GET
@member_view(Perm.VIEW)
def brand(request: MemberRequest) -> HttpResponse:
    return _show(request)


def _show(request: MemberRequest, faulty: BlockForm | None = None, label: str = "") -> HttpResponse:
    kinds = [*BRAND_BLOCKS, *([OWN_BLOCK] if request.actor.user else [])]
    context = {
        "cards": [_card(request, kind, faulty if kind.label == label else None) for kind in kinds],
        "claims": visible_claims(request.actor),
        "today": now().date(),
        "may_change": request.actor.can(Perm.CONTENT_EDIT),
        "may_lock": request.actor.can(Perm.SETTINGS),
    }
    return render(request, "agents/brand.html", context, status=422 if faulty else 200)


def _card(request: MemberRequest, kind: BlockKind, faulty: BlockForm | None) -> dict[str, object]:
    block = get_block(request.actor, kind.label)
    form = faulty or BlockForm(initial={"text": block.text, "version": block.version}, auto_id=f"id_{kind.label}_%s")
    may_write = kind is OWN_BLOCK or request.actor.can(Perm.CONTENT_EDIT)
    field = form.fields["text"]
    field.label, field.help_text, field.disabled = kind.title, kind.help, not may_write
    field.widget.attrs |= {"maxlength": block.char_limit, "placeholder": kind.example}
    used = len(faulty["text"].value() or "") if faulty else len(block.text)
    return {
        "kind": kind,
        "block": block,
        "form": form,
        "used": used,
        "over": max(0, used - block.char_limit),
        "percent": min(100, 100 * used // block.char_limit),
        "may_write": may_write,
        "is_own": kind is OWN_BLOCK,
    }


@require_POST
@member_view(Perm.VIEW)
def block_save(request: MemberRequest, label: str) -> HttpResponse:
    form = BlockForm(request.POST, auto_id=f"id_{label}_%s")
    if label not in KINDS:
        raise Http404("Not found.")
    if form.is_valid():
        try:
            write_block(label, form.cleaned_data["text"], by=request.actor, version=form.cleaned_data["version"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{KINDS[label].title} saved. The next draft knows it.")
            return redirect("agents:brand")
    return _show(request, form, label)


@require_GET
@member_view(Perm.VIEW)
def block_history(request: MemberRequest, label: str) -> HttpResponse:
    block = get_block(request.actor, label)
    may_change = KINDS.get(label) in OWN_BLOCKS or request.actor.can(Perm.CONTENT_EDIT)
    context = {
        "kind": KINDS[label],
        "block": block,
        "versions": block_versions(request.actor, label),
        "may_change": may_change,
    }
    return render(request, "agents/brand_history.html", context)


@require_POST
@member_view(Perm.VIEW)
def block_restore(request: MemberRequest, label: str, version: int) -> HttpResponse:
    restore_block(label, version, by=request.actor)
    messages.success(request, f"The text of version {version} counts again.")
    return redirect("agents:brand-history", label)


@require_POST
@member_view(Perm.SETTINGS)
def block_lock(request: MemberRequest, label: str) -> HttpResponse:
    is_read_only = request.POST.get("locked") == "1"
    lock_block(label, by=request.actor, is_read_only=is_read_only)
    said = "Only people change this text." if is_read_only else "The assistant may change this text as well."
    messages.success(request, said)
    return redirect("agents:brand-history", label)


# --- claims -----------------------------------------------------------------------------------------------


@member_view(Perm.CONTENT_EDIT)
def claim_new(request: MemberRequest) -> HttpResponse:
    return _edit(request, ClaimForm(request.POST or None), None)


@member_view(Perm.CONTENT_EDIT)
def claim_edit(request: MemberRequest, claim_id: UUID) -> HttpResponse:
    claim = get_claim(request.actor, claim_id)
    values = {name: getattr(claim, name) for name in ClaimForm.base_fields}
    return _edit(request, ClaimForm(request.POST or None, initial=values), claim)


def _edit(request: MemberRequest, form: ClaimForm, claim: BrandClaim | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            save_claim(form.draft(), by=request.actor, claim=claim)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("agents:brand")
    context: dict[str, forms.Form | BrandClaim | None] = {"form": form, "claim": claim}
    return render(request, "agents/brand_claim.html", context, status=422 if form.errors else 200)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def claim_delete(request: MemberRequest, claim_id: UUID) -> HttpResponse:
    delete_claim(get_claim(request.actor, claim_id), by=request.actor)
    messages.success(request, "Deleted. No draft uses it any more.")
    return redirect("agents:brand")
