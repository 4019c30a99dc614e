import numpy as np
import pytest

from experiments.stats import gp
from experiments.stats.errors import StatsError
from experiments.stats.optimiser import (
    Category,
    Continuous,
    Observation,
    Periodic,
    Space,
    outside_hours,
    recommend,
    suggest,
)

WEEK = Space((Periodic("hour", 24), Periodic("weekday", 7)))
MIXED = Space((Continuous("length", 20, 280), Periodic("hour", 24), Category("format", ("text", "image", "video"))))


def wave(point):
    return 0.3 * np.cos((point["hour"] - 18) * np.pi / 12) + 0.15 * np.cos((point["weekday"] - 2) * 2 * np.pi / 7)


def seen_at(space, count, f, noise=0.7, seed=1):
    rng = np.random.default_rng(seed)
    points = [space.decode(row) for row in space.sobol(count, seed)]
    return [Observation(point, f(point) + rng.normal(0, noise), noise**2) for point in points]


def finite_difference(kernel, gaps, logs, index):
    step = np.zeros(len(logs))
    step[index] = 1e-6
    return (kernel.value(gaps, logs + step) - kernel.value(gaps, logs - step)) / 2e-6


def test_slopes_of_the_kernel_are_its_derivatives():
    rng = np.random.default_rng(1)
    kernel = gp.Kernel(("continuous", "periodic", "category", "continuous"))
    rows = np.column_stack([rng.random(9), rng.random(9), rng.integers(0, 3, 9), rng.random(9)])
    gaps = gp.distances(kernel.kinds, rows, rows)
    logs = rng.normal(0, 0.5, 5)
    value, slopes = kernel.value_and_slopes(gaps, logs)
    assert np.linalg.eigvalsh(value).min() > -1e-9
    assert np.diag(value) == pytest.approx(np.exp(logs[0]))
    for index in range(5):
        assert slopes[index] == pytest.approx(finite_difference(kernel, gaps, logs, index), abs=1e-6)


def test_a_fit_without_noise_passes_through_its_points():
    rows = np.random.default_rng(2).random((25, 2))
    y = np.sin(6 * rows[:, 0]) + rows[:, 1] ** 2
    posterior = gp.fit(["continuous", "continuous"], rows, y, np.zeros(25))
    mean, sd = posterior.at(rows)
    assert mean == pytest.approx(y, abs=1e-3)
    assert sd.max() < 0.01
    fresh = np.random.default_rng(3).random((200, 2))
    assert np.abs(posterior.at(fresh)[0] - np.sin(6 * fresh[:, 0]) - fresh[:, 1] ** 2).mean() < 0.05


def test_the_posterior_covers_the_truth_as_often_as_it_says():
    grid = WEEK.cells()
    truth = np.array([wave(WEEK.decode(row)) for row in grid])
    inside = []
    for seed in range(15):
        seen = seen_at(WEEK, 80, wave, seed=seed)
        y, noise = np.array([(one.y, one.noise) for one in seen]).T
        mean, sd = gp.fit(WEEK.kinds, WEEK.encode([one.point for one in seen]), y, noise).at(grid)
        inside.append(np.mean(np.abs(truth - mean) <= 1.645 * sd))
    assert 0.7 <= np.mean(inside) <= 1.0


def test_noise_alone_gives_a_flat_forecast():
    seen = seen_at(WEEK, 100, lambda point: 0.0)
    found = recommend(WEEK, seen)
    assert found.is_exploring
    assert found.lead < 0.5
    assert found.lead_interval[0] < 0


def test_periodic_dimensions_join_at_their_ends():
    seen = [Observation({"hour": hour, "weekday": 0}, float(hour == 23), 1e-6) for hour in (6, 9, 12, 15, 23)]
    y = np.array([one.y for one in seen])
    posterior = gp.fit(WEEK.kinds, WEEK.encode([one.point for one in seen]), y, np.full(5, 1e-6))
    after, before = posterior.at(WEEK.encode([{"hour": 0, "weekday": 0}, {"hour": 18, "weekday": 0}]))[0]
    assert after > before


def test_the_best_hour_is_found_from_many_posts():
    found = recommend(WEEK, seen_at(WEEK, 300, wave, noise=0.4))
    assert wave(found.point) > 0.38
    assert found.lead_interval[0] > 0
    assert not found.is_exploring


def test_below_sixty_observations_it_is_still_exploring():
    assert recommend(WEEK, seen_at(WEEK, 59, wave, noise=0.05)).is_exploring
    assert not recommend(WEEK, seen_at(WEEK, 60, wave, noise=0.05)).is_exploring


@pytest.mark.parametrize("method", ["thompson", "noisy_ei"])
def test_nothing_is_suggested_in_quiet_hours(method):
    space = Space(WEEK.dimensions, outside_hours(22, 7))
    early = [suggest(space, [], seed=seed, count=3, method=method) for seed in range(5)]
    late = [suggest(space, seen_at(space, 30, wave, seed=seed), seed=seed, count=2, method=method) for seed in range(3)]
    hours = {point["hour"] for points in early + late for point in points}
    assert all(7 <= hour < 22 for hour in hours)
    assert 7 <= recommend(space, seen_at(space, 30, wave)).point["hour"] < 22


@pytest.mark.parametrize(
    ("start", "end", "quiet"),
    [(22, 7, {22, 23, 0, 3, 6}), (1, 5, {1, 2, 3, 4}), (9, 9, set()), (0, 24, set(range(24)))],
)
def test_quiet_hours_may_pass_midnight(start, end, quiet):
    allowed = outside_hours(start, end)
    assert {hour for hour in quiet if allowed({"hour": hour})} == set()
    assert all(allowed({"hour": hour}) for hour in (8, 12, 20) if hour not in quiet)


def test_where_nothing_is_allowed_it_says_so():
    space = Space(WEEK.dimensions, lambda point: False)
    seen = [Observation({"hour": 1, "weekday": 1}, 0.0, 1.0)] * 9
    for act in (
        lambda: suggest(space, [], seed=1),
        lambda: suggest(space, seen, seed=1),
        lambda: recommend(space, seen),
    ):
        with pytest.raises(StatsError, match="Nothing is allowed"):
            act()


def test_the_first_points_spread_over_the_space():
    points = [suggest(WEEK, seen_at(WEEK, count, wave), seed=3)[0] for count in range(5)]
    assert len({point["hour"] for point in points}) == 5
    assert points == suggest(WEEK, [], seed=3, count=5)


@pytest.mark.parametrize("method", ["thompson", "noisy_ei"])
def test_every_suggestion_is_a_point_of_the_space(method):
    def f(point):
        return point["length"] / 280 + (point["format"] == "video")

    seen = seen_at(MIXED, 20, f, noise=0.05)
    for point in suggest(MIXED, seen, seed=5, count=3, method=method):
        assert 20 <= point["length"] <= 280
        assert point["hour"] in range(24)
        assert point["format"] in ("text", "image", "video")
    assert recommend(MIXED, seen).point["format"] == "video"


def test_a_batch_does_not_ask_the_same_twice():
    space = Space((Continuous("x", 0, 1),))
    seen = seen_at(space, 8, lambda point: np.sin(5 * point["x"]), noise=0.01)
    found = [point["x"] for point in suggest(space, seen, seed=2, count=3, method="noisy_ei")]
    assert len({round(x, 3) for x in found}) == 3


def test_a_smooth_function_is_maximised_in_few_steps():
    space = Space((Continuous("x", -5, 10), Continuous("y", 0, 15)))

    def branin(point):
        x, y = point["x"], point["y"]
        valley = (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
        return -valley - 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) - 10

    seen = []
    for _ in range(30):
        point = suggest(space, seen, seed=1, method="noisy_ei")[0]
        seen.append(Observation(point, branin(point), 0.0))
    assert max(one.y for one in seen) > -0.397887 - 0.1


@pytest.mark.parametrize("method", ["thompson", "noisy_ei"])
def test_the_same_observations_and_seed_give_the_same_points(method):
    seen = seen_at(MIXED, 15, lambda point: point["hour"] / 24)
    first, second = (suggest(MIXED, seen, seed=9, method=method) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("count", "y", "noise"), [(0, 0.0, 1.0), (501, 0.0, 1.0), (3, np.nan, 1.0), (3, 0.0, -1.0), (3, 0.0, np.inf)]
)
def test_what_cannot_be_fitted_is_refused(count, y, noise):
    with pytest.raises(StatsError, match=r"needs 1 to 500|must be finite"):
        gp.fit(["continuous"], np.zeros((count, 1)), np.full(count, y), np.full(count, noise))


def test_equal_points_and_equal_outcomes_do_not_break_the_fit():
    seen = [Observation({"hour": 9, "weekday": 1}, 2.0, 0.0)] * 12
    assert recommend(WEEK, seen).mean == pytest.approx(2.0)
    assert suggest(WEEK, seen, seed=1, method="noisy_ei")
