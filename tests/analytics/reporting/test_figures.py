"""A text is held against the data: what stands in it, and what does not."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.reporting.figures import Fact, check_text

FACTS = [
    Fact("clicks", "Clicks", "1,234"),
    Fact("clicks.before", "Clicks, before", "1,100"),
    Fact("clicks.change", "Clicks, change", "+12.2 %", 0.122),
    Fact("reach.change", "Reach, change", "−8 %", -0.08),
    Fact("rate", "Engagement", "3.4 %"),
    Fact("revenue", "Revenue", "4,200.00 EUR"),
    Fact("cost", "Cost", "$0.215"),
    Fact("posts", "Posts", "7"),
    Fact("best", "Best hour", "Tuesday, 09:00–10:00"),
]
WEEK = [date(2026, 11, 9) + timedelta(days=n) for n in range(7)]

GOOD = [
    ("Clicks rose 12.2 % to 1,234 from 1,100.", {"clicks", "clicks.before", "clicks.change"}),
    ("Clicks rose 12.2% to 1,234.", {"clicks", "clicks.change"}),
    ("Reach fell by 8 %, while clicks reached 1,234.", {"reach.change", "clicks"}),
    ("A change of −8 % in reach.", {"reach.change"}),
    ("点击达到1,234次，增长12.2%。", {"clicks", "clicks.change"}),
    ("触达下降了8 %。", {"reach.change"}),
    ("Revenue was 4,200.00 EUR in 9–15 Nov.", {"revenue"}),
    ("On 12 November 2026 it cost $0.215.", {"cost"}),
    ("11月12日发布了7篇。", {"posts"}),
    ("Post on Tuesday, 09:00–10:00 again.", {"best"}),
    ("One of them stood out, and some did not.", set()),
    ("2026 began well.", set()),
    ("我们统一安排，一些帖子表现更好。", set()),
    ("", set()),
]
BAD = [
    ("Clicks were 234.", "234"),
    ("Clicks were 1,2345.", "1,2345"),
    ("Clicks were 1,235.", "1,235"),
    ("Clicks were 1234.5.", "1234.5"),
    ("Clicks were 1,234 %.", "1,234"),
    ("Clicks were 1,234k.", "1,234"),
    ("点击为1,234万次。", "1,234"),
    ("Revenue was $4,200.00.", "4,200.00"),
    ("It cost 0.215.", "0.215"),
    ("Clicks fell 12.2 %.", "12.2 %"),
    ("Reach rose 8 %.", "8 %"),
    ("Reach changed by 8 %.", "8 %"),
    ("7 % of them clicked.", "7"),
    ("Clicks doubled.", "doubled"),
    ("Twice as many clicks.", "Twice"),
    ("Half of the visitors left.", "Half"),
    ("Seven posts and twenty more.", "twenty"),
    ("Clicks grew by a third, two thirds of it on Monday.", "two thirds"),
    ("点击增长了三倍。", "三"),
    ("转化翻番。", "翻番"),
    ("约一百二十次点击。", "一百二十"),
    ("五成用户点击。", "五"),
    ("On 16 Nov it ended.", "16"),
    ("2025 was worse.", "2025"),
    ("It is the ① of all.", "①"),
    ("٣٤ clicks", "٣٤"),
    ("Clicks +1,234.", "1,234"),
    ("A minus of -7.", "7"),
]


@pytest.mark.parametrize(("text", "cites"), GOOD, ids=[text[:40] for text, _ in GOOD])
def test_what_stands_in_the_data_is_cited(text: str, cites: set[str]):
    found = check_text(text, FACTS, WEEK)
    assert found.unknown == ()
    assert set(found.cites) == cites


@pytest.mark.parametrize(("text", "unknown"), BAD, ids=[text[:40] for text, _ in BAD])
def test_what_does_not_is_found(text: str, unknown: str):
    assert unknown in check_text(text, FACTS, WEEK).unknown


def test_of_two_alike_the_one_that_is_named_is_cited():
    alike = [Fact("ai", "Cost of AI", "$0.00"), Fact("media", "Media costs", "$0.00")]
    assert check_text("Media costs stayed at $0.00.", alike).cites == ("media",)
    assert check_text("It cost $0.00.", alike).cites == ("ai",)


@given(
    st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from(["{} clicks", "点击{}次", "it was {}, then", "({})"])
)
def test_a_number_is_known_exactly_where_it_is_the_same(stated: int, true: int, sentence: str):
    found = check_text(sentence.format(f"{stated:,}"), [Fact("clicks", "Clicks", f"{true:,}")])
    assert (found.unknown == ()) == (stated == true)


@given(st.text(max_size=80))
def test_any_text_is_judged(text: str):
    found = check_text(text, FACTS, WEEK)
    assert all(name in {fact.id for fact in FACTS} for name in found.cites)
