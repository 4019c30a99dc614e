"""Language by letters, summaries of pages, keywords by number."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.safety.keywords import MOST, OFFERED, candidates, pick_ask, picked
from agents.safety.kinds import Intent, Route, Topic
from agents.safety.languages import language_of
from agents.safety.normalise import hear
from agents.safety.planner import Plan
from agents.safety.summary import summarise

PLAN = Plan(Route.SUMMARISE, Intent.OTHER, "en", (Topic.OPENING_HOURS, Topic.OFFERS))


@pytest.mark.parametrize(
    ("text", "told", "language"),
    [
        ("hello", "", "en"),
        ("bonjour", "fr", "fr"),
        ("hello", "zh", "en"),
        ("hello", "other", "en"),
        ("你好", "en", "zh"),
        ("これは日本語です", "", "ja"),
        ("안녕하세요", "", "ko"),
        ("привет", "", "ru"),
        ("مرحبا", "", "ar"),
        ("🙂", "", "en"),
    ],
)
def test_letters_show_the_language(text, told, language):
    assert language_of(text, told) == language


def test_a_summary_has_subjects_days_and_times_and_no_sentence():
    said = summarise(hear("<p>Zanzibar night on 1 June, Fridays 19:00 to 9 pm. Buy cheap-pills now.</p>"), PLAN)
    assert said == "A web page. Subjects: opening hours, offers. Days: 1 june, fridays. Times: 19:00, 9 pm. 13 words."


def test_a_page_without_anything_is_counted():
    assert summarise(hear("好"), Plan(Route.SUMMARISE, Intent.OTHER, "zh")) == "A web page. 1 words."


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_only_dates_and_times_of_a_page_come_through(text):
    said = summarise(hear(text), PLAN)
    kept = said.removeprefix("A web page. Subjects: opening hours, offers.")
    assert not [word for word in kept.split() if len(word) > 12]


def test_keywords_are_the_most_frequent_words():
    heard = hear("Espresso beans, espresso machines and the best espresso in Berlin; 手冲咖啡的手冲咖啡")
    found = candidates(heard)
    assert found[0] == "espresso"
    assert "手冲咖啡" in found
    assert "the" not in found
    assert len(found) <= OFFERED


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"numbers": [2, 1]}, ["b", "a"]),
        ({"numbers": [1, 1]}, ["a"]),
        ({"numbers": [0, 9, "x", None]}, ["a", "b", "c"]),
        ({}, ["a", "b", "c"]),
        (None, ["a", "b", "c"]),
        ("evil.example", ["a", "b", "c"]),
    ],
)
def test_a_model_chooses_by_number_and_nothing_else(data, found):
    assert picked(data, ["a", "b", "c"]) == found


def test_the_form_of_the_choice_has_no_text():
    ask = pick_ask(["a", "b"], "system")
    assert ask.schema["properties"]["numbers"]["items"] == {"type": "integer", "minimum": 1, "maximum": 2}
    assert ask.schema["properties"]["numbers"]["maxItems"] == MOST
    assert ask.tools == ()
