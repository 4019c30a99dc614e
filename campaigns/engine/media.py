"""Files go up before the call that cannot be undone; what is up is remembered with its expiry."""

from collections.abc import Callable
from datetime import timedelta
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


class MediaPending(Exception):
    """The network still works on a file: come back later."""

    def __init__(self, check_after_s: int) -> None:
        self.check_after_s = check_after_s


def upload_media(job: Job, client: NetworkClient, part: RenderedPart) -> tuple[str, ...]:
    return tuple(_ready_id(job, client, media) for media in part.media)


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
        client.set_alt_text(row.remote_id, media.alt_text)
        with workspace_scope(job.workspace_id):
            MediaUpload.objects.filter(pk=row.pk).update(alt_text=media.alt_text)
    return row.remote_id


def _find(job: Job, media: RenderedMedia) -> MediaUpload | None:
    with workspace_scope(job.workspace_id):
        return MediaUpload.objects.filter(
            connection=job.connection, asset_id=media.asset_id, expires_at__gt=now() + SPARE
        ).first()


def _send(job: Job, client: NetworkClient, media: RenderedMedia) -> Upload:
    with workspace_scope(job.workspace_id):
        asset = MediaAsset.objects.get(pk=media.asset_id)
    if not default_storage.exists(asset.file):
        text = f"The file {asset.name} is gone from the storage. Add it again."
        raise NetworkError(Failure.REJECTED, "file_missing", text)
    outgoing = OutgoingMedia(
        open=lambda: cast(BinaryIO, HeartbeatFile(default_storage.open(asset.file), lambda: keep_lease(job))),
        mime=asset.mime,
        kind=asset.kind,
        size_bytes=asset.size_bytes,
    )
    return client.upload(outgoing)


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
            },
            create_defaults={
                "remote_id": upload.remote_id,
                "is_ready": upload.is_ready,
                "expires_at": now() + timedelta(seconds=upload.expires_in_s),
                "alt_text": "",
            },
        )
    if not upload.is_ready:
        raise MediaPending(upload.check_after_s)
    return row


class HeartbeatFile(RawIOBase):
    """Keeps the lease while a large file is read chunk by chunk."""

    def __init__(self, file: Any, beat: Callable[[], None]) -> None:
        self.file, self.beat, self.beat_at = file, beat, boot_seconds()

    def read(self, size: int = -1) -> bytes:
        if boot_seconds() - self.beat_at > HEARTBEAT_S:
            self.beat()
            self.beat_at = boot_seconds()
        return self.file.read(size)

    def close(self) -> None:
        self.file.close()
        super().close()
