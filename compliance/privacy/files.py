"""Downloads of exports: while they last, to whom they belong, each one written down."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404

from accounts import audit
from accounts.access import Actor
from accounts.scope import all_workspaces_scope
from compliance.models import PrivacyRequest
from lib.clock import now


def has_file(row: PrivacyRequest) -> bool:
    return bool(row.file) and row.file_expires_at is not None and row.file_expires_at > now()


def download(row: PrivacyRequest, *, by: Actor | None = None) -> FileResponse:
    """The ZIP; `by` is empty where the person fetches their own. 404 once it is gone."""
    if not has_file(row) or not default_storage.exists(row.file):
        raise Http404("This copy is gone. Ask for a new one.")
    if by:
        audit.record("privacy.download", row, by=by)
    else:
        with all_workspaces_scope("a person fetches their data"):
            audit.record_staff("privacy.download", row, staff="the person")
    name = f"{row.subject_kind}-data-{row.done_at or row.received_at:%Y-%m-%d}.zip"
    response = FileResponse(default_storage.open(row.file), as_attachment=True, filename=name)
    response["Cache-Control"] = "private, no-store"
    return response
