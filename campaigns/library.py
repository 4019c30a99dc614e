"""The media library: files of a workspace, probed for real, stored once per content."""

import hashlib
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum

from accounts import plans
from accounts.access import Actor, Perm
from accounts.models import Workspace
from campaigns.models import MediaAsset
from lib.media import MediaInfo, UnusableMedia, make_thumbnail, open_regular, probe

MB = 1_000_000


def add_upload(upload: UploadedFile, *, by: Actor) -> MediaAsset:
    """A file from a form or the API. Raises ValidationError with what to do about it."""
    by.require(Perm.CONTENT_EDIT)
    if (upload.size or 0) > settings.MEDIA_UPLOAD_MAX_BYTES:
        limit = settings.MEDIA_UPLOAD_MAX_BYTES // 1024**2
        raise ValidationError(f"{upload.name} is larger than {limit} MB.")
    # Probing needs a real path; the suffix is part of what is checked.
    with NamedTemporaryFile(suffix=Path(upload.name or "").suffix.lower()[:10]) as copy:
        for chunk in upload.chunks():
            copy.write(chunk)
        copy.flush()
        try:
            info = probe(Path(copy.name))
        except UnusableMedia as error:
            raise ValidationError(f"{upload.name}: {error.message}") from error
        return store_path(Path(copy.name), upload.name or "file", info, workspace=by.workspace)


def store_path(path: Path, name: str, info: MediaInfo, *, workspace: Workspace) -> MediaAsset:
    """Keep a probed file; the same bytes again are the same asset. Raises UnusableMedia, PlanLimit."""
    existing = MediaAsset.objects.filter(workspace=workspace, sha256=info.sha256).first()
    if existing and _is_intact(existing):
        return existing
    if existing is None:
        plans.require_room(workspace, "storage_mb", lambda: stored_mb(workspace, info.size_bytes), wanted=0)
    stem = f"{workspace.pk}/{info.sha256[:2]}/{info.sha256}"
    with open_regular(path) as source:
        file_name = default_storage.save(f"{stem}{path.suffix.lower()}", File(source))
    _check_stored(file_name, info)
    thumbnail = default_storage.save(f"{stem}.thumb.jpg", ContentFile(make_thumbnail(path, info)))
    if existing:
        # Its file was lost or changed in the storage: adding it again is the way to mend that.
        MediaAsset.objects.filter(pk=existing.pk).update(file=file_name, thumbnail=thumbnail)
        existing.refresh_from_db()
        return existing
    with transaction.atomic():
        asset, _ = MediaAsset.objects.get_or_create(
            workspace=workspace,
            sha256=info.sha256,
            defaults={
                "file": file_name,
                "thumbnail": thumbnail,
                "name": name[-200:],
                "kind": info.kind,
                "mime": info.mime,
                "width": info.width,
                "height": info.height,
                "size_bytes": info.size_bytes,
                "duration_ms": info.duration_ms,
                "fps": info.fps,
                "frames": info.frames,
                "has_audio": info.has_audio,
            },
        )
    return asset


def stored_mb(workspace: Workspace, more_bytes: int = 0) -> int:
    """MB of files, begun ones in full; `more_bytes` as if they were stored, too."""
    stored = MediaAsset.objects.filter(workspace=workspace).aggregate(size=Sum("size_bytes"))["size"] or 0
    return -(-(stored + more_bytes) // MB)


def _is_intact(asset: MediaAsset) -> bool:
    return default_storage.exists(asset.file) and _stored_hash(asset.file) == asset.sha256


def _check_stored(file_name: str, info: MediaInfo) -> None:
    """What is kept must be what was probed: a file can be swapped in between."""
    if _stored_hash(file_name) != info.sha256:
        default_storage.delete(file_name)
        raise UnusableMedia("still_changing", "The file changed while it was read. Try again in a minute.")


def _stored_hash(file_name: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(file_name) as stored:
        for chunk in stored.chunks():
            digest.update(chunk)
    return digest.hexdigest()
