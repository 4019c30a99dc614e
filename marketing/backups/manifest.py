"""What a backup says about itself, as JSON; signed where there is a BACKUP_KEY."""

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from marketing.backups.errors import BackupError

FORMAT = 1


@dataclass
class Manifest:
    """`files`: {name: {"sha256", "bytes"}} as they are stored. `tables`: rows of each. `field_keys`: ids of the keys
    that the stored secrets need. `migrations`: "app.name" of each that was applied. `media`: "kept", or "listed" where
    the files themselves are not in the backup.
    """

    name: str
    made_at: datetime
    is_encrypted: bool
    field_keys: list[str]
    migrations: list[str]
    tables: dict[str, int]
    media: str
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, path: Path) -> None:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        self.files[path.name] = {"sha256": digest, "bytes": path.stat().st_size}

    def check(self, name: str, path: Path) -> None:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if digest != self.files[name]["sha256"]:
            raise BackupError(f"{name} of {self.name} is damaged: its sha256 is not the manifest's.")


def dump(manifest: Manifest, key: bytes) -> bytes:
    data = {"format": FORMAT, **asdict(manifest), "made_at": manifest.made_at.isoformat()}
    return json.dumps({**data, "proof": _proof(data, key)}, indent=1).encode()


def load(text: bytes, key: bytes) -> Manifest:
    try:
        data = json.loads(text)
        proof = data.pop("proof")
        if data.pop("format") != FORMAT:
            raise BackupError("Another version of the product made this backup, in a format of its own.")
        manifest = Manifest(**{**data, "made_at": datetime.fromisoformat(data["made_at"])})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupError("The manifest is damaged.") from None
    if manifest.is_encrypted and not key:
        raise BackupError("This backup is encrypted: set BACKUP_KEY.")
    # Whoever can write where backups lie could say so of one of theirs, and its dump is run as a script.
    if key and not manifest.is_encrypted:
        raise BackupError("Nothing proves where this backup is from. If it is yours, restore it without BACKUP_KEY.")
    if manifest.is_encrypted and not _is_proven(proof, data, key):
        raise BackupError("The manifest was changed, or another BACKUP_KEY made it.")
    return manifest


def _is_proven(proof: Any, data: dict[str, Any], key: bytes) -> bool:
    # As bytes: what is not ASCII cannot be compared as text.
    return hmac.compare_digest(str(proof).encode(), _proof({"format": FORMAT, **data}, key).encode())


def _proof(data: dict[str, Any], key: bytes) -> str:
    text = json.dumps(data, sort_keys=True).encode()
    return hmac.new(b"manifest" + key, text, hashlib.sha256).hexdigest() if key else ""
