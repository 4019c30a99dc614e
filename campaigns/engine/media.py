"""Files go up before the call that cannot be undone; what is up is remembered with its expiry."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import RawIOBase
from typing import Any, BinaryIO, cast

from django.core.files.storage import default_storage

from accounts.scope import workspace_scope
from campaigns.engine.job import Job, keep_lease
from campaigns.models import MediaAsset, MediaUpload
from campaigns.rendering import RenderedMedia, RenderedPart
from lib.clock import boot_seconds, now
from social.networks.port import Failure, NetworkClient, NetworkError, OutgoingMedia, Upload

SPARE = timedelta(minutes=5)
HEARTBEAT_S = 10
READ_BYTES = 1024 * 1024


class MediaPending(Exception):
    """The network still works on a file: come back later."""

    def __init__(self, check_after_s: int) -> None:
        self.check_after_s = check_after_s


def upload_media(job: Job, client: NetworkClient, part: RenderedPart) -> tuple[str, ...]:
    return tuple(_ready_id(job, client, media) for media in part.media)


def checked_media(job: Job, part: RenderedPart) -> tuple[OutgoingMedia, ...]:
    """For networks where files travel with the post: what is in the storage must be what was approved."""
    outgoing = []
    for media in part.media:
        keep_lease(job)
        with workspace_scope(job.workspace_id):
            asset = MediaAsset.objects.get(pk=media.asset_id)
        file = _open(asset, lambda: keep_lease(job))
        while file.read(READ_BYTES):
            pass
        file.close()
        if file.sha256 != media.sha256:
            raise _changed(asset)
        outgoing.append(outgoing_of(asset, partial(default_storage.open, asset.file)))
    return tuple(outgoing)


def forget_uploads(job: Job) -> None:
    """After a refusal the next attempt uploads afresh."""
    assets = [media.asset_id for part in job.rendered.parts for media in part.media]
    MediaUpload.objects.filter(connection=job.connection, asset__in=assets).delete()


def _ready_id(job: Job, client: NetworkClient, media: RenderedMedia) -> str:
    keep_lease(job)
    row = _find(job, media)
    if row is None:
        row = _store(job, media, _send(job, client, media))
    elif not row.is_ready:
        row = _store(job, media, client.upload_state(row.remote_id))
    if media.alt_text != row.alt_text:
        _describe(job, client, media, row)
    return row.remote_id


def _describe(job: Job, client: NetworkClient, media: RenderedMedia, row: MediaUpload) -> None:
    """A call without an answer leaves open which description the file has: it counts as expired until we know."""
    upload = MediaUpload.objects.filter(pk=row.pk)
    with workspace_scope(job.workspace_id):
        upload.update(expires_at=now())
    client.set_alt_text(row.remote_id, media.alt_text)
    with workspace_scope(job.workspace_id):
        upload.update(alt_text=media.alt_text, expires_at=row.expires_at)


def _find(job: Job, media: RenderedMedia) -> MediaUpload | None:
    """A file that another post described differently is not touched: that post may be live with it."""
    with workspace_scope(job.workspace_id):
        return MediaUpload.objects.filter(
            connection=job.connection,
            asset_id=media.asset_id,
            expires_at__gt=now() + SPARE,
            alt_text__in=["", media.alt_text],
        ).first()


def _send(job: Job, client: NetworkClient, media: RenderedMedia) -> Upload:
    with workspace_scope(job.workspace_id):
        asset = MediaAsset.objects.get(pk=media.asset_id)
    file = _open(asset, lambda: keep_lease(job))
    try:
        upload = client.upload(outgoing_of(asset, lambda: cast(BinaryIO, file)))
    except NetworkError:
        if file.is_read and file.sha256 != media.sha256:
            raise _changed(asset) from None
        raise
    # Nothing is live yet: an upload that no post uses is forgotten by the network.
    if file.sha256 != media.sha256:
        raise _changed(asset)
    return upload


def _open(asset: MediaAsset, beat: Callable[[], None]) -> "CheckedFile":
    if not default_storage.exists(asset.file):
        text = f"The file {asset.name} is gone from the storage. Add it again."
        raise NetworkError(Failure.REJECTED, "file_missing", text)
    return CheckedFile(default_storage.open(asset.file), beat)


def outgoing_of(asset: MediaAsset, open_file: Callable[[], Any]) -> OutgoingMedia:
    return OutgoingMedia(
        open=open_file,
        mime=asset.mime,
        kind=asset.kind,
        size_bytes=asset.size_bytes,
        name=asset.name,
        width=asset.width,
        height=asset.height,
        duration_ms=asset.duration_ms or 0,
    )


def _changed(asset: MediaAsset) -> NetworkError:
    text = f"The file {asset.name} in the storage is not the one that was approved. Add it again."
    return NetworkError(Failure.REJECTED, "file_changed", text)


def _store(job: Job, media: RenderedMedia, upload: Upload) -> MediaUpload:
    with workspace_scope(job.workspace_id):
        row, _ = MediaUpload.objects.update_or_create(
            workspace_id=job.workspace_id,
            connection=job.connection,
            asset_id=media.asset_id,
            defaults={
                "remote_id": upload.remote_id,
                "is_ready": upload.is_ready,
                "expires_at": now() + timedelta(seconds=upload.expires_in_s),
                "alt_text": "",
            },
        )
    if not upload.is_ready:
        raise MediaPending(upload.check_after_s)
    return row


class CheckedFile(RawIOBase):
    """Keeps the lease while a large file is read chunk by chunk, and takes the digest of what was really sent."""

    def __init__(self, file: Any, beat: Callable[[], None]) -> None:
        self.file, self.beat, self.beat_at = file, beat, boot_seconds()
        self.digest, self.is_read = hashlib.sha256(), False

    def read(self, size: int = -1) -> bytes:
        if boot_seconds() - self.beat_at > HEARTBEAT_S:
            self.beat()
            self.beat_at = boot_seconds()
        chunk: bytes = self.file.read(size)
        self.digest.update(chunk)
        self.is_read = self.is_read or not chunk
        return chunk

    @property
    def sha256(self) -> str:
        return self.digest.hexdigest()

    def close(self) -> None:
        self.file.close()
        super().close()
