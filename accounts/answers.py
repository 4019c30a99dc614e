"""What API routes share: pages of plain rows, checked input, and If-Match."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.paging import CursorPages
from accounts.rest import WorkspaceView

M = TypeVar("M", bound=Model)
R = TypeVar("R")
Data = dict[str, Any]


class ListView(WorkspaceView):
    # Also read by the OpenAPI document: its lists come in pages.
    pagination_class = CursorPages


def page_of(view: ListView, rows: QuerySet[Any, R], represent: Callable[[R], Data]) -> Response:
    """One cursor page, newest first, without the cost of a serializer per row."""
    pages = view.pagination_class()
    page = pages.paginate_queryset(rows, view.request, view=view)
    return pages.get_paginated_response([represent(row) for row in page or []])


def valid(serializer: BaseSerializer[Any]) -> Data:
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def tagged(data: Data, version: object, status: int = 200) -> Response:
    return Response(data, status=status, headers={"ETag": f'"{version}"'})


def wants_other(request: Request, *versions: object) -> bool:
    """Whether If-Match names none of the versions that are current."""
    wanted = request.headers.get("If-Match", "").strip()
    tags = {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
    return wanted not in {"", "*"} and tags.isdisjoint(f'"{version}"' for version in versions)


def locked(rows: QuerySet[M], row: M) -> M:
    found = rows.select_for_update(no_key=True).filter(pk=row.pk).first()
    if found is None:
        raise Http404
    return found


def clean_or_refuse(clean: Callable[[Any], Any], value: Any) -> Any:
    """A service's check as that of a serializer's field."""
    try:
        return clean(value)
    except ValidationError as error:
        raise serializers.ValidationError(error.messages) from error


def check_json(value: Any) -> None:
    """JSON that the database cannot keep: NUL, broken characters, numbers beyond any float."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise ValidationError("This holds a character or a number that cannot be stored.") from error
    if "\\u0000" in text:
        raise ValidationError("This holds a NUL character, which cannot be stored.")
