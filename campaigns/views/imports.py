from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.forms import zones
from accounts.web import MemberRequest, member_view
from campaigns.access import get_import, visible_imports
from campaigns.imports.mapping import FIELDS
from campaigns.imports.reading import MAX_BYTES
from campaigns.imports.rows import as_values
from campaigns.imports.services import check_import, count_fates, create_import, delete_import, start_import
from campaigns.models import Import
from campaigns.tasks import apply_import
from campaigns.views.outcome import Refusal, attempt
from lib.csv_cells import csv_lines

PAGE_SIZE = 50
LABELS = {
    "create": ("New", "badge-success"),
    "update": ("Change", "badge-accent"),
    "same": ("Unchanged", ""),
    "skip": ("Left out", "badge-warning"),
    "error": ("Error", "badge-danger"),
}
Status = Import.Status


@dataclass(frozen=True)
class FateRow:
    """`line` as spreadsheets count."""

    line: int
    label: str
    badge: str
    text: str
    account: str
    time: str
    messages: list[str]
    post: str


@member_view(Perm.VIEW)
def import_list(request: MemberRequest) -> HttpResponse:
    refusal = None
    if request.method == "POST":
        request.actor.require(Perm.CONTENT_EDIT)
        upload = request.FILES.get("file")
        try:
            if upload is None:
                raise ValidationError("Choose a file first.")
            imported = create_import(upload.name or "", upload.read(MAX_BYTES + 1), by=request.actor)
        except ValidationError as error:
            refusal = Refusal(422, error.messages)
        else:
            return redirect("campaigns:import-detail", imported.pk)
    # The rows themselves can be megabytes.
    imports = visible_imports(request.actor).defer("rows").select_related("created_by")
    page = Paginator(imports, 20).get_page(request.GET.get("page"))
    rows = [(imported, count_fates(imported)) for imported in page]
    context = {"page": page, "rows": rows, "refusal": refusal}
    return render(request, "campaigns/import_list.html", context, status=refusal.status if refusal else 200)


@member_view(Perm.VIEW)
def import_detail(request: MemberRequest, import_id: UUID) -> HttpResponse:
    return _show(request, get_import(request.actor, import_id))


def _show(request: MemberRequest, imported: Import, refusal: Refusal | None = None) -> HttpResponse:
    context: dict[str, Any] = {"imported": imported, "refusal": refusal, "total": len(imported.rows)}
    is_choosing = imported.status == Status.MAPPING or (
        imported.status == Status.CHECKED and (refusal or "columns" in request.GET)
    )
    if is_choosing and request.actor.can(Perm.CONTENT_EDIT):
        context |= _choices(request, imported, refusal)
        template = "campaigns/import_columns.html"
    else:
        context |= _fates(request, imported)
        template = "campaigns/import_detail.html"
    return render(request, template, context, status=refusal.status if refusal else 200)


def _choices(request: MemberRequest, imported: Import, refusal: Refusal | None) -> dict[str, Any]:
    chosen = {name: request.POST.get(name, imported.mapping.get(name, "")) for name in FIELDS}
    errors = refusal.fields if refusal else {}
    return {
        "fields": [(name, field, chosen[name], errors.get(name, [])) for name, field in FIELDS.items()],
        "zones": zones(),
        "zone": request.POST.get("time_zone", imported.time_zone),
        "sample": [list(zip(imported.columns, cells, strict=False)) for cells in imported.rows[:3]],
    }


def _fates(request: MemberRequest, imported: Import) -> dict[str, Any]:
    counts, action = count_fates(imported), request.GET.get("action", "")
    numbers = [number for number, fate in enumerate(imported.fates) if action in {"", fate["action"]}]
    page = Paginator(numbers, PAGE_SIZE).get_page(request.GET.get("page"))
    return {
        "counts": [(name, LABELS[name][0], counts[name], name == action) for name in LABELS if counts[name]],
        "action": action,
        "page": page,
        "rows": [_row(imported, number) for number in page],
        "to_do": counts["create"] + counts["update"],
        "failed": counts["error"] + counts["skip"],
        "percent": round(100 * imported.done_rows / max(1, len(imported.rows))),
    }


def _row(imported: Import, number: int) -> FateRow:
    fate, values = imported.fates[number], as_values(imported.rows[number], imported.columns, imported.mapping)
    label, badge = LABELS[fate["action"]]
    time = " ".join(filter(None, (values.get("date", ""), values.get("time", ""))))
    text = values.get("text") or values.get("media", "")
    return FateRow(number + 2, label, badge, text, values.get("channel", ""), time, fate["messages"], fate["post"])


# --- acts -------------------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.CONTENT_EDIT)
def import_columns(request: MemberRequest, import_id: UUID) -> HttpResponse:
    imported = get_import(request.actor, import_id)
    mapping = {name: request.POST.get(name, "") for name in FIELDS}
    zone = request.POST.get("time_zone", "")
    refusal = attempt(lambda: check_import(imported, by=request.actor, mapping=mapping, time_zone=zone))
    if refusal:
        return _show(request, imported, refusal)
    return redirect("campaigns:import-detail", imported.pk)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def import_apply(request: MemberRequest, import_id: UUID) -> HttpResponse:
    imported = get_import(request.actor, import_id)
    refusal = attempt(lambda: start_import(imported, by=request.actor))
    if refusal:
        return _show(request, imported, refusal)
    transaction.on_commit(partial(apply_import.delay, str(imported.workspace_id), str(imported.pk)))
    return redirect("campaigns:import-detail", imported.pk)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def import_delete(request: MemberRequest, import_id: UUID) -> HttpResponse:
    imported = get_import(request.actor, import_id)
    refusal = attempt(lambda: delete_import(imported, by=request.actor))
    if refusal:
        return _show(request, imported, refusal)
    messages.success(request, f"{imported} is forgotten. Posts made from it stay.")
    return redirect("campaigns:import-list")


# The decorator takes any response; its type names the common one.
@member_view(Perm.VIEW)  # type: ignore[arg-type]
def import_errors(request: MemberRequest, import_id: UUID) -> HttpResponseBase:
    """The rows that need a person, as they were, with the reason in front: correct it and upload it again."""
    imported = get_import(request.actor, import_id)
    headers = {"Content-Disposition": 'attachment; filename="errors.csv"'}
    return StreamingHttpResponse(_error_lines(imported), content_type="text/csv; charset=utf-8", headers=headers)


def _error_lines(imported: Import) -> Iterator[str]:
    yield "\ufeff" + csv_lines([["Row", "Reason", *imported.columns]])
    for number, (fate, cells) in enumerate(zip(imported.fates, imported.rows, strict=False), start=2):
        if fate["action"] in {"error", "skip"}:
            yield csv_lines([[str(number), " ".join(fate["messages"]), *cells]])
