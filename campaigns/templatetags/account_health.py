"""How a network sees an account, on the pages that show accounts."""

from typing import Any

from django import template

from campaigns.account_health import health_cards
from social.models import Connection

register = template.Library()


@register.simple_tag(takes_context=True)
def health_card(context: Any, connection: Connection) -> dict[str, Any] | None:
    """None where it is healthy; one query for all accounts of a page."""
    request = context["request"]
    # Kept on the request: every include has a render context of its own.
    if not hasattr(request, "health_cards"):
        ids = Connection.objects.filter(workspace=request.actor.workspace).values_list("pk", flat=True)
        request.health_cards = health_cards(ids)
    return request.health_cards.get(connection.pk)
