"""What a service refuses, as a page can show it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction

from campaigns.errors import NotAllowedNow
from compliance.services import ReviewClosed


@dataclass(frozen=True)
class Refusal:
    status: int
    messages: list[str]
    # By the name of the field they belong beside.
    fields: dict[str, list[str]] = field(default_factory=dict)


def attempt(act: Callable[[], object]) -> Refusal | None:
    """None when it was done. Missing permission goes on to the 403 page."""
    try:
        with transaction.atomic():
            act()
    except ValidationError as error:
        fields = error.message_dict if hasattr(error, "error_dict") else {}
        return Refusal(422, error.messages, fields)
    except (NotAllowedNow, ReviewClosed) as error:
        return Refusal(409, [str(error)])
    return None
