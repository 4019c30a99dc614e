"""The media library, and the only way to its files."""

import re
from collections.abc import Iterator
from typing import IO
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from campaigns.access import get_asset, visible_assets
from campaigns.library import add_upload
from campaigns.models import MediaAsset
from lib.text import storable

PAGE_SIZE = 48
BLOCK_BYTES = 256 * 1024
# No file has a size of more digits.
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})$")


@member_view(Perm.VIEW)
def media_library(request: MemberRequest) -> HttpResponse:
    errors: list[str] = []
    if request.method == "POST":
        stored, errors = _store(request)
        if stored:
            messages.success(request, f"{stored} file{'s' if stored > 1 else ''} added.")
        if not errors:
            return redirect("campaigns:media-library")
    words = storable(request.GET.get("q", "")).strip()[:200]
    assets = visible_assets(request.actor).filter(name__icontains=words)
    used = assets.annotate(used=Count("uses__part__post", distinct=True)).order_by("-created_at")
    context = {
        "page": Paginator(used, PAGE_SIZE).get_page(request.GET.get("page")),
        "words": words,
        "errors": errors,
        "may_add": request.actor.can(Perm.CONTENT_EDIT),
    }
    return render(request, "campaigns/media_library.html", context, status=422 if errors else 200)


def _store(request: MemberRequest) -> tuple[int, list[str]]:
    """Each file on its own: a bad one does not cost the others."""
    uploads = request.FILES.getlist("files")
    stored, errors = 0, [] if uploads else ["Choose one or more files first."]
    for upload in uploads:
        try:
            add_upload(upload, by=request.actor)
        except ValidationError as error:
            errors += error.messages
        else:
            stored += 1
    return stored, errors


# The decorator takes any response; its type names the common one.
@member_view()  # type: ignore[arg-type]
def media_file(request: MemberRequest, asset_id: UUID) -> HttpResponseBase:
    asset = get_asset(request.actor, asset_id)
    return _serve(request, asset, asset.file, asset.mime)


@member_view()  # type: ignore[arg-type]
def media_thumb(request: MemberRequest, asset_id: UUID) -> HttpResponseBase:
    asset = get_asset(request.actor, asset_id)
    return _serve(request, asset, asset.thumbnail, "image/jpeg")


def _serve(request: HttpRequest, asset: MediaAsset, name: str, mime: str) -> HttpResponseBase:
    try:
        file = default_storage.open(name)
    except OSError as error:
        raise Http404("The file is gone.") from error
    response = _range(request, file) or FileResponse(file)
    # The type we found by decoding it, not one that the uploader claimed; no browser may guess another (nosniff).
    response["Content-Type"] = mime
    response["Content-Disposition"] = "inline"
    response["Cache-Control"] = "private, max-age=3600"
    response["Accept-Ranges"] = "bytes"
    return response


def _range(request: HttpRequest, file: IO[bytes]) -> HttpResponseBase | None:
    """One range, which is all that video players ask for. Anything else gets the whole file."""
    match = RANGE.match(request.headers.get("Range", ""))
    if not match or not (match[1] or match[2]):
        return None
    size: int = file.size  # type: ignore[attr-defined]
    start = int(match[1]) if match[1] else max(0, size - int(match[2]))
    end = min(int(match[2]), size - 1) if match[1] and match[2] else size - 1
    if start > end:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response = StreamingHttpResponse(_blocks(file, start, end + 1 - start), status=206)
    response["Content-Range"] = f"bytes {start}-{end}/{size}"
    response["Content-Length"] = str(end + 1 - start)
    return response


def _blocks(file: IO[bytes], start: int, left: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while left > 0 and (block := file.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block
