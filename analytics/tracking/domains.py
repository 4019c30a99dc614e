"""Domains of workspaces for their short links."""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse

from accounts import audit
from accounts.access import Actor, Perm
from accounts.scope import workspace_scope
from analytics.models import LinkDomain
from lib.clock import now
from lib.public_http import FetchError, fetch

HOST = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
PATH = "/.well-known/rostrum/"
MOST = 10
TAKEN = "Another workspace has verified this domain. Ask whoever runs this site."


def prove(token: str) -> HttpResponse:
    """What only this installation can say to a token: whichever name leads here answers with it."""
    return HttpResponse(answer_to(token), content_type="text/plain", headers={"Cache-Control": "no-store"})


def answer_to(token: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), b"domain" + token.encode(), hashlib.sha256).hexdigest()


def add_domain(host: str, *, by: Actor) -> LinkDomain:
    by.require(Perm.SETTINGS)
    host = clean_host(host)
    if LinkDomain.objects.filter(workspace=by.workspace).count() >= MOST:
        raise ValidationError({"host": f"A workspace has at most {MOST} domains."})
    row = LinkDomain(workspace=by.workspace, host=host, token=secrets.token_urlsafe(24))
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            audit.record("link_domain.add", row, by=by, host=host)
    except IntegrityError as error:
        raise ValidationError({"host": "This domain is on your list already."}) from error
    return row


def clean_host(text: str) -> str:
    """Raises ValidationError."""
    from analytics.tracking.middleware import is_ours

    host = text.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/.")
    try:
        host = host.encode("idna").decode() if host and not host.isascii() else host
    except UnicodeError:
        host = ""
    if not HOST.fullmatch(host):
        raise ValidationError({"host": "Enter a name such as go.example.com, without a path."})
    if is_ours(host):
        raise ValidationError({"host": "This is the address of this site. Use a domain of your own."})
    return host


def get_domain(actor: Actor, domain_id: UUID) -> LinkDomain:
    actor.require(Perm.VIEW)
    row = LinkDomain.objects.filter(workspace=actor.workspace, pk=domain_id).first()
    if row is None:
        raise Http404("Not found.")
    return row


def verify_domain(domain_id: UUID, *, by: Actor) -> LinkDomain:
    """Ask the domain for its proof. Over HTTP, so outside any transaction. The reason of a refusal is on the row."""
    by.require(Perm.SETTINGS)
    with workspace_scope(by.workspace.pk):
        row = get_domain(by, domain_id)
    problem = _problem(row)
    try:
        with workspace_scope(by.workspace.pk):
            row.problem_text, row.verified_at = problem, None if problem else row.verified_at or now()
            row.save(update_fields=["problem_text", "verified_at"])
            audit.record("link_domain.verify", row, by=by, host=row.host, ok=not problem)
    except IntegrityError:
        with workspace_scope(by.workspace.pk):
            row.problem_text, row.verified_at = TAKEN, None
            row.save(update_fields=["problem_text", "verified_at"])
    return row


def _problem(row: LinkDomain) -> str:
    try:
        answer = fetch(f"http://{row.host}{PATH}{row.token}", max_bytes=1024, timeout_s=timedelta(seconds=10).seconds)
    except FetchError as error:
        return f"{error} We asked http://{row.host}{PATH}…"[:300]
    said = answer.body.decode("ascii", "replace").strip()
    if not hmac.compare_digest(said.encode(), answer_to(row.token).encode()):
        return "Another server answers there. Point the domain's DNS at this site, then check again."
    return ""


def remove_domain(row: LinkDomain, *, by: Actor) -> None:
    by.require(Perm.SETTINGS)
    with transaction.atomic():
        audit.record("link_domain.remove", row, by=by, host=row.host)
        row.delete()
