"""Drawings of the one sheet, in every template without loading: pages have hundreds of them."""

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# Of a delivery, an attempt, a campaign or an experiment; whatever else may be said of them has ended.
STATUS_ICONS = {
    "draft": "draft",
    "in_review": "eye",
    "approved": "check",
    "scheduled": "clock",
    "publishing": "send",
    "published": "check-circle",
    "healthy": "check-circle",
    "failed": "x-circle",
    "rejected": "x-circle",
    "retry_wait": "retry",
    "unconfirmed": "question",
    "missed": "clock-off",
    "paused": "pause",
    "active": "play",
    "running": "play",
    "stopped": "check",
    "blocked": "shield",
}


@register.simple_tag
def icon(name: str, more: str = "") -> SafeString:
    """`more`: further classes. With a space around it, as a word has in a text."""
    return _drawn(name, f"icon {more}" if more else "icon", " ")


@register.simple_tag
def status_icon(status: str) -> SafeString:
    return _drawn(STATUS_ICONS.get(status, "ban"), "icon", "")


@cache
def _drawn(name: str, classes: str, around: str) -> SafeString:
    use = format_html('<use href="{}#{}" />', static("icons.svg"), name)
    return format_html('{}<svg class="{}" aria-hidden="true">{}</svg>{}', around, classes, use, around)
