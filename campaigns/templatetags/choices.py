"""The options of a select, by hand: workspaces have hundreds of campaigns."""

from collections.abc import Collection, Iterable

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def options(
    choices: Iterable[tuple[object, str]], chosen: object = None, *, among: Collection[object] = ()
) -> SafeString:
    """`choices`: value and label of each. `among`: where several may be chosen."""
    rows = ((value, " selected" if value == chosen or value in among else "", label) for value, label in choices)
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)
