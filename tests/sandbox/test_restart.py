import signal
from pathlib import Path

import pytest

from sandbox.testing import SandboxDidNotStart, start_sandbox
from tests.sandbox.cast import Client, Sandbox, photo


def again(sandbox: Sandbox, data_dir: Path) -> Sandbox:
    sandbox.process.kill()
    sandbox.process.wait(10)
    url, process = start_sandbox(data_dir)
    return Sandbox(url, process)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def stop(sandbox: Sandbox) -> None:
    sandbox.process.kill()
    sandbox.process.wait(10)


def test_kill_and_restart_keep_everything(own_sandbox: Sandbox, data_dir: Path) -> None:
    alice = own_sandbox.sign_in("alice")
    post_id = alice.post_id("Hello")
    media_id = photo(alice)
    own_sandbox.advance(500)
    own_sandbox.fault("status", status=500, route="GET /2/users/me")
    ledger = own_sandbox.ledger()
    second = again(own_sandbox, data_dir)
    revived = Client(second, alice.token, alice.id, "alice", alice.grant)
    assert second.ledger() == ledger
    assert second.get("/clock")["offset"] == 500
    assert revived.get("/2/users/me").status_code == 500
    assert revived.timeline()["data"][0]["id"] == post_id
    assert revived.create("Hello").status_code == 403
    assert revived.create("Look", media={"media_ids": [media_id]}).status_code == 201
    stop(second)


def test_ids_and_windows_go_on_after_a_restart(own_sandbox: Sandbox, data_dir: Path) -> None:
    alice = own_sandbox.sign_in("alice")
    first = alice.post_id("One")
    second = again(own_sandbox, data_dir)
    revived = Client(second, alice.token, alice.id, "alice", alice.grant)
    answer = revived.create("Two")
    assert int(answer.json()["data"]["id"]) > int(first)
    assert answer.headers["x-rate-limit-remaining"] == "98"
    stop(second)


def test_a_late_post_lands_after_a_restart(own_sandbox: Sandbox, data_dir: Path) -> None:
    alice = own_sandbox.sign_in("alice")
    own_sandbox.fault("late_accept", seconds=60)
    with pytest.raises(OSError, match="Connection aborted"):
        alice.create("Hello")
    second = again(own_sandbox, data_dir)
    second.advance(61)
    assert [post["text"] for post in second.posts("alice")] == ["Hello"]
    stop(second)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_cleanly(own_sandbox: Sandbox, signum: int) -> None:
    own_sandbox.process.send_signal(signum)
    assert own_sandbox.process.wait(10) == 0


def test_a_port_that_is_taken_is_reported(own_sandbox: Sandbox, tmp_path: Path) -> None:
    port = int(own_sandbox.url.rpartition(":")[2])
    with pytest.raises(SandboxDidNotStart):
        start_sandbox(tmp_path / "other", port=port)


def mentions(sandbox: Sandbox) -> list[str]:
    client = sandbox.sign_in("sandbox_demo")
    found = client.get(f"/2/users/{client.id}/mentions").json()
    return [post["text"] for post in found.get("data", [])]


def test_a_demo_begins_with_two_mentions_and_a_restart_adds_none(data_dir: Path) -> None:
    seen = []
    for _ in range(2):
        url, process = start_sandbox(data_dir, is_demo=True)
        seen.append(mentions(Sandbox(url, process)))
        stop(Sandbox(url, process))
    assert len(seen[0]) == 2
    assert seen[1] == seen[0]


def test_without_the_demo_nobody_writes(own_sandbox: Sandbox) -> None:
    assert mentions(own_sandbox) == []
