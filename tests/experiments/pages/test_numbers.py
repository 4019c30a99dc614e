import math

import pytest

from experiments.pictures import bar_of, scale_of
from experiments.templatetags.experiment_numbers import in_words, lift, millionths, percent, plainly


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0512, "5.1 %"), (0.5, "50 %"), (0.0021, "0.21 %"), (0.00021, "0.021 %"), (0, "0 %"), (1, "100 %"), (None, "–")],
)
def test_rates_keep_digits_that_say_something(value, text):
    assert percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123, "+12 %"),
        (-0.034, "−3.4 %"),
        (0.0001, "0.0 %"),
        (25.0, "> +1,000 %"),
        (math.inf, "> +1,000 %"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_lifts_have_their_sign(value, text):
    assert lift(value) == text


def test_settings_are_told_in_words():
    assert in_words("mde") == "Smallest difference worth finding"
    assert in_words("pairs") == "Pairs"
    assert plainly([{"weekday": 1, "time": "17:00"}]) == "weekday 1, time 17:00"
    assert plainly(0.05) == "0.05"
    assert millionths(1_500_000) == "1.50"


def test_bars_share_a_scale_and_stay_inside():
    wide = {"interval": [-0.5, 0.7], "shrunk": 0.1}
    scale = scale_of({"arms": [{"lift": wide}, {"lift": None}]})
    bar = bar_of(wide, scale)
    assert 0 <= bar.low < bar.at < bar.high <= 200
    assert not bar.is_cut
    assert bar_of({"interval": [-9.0, 9.0], "shrunk": 0}, 2.0).is_cut
    assert bar_of({"interval": [-0.1, 0.1], "shrunk": 0}, 1.0).at == 100
