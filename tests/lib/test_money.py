import pytest

from lib.money import dollars


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "$0.00"),
        (15_000, "$0.015"),
        (200_000, "$0.20"),
        (215_000, "$0.215"),
        (1_000_000, "$1.00"),
        (1_500_000, "$1.50"),
        (1, "$0.000001"),
        (12_345_678_900, "$12,345.6789"),
        (-15_000, "−$0.015"),
    ],
)
def test_an_amount_has_cents_and_more_digits_only_where_it_needs_them(micro, text):
    assert dollars(micro) == text
