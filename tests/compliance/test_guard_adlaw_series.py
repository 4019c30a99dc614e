from typing import Any

import pytest

from tests.compliance.guard_adlaw_series import ROWS
from tests.compliance.test_guard_adlaw import LOOKS, judge


@pytest.mark.parametrize(("text", "industry", "facts", "verdict", "rules"), ROWS, ids=[row[0][:12] for row in ROWS])
def test_each_member_of_a_series_breaks_the_rules_of_the_series(
    text: str, industry: str, facts: dict[str, Any], verdict: str, rules: str
) -> None:
    decision = judge(text, industry, facts)
    assert (decision.verdict, decision.rules - LOOKS) == (verdict, frozenset(rules.split()))
