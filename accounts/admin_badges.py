"""Small marks on the pages of staff."""

from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


def badge(text: str, variant: str = "") -> SafeString:
    """`variant`: success, info, warning, danger; empty is grey."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "variant": variant})


def badge_for(value: str, text: str, variants: Mapping[str, str]) -> SafeString:
    return badge(text, variants.get(value, ""))
