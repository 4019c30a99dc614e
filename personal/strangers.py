"""What strangers wrote, as a brief repeats it: without addresses, and not at all where it gives orders."""

from agents.safety.clues import find_risks
from agents.safety.normalise import hear
from compliance.guard.engines.links import find_links
from compliance.guard.port import Draft


def repeatable(text: str) -> str:
    """Empty where it tries to give orders to a machine."""
    heard = hear(text)
    return "" if find_risks(heard) else without_links(heard.text)


def without_links(text: str) -> str:
    for written in links_in(text):
        text = text.replace(written, "…")
    return text


def links_in(text: str) -> list[str]:
    """As they are written, the longest first."""
    return sorted({link.written for link in find_links(Draft.of(text), {})}, key=len, reverse=True)
