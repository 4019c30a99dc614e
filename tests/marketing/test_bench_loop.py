"""One process of the engine against a bare loop, and BullMQ: that both sides do the work they are timed for."""

import pytest

from marketing.benching import bullmq, loop
from marketing.storming.crowd import Crowd
from tests.sandbox.cast import Sandbox
from tests.social.conftest import sandbox, sandbox_process  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(sandbox: Sandbox, monkeypatch) -> Crowd:  # noqa: F811
    monkeypatch.setattr(loop, "POSTS", 4)
    return Crowd(sandbox.url, 1)


@pytest.fixture
def live(sandbox: Sandbox):  # noqa: F811
    return lambda: sorted(post["text"] for post in sandbox.get("/posts")["posts"])


def test_bare_loop_makes_every_call(world, live) -> None:
    assert loop._bare(world) > 0
    assert live() == [f"Bare post {number}" for number in range(4)]


def test_engine_publishes_every_post(world, live) -> None:
    loop.loop_ratio(world)
    assert [text for text in live() if text.startswith("Calm")] == [f"Calm post {number}" for number in range(4)]


def test_ratio_is_that_of_both_speeds(world) -> None:
    found = loop.loop_ratio(world)
    ratio = found["posts_per_s_engine_in_one_process"] / found["posts_per_s_bare_loop"]
    assert found["engine_to_bare_loop"] == pytest.approx(ratio)


def test_post_takes_no_more_statements_than_promised(world) -> None:
    # Inside a test's own transaction each scope takes two more.
    assert loop.loop_ratio(world)["queries_per_post"] <= 66


def test_posts_that_stay_away_are_no_measurement(world, monkeypatch) -> None:
    world.prepare_calm(4)
    monkeypatch.setattr(loop, "_published", lambda: 0)
    with pytest.raises(AssertionError, match="0 of 4 published"):
        loop._engine()


def test_without_npm_nothing_is_measured(monkeypatch, capsys) -> None:
    monkeypatch.setattr(bullmq, "which", lambda _program: None)
    assert bullmq.bullmq_ratio() == {}
    assert "npm is not installed" in capsys.readouterr().err


def test_failed_installation_is_no_failure_of_the_benchmark(monkeypatch, capsys, tmp_path) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nexit 3\n")
    npm.chmod(0o755)
    monkeypatch.setattr(bullmq, "which", lambda _program: str(npm))
    assert bullmq.bullmq_ratio() == {}
    assert "Without BullMQ" in capsys.readouterr().err
