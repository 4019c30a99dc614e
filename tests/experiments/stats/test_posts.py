import numpy as np
import pytest
from scipy import stats

from experiments.stats.posts import Post, features, fit_baseline, log_odds, residuals


def some_posts(count, seed):
    rng = np.random.default_rng(seed)
    kinds = ["text", "image", "video"]
    return [
        Post(rng.integers(24), int(rng.integers(7)), kinds[rng.integers(3)], int(rng.integers(20, 280)), 1000 + 10 * i)
        for i in range(count)
    ]


def truth(posts):
    """A forecast that the baseline can find: hour, weekend and format matter."""
    lift = {"text": 0.0, "image": 0.4, "video": -0.3}
    return np.array(
        [-4 + 0.5 * np.cos((p.hour - 19) * np.pi / 12) + 0.3 * (p.weekday >= 5) + lift[p.format] for p in posts]
    )


def observed(posts, seed, spread=0.3, reach=3000):
    rng = np.random.default_rng(seed)
    rate = 1 / (1 + np.exp(-(truth(posts) + rng.normal(0, spread, len(posts)))))
    return log_odds(rng.binomial(reach, rate), np.full(len(posts), reach))


@pytest.mark.parametrize(
    ("events", "exposures", "y", "v"),
    [
        (0, 0, 0.0, 4.0),
        (0, 10, np.log(0.5 / 10.5), 2 + 1 / 10.5),
        (10, 10, np.log(21), 2 + 1 / 10.5),
        (5, 10, 0, 2 / 5.5),
    ],
)
def test_log_odds_of_small_tables(events, exposures, y, v):
    assert log_odds(events, exposures) == (pytest.approx(y), pytest.approx(v))


def test_the_variance_is_that_of_repeated_samples():
    sample = np.random.default_rng(1).binomial(3000, 0.02, 40_000)
    y, v = log_odds(sample, np.full_like(sample, 3000))
    assert y.var() == pytest.approx(v.mean(), rel=0.05)
    assert y.mean() == pytest.approx(np.log(0.02 / 0.98), abs=0.005)


@pytest.mark.parametrize(("events", "exposures"), [(3, 2), (-1, 2), (np.nan, 2), (1, np.nan), (1, np.inf)])
def test_impossible_counts_are_refused(events, exposures):
    with pytest.raises(ValueError, match="between 0 and"):
        log_odds([events], [exposures])


def test_the_baseline_finds_what_drives_posts():
    posts, fresh = some_posts(400, 1), some_posts(300, 2)
    baseline = fit_baseline(posts, *observed(posts, 3))
    assert np.corrcoef(baseline.forecast(fresh), truth(fresh))[0, 1] > 0.95
    assert baseline.spread == pytest.approx(0.3, abs=0.06)


def test_residuals_of_fresh_posts_are_free_of_the_forecast():
    posts, fresh = some_posts(400, 1), some_posts(300, 5)
    baseline = fit_baseline(posts, *observed(posts, 3))
    left = residuals(baseline, fresh, observed(fresh, 6)[0])
    assert abs(left.mean()) < 0.08
    assert left.std() < 0.75 * observed(fresh, 6)[0].std()
    assert stats.pearsonr(left, truth(fresh)).pvalue > 0.001


def test_a_lift_of_one_arm_stays_in_the_residual():
    posts, fresh = some_posts(400, 1), some_posts(200, 5)
    baseline = fit_baseline(posts, *observed(posts, 3))
    y = observed(fresh, 6)[0] + np.where(np.arange(200) % 2, 0.3, 0.0)
    left = residuals(baseline, fresh, y)
    assert left[1::2].mean() - left[::2].mean() == pytest.approx(0.3, abs=0.15)


def test_noise_gives_a_flat_forecast():
    posts = some_posts(60, 7)
    y = np.random.default_rng(8).normal(-4, 0.7, 60)
    assert fit_baseline(posts, y, np.full(60, 0.02)).forecast(some_posts(200, 9)).std() < 0.35


def test_precise_posts_weigh_more():
    posts = [Post(12, 0, "text", 100, 1000)] * 20
    y = np.array([-4.0] * 10 + [-2.0] * 10)
    v = np.array([0.001] * 10 + [50.0] * 10)
    assert fit_baseline(posts, y, v).forecast(posts[:1])[0] < -3


def test_one_post_forecasts_itself_and_an_unknown_format_the_average():
    post = Post(9, 1, "text", 50, 10)
    baseline = fit_baseline([post], [-3.0], [0.1])
    assert baseline.forecast([post]) == pytest.approx([-3.0])
    assert np.isfinite(baseline.forecast([Post(9, 1, "poll", 50, 10)])).all()


def test_a_baseline_needs_posts_and_an_outcome_for_each():
    with pytest.raises(ValueError, match="needs posts"):
        fit_baseline([], [], [])
    with pytest.raises(ValueError, match="needs posts"):
        fit_baseline(some_posts(3, 1), [1.0], [1.0])


def test_midnight_follows_the_last_hour():
    late, early = (features([Post(hour, 0, "text", 1, 1)], ["text"]) for hour in (24.0, 0.0))
    assert late == pytest.approx(early)


def test_the_same_posts_give_the_same_numbers():
    posts = some_posts(100, 1)
    first, second = (fit_baseline(posts, *observed(posts, 3)) for _ in range(2))
    assert (first.coefficients == second.coefficients).all()
