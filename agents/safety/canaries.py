"""Marks that belong in no output: whoever finds one there knows what leaked."""

import hashlib
import hmac
import re

from django.conf import settings

from accounts.models import Workspace
from agents.safety.decoding import other_readings
from compliance.guard.text import fold

_ANY = re.compile(r"rostrumref[0-9a-f]{16}")
# Planted by hand in prompts, memory or contacts, to see whether anything ever gets out.
_PLANTED = re.compile(r"canary(?:sys|mem|crm|[0-9a-f]{6,})")


def canary_of(workspace: Workspace) -> str:
    """Stands at the end of the workspace's system prompts."""
    key = b"canary" + settings.SECRET_KEY.encode()
    return "rostrum-ref-" + hmac.new(key, str(workspace.pk).encode(), hashlib.sha256).hexdigest()[:16]


def marked(system: str, workspace: Workspace) -> str:
    return f"{system}\n\nDocument {canary_of(workspace)}"


def has_canary(text: str) -> bool:
    """Anybody's, however it is dressed up."""
    return any(_is_in(one) for one in (text, *other_readings(text)))


def _is_in(text: str) -> bool:
    bare = fold(text).bare
    return bool(_ANY.search(bare) or _PLANTED.search(bare))
