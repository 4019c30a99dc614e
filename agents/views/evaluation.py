"""Datasets, and prompts tried on recorded runs."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from agents.evaluation import datasets
from agents.evaluation.replay import recorded_runs, results_for, start_replay
from agents.models import DatasetItem, Replay
from agents.prompts.assistants import get_assistant
from agents.prompts.versions import get_version
from agents.traces import get_run
from lib.text_diff import diff_words


@member_view(Perm.VIEW)
@require_GET
def replays(request: MemberRequest, assistant_id: UUID, number: int) -> HttpResponse:
    assistant = get_assistant(request.actor, assistant_id)
    version = get_version(assistant, number)
    newest = Replay.objects.filter(assistant=assistant, version=version).first()
    context = {
        "assistant": assistant,
        "version": version,
        "replay": newest,
        "rows": [_shown(row) for row in results_for(newest, request.user)] if newest else [],
        "run_count": len(recorded_runs(assistant, request.user)),
    }
    name = "agents/replay_result.html" if request.htmx else "agents/replay.html"
    return render(request, name, context)


@member_view(Perm.CONTENT_EDIT)
@require_POST
def replay_start(request: MemberRequest, assistant_id: UUID, number: int) -> HttpResponse:
    assistant = get_assistant(request.actor, assistant_id)
    version = get_version(assistant, number)
    start_replay(assistant, version, by=request.actor, is_live="live" in request.POST)
    return redirect("agents:replays", assistant.pk, number)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"diff": diff_words(row["before"], row["after"]) if row["is_changed"] else None}


@member_view(Perm.VIEW)
def dataset_list(request: MemberRequest) -> HttpResponse:
    error, status = "", 200
    if request.method == "POST":
        try:
            datasets.create_dataset(request.POST.get("name", ""), by=request.actor)
            return redirect("agents:datasets")
        except ValidationError as refused:
            error, status = " ".join(refused.messages), 400
    context = {"datasets": datasets.visible_datasets(request.actor), "error": error}
    return render(request, "agents/dataset_list.html", context, status=status)


@member_view(Perm.VIEW)
@require_GET
def dataset_detail(request: MemberRequest, dataset_id: UUID) -> HttpResponse:
    dataset = datasets.get_dataset(request.actor, dataset_id)
    return render(
        request, "agents/dataset_detail.html", {"dataset": dataset, "items": datasets.items_of(dataset)[:200]}
    )


@member_view(Perm.VIEW)
@require_GET
def dataset_export(request: MemberRequest, dataset_id: UUID) -> HttpResponse:
    dataset = datasets.get_dataset(request.actor, dataset_id)
    response = HttpResponse("".join(datasets.as_lines(dataset)), content_type="application/x-ndjson; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="dataset.jsonl"'
    return response


@member_view(Perm.CONTENT_EDIT)
@require_POST
def dataset_remove(request: MemberRequest, dataset_id: UUID, item_id: UUID) -> HttpResponse:
    datasets.remove_item(_item(request, dataset_id, item_id), by=request.actor)
    return redirect("agents:dataset", dataset_id)


@member_view(Perm.CONTENT_EDIT)
@require_POST
def dataset_expect(request: MemberRequest, dataset_id: UUID, item_id: UUID) -> HttpResponse:
    """What the item should bring instead, as JSON."""
    item = _item(request, dataset_id, item_id)
    try:
        datasets.change_expected(item, json.loads(request.POST.get("expected", "")), by=request.actor)
    except (ValueError, RecursionError):
        messages.error(request, "This is not JSON; nothing was changed.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("agents:dataset", dataset_id)


def _item(request: MemberRequest, dataset_id: UUID, item_id: UUID) -> DatasetItem:
    item = datasets.items_of(datasets.get_dataset(request.actor, dataset_id)).filter(pk=item_id).first()
    if item is None:
        raise Http404
    return item


@member_view(Perm.CONTENT_EDIT)
@require_POST
def run_keep(request: MemberRequest, run_id: UUID) -> HttpResponse:
    """Into a dataset: what went in, and what came out."""
    run = get_run(request.actor, run_id)
    try:
        dataset = datasets.get_dataset(request.actor, UUID(request.POST.get("dataset", "")))
    except ValueError as error:
        raise Http404 from error
    datasets.add_run(dataset, run, by=request.actor)
    messages.success(request, f"Kept in “{dataset}”.")
    return redirect("agents:run", run.pk)
