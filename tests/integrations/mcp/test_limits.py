import pytest

from integrations.mcp.errors import CallFailed
from integrations.mcp.limits import CALLS_AT_ONCE, Places
from integrations.models import McpServer


def test_one_server_does_not_take_every_thread() -> None:
    places, greedy, other = Places(), McpServer(), McpServer()
    held = [places.one(greedy) for _ in range(CALLS_AT_ONCE)]
    for place in held:
        place.__enter__()
    with pytest.raises(CallFailed, match="at work"), places.one(greedy):
        pass
    with places.one(other):
        assert set(places.taken) == {greedy.pk, other.pk}
    held[0].__exit__(None, None, None)
    with places.one(greedy):
        pass
    for place in held[1:]:
        place.__exit__(None, None, None)
    assert not places.taken


def test_a_place_is_given_back_after_a_failure() -> None:
    places = Places()
    with pytest.raises(KeyError), places.one(McpServer()):
        raise KeyError
    assert not places.taken
