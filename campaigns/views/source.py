from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import Perm
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, add_errors, member_view
from campaigns.access import get_source, visible_campaigns, visible_sources
from campaigns.errors import NotAllowedNow
from campaigns.folder import FolderError, resolve_inside
from campaigns.models import Source
from campaigns.source_config import SourceConfig, read_config
from campaigns.source_forms import FeedForm, FolderForm, SourceForm, initial_of
from campaigns.source_queries import free_folders, items_of, with_counts
from campaigns.sources import ScanReport, create_source, delete_source, scan_source, sources_root, update_source
from campaigns.views.outcome import Refusal
from social.models import Connection


@member_view(Perm.VIEW)
def source_list(request: MemberRequest) -> HttpResponse:
    actor = request.actor
    context: dict[str, Any] = {"sources": with_counts(visible_sources(actor))}
    if actor.can(Perm.CONTENT_EDIT):
        context |= {"folders": free_folders(actor.workspace), "root": sources_root(actor.workspace)}
    return render(request, "campaigns/source_list.html", context)


# --- writing ----------------------------------------------------------------------------------------------


@member_view(Perm.CONTENT_EDIT)
def source_new(request: MemberRequest) -> HttpResponse:
    kind = Source.Kind.FEED if request.GET.get("kind") == Source.Kind.FEED else Source.Kind.FOLDER
    given = {name: request.GET.get(name, "") for name in ("folder", "feed_url", "campaign", "name")}
    defaults = {"is_active": True, "connections": _active_connections(request), **SourceConfig().as_json(), "tags": ""}
    form = _form(request, kind, defaults | given)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        is_active = values.pop("is_active")
        try:
            source = create_source(by=request.actor, **values)
            if not is_active:
                update_source(source, by=request.actor, is_active=False)
        except ValidationError as error:
            add_errors(form, error)
        else:
            _make_folder(source)
            messages.success(request, "The source is ready. Scan it to make its posts.")
            return redirect("campaigns:source-detail", source.pk)
    return _form_page(request, form, kind)


def _make_folder(source: Source) -> None:
    """So that there is a place to copy the files to; where it cannot be made, the scan says why."""
    if source.kind == Source.Kind.FEED:
        return
    with suppress(OSError, FolderError):
        resolve_inside(sources_root(source.workspace), source.folder).mkdir(parents=True, exist_ok=True)


@member_view(Perm.CONTENT_EDIT)
def source_edit(request: MemberRequest, source_id: UUID) -> HttpResponse:
    source = get_source(request.actor, source_id)
    form = _form(request, source.kind, initial_of(source))
    if request.method == "POST" and form.is_valid():
        try:
            # On a copy: what is refused must not show in the heading.
            update_source(get_source(request.actor, source_id), by=request.actor, **form.values())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("campaigns:source-detail", source.pk)
    return _form_page(request, form, source.kind, source)


def _form(request: MemberRequest, kind: str, initial: dict[str, Any]) -> SourceForm:
    choices = {
        "campaigns": visible_campaigns(request.actor).exclude(status="archived"),
        "connections": Connection.objects.shown().filter(workspace=request.actor.workspace),
    }
    if kind == Source.Kind.FEED:
        return FeedForm(request.POST or None, initial=initial, **choices)
    return FolderForm(request.POST or None, initial=initial, folders=free_folders(request.actor.workspace), **choices)


def _active_connections(request: MemberRequest) -> list[UUID]:
    """One account is what most want; with several, the person chooses."""
    active = Connection.objects.filter(workspace=request.actor.workspace, status=Connection.Status.ACTIVE)
    found = list(active.values_list("pk", flat=True)[:2])
    return found if len(found) == 1 else []


def _form_page(request: MemberRequest, form: SourceForm, kind: str, source: Source | None = None) -> HttpResponse:
    context = {"form": form, "kind": kind, "source": source, "root": sources_root(request.actor.workspace)}
    return render(request, "campaigns/source_form.html", context, status=422 if form.errors else 200)


# --- one source -------------------------------------------------------------------------------------------


@member_view(Perm.VIEW)
def source_detail(request: MemberRequest, source_id: UUID) -> HttpResponse:
    return _detail_page(request, get_source(request.actor, source_id))


def _detail_page(request: MemberRequest, source: Source, refusal: Refusal | None = None) -> HttpResponse:
    context = {
        "source": source,
        "items": items_of(source),
        "targets": [target.connection for target in source.targets.select_related("connection")],
        "refusal": refusal,
        "config": read_config(source.config),
    }
    if source.kind == Source.Kind.FOLDER and request.actor.can(Perm.CONTENT_EDIT):
        context["path"] = sources_root(request.actor.workspace) / source.folder
    return render(request, "campaigns/source_detail.html", context, status=refusal.status if refusal else 200)


@require_POST
@member_view(Perm.CONTENT_EDIT, scope=False)
def source_scan(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """Outside a transaction: a large folder or a slow feed takes its time, and each post gets a short one."""
    workspace = request.actor.workspace
    with workspace_scope(workspace.pk):
        source = get_source(request.actor, source_id)
    try:
        _tell(request, scan_source(source, by=request.actor))
    except NotAllowedNow as error:
        if not request.htmx:
            with workspace_scope(workspace.pk):
                return _detail_page(request, source, Refusal(409, [str(error)]))
        messages.error(request, str(error))
    url = reverse("campaigns:source-detail", args=[source.pk])
    # The page is loaded anew: the counts in its frame may have changed as well.
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def _tell(request: MemberRequest, report: ScanReport) -> None:
    if report.error:
        messages.error(request, f"Nothing could be scanned. {report.error}")
        return
    counts = {
        "new": report.created,
        "changed": report.updated,
        "renamed": report.renamed,
        "unchanged": report.unchanged,
        "vanished": report.vanished,
    }
    words = ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "nothing to use"
    if report.problems:
        plural = "things" if len(report.problems) > 1 else "thing"
        messages.warning(request, f"Scanned: {words}. {len(report.problems)} {plural} to look at.")
    else:
        messages.success(request, f"Scanned: {words}.")


@require_POST
@member_view(Perm.CONTENT_EDIT)
def source_delete(request: MemberRequest, source_id: UUID) -> HttpResponse:
    source = get_source(request.actor, source_id)
    delete_source(source, by=request.actor)
    messages.success(request, f"{source} is removed. The posts made from it stay.")
    return redirect("campaigns:source-list")
