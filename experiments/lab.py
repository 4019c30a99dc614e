"""Answers to single questions of statistics, as `manage.py lab stats` puts them: a command and numbers in, keys out."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.stats import bayes, exact, frequentist, paired, power, sequential, shrinkage, srm
from experiments.stats.errors import StatsError
from experiments.stats.hashing import gb_hash

Question = dict[str, Any]
Answer = dict[str, Any]

# The contract's normal mixture is this Gauss–Hermite rule; what the product uses is beside it as `log_e_exact`.
CONTRACT_POINTS = 150
MOST_ARMS = 1_000
MOST_PAIRS = 10_000
_MISSING = object()


def answer(question: Question) -> Answer:
    """{"cmd", "in"} -> {"out"}; raises `StatsError` for what cannot be used."""
    command = question.get("cmd")
    method = COMMANDS.get(command) if isinstance(command, str) else None
    if method is None:
        raise StatsError(f"“cmd” must be one of: {', '.join(COMMANDS)}")
    given = question.get("in")
    if not isinstance(given, dict):
        raise StatsError("“in” must be an object")
    with np.errstate(all="ignore"):
        return {"out": _jsonable(method(given))}


def _jsonable(value: Any) -> Any:
    """Numbers that JSON has no word for: infinities as "inf" and "-inf", NaN as null."""
    if isinstance(value, dict):
        return {key: _jsonable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_jsonable(each) for each in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    number = float(value)
    if math.isnan(number):
        return None
    return number if math.isfinite(number) else ("inf" if number > 0 else "-inf")


def _number(given: Question, key: str, default: Any = _MISSING) -> float:
    value = given.get(key, default)
    if value is _MISSING:
        raise StatsError(f"“{key}” is missing")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise StatsError(f"“{key}” must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise StatsError(f"“{key}” must be a finite number")
    return number


def _numbers(given: Question, key: str, most: int = MOST_ARMS) -> list[float]:
    values = given.get(key, _MISSING)
    if values is _MISSING:
        raise StatsError(f"“{key}” is missing")
    if not isinstance(values, list) or not 0 < len(values) <= most:
        raise StatsError(f"“{key}” must be a list of 1 to {most} numbers")
    return [_number({f"{key}[{index}]": value}, f"{key}[{index}]") for index, value in enumerate(values)]


def _text(given: Question, key: str) -> str:
    value = given.get(key)
    if not isinstance(value, str):
        raise StatsError(f"“{key}” must be a string")
    return value


def _alpha(given: Question) -> float:
    alpha = _number(given, "alpha", 0.05)
    if not 0 < alpha < 1:
        raise StatsError("“alpha” must be between 0 and 1, both excluded")
    return alpha


def two_prop(given: Question) -> Answer:
    """`slow` adds Boschloo's and Barnard's tests, null for tables too large for them."""
    table = frequentist.table_of(*(_number(given, key) for key in ("x1", "n1", "x2", "n2")))
    alpha = _alpha(given)
    pooled, unpooled = frequentist.pooled_test(table), frequentist.unpooled_test(table)
    out = {
        "diff": table.diff,
        "ratio": table.ratio,
        "z_pooled": pooled.statistic,
        "p_pooled": pooled.p,
        "z_unpooled": unpooled.statistic,
        "p_unpooled": unpooled.p,
        "p_fisher": exact.fisher_p(table),
        "ci_diff_newcombe": frequentist.newcombe_interval(table, alpha),
        "ci_diff_agresti_caffo": frequentist.agresti_caffo_interval(table, alpha),
        "ci_diff_score": frequentist.score_interval_of_difference(table, alpha),
        "ci_ratio_score": frequentist.score_interval_of_ratio(table, alpha),
        "ci_ratio_log": frequentist.log_ratio_interval(table, alpha),
        "ci_wilson_1": frequentist.wilson_interval(table.x1, table.n1, alpha),
        "ci_wilson_2": frequentist.wilson_interval(table.x2, table.n2, alpha),
    }
    if given.get("slow") is True:
        out |= {"p_boschloo": _if_small(exact.boschloo_p, table), "p_barnard": _if_small(exact.barnard_p, table)}
    return out


def _if_small(test: Callable[[frequentist.Table], float], table: frequentist.Table) -> float | None:
    try:
        return test(table)
    except StatsError:
        return None


def welch(given: Question) -> Answer:
    """`fieller_ratio` is null where the control's mean is not clearly different from 0."""
    control, variant = (
        frequentist.means_of_sums(
            _number(given, f"n{arm}"), _number(given, f"sum{arm}"), _number(given, f"sumsq{arm}"), arm
        )
        for arm in "12"
    )
    alpha = _alpha(given)
    test = frequentist.welch_test(control, variant, alpha)
    return {
        "diff": test.diff,
        "t": test.t,
        "p": test.p,
        "df": test.df,
        "ci_diff": test.interval,
        "fieller_ratio": frequentist.fieller_interval(control, variant, alpha),
    }


def bayes_beta(given: Question) -> Answer:
    """With `n_future`, `value` and `cost` also what the variant earns over so many future units."""
    prior = {"a0": _number(given, "a0", 1.0), "b0": _number(given, "b0", 1.0)}
    control, variant = (
        bayes.posterior_of(_number(given, f"x{arm}"), _number(given, f"n{arm}"), **prior, arm=arm) for arm in "12"
    )
    alpha = _alpha(given)
    found = bayes.compare(control, variant, alpha, given.get("lower_is_better") is True)
    out = {
        "post_mean_1": control.mean,
        "post_mean_2": variant.mean,
        "chance_to_win": found.chance_to_win,
        "risk_choose_variant": found.risk_choose_variant,
        "risk_choose_control": found.risk_choose_control,
        "lift_ci": found.lift_interval,
        "lift_median": found.lift_median,
        "lift_mean": found.lift_mean,
        "diff_mean": found.diff_mean,
        "diff_ci": found.diff_interval,
        "ci_1": control.interval(alpha),
        "ci_2": variant.interval(alpha),
    }
    if "n_future" in given:
        out["roi"] = _net_value(control, variant, given)
    return out


def _net_value(control: bayes.Beta, variant: bayes.Beta, given: Question) -> Answer:
    units, value, cost = (_number(given, key, default) for key, default in (("n_future", 0), ("value", 1), ("cost", 0)))
    worth = units * value
    if units < 0 or not math.isfinite(worth):
        raise StatsError("“n_future” must be at least 0, and its product with “value” finite")
    if worth == 0:
        chance = float(cost < 0)
    elif worth > 0:
        chance = bayes.chance_of_difference(control, variant, cost / worth)
    else:
        chance = bayes.chance_of_difference(variant, control, -cost / worth)
    return {"expected_net": worth * (variant.mean - control.mean) - cost, "p_net_positive": chance}


def pbest(given: Question) -> Answer:
    """`lower_is_better` turns the order."""
    successes, trials = _numbers(given, "x"), _numbers(given, "n")
    if len(successes) != len(trials):
        raise StatsError("“x” and “n” must have the same length")
    prior = _number(given, "a0", 1.0), _number(given, "b0", 1.0)
    arms = [
        bayes.posterior_of(x, n, *prior, arm=f" of arm {index}")
        for index, (x, n) in enumerate(zip(successes, trials, strict=True), 1)
    ]
    best = bayes.best_arm(arms, given.get("lower_is_better") is True)
    return {"p_best": best.p_best, "expected_loss": best.expected_loss, "expected_max": best.expected_best}


def seq_ratio(given: Question) -> Answer:
    """With `epochs` rows of [propensity, control's successes, variant's], else one epoch of `xa`, `xb`, `wb`."""
    return _seq_epochs(given) if "epochs" in given else _seq_share(given)


def _seq_share(given: Question) -> Answer:
    xa, xb, wb = (_number(given, key) for key in ("xa", "xb", "wb"))
    concentration = _number(given, "c", sequential.DEFAULT_CONCENTRATION)
    found = sequential.share_evidence(xa, xb, wb, concentration, _alpha(given))
    return {
        "log_e": found.log_e,
        "e": found.e,
        "p": found.p,
        "share_cs": found.share_interval,
        "ratio_cs": found.ratio_interval,
        "reject": found.is_rejected,
    }


def _seq_epochs(given: Question) -> Answer:
    epochs = given["epochs"]
    if not isinstance(epochs, list) or not 0 < len(epochs) <= MOST_PAIRS:
        raise StatsError(f"“epochs” must be a list of 1 to {MOST_PAIRS} rows")
    rows = [_numbers({f"epochs[{index}]": row}, f"epochs[{index}]") for index, row in enumerate(epochs)]
    tau, alpha = _number(given, "tau", sequential.DEFAULT_TAU), _alpha(given)
    found = sequential.ratio_evidence(rows, tau, alpha, points=CONTRACT_POINTS)
    return {
        "log_e": found.log_e,
        "p": found.p,
        "ratio_cs": found.ratio_interval,
        "reject": found.is_rejected,
        "log_e_exact": sequential.ratio_evidence(rows, tau, alpha).log_e,
    }


def seq_asym(given: Question) -> Answer:
    """`n_star` is the count at which the interval is tightest."""
    estimate, error, n = (_number(given, key) for key in ("estimate", "se", "n"))
    alpha, tuned_for = _alpha(given), _number(given, "n_star", 5_000)
    interval, p = sequential.asymptotic_interval(estimate, error, n, alpha, tuned_for)
    return {"ci": interval, "p": p, "rho2": sequential.asymptotic_rho2(alpha, tuned_for)}


def check_srm(given: Question) -> Answer:
    """`p_exact_binomial` for two arms; `p_exact` for more where an expected count is below 5."""
    counts = _numbers(given, "counts")
    concentration = _number(given, "concentration", srm.CONCENTRATION)
    found = srm.check_ratio(counts, _numbers(given, "weights"), concentration)
    out = {
        "unexpected_traffic": found.unexpected_traffic,
        "enough_data": found.enough_data,
        "df": found.df,
        "p_chi2": found.p_chi2,
        "log_bayes_factor": found.log_e,
        "p_sequential": found.p_sequential,
        "alarm": found.is_alarm,
    }
    if found.p_exact is not None:
        out["p_exact_binomial" if found.df == 1 else "p_exact"] = found.p_exact
    return out


def _design(given: Question) -> power.Design:
    return power.Design(_number(given, "alpha", 0.05), _number(given, "power", 0.8), _number(given, "ratio", 1.0))


def sample_size(given: Question) -> Answer:
    """The second rate by `lift` (relative), `p2` or `delta` (absolute)."""
    p1 = _number(given, "p1")
    if "p2" in given:
        p2 = _number(given, "p2")
    elif "delta" in given:
        p2 = p1 + _number(given, "delta")
    else:
        p2 = p1 * (1 + _number(given, "lift"))
    sizes = power.sample_sizes(p1, p2, _design(given), _number(given, "deff", 1.0))
    return {
        "n_pooled": sizes.pooled,
        "n_unpooled": sizes.unpooled,
        "n_evan_miller": sizes.evan_miller,
        "n_arcsine": sizes.arcsine,
        "n_fleiss_cc": sizes.fleiss_corrected,
        "n_pooled_deff": sizes.designed,
        "ceil_pooled": sizes.needed,
    }


def mde(given: Question) -> Answer:
    """All null where so few units find nothing."""
    p1 = _number(given, "p1")
    p2 = power.detectable_rate(p1, _number(given, "n"), _design(given))
    if p2 is None:
        return {"p2": None, "mde_abs": None, "mde_rel": None}
    return {"p2": p2, "mde_abs": p2 - p1, "mde_rel": (p2 - p1) / p1}


def pairs(given: Question) -> Answer:
    """`ci_inverted` is null where no outcome of so few pairs reaches alpha."""
    differences = _numbers(given, "d", MOST_PAIRS)
    found = paired.sign_flip_test(differences, _alpha(given))
    return {
        "k": found.pairs,
        "mean": found.mean,
        "p": found.p,
        "min_attainable_p": found.min_attainable_p,
        "hodges_lehmann": found.hodges_lehmann,
        "p_t": paired.paired_t_p(differences),
        "p_wilcoxon": paired.wilcoxon_p(differences),
        "ci_inverted": found.interval,
        "exact": found.is_exact,
    }


def eb_normal(given: Question) -> Answer:
    """Estimates `y` with known variances `v`."""
    found = shrinkage.random_effects(_numbers(given, "y", MOST_PAIRS), _numbers(given, "v", MOST_PAIRS))
    return {"mu": found.mu, "tau": found.tau, "posterior_mean": found.means, "posterior_sd": found.sds}


def betabin(given: Question) -> Answer:
    """a and b are "inf" where the arms scatter no more than chance, null without any success or failure."""
    found = shrinkage.fit_beta(_numbers(given, "x", MOST_PAIRS), _numbers(given, "n", MOST_PAIRS))
    return {"a": found.a, "b": found.b, "mu": found.mu, "rho": found.rho, "loglik": found.log_likelihood}


def hash_unit(given: Question) -> Answer:
    """null for a version that does not exist."""
    version = _number(given, "version", 2)
    if not version.is_integer():
        raise StatsError("“version” must be a whole number")
    return {"hash": gb_hash(_text(given, "seed"), _text(given, "value"), int(version))}


COMMANDS: dict[str, Callable[[Question], Answer]] = {
    "two_prop": two_prop,
    "welch": welch,
    "bayes_beta": bayes_beta,
    "pbest": pbest,
    "seq_ratio": seq_ratio,
    "seq_asym": seq_asym,
    "srm": check_srm,
    "sample_size": sample_size,
    "mde": mde,
    "pairs": pairs,
    "eb_normal": eb_normal,
    "betabin": betabin,
    "hash": hash_unit,
}
