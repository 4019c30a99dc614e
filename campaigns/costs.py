"""What the networks will charge for a post, known before anybody approves it."""

from collections.abc import Callable
from dataclasses import dataclass

from campaigns.rendering import Rendered, RenderedPart
from social.models import Network
from social.networks.x import prices as x_prices


@dataclass(frozen=True)
class Cost:
    """In micro-dollars: of each part, and of all that goes with it (descriptions of pictures)."""

    parts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.parts)


def cost_of(rendered: Rendered) -> Cost:
    price = PRICES.get(rendered.network)
    if price is None:
        return Cost((0,) * len(rendered.parts))
    # Only the first part answers somebody else: the others answer the part before them.
    return Cost(
        tuple(price(part, bool(rendered.reply_to) and number == 0) for number, part in enumerate(rendered.parts))
    )


def _x_part(part: RenderedPart, is_reply: bool) -> int:
    described = sum(bool(media.alt_text) for media in part.media)
    return x_prices.part_cost(part.text, is_reply=is_reply) + described * x_prices.MEDIA_METADATA


# Networks that charge; the others are free.
PRICES: dict[str, Callable[[RenderedPart, bool], int]] = {Network.X: _x_part}


def publish_price(rendered: Rendered, position: int) -> int:
    """Of the one call that makes a part live; descriptions of pictures are calls of their own."""
    if rendered.network != Network.X:
        return 0
    is_reply = bool(rendered.reply_to) and position == 0
    return x_prices.part_cost(rendered.parts[position].text, is_reply=is_reply)
