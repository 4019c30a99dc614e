"""WCAG 2.2 contrast of the colour tokens, in both themes."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TOKENS = (Path(settings.BASE_DIR) / "static/css/tokens.css").read_text()
PAIRS = {
    name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", TOKENS)
}
THEMES = {"light": 0, "dark": 1}
INKS = ["text", "muted", "accent", "danger", "warning", "success", "info"]
GROUNDS = ["bg", "surface", "raised", "sunken", "hover"]
STATES = sorted(name for name in PAIRS if name.startswith("st-"))
AA_TEXT = 4.5
AA_GRAPHIC = 3.0

Colour = tuple[float, ...]


def colour(name: str, theme: str) -> Colour:
    value = PAIRS[name][THEMES[theme]]
    return tuple(int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))


def luminance(rgb: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def tinted(ink: Colour, ground: Colour, share: float) -> Colour:
    return tuple(a * share + b * (1 - share) for a, b in zip(ink, ground, strict=True))


def test_black_on_white_is_the_known_maximum() -> None:
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("ink", INKS)
def test_text_is_readable_on_every_ground(ink: str, ground: str, theme: str) -> None:
    assert contrast(colour(ink, theme), colour(ground, theme)) >= AA_TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", STATES)
def test_a_state_is_readable_on_its_own_tint(state: str, theme: str) -> None:
    ink = colour(state, theme)
    assert contrast(ink, tinted(ink, colour("surface", theme), 0.13)) >= AA_TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("fill", ["primary", "primary-hover", "danger-solid", "danger-solid-hover"])
def test_white_is_readable_on_a_filled_button(fill: str, theme: str) -> None:
    assert contrast((1, 1, 1), colour(fill, theme)) >= AA_TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["surface", "bg"])
def test_the_edge_of_a_control_and_the_focus_ring_can_be_seen(ground: str, theme: str) -> None:
    assert contrast(colour("border-strong", theme), colour(ground, theme)) >= AA_GRAPHIC
    assert contrast(colour("accent", theme), colour(ground, theme)) >= AA_GRAPHIC


@pytest.mark.parametrize("theme", THEMES)
def test_a_selected_entry_is_readable_on_its_tint(theme: str) -> None:
    assert contrast(colour("accent", theme), colour("accent-tint", theme)) >= AA_TEXT
