"""A2 and A3: our methods against other ways to the same answer, on fresh random inputs; and edges that crash others."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from experiments.simulations import oracles
from experiments.simulations.measures import Measure, at_least, at_most
from experiments.simulations.oracles import Numbers
from experiments.stats.bayes import best_arm, compare, posterior_of
from experiments.stats.errors import StatsError
from experiments.stats.exact import boschloo_p, fisher_p
from experiments.stats.frequentist import (
    means_of_sums,
    pooled_test,
    score_interval_of_difference,
    score_interval_of_ratio,
    table_of,
    welch_test,
)
from experiments.stats.paired import sign_flip_test
from experiments.stats.power import Design, sample_sizes
from experiments.stats.sequential import ratio_evidence, share_evidence
from experiments.stats.shrinkage import fit_beta, random_effects
from experiments.stats.srm import CONCENTRATION, check_ratio

# Relative, and absolute where an integral was taken or a maximum searched for.
EXACT, INTEGRAL, SEARCH = (1e-6, 1e-9), (1e-6, 1e-6), (1e-4, 1e-4)

# Ours, the oracle's, and how far apart they may be.
Case = tuple[Numbers, Numbers, tuple[float, float]]


def agreement(inputs: int = 500) -> list[Measure]:
    return [_agreement(name, draw, inputs) for name, draw in METHODS.items()]


def _agreement(name: str, draw: Callable[[np.random.Generator], Case], inputs: int) -> Measure:
    cases = [draw(np.random.default_rng([2, len(name), number])) for number in range(inputs)]
    return at_least(f"{name}: inputs that agree", float(np.mean([_agrees(*case) for case in cases])), 0.995)


def _agrees(ours: Numbers, theirs: Numbers, tolerance: tuple[float, float]) -> bool:
    relative, absolute = tolerance
    return bool(np.allclose(ours, theirs, rtol=relative, atol=absolute))


def _table(rng: np.random.Generator, most: float = 5_000) -> tuple[int, int, int, int]:
    n1, n2 = (int(n) for n in np.exp(rng.uniform(np.log(20), np.log(most), 2)))
    rate = float(np.exp(rng.uniform(np.log(0.01), np.log(0.5))))
    x1, x2 = (
        int(min(max(rng.binomial(n, min(rate * lift, 0.9)), 1), n - 1))
        for n, lift in ((n1, 1), (n2, rng.uniform(0.7, 1.6)))
    )
    return x1, n1, x2, n2


def _two_rates(rng: np.random.Generator) -> Case:
    cells = _table(rng)
    table = table_of(*cells)
    ours = [
        pooled_test(table).p,
        fisher_p(table),
        *score_interval_of_difference(table),
        *score_interval_of_ratio(table),
    ]
    return ours, oracles.two_rates(*cells), EXACT


def _boschloo(rng: np.random.Generator) -> Case:
    cells = _table(rng, most=60)
    return [boschloo_p(table_of(*cells))], oracles.boschloo(*cells), SEARCH


def _welch(rng: np.random.Generator) -> Case:
    samples = [rng.gamma(2, rng.uniform(1, 4), int(rng.integers(2, 400))) for _ in range(2)]
    control, variant = (means_of_sums(len(part), part.sum(), (part**2).sum()) for part in samples)
    found = welch_test(control, variant)
    return [found.t, found.p, *found.interval], oracles.welch(*samples), EXACT


def _rates_compared(rng: np.random.Generator) -> Case:
    x1, n1, x2, n2 = _table(rng)
    control, variant = posterior_of(x1, n1), posterior_of(x2, n2)
    found = compare(control, variant)
    ours = [found.chance_to_win, found.risk_choose_variant, found.risk_choose_control, *found.diff_interval]
    return ours, oracles.rates_compared(*control, *variant), INTEGRAL


def _best_of(rng: np.random.Generator) -> Case:
    posteriors = [posterior_of(*_table(rng)[:2]) for _ in range(int(rng.integers(2, 8)))]
    found = best_arm(posteriors)
    return [*found.p_best, *found.expected_loss], oracles.best_of([(one.a, one.b) for one in posteriors]), INTEGRAL


def _mixture(rng: np.random.Generator) -> Case:
    xa, xb = (int(count) for count in rng.integers(0, 400, 2))
    wb, c = float(rng.uniform(0.05, 0.95)), float(rng.choice([10, 40, 100]))
    return [share_evidence(xa, xb, wb, c).log_e], oracles.mixture(xa, xb, wb, c), EXACT


def _epoch_mixture(rng: np.random.Generator) -> Case:
    rows = [[float(rng.uniform(0.05, 0.95)), *map(float, rng.integers(0, 60, 2))] for _ in range(rng.integers(1, 9))]
    tau = float(rng.choice([0.2, 0.4, 0.7]))
    return [ratio_evidence(rows, tau).log_e], oracles.epoch_mixture(rows, tau), EXACT


def _ratio_of_counts(rng: np.random.Generator) -> Case:
    weights = rng.dirichlet([4] * int(rng.integers(2, 6))).tolist()
    counts = rng.multinomial(int(rng.integers(200, 100_000)), weights).tolist()
    found = check_ratio(counts, weights)
    return [found.p_chi2, found.log_e], oracles.ratio_of_counts(counts, weights, CONCENTRATION), EXACT


def _units_needed(rng: np.random.Generator) -> Case:
    p1, lift = float(np.exp(rng.uniform(-6, -1))), float(rng.uniform(0.05, 0.6))
    alpha, power = float(rng.choice([0.01, 0.05, 0.1])), float(rng.choice([0.7, 0.8, 0.9]))
    ours = sample_sizes(p1, p1 * (1 + lift), Design(alpha, power)).pooled
    return [ours], oracles.units_needed(p1, lift, alpha, power), EXACT


def _pairs(rng: np.random.Generator) -> Case:
    d = rng.normal(0.2, 0.6, int(rng.integers(2, 12))).round(2)
    found = sign_flip_test(d.tolist())
    return [found.p, found.hodges_lehmann], oracles.pairs(d), EXACT


def _random_effects(rng: np.random.Generator) -> Case:
    v = rng.uniform(0.02, 0.2, int(rng.integers(5, 40)))
    y = rng.normal(-3.5, rng.uniform(0.2, 0.6)) + rng.normal(0, np.sqrt(v + rng.uniform(0.02, 0.3)))
    found = random_effects(y.tolist(), v.tolist())
    # A flat likelihood leaves its own search less than six digits of tau.
    return [found.mu, found.tau], oracles.random_effects(y, v), (1e-5, 1e-5)


def _beta_binomial(rng: np.random.Generator) -> Case:
    n = rng.integers(50, 4_000, int(rng.integers(8, 25)))
    x = rng.binomial(n, rng.beta(4, 90, len(n)))
    return [fit_beta(x.tolist(), n.tolist()).log_likelihood], oracles.beta_binomial(x, n), EXACT


METHODS: dict[str, Callable[[np.random.Generator], Case]] = {
    "two rates": _two_rates,
    "Boschloo": _boschloo,
    "Welch": _welch,
    "beta posteriors": _rates_compared,
    "best of 2 to 7": _best_of,
    "e-process, one epoch": _mixture,
    "e-process, epochs": _epoch_mixture,
    "sample ratio": _ratio_of_counts,
    "sample size": _units_needed,
    "pairs": _pairs,
    "random effects": _random_effects,
    "beta-binomial": _beta_binomial,
}


def edges() -> list[Measure]:
    """Zero and full counts, huge counts and nonsense: an answer or a refusal in words, never anything else."""
    failed = sum(not _answers_or_refuses(act) for act in _edge_cases())
    return [at_most("edge cases that crash or answer NaN", failed, 0)]


def _edge_cases() -> Iterator[Callable[[], object]]:
    full, huge = (100, 100, 100, 100), (5, 10**12, 9, 10**12)
    for cells in [
        (0, 100, 0, 100),
        full,
        (0, 1, 1, 1),
        (0, 100, 6, 100),
        huge,
        (3, 2, 1, 1),
        (0, 0, 1, 2),
        (-1, 5, 1, 5),
    ]:
        for method in (_edge_interval, _edge_p, _edge_posteriors, _edge_best):
            yield partial(method, *cells)
    for xa, xb, wb in [(0, 0, 0.5), (0, 50, 0.5), (10**12, 10**12, 0.3), (1, 1, 0.0), (1, 1, 1.5)]:
        yield lambda case=(xa, xb, wb): share_evidence(*case).log_e  # type: ignore[misc]
        yield lambda row=[wb, xa, xb]: ratio_evidence([row]).log_e  # type: ignore[misc]
    for counts in [[0, 0], [10, 0], [], [5], [10**12, 10**12]]:
        yield lambda counts=counts: check_ratio(counts, [0.5] * len(counts)).p_chi2  # type: ignore[misc]
    for differences in [[], [0.0, 0.0], [1.0], [float("inf")], [1e300, -1e300]]:
        yield lambda differences=differences: sign_flip_test(differences).p  # type: ignore[misc]


def _edge_interval(*cells: float) -> object:
    return score_interval_of_difference(table_of(*cells))


def _edge_p(*cells: float) -> object:
    return pooled_test(table_of(*cells)).p


def _edge_posteriors(x1: float, n1: float, x2: float, n2: float) -> object:
    return compare(posterior_of(x1, n1), posterior_of(x2, n2)).diff_interval


def _edge_best(x1: float, n1: float, x2: float, n2: float) -> object:
    return best_arm([posterior_of(x1, n1), posterior_of(x2, n2)]).p_best


def _answers_or_refuses(act: Callable[[], object]) -> bool:
    try:
        found = np.asarray(act(), dtype=float)
    except StatsError:
        return True
    except Exception:
        return False
    return not np.isnan(found).any()


def display_unit(tables: int = 1_000) -> list[Measure]:
    """Tables in which the interval of the lift excludes 0 and that of the difference does not, or the other way."""
    rng = np.random.default_rng(3)
    differ = 0
    for _ in range(tables):
        table = table_of(*_table(rng))
        low, high = score_interval_of_difference(table)
        least, most = score_interval_of_ratio(table)
        differ += (low <= 0 <= high) != (least <= 1 <= most)
    return [at_most("tables judged by the display unit", differ, 0)]
