"""A12: how well the optimiser finds what is best in few trials."""

from collections.abc import Callable

import numpy as np

from experiments.simulations.measures import Measure, at_least, at_most
from experiments.stats.optimiser import Continuous, Observation, Periodic, Point, Space, recommend, suggest

BRANIN = Space((Continuous("x", -5, 10), Continuous("y", 0, 15)))
BRANIN_BEST = -0.39788735772973816
HARTMANN = Space(tuple(Continuous(f"x{number}", 0, 1) for number in range(6)))
HARTMANN_BEST = 3.322368011415515
WEEK = Space((Periodic("hour", 24), Periodic("weekday", 7)))

# Hartmann's function in six dimensions (Dixon & Szegő 1978).
HEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
WIDTHS = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def branin(point: Point) -> float:
    x, y = float(point["x"]), float(point["y"])
    valley = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
    return float(-(valley**2) - 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) - 10)


def hartmann(point: Point) -> float:
    x = np.array([float(point[f"x{number}"]) for number in range(6)])
    return float(HEIGHTS @ np.exp(-(WIDTHS * (x - CENTRES) ** 2).sum(axis=1)))


def known_functions(runs: int = 9) -> list[Measure]:
    regrets = [
        np.median([best - _best_seen(space, f, trials, seed) for seed in range(count)])
        for space, f, best, trials, count in (
            (BRANIN, branin, BRANIN_BEST, 30, runs),
            (HARTMANN, hartmann, HARTMANN_BEST, 60, max(runs // 2, 1)),
        )
    ]
    return [
        at_most("Branin, 30 trials: median regret", float(regrets[0]), 0.05),
        at_most("Hartmann-6, 60 trials: median regret", float(regrets[1]), 0.45),
    ]


def _best_seen(space: Space, f: Callable[[Point], float], trials: int, seed: int) -> float:
    seen: list[Observation] = []
    while len(seen) < trials:
        point = suggest(space, seen, seed=seed, method="noisy_ei")[0]
        seen.append(Observation(point, f(point), 0.0))
    return max(one.y for one in seen)


def send_times(runs: int = 24, posts: int = 60, noise: float = 0.7, amplitude: float = 0.3) -> list[Measure]:
    """Share of the attainable gain that the recommended slot keeps; weekdays move half as much as hours."""
    found = [_kept_gain(posts, noise, amplitude, seed) for seed in range(runs)]
    return [at_least(f"send time, {posts} posts: share of the gain", float(np.mean(found)), 0.60)]


def _kept_gain(posts: int, noise: float, amplitude: float, seed: int) -> float:
    rng = np.random.default_rng([12, seed])
    hour, weekday = rng.integers(24), rng.integers(7)

    def gain(point: Point) -> float:
        daily = np.cos((float(point["hour"]) - hour) * 2 * np.pi / 24)
        return float(amplitude * (daily + np.cos((float(point["weekday"]) - weekday) * 2 * np.pi / 7) / 2))

    seen: list[Observation] = []
    while len(seen) < posts:
        for point in suggest(WEEK, seen, seed=seed, count=2):
            seen.append(Observation(point, gain(point) + rng.normal(0, noise), noise**2))
    return gain(recommend(WEEK, seen).point) / (1.5 * amplitude)
