"""Taking a person out of rows that are not theirs, as the inventory says for each field."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Field, IntegerField, JSONField, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from accounts.inventory import Declaration, Person, Rule
from accounts.scope import all_workspaces_scope
from compliance.privacy.traces import ERASED, Finder, Traces, stands_in, without

BATCH = 200
NAMING = (Rule.LABEL, Rule.MENTION, Rule.DROP, Rule.WHOLE, Rule.ROW)
REASON = "erasure of a person"


def scrub(declaration: Declaration, traces: Traces) -> int:
    """Take the person out of every row of the model that names them; the number of rows changed or deleted."""
    done = 0
    for keys in _batches(_found(declaration, traces)):
        with all_workspaces_scope(REASON):
            allow_erasing()
            rows = declaration.model._base_manager.select_for_update(no_key=True, of=("self",)).filter(pk__in=keys)
            done += sum(_scrub_row(declaration, row, traces) for row in rows)
    return done + _unlink(declaration, traces)


def allow_erasing() -> None:
    """Append-only ledgers give up a row only to a transaction that says it erases."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.erasing', 'on', true)")


def _batches(keys: list[Any]) -> Iterator[list[Any]]:
    return (keys[at : at + BATCH] for at in range(0, len(keys), BATCH))


# --- finding them -------------------------------------------------------------------------------------------


def _found(declaration: Declaration, traces: Traces) -> list[Any]:
    names = declaration.fields(*NAMING)
    if not names or (traces.workspace_id and not declaration.path):
        return []
    with all_workspaces_scope(REASON):
        return list(_candidates(declaration, traces, names).values_list("pk", flat=True))


def _candidates(declaration: Declaration, traces: Traces, names: list[str]) -> QuerySet[Model]:
    """A superset: whether a trace stands there as a word of its own is seen in the row."""
    rows = declaration.model._base_manager.order_by("pk")
    if traces.workspace_id:
        rows = rows.filter(**{declaration.path: traces.workspace_id})
    wanted = Q()
    for name in names:
        field = declaration.model._meta.get_field(name)
        assert isinstance(field, Field)
        if isinstance(field, IntegerField):
            wanted |= Q(**{f"{name}__in": traces.numbers})
            continue
        rows = rows.annotate(**{f"{name}_as_text": Cast(name, TextField())})
        for trace in _as_stored(field, traces.all):
            wanted |= Q(**{f"{name}_as_text__icontains": trace})
    for reference in _labelling(declaration, traces):
        wanted |= Q(**{reference: traces.pk})
    return rows.filter(wanted)


def _as_stored(field: Field, traces: Iterable[str]) -> Iterable[str]:
    if isinstance(field, JSONField):
        return [json.dumps(trace, ensure_ascii=False)[1:-1] for trace in traces]
    return traces


def _labelling(declaration: Declaration, traces: Traces) -> set[str]:
    return {*declaration.labelled_by.values()} if traces.person == Person.USER else set()


# --- taking them out ----------------------------------------------------------------------------------------


def _scrub_row(declaration: Declaration, row: Model, traces: Traces) -> bool:
    finder = _finder(declaration, row, traces)
    if any(_names(row, name, traces, finder) for name in declaration.fields(Rule.ROW)):
        row.delete()
        return True
    changes = dict(_changes(declaration, row, traces, finder))
    if changes:
        _write(declaration, row, changes)
    return bool(changes)


def _finder(declaration: Declaration, row: Model, traces: Traces) -> Finder:
    """Beside an address or id of theirs, their name means them wherever the row is."""
    certainly = Finder(traces.strong)
    is_certain = any(_names(row, name, traces, certainly) for name in declaration.fields(*NAMING))
    return traces.finder(_workspace_of(declaration, row), is_certain=is_certain)


def _workspace_of(declaration: Declaration, row: Model) -> Any:
    path = {"workspace": "workspace_id"}.get(declaration.path, declaration.path)
    return getattr(row, path) if path else None


def _names(row: Model, name: str, traces: Traces, finder: Finder) -> bool:
    value = getattr(row, name)
    if isinstance(value, int):
        return value in traces.numbers
    return bool(value) and stands_in(value, finder)


def _changes(declaration: Declaration, row: Model, traces: Traces, finder: Finder) -> Iterator[tuple[str, Any]]:
    for name, rule in declaration.personal.items():
        if rule == Rule.LABEL and (_is_theirs(declaration, row, name, traces) or _names(row, name, traces, finder)):
            yield name, _empty(row, name)
        elif rule == Rule.MENTION and (after := without(getattr(row, name), finder)) != getattr(row, name):
            yield name, after
        elif rule == Rule.DROP and _names(row, name, traces, finder):
            yield name, [item for item in getattr(row, name) if not stands_in(item, finder)]
    whole = declaration.fields(Rule.WHOLE)
    if any(_names(row, name, traces, finder) for name in whole):
        yield from ((name, _empty(row, name)) for name in whole)


def _is_theirs(declaration: Declaration, row: Model, name: str, traces: Traces) -> bool:
    reference = declaration.labelled_by.get(name)
    is_set = bool(reference) and bool(getattr(row, name))
    return is_set and traces.person == Person.USER and getattr(row, f"{reference}_id") == traces.pk


def _empty(row: Model, name: str) -> Any:
    field = row._meta.get_field(name)
    assert isinstance(field, Field)
    if field.null:
        return None
    return {} if isinstance(field, JSONField) else ""


def _write(declaration: Declaration, row: Model, changes: dict[str, Any]) -> None:
    fitting = {name: _fitting(row, name, value) for name, value in changes.items()}
    try:
        with transaction.atomic():
            _save(declaration, row, fitting)
    except IntegrityError:
        # Two that were unique by the name of one person.
        own = ERASED.replace("]", f" {str(row.pk)[-8:]}]")
        _save(declaration, row, {name: _fitting(row, name, _again(value, own)) for name, value in changes.items()})


def _again(value: Any, own: str) -> Any:
    return value.replace(ERASED, own) if isinstance(value, str) else value


def _fitting(row: Model, name: str, value: Any) -> Any:
    limit = getattr(row._meta.get_field(name), "max_length", None)
    return value[:limit] if isinstance(value, str) and limit else value


def _save(declaration: Declaration, row: Model, changes: dict[str, Any]) -> None:
    rows = declaration.model._base_manager.filter(pk=row.pk)
    if not declaration.is_append_only:
        rows.update(**changes)
        return
    rows.delete()
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(force_insert=True)


def _unlink(declaration: Declaration, traces: Traces) -> int:
    if traces.person != Person.USER:
        return 0
    with all_workspaces_scope(REASON):
        rows = declaration.model._base_manager
        return sum(rows.filter(**{name: traces.pk}).update(**{name: None}) for name in declaration.fields(Rule.UNLINK))
