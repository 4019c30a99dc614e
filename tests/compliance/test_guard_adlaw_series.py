import pytest

from tests.compliance.guard_adlaw_series import SERIES, Series
from tests.compliance.test_guard_adlaw import LOOKS, judge


@pytest.mark.parametrize("series", SERIES, ids=[f"{row.industry}-{row.rules or row.verdict}" for row in SERIES])
def test_a_whole_series_breaks_the_same_rules(series: Series) -> None:
    answers = [(text, judge(text, series.industry, series.facts)) for text in series.texts]
    found = {text: (answer.verdict, answer.rules - LOOKS) for text, answer in answers}
    assert found == dict.fromkeys(series.texts, (series.verdict, frozenset(series.rules.split())))


def test_the_series_are_long_and_of_every_verdict() -> None:
    counts = {
        verdict: sum(len(row.texts) for row in SERIES if row.verdict == verdict) for verdict in ("block", "allow")
    }
    assert min(counts.values()) >= 200
    assert len({text for row in SERIES for text in row.texts}) >= 800
