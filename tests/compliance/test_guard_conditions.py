from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.guard.conditions import MAX_DEPTH, check_when, compile_when
from compliance.guard.rules import BadPack

RATE = {"*_last_hour": {"gte": {"fact": "limit_per_hour|hourly_limit"}}}


def holds(when: dict[str, Any], **facts: Any) -> bool:
    check_when(when)
    return compile_when(when)(facts)


@pytest.mark.parametrize(
    ("when", "facts", "wanted"),
    [
        pytest.param({}, {}, True, id="nothing asked"),
        pytest.param({"a": True}, {"a": True}, True, id="equal"),
        pytest.param({"a": True}, {"a": False}, False, id="unequal"),
        pytest.param({"a": True}, {}, False, id="absent is not true"),
        pytest.param({"a": False}, {}, False, id="absent is not false"),
        pytest.param({"a": False}, {"a": None}, False, id="null is not false"),
        pytest.param({"a": False}, {"a": False}, True, id="false is false"),
        pytest.param({"a": "Human Agent"}, {"a": "human_agent"}, True, id="spelling of words"),
        pytest.param({"a": "human-agent"}, {"a": " HUMAN AGENT "}, True, id="case and space"),
        pytest.param({"a": "1"}, {"a": 1}, False, id="a word is no number"),
        pytest.param({"a": ["x", "y"]}, {"a": "y"}, True, id="one of"),
        pytest.param({"a": ["x", "y"]}, {"a": "z"}, False, id="none of"),
        pytest.param({"a": ["human*"]}, {"a": "human_agent"}, True, id="begins as"),
        pytest.param({"a": ["human*"]}, {"a": "superhuman"}, False, id="begins otherwise"),
        pytest.param({"a": ["human*"]}, {"a": 3}, False, id="number against words"),
        pytest.param({"a": {"not_in": ["x"]}}, {"a": "y"}, True, id="not in"),
        pytest.param({"a": {"not_in": ["x"]}}, {}, False, id="not in asks for a fact"),
        pytest.param({"a": {"gte": 2}}, {"a": 2}, True, id="at least"),
        pytest.param({"a": {"gte": 2}}, {"a": 1}, False, id="less"),
        pytest.param({"a": {"gt": 2}}, {"a": 2}, False, id="more than"),
        pytest.param({"a": {"lt": 2}}, {"a": 1.5}, True, id="less than"),
        pytest.param({"a": {"lte": 0}}, {"a": 0}, True, id="at most"),
        pytest.param({"a": {"gt": 1, "lte": 3}}, {"a": 3}, True, id="between"),
        pytest.param({"a": {"gt": 1, "lte": 3}}, {"a": 4}, False, id="beyond"),
        pytest.param({"a": {"gte": 2}}, {"a": "many"}, False, id="a word has no size"),
        pytest.param({"a": {"gte": 1}}, {"a": True}, True, id="yes counts as one"),
        pytest.param({"a": {"missing": True}}, {}, True, id="missing"),
        pytest.param({"a": {"missing": True}}, {"a": None}, True, id="null is missing"),
        pytest.param({"a": {"missing": True}}, {"a": False}, False, id="false is there"),
        pytest.param({"a": {"missing": False}}, {"a": 0}, True, id="zero is there"),
        pytest.param({"a|b": True}, {"b": True}, True, id="other name"),
        pytest.param({"a|b": True}, {"a": False, "b": True}, True, id="one name is enough"),
        pytest.param({"a|b": {"missing": True}}, {"b": 1}, False, id="missing under all names"),
        pytest.param({"a": True, "b": True}, {"a": True}, False, id="every entry"),
        pytest.param({"any": [{"a": True}, {"b": True}]}, {"b": True}, True, id="any"),
        pytest.param({"any": [{"a": True}, {"b": True}]}, {}, False, id="not any"),
        pytest.param({"a": True, "none": [{"b": True}]}, {"a": True}, True, id="none"),
        pytest.param({"a": True, "none": [{"b": True}]}, {"a": True, "b": True}, False, id="one of none"),
        pytest.param(RATE, {"sent_last_hour": 3, "limit_per_hour": 3}, True, id="at the limit"),
        pytest.param(RATE, {"sent_last_hour": 2, "limit_per_hour": 3}, False, id="below the limit"),
        pytest.param(RATE, {"sent_last_hour": 9}, False, id="no limit known"),
        pytest.param(RATE, {"dms_last_hour": 9, "hourly_limit": 3}, True, id="other names on both sides"),
        pytest.param({"*_24h": {"gte": {"fact": "limit_24h"}}}, {"limit_24h": 5}, False, id="the limit is no count"),
    ],
)
def test_condition_holds_or_not(when: dict[str, Any], facts: dict[str, Any], wanted: bool) -> None:
    assert holds(when, **facts) is wanted


@pytest.mark.parametrize(
    "when",
    [
        pytest.param([], id="list"),
        pytest.param({"a": None}, id="null"),
        pytest.param({"a": []}, id="empty list"),
        pytest.param({"a": {}}, id="empty mapping"),
        pytest.param({"a": {"about": 3}}, id="unknown operator"),
        pytest.param({"a": {"gte": "three"}}, id="word as a measure"),
        pytest.param({"a": {"gte": {"fact": ""}}}, id="nameless measure"),
        pytest.param({"any": {"a": True}}, id="any of a mapping"),
        pytest.param({"any": []}, id="any of nothing"),
        pytest.param({"none": [{"a": None}]}, id="fault inside"),
        pytest.param({"a": {"missing": "yes"}}, id="word for missing"),
        pytest.param({f"a{number}": True for number in range(21)}, id="too many entries"),
    ],
)
def test_what_is_no_condition_is_refused_with_a_reason(when: Any) -> None:
    with pytest.raises(BadPack, match=r"when: ."):
        check_when(when)


def test_nesting_has_an_end() -> None:
    def nested(depth: int) -> dict[str, Any]:
        return {"any": [nested(depth - 1)]} if depth else {"a": True}

    check_when(nested(MAX_DEPTH))
    with pytest.raises(BadPack, match="levels"):
        check_when(nested(MAX_DEPTH + 1))


facts_strategy = st.dictionaries(
    st.sampled_from(["a", "b", "c_24h", "limit_24h"]),
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
)
leaf_strategy = st.dictionaries(
    st.sampled_from(["a", "b", "a|b", "*_24h"]),
    st.booleans()
    | st.lists(st.integers(-3, 3), min_size=1, max_size=2)
    | st.fixed_dictionaries({"gte": st.integers(-3, 3) | st.just({"fact": "limit_24h"})})
    | st.fixed_dictionaries({"missing": st.booleans()}),
    max_size=2,
)


@settings(deadline=None)
@given(leaf_strategy, facts_strategy)
def test_none_is_the_opposite_of_any(when: dict[str, Any], facts: dict[str, Any]) -> None:
    assert holds({"any": [when]}, **facts) is not holds({"none": [when]}, **facts)


@settings(deadline=None)
@given(leaf_strategy, facts_strategy)
def test_any_of_one_is_that_one(when: dict[str, Any], facts: dict[str, Any]) -> None:
    assert holds({"any": [when]}, **facts) is holds(when, **facts)


@settings(deadline=None)
@given(leaf_strategy, facts_strategy)
def test_a_null_fact_changes_nothing(when: dict[str, Any], facts: dict[str, Any]) -> None:
    known = {name: value for name, value in facts.items() if value is not None}

    assert holds(when, **facts) is holds(when, **known)


@settings(deadline=None)
@given(st.integers(-5, 50), st.integers(-5, 50))
def test_a_rate_is_reached_exactly_at_its_limit(sent: int, limit: int) -> None:
    assert holds(RATE, sent_last_hour=sent, limit_per_hour=limit) is (sent >= limit)
