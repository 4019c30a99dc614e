"""kill -9 under load: what was acknowledged exists, once, and the books agree."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from sandbox.testing import start_sandbox
from tests.sandbox.cast import Client, Sandbox

WRITERS = 4


@dataclass
class Writer:
    """Posts until the server dies under it; remembers what was acknowledged and what was only sent."""

    client: Client
    acknowledged: dict[str, str] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)

    def run(self) -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.client.token}"
        try:
            for number in range(100):
                text = f"{self.client.handle} {number}"
                self.sent.append(text)
                answer = session.post(f"{self.client.sandbox.url}/x/2/tweets", json={"text": text}, timeout=30)
                self.acknowledged[answer.json()["data"]["id"]] = text
        except requests.RequestException:
            return


@dataclass
class Wreck:
    writers: list[Writer]
    revived: Sandbox

    @property
    def texts(self) -> dict[str, str]:
        return {post["id"]: post["text"] for post in self.revived.get("/posts")["posts"]}


def work_until_killed(house: Sandbox) -> list[Writer]:
    writers = [Writer(house.sign_in(f"writer{number}")) for number in range(WRITERS)]
    threads = [threading.Thread(target=writer.run) for writer in writers]
    for thread in threads:
        thread.start()
    while sum(len(writer.acknowledged) for writer in writers) < 60:
        threads[0].join(0.01)
    house.process.kill()
    for thread in threads:
        thread.join(20)
    house.process.wait(10)
    return writers


@pytest.fixture(scope="module")
def wreck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wreck]:
    """One crash for all tests of this module, which only look at what is left."""
    folder: Path = tmp_path_factory.mktemp("crash")
    writers = work_until_killed(Sandbox(*start_sandbox(folder)))
    url, process = start_sandbox(folder)
    yield Wreck(writers, Sandbox(url, process))
    process.kill()
    process.wait(10)


def test_the_crash_came_in_the_middle_of_work(wreck: Wreck) -> None:
    assert all(0 < len(writer.acknowledged) < 100 for writer in wreck.writers)


def test_every_acknowledged_post_is_still_there_with_its_id(wreck: Wreck) -> None:
    acknowledged = {post_id: text for writer in wreck.writers for post_id, text in writer.acknowledged.items()}
    assert acknowledged.items() <= wreck.texts.items()


def test_nothing_exists_that_was_never_sent(wreck: Wreck) -> None:
    assert set(wreck.texts.values()) <= {text for writer in wreck.writers for text in writer.sent}


def test_nothing_exists_twice(wreck: Wreck) -> None:
    assert len(set(wreck.texts.values())) == len(wreck.texts)


def test_each_writer_has_at_most_one_post_in_doubt(wreck: Wreck) -> None:
    for writer in wreck.writers:
        existing = [text for text in writer.sent if text in wreck.texts.values()]
        assert len(existing) - len(writer.acknowledged) in (0, 1)


def test_every_post_has_its_row_in_the_ledger_and_no_row_lacks_its_post(wreck: Wreck) -> None:
    effects = [(entry["effect_id"], entry["text"]) for entry in wreck.revived.ledger(effect="post")]
    assert sorted(effects) == sorted(wreck.texts.items())


def test_the_ledger_has_no_gap(wreck: Wreck) -> None:
    sequence = [entry["seq"] for entry in wreck.revived.ledger()]
    assert sequence[: len(wreck.texts)] == list(range(1, len(wreck.texts) + 1))


def test_the_bill_is_for_what_exists(wreck: Wreck) -> None:
    assert wreck.revived.get("/apps")["apps"][0]["spent_micro"] == 15_000 * len(wreck.texts)


def test_a_retry_of_an_acknowledged_post_meets_the_duplicate(wreck: Wreck) -> None:
    writer = wreck.writers[0]
    revived = Client(wreck.revived, writer.client.token, writer.client.id, "writer0", {})
    assert revived.create(next(iter(writer.acknowledged.values()))).status_code == 403
