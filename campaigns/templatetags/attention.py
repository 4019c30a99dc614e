"""What the pages of lower floors, and pages that know only one delivery, show of what needs a person."""

from typing import Any

from django import template

from accounts.access import Actor, Perm
from campaigns.dead_letters import stuck_counts
from campaigns.models import Delivery
from campaigns.preflight import AHEAD, UNAPPROVED, WITH_ENGINE, Finding, flights_of
from lib.clock import now
from social.models import Connection

register = template.Library()


@register.simple_tag(takes_context=True)
def stuck_on(context: Any, connection: Connection) -> int:
    """How many posts failed or were missed on this account; one query for all accounts of a page."""
    request = context["request"]
    # Kept on the request: every include has a render context of its own.
    if not hasattr(request, "stuck_counts"):
        request.stuck_counts = stuck_counts(request.actor.workspace)
    return request.stuck_counts.get(connection.pk, 0)


@register.simple_tag
def findings_of(delivery: Delivery, actor: Actor) -> list[Finding]:
    """Of one that is due soon. Expects its content loaded."""
    due = delivery.due_at or delivery.scheduled_at
    is_ahead = delivery.state in {*WITH_ENGINE, *UNAPPROVED} and due is not None and due <= now() + AHEAD
    return flights_of([delivery])[0].findings if is_ahead and actor.can(Perm.VIEW) else []
