from uuid import uuid4

from campaigns.costs import Cost, cost_of
from campaigns.rendering import Rendered, RenderedMedia, RenderedPart


def picture(alt_text: str = "") -> RenderedMedia:
    return RenderedMedia(uuid4(), "0" * 64, "image", alt_text)


def rendered(*parts: RenderedPart | str, network: str = "x", reply_to: str = "") -> Rendered:
    made = tuple(RenderedPart(part, ()) if isinstance(part, str) else part for part in parts)
    return Rendered(uuid4(), network, "1", made, False, reply_to=reply_to)


def test_a_thread_of_five_with_one_link_costs_26_cents() -> None:
    cost = cost_of(rendered("one", "two", "three https://acme.com", "four", "five"))
    assert cost == Cost((15_000, 15_000, 200_000, 15_000, 15_000))
    assert cost.total == 260_000


def test_every_description_of_a_picture_is_a_call_of_its_own() -> None:
    part = RenderedPart("Look", (picture("A cup"), picture(), picture("A bag")))
    assert cost_of(rendered(part)).parts == (15_000 + 2 * 5_000,)


def test_only_the_first_part_of_a_thread_answers_somebody() -> None:
    assert cost_of(rendered("Thanks", "And more", reply_to="123")).parts == (10_000, 15_000)


def test_telegram_is_free() -> None:
    part = RenderedPart("https://acme.com", (picture("A cup"),))
    assert cost_of(rendered(part, part, network="telegram")) == Cost((0, 0))


def test_no_parts_cost_nothing() -> None:
    assert cost_of(rendered()).total == 0
