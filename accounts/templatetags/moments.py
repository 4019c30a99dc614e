"""An instant, written the same way on every page; in every template without loading."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(takes_context=True)
def when(context: Any, at: datetime | None, zone: str = "", *, seconds: bool = False, none: str = "") -> SafeString:
    """On the clock of `zone`, or else of the workspace, which is named beside it. `none`: for no instant."""
    if at is None:
        return format_html("{}", none)
    zone = zone or context["workspace"].time_zone
    shown = at.astimezone(ZoneInfo(zone))
    return format_html(
        '<time datetime="{}" data-local>{}</time> <span class="muted">{}</span>',
        shown.isoformat(),
        f"{shown.day} {shown:%b %Y, %H:%M:%S}" if seconds else f"{shown.day} {shown:%b %Y, %H:%M}",
        zone,
    )
