"""The plain writer puts a report's numbers into sentences, and invents none."""

import re

import pytest

from sandbox.llm.numbers import sentences_for
from tests.sandbox.llm_cast import prompt

ROLE = "You put numbers into words for people with little time."
TOLD = """Numbers:
- Clicks: 1,234; before: 1,100; change: +12.2 %
- Reach: 40; before: 80; change: −50 %
- Posts: 7; before: 7
- Revenue: 4,200.00 EUR
"""


def test_largest_changes_come_first_and_in_their_direction():
    tell = sentences_for(prompt(system=ROLE, user=TOLD))
    assert tell("text") == "Reach went down by 50 %, to 40 from 80."
    assert tell("text") == "Clicks went up by 12.2 %, to 1,234 from 1,100."
    assert tell("text") == "Posts: 7, as before."
    assert tell("text") == "Revenue: 4,200.00 EUR."
    assert tell("text") is None


def test_chinese_numbers_get_chinese_sentences():
    tell = sentences_for(prompt(system=ROLE, user="- 点击次数: 1,234; before: 1,100; change: +12.2 %"))
    assert tell("text") == "点击次数上升12.2 %，达到1,234，此前为1,100。"


@pytest.mark.parametrize("system", ["You write posts.", "You answer questions about numbers.", ""])
def test_other_prompts_are_left_alone(system: str):
    assert sentences_for(prompt(system=system, user=TOLD)) is None


def test_every_figure_was_given():
    tell = sentences_for(prompt(system=ROLE, user=TOLD))
    for sentence in iter(lambda: tell("text"), None):
        assert all(figure in TOLD for figure in re.findall(r"\d[\d.,]*\d|\d", sentence))
