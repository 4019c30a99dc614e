"""Inputs with what is expected of them, kept over time: a changed item is closed, and a new one takes its place."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.http import Http404

from accounts.access import Actor, Perm
from agents.models import Dataset, DatasetItem, Run
from lib.clock import now
from lib.text import one_line, storable


def visible_datasets(by: Actor) -> QuerySet[Dataset]:
    by.require(Perm.VIEW)
    current = Count("items", filter=Q(items__valid_to=None))
    return Dataset.objects.filter(workspace=by.workspace).annotate(item_count=current)


def get_dataset(by: Actor, dataset_id: UUID) -> Dataset:
    dataset = visible_datasets(by).filter(pk=dataset_id).first()
    if dataset is None:
        raise Http404
    return dataset


def create_dataset(name: str, *, by: Actor, description: str = "") -> Dataset:
    by.require(Perm.CONTENT_EDIT)
    name = one_line(storable(name))
    if not name or len(name) > 80:
        raise ValidationError({"name": "Give the dataset a name of up to 80 characters."})
    try:
        with transaction.atomic():
            return Dataset.objects.create(
                workspace=by.workspace, name=name, description=storable(description)[:1_000], created_by=by.user
            )
    except IntegrityError as error:
        raise ValidationError({"name": "There is a dataset of this name already."}) from error


def add_run(dataset: Dataset, run: Run, *, by: Actor) -> DatasetItem:
    """What went in and came out, to hold later prompts against. The same run once."""
    by.require(Perm.CONTENT_EDIT)
    known = items_of(dataset).filter(source_run_id=run.pk).first()
    return known or DatasetItem.objects.create(
        workspace=by.workspace,
        dataset=dataset,
        workflow=run.workflow,
        input=run.input,
        expected=run.output,
        source_run_id=run.pk,
    )


def change_expected(item: DatasetItem, expected: Any, *, by: Actor) -> DatasetItem:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        closed = DatasetItem.objects.filter(pk=item.pk, valid_to=None).update(valid_to=now())
        if not closed:
            raise ValidationError("Somebody changed this item meanwhile. Look at it again.")
        return DatasetItem.objects.create(
            workspace=by.workspace,
            dataset_id=item.dataset_id,
            workflow=item.workflow,
            input=item.input,
            expected=expected,
            source_run_id=item.source_run_id,
        )


def remove_item(item: DatasetItem, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    DatasetItem.objects.filter(pk=item.pk, valid_to=None).update(valid_to=now())


def items_of(dataset: Dataset) -> QuerySet[DatasetItem]:
    return DatasetItem.objects.filter(dataset=dataset, valid_to=None)


def as_lines(dataset: Dataset) -> Iterator[str]:
    """JSON lines: {"id", "workflow", "input", "expected", "run"}."""
    for item in items_of(dataset).iterator():
        row = {
            "id": str(item.pk),
            "workflow": item.workflow,
            "input": item.input,
            "expected": item.expected,
            "run": str(item.source_run_id) if item.source_run_id else None,
        }
        yield json.dumps(row, ensure_ascii=False) + "\n"
