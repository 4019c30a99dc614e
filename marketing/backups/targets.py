"""Where backups lie: a folder, or a bucket of S3. A backup is a folder of files; one with a manifest is whole."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.conf import settings

from marketing.backups.errors import BackupError

MANIFEST = "manifest.json"
NAME = re.compile(r"rostrum-\d{8}T\d{6}Z")


class Target(Protocol):
    def names(self) -> list[str]:
        """Whole backups, oldest first."""

    def begin(self, name: str) -> Path:
        """An empty folder for the files of a new one."""

    def finish(self, name: str) -> None:
        """From now on it counts."""

    def fetch(self, name: str, file: str, into: Path) -> Path: ...
    def drop(self, name: str) -> None: ...


def open_target(address: str) -> Target:
    """`s3://bucket/prefix` or a folder."""
    if not address.startswith("s3://"):
        return FolderTarget(Path(address).absolute())
    parts = urlsplit(address)
    if not parts.netloc:
        raise BackupError("An address in S3 is s3://bucket/prefix.")
    return BucketTarget(parts.netloc, parts.path.strip("/"))


class FolderTarget:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        found = self.folder.glob(f"rostrum-*/{MANIFEST}")
        return sorted(path.parent.name for path in found if NAME.fullmatch(path.parent.name))

    def begin(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        # Of a run that was killed: only one makes backups at a time.
        for left in self.folder.glob(".rostrum-*.part"):
            shutil.rmtree(left)
        part = self._part(name)
        part.mkdir(mode=0o700)
        return part

    def finish(self, name: str) -> None:
        self._part(name).rename(self.folder / name)

    def fetch(self, name: str, file: str, into: Path) -> Path:
        path = self.folder / name / file
        if not path.is_file():
            raise BackupError(f"{name} has no {file}.")
        return path

    def drop(self, name: str) -> None:
        # Without its manifest it no longer counts, should this be cut short.
        (self.folder / name / MANIFEST).unlink()
        shutil.rmtree(self.folder / name)

    def _part(self, name: str) -> Path:
        return self.folder / f".{name}.part"


class BucketTarget:
    """With the service and the keys of the media's storage (`S3_*`)."""

    def __init__(self, bucket: str, prefix: str) -> None:
        import boto3

        options = settings.S3_OPTIONS
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=options["endpoint_url"],
            aws_access_key_id=options["access_key"],
            aws_secret_access_key=options["secret_key"],
            # Services other than Amazon's have none, and the signature needs one.
            region_name="us-east-1" if options["endpoint_url"] else None,
        )
        self.work: dict[str, tempfile.TemporaryDirectory[str]] = {}

    def names(self) -> list[str]:
        found = (key.removeprefix(self.prefix).split("/") for key in self._keys(self.prefix))
        return sorted(parts[0] for parts in found if parts[1:] == [MANIFEST] and NAME.fullmatch(parts[0]))

    def begin(self, name: str) -> Path:
        self.work[name] = tempfile.TemporaryDirectory(prefix="backup-")
        return Path(self.work[name].name)

    def finish(self, name: str) -> None:
        with self.work.pop(name) as folder, self._reach(name):
            # The manifest goes last: what has one is whole.
            for path in sorted(Path(folder).iterdir(), key=lambda path: path.name == MANIFEST):
                self.client.upload_file(str(path), self.bucket, f"{self.prefix}{name}/{path.name}")

    def fetch(self, name: str, file: str, into: Path) -> Path:
        path = into / f"fetched-{file}"
        with self._reach(f"{name}/{file}"):
            self.client.download_file(self.bucket, f"{self.prefix}{name}/{file}", str(path))
        return path

    def drop(self, name: str) -> None:
        keys = self._keys(f"{self.prefix}{name}/")
        with self._reach(name):
            for key in sorted(keys, key=lambda key: not key.endswith(MANIFEST)):
                self.client.delete_object(Bucket=self.bucket, Key=key)

    def _keys(self, prefix: str) -> list[str]:
        with self._reach():
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            return [found["Key"] for page in pages for found in page.get("Contents", [])]

    @contextmanager
    def _reach(self, what: str = "") -> Iterator[None]:
        """Raises BackupError for whatever the service or the way to it says."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (Boto3Error, BotoCoreError, ClientError) as error:
            raise BackupError(f"s3://{self.bucket}/{self.prefix}{what}: {error}") from None
