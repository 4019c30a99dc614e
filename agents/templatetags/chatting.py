"""An answer as it is shown: paragraphs, and numbers of sources that lead to them."""

import re
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
# What a tool that asks first does, in the words of the person who decides.
WISHES = {"remember": "Remember this"}
NUMBER = re.compile(r"\[(\d{1,2})\]")


@register.filter
def wish(asked: Any) -> str:
    """What an interrupt asks for, in a few words."""
    return WISHES.get(asked.action) or asked.reason or asked.action.replace("_", " ").capitalize()


@register.filter
def with_sources(message: Any) -> SafeString:
    """Escaped text; a number in brackets is a link only where the message has that source."""
    known = {str(one["n"]) for one in message.citations}

    def link(found: re.Match[str]) -> str:
        n = found[1]
        return f'<a class="source-mark" href="#source-{message.pk}-{n}">[{n}]</a>' if n in known else found[0]

    parts = [part for part in re.split(r"\n{2,}", str(message.text).strip()) if part]
    lines = (NUMBER.sub(link, escape(part)).replace("\n", "<br>") for part in parts)
    return mark_safe("".join(f"<p>{line}</p>" for line in lines))  # noqa: S308  (escaped above)
