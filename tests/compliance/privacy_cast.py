"""What most privacy tests begin with."""

import io
import json
import zipfile
from typing import Any

from django.core.files.storage import default_storage

from accounts.models import Workspace
from accounts.scope import all_workspaces_scope
from compliance.models import Contact, PrivacyRequest


def add_contact(workspace: Workspace, name: str = "Anna Berg", **fields: Any) -> Contact:
    first = name.split(maxsplit=1)[0].lower()
    values = {"email": f"{first}@example.net", "network": "telegram", "handle": first}
    return Contact.objects.create(workspace=workspace, name=name, **values | fields)


def again(row: PrivacyRequest) -> PrivacyRequest:
    with all_workspaces_scope("look at a request"):
        return PrivacyRequest.objects.get(pk=row.pk)


def unzip(name: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest, and every other file by its name."""
    with default_storage.open(name) as file:
        archive = zipfile.ZipFile(io.BytesIO(file.read()))
    files = {entry: archive.read(entry) for entry in archive.namelist()}
    return json.loads(files.pop("manifest.json")), files


def lines_of(files: dict[str, bytes], label: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files.get(f"data/{label.lower()}.jsonl", b"").splitlines()]
