from collections.abc import Mapping
from uuid import UUID

from django import template

from compliance.models import GuardDecision

register = template.Library()


@register.simple_tag
def verdict_of(verdicts: Mapping[UUID, GuardDecision] | str, delivery_id: UUID) -> GuardDecision | None:
    """Nothing on pages that show none."""
    return verdicts.get(delivery_id) if isinstance(verdicts, Mapping) else None
