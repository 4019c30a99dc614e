"""The guard's measurement at a tiny size: that it measures what it says."""

import pytest

from marketing.benching import guard


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_check_is_measured_against_a_bare_pass(language: str, monkeypatch) -> None:
    monkeypatch.setattr(guard, "ROUNDS", 3)
    found = guard.guard_ratio()
    whole, bare = found[f"guard_500_{language}_p50_ms"], found[f"guard_500_{language}_bare_pass_ms"]
    assert found[f"guard_500_{language}_to_bare_pass"] == whole / bare
    assert whole > bare > 0
    assert found[f"guard_500_{language}_p95_ms"] >= whole


def test_an_engine_that_fails_is_no_measurement(monkeypatch) -> None:
    class Broken:
        name = "broken"

        def check(self, *_: object) -> None:
            raise RuntimeError

    monkeypatch.setattr("compliance.guard.pipeline.ENGINES", (Broken(),))
    with pytest.raises(AssertionError, match="broken"):
        guard.guard_ratio()
