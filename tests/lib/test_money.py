import pytest

from lib.money import dollars


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "$0.00"),
        (200_000, "$0.20"),
        (15_000, "$0.015"),
        (260_000, "$0.26"),
        (1, "$0.000001"),
        (5_000_000, "$5.00"),
        (1_200_000_000, "$1,200.00"),
        (-15_000, "−$0.015"),
    ],
)
def test_an_amount_has_cents_and_as_many_more_digits_as_it_needs(micro: int, text: str) -> None:
    assert dollars(micro) == text
