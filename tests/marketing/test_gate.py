"""The door before the live server of the browser tests."""

from threading import Event, Thread

import pytest

from tests.gate import Gate


def enter(gate: Gate) -> tuple[str, list[bytes]]:
    """What a request gets, read and closed as a server does."""
    said: list[str] = []
    answer = gate({}, lambda status, _headers: said.append(status))
    body = list(answer)
    if hasattr(answer, "close"):
        answer.close()
    return said[0], body


def hello(_environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]


def test_an_open_gate_lets_in_and_a_closed_one_does_not() -> None:
    gate = Gate(hello)
    assert enter(gate) == ("200 OK", [b"hello"])
    gate.close(0)
    assert enter(gate) == ("503 Service Unavailable", [])
    gate.open()
    assert enter(gate) == ("200 OK", [b"hello"])


def test_closing_waits_for_who_is_inside() -> None:
    inside, go_on = Event(), Event()

    def slow(environ, start_response):
        inside.set()
        go_on.wait(20)
        return hello(environ, start_response)

    gate = Gate(slow)
    visitor = Thread(target=enter, args=(gate,))
    visitor.start()
    inside.wait(20)
    with pytest.raises(AssertionError, match="1 requests never ended"):
        gate.close(0.01)
    go_on.set()
    gate.close()
    visitor.join()


def test_a_request_that_fails_is_out_as_well() -> None:
    def broken(_environ, _start_response):
        raise LookupError

    gate = Gate(broken)
    with pytest.raises(LookupError):
        enter(gate)
    gate.close(0)
