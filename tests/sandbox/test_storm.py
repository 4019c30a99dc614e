"""Many callers at once, and from several processes."""

import subprocess
import sys
import textwrap
import threading

from tests.sandbox.cast import Client, Sandbox
from tests.sandbox.test_oauth2 import refresh

WORKER = textwrap.dedent(
    """
    import sys, requests
    url, token, name = sys.argv[1:]
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    for number in range(40):
        text = f"{name} {number}"
        try:
            session.post(f"{url}/x/2/tweets", json={"text": text}, timeout=30)
        except requests.ConnectionError:
            pass
    """
)


def storm(sandbox: Sandbox, workers: int) -> None:
    processes = []
    for number in range(workers):
        client = sandbox.sign_in(f"user{number}")
        command = [sys.executable, "-c", WORKER, sandbox.url, client.token, f"worker{number}"]
        processes.append(subprocess.Popen(command))
    assert [process.wait(60) for process in processes] == [0] * workers


def test_every_post_of_a_storm_is_in_the_ledger_once(sandbox: Sandbox) -> None:
    sandbox.post("/faults", seed=3, probabilities={"accept_then_drop": 0.1, "drop_before_accept": 0.1})
    storm(sandbox, workers=3)
    effects = sandbox.ledger(effect="post")
    texts = [entry["text"] for entry in effects]
    assert len(texts) == len(set(texts)) == len(sandbox.get("/posts")["posts"])
    before = [entry for entry in sandbox.ledger() if entry["fault"] == "drop_before_accept"]
    assert len(texts) + len(before) == 120
    assert [entry["effect"] for entry in before] == [None] * len(before)
    assert len({entry["effect_id"] for entry in effects}) == len(effects)


def test_of_two_equal_posts_at_the_same_moment_one_is_a_duplicate(sandbox: Sandbox, alice: Client) -> None:
    statuses: list[int] = []

    def post(text: str) -> None:
        statuses.append(alice.create(text).status_code)

    for round_number in range(5):
        pair = [threading.Thread(target=post, args=(f"Round {round_number}",)) for _ in range(2)]
        for thread in pair:
            thread.start()
        for thread in pair:
            thread.join()
    assert sorted(statuses) == [201] * 5 + [403] * 5


def test_of_two_refreshes_at_the_same_moment_one_wins(sandbox: Sandbox, alice: Client) -> None:
    statuses: list[int] = []

    def run() -> None:
        statuses.append(refresh(sandbox, alice.grant["refresh_token"]).status_code)

    pair = [threading.Thread(target=run) for _ in range(2)]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    assert sorted(statuses) == [200, 400]
