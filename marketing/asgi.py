"""The event loop's side: /mcp by the SDK, all else by Django, so that a proxy may send streams here, too."""

import os
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing.settings")
# Typed more narrowly than ASGI is.
django_pages: Any = get_asgi_application()

# Apps are ready only now.
from starlette.types import Receive, Scope, Send  # noqa: E402

from compliance.rulesets import warm_up  # noqa: E402
from integrations.mcp.app import METADATA_PATH, PATH, mcp_app, mcp_server  # noqa: E402
from integrations.mcp.registry import REGISTRY  # noqa: E402
from integrations.tool_groups import load_definitions  # noqa: E402
from marketing.asgi_frame import Framed, Limited  # noqa: E402

warm_up()
load_definitions()
form_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
# One file, and what else stands in a form.
pages = Limited(django_pages, settings.MEDIA_UPLOAD_MAX_BYTES + form_bytes, form_bytes)
endpoint = Framed(mcp_app(mcp_server(REGISTRY)))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    is_ours = scope["type"] == "lifespan" or scope["path"] in {PATH, METADATA_PATH}
    await (endpoint if is_ours else pages)(scope, receive, send)
