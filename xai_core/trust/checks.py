"""Checks that run in milliseconds on every fresh map and decide whether it may be shown, and with which warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from xai_core.arrays import Float32
from xai_core.formatting import percent
from xai_core.registry import Registry
from xai_core.results import Check, Level

# Places a side. Below it, one place covers more than a twenty-fifth of the picture.
MIN_GRID = 5
# Completeness gap up to which shares add up, and up to which they may be read with care.
GOOD_GAP, POOR_GAP = 0.01, 0.10
# Relative difference to the plain gradient.
SAME_AS_GRADIENT, NEAR_GRADIENT = 1e-4, 0.05
# Probability from which the empty picture is not empty to the model.
CONFIDENT = 0.5
# Probability of the top class, and of the explained class, below which there is little to explain.
UNSURE, NEGLIGIBLE = 0.2, 0.01
# R² of a surrogate.
GOOD_FIT, POOR_FIT = 0.6, 0.3


@dataclass(frozen=True)
class Evidence:
    """A fresh map with the facts around it that checks judge."""

    values: Float32
    details: Mapping[str, float]
    label: str
    probability: float
    """Of the explained class, 0 to 1."""
    top_probability: float


Run = Callable[[Evidence], Check | None]


@dataclass(frozen=True)
class CheckSpec:
    """A check by name; `run` returns None where its question does not arise."""

    name: str
    run: Run
    basic: bool = False
    """True if it asks only whether there is anything to read, so that a map that passes it is still untested."""


CHECKS: Registry[CheckSpec] = Registry("check")


def check(run: Run) -> Run:
    """Register a function `check_<name>` as the check of this name."""
    CHECKS.add(CheckSpec(run.__name__.removeprefix("check_"), run))
    return run


def basic_check(run: Run) -> Run:
    """Register a function `check_<name>` as a check that asks only whether there is anything to read."""
    CHECKS.add(CheckSpec(run.__name__.removeprefix("check_"), run, basic=True))
    return run


def run_checks(evidence: Evidence) -> tuple[Check, ...]:
    """Return every check that applies, in the order of their names."""
    results = (spec.run(evidence) for spec in CHECKS.specs())
    return tuple(result for result in results if result is not None)


@basic_check
def check_coarse_layer(evidence: Evidence) -> Check | None:
    """Amber for a grid under 5 x 5; None for methods without a layer and for a map that singles out nothing."""
    rows, columns = (int(evidence.details.get(f"grid_{side}", MIN_GRID)) for side in ("rows", "columns"))
    if min(rows, columns) >= MIN_GRID or np.ptp(evidence.values) == 0:
        return None
    sentence = (
        f"This layer has only {rows} × {columns} places: it cannot point at anything small. An earlier layer is finer."
    )
    return Check("coarse_layer", "amber", sentence, float(min(rows, columns)))


@check
def check_completeness(evidence: Evidence) -> Check | None:
    """Green up to a gap of 1 % of f(x) - f(baseline), amber up to 10 %, red above; None without a gap.

    The completeness axiom of Sundararajan et al. 2017, arXiv:1703.01365.
    """
    gap = evidence.details.get("completeness_gap")
    if gap is None:
        return None
    amount = f"{100 * gap:.1f} %" if gap < 10 else "far more than 100 %"
    if gap <= GOOD_GAP:
        return Check("completeness", "green", f"The shares add up to the change of the score (off by {amount}).", gap)
    level: Level = "amber" if gap <= POOR_GAP else "red"
    advice = "read them with care" if level == "amber" else "do not rely on this map"
    return Check("completeness", level, f"The shares miss the change of the score by {amount}: {advice}.", gap)


@basic_check
def check_finite(evidence: Evidence) -> Check | None:
    """Red with the count of values that are not finite; None on a sound map."""
    broken = int(np.count_nonzero(~np.isfinite(evidence.values)))
    if not broken:
        return None
    sentence = f"{broken} values of this map are not numbers: the computation broke down. Do not use it."
    return Check("finite", "red", sentence, float(broken))


@basic_check
def check_flat(evidence: Evidence) -> Check | None:
    """Amber where all values are equal, green on any other map; None where not all of them are numbers."""
    values = evidence.values
    if not np.isfinite(values).all():
        return None
    if float(np.ptp(values)) > 0:
        sentence = "The map is not empty: every value is a number, and some places count for more than others."
        return Check("flat", "green", sentence)
    sentence = f"The map is empty: it found no place that counts for {evidence.label} more than another."
    return Check("flat", "amber", sentence, 0.0)


@check
def check_goal_reached(evidence: Evidence) -> Check | None:
    """Green where the smallest part of a search was enough, amber where not; None for methods that search for none."""
    reached, area = evidence.details.get("reached"), evidence.details.get("area")
    if reached is None or area is None:
        return None
    share = f"{percent(area)} of the picture"
    if reached:
        return Check("goal_reached", "green", f"These pieces, {share}, are enough to decide the answer.", area)
    sentence = f"Even these pieces, {share}, did not decide the answer: allow more pieces."
    return Check("goal_reached", "amber", sentence, area)


@check
def check_guided_difference(evidence: Evidence) -> Check | None:
    """Red up to a relative difference of 1e-4 to the plain gradient, amber up to 5 %; None above and without a rule.

    On a network whose rectifiers are none, or that a tool fails to see, such a map is the plain gradient renamed.
    """
    difference = evidence.details.get("guided_difference")
    if difference is None or difference > NEAR_GRADIENT:
        return None
    if difference <= SAME_AS_GRADIENT:
        sentence = (
            "This map is identical to the plain gradient: its special rule found nothing to act on. "
            "Do not read it as more."
        )
        return Check("guided_difference", "red", sentence, difference)
    sentence = f"This map differs from the plain gradient by only {100 * difference:.1f} %: read it as a gradient."
    return Check("guided_difference", "amber", sentence, difference)


@check
def check_missingness(evidence: Evidence) -> Check | None:
    """Amber where the best class of the empty picture gets 0.5 or more, green below; None without an empty picture.

    Jain et al. 2022, arXiv:2204.08945: a filling that looks like a class biases every map made by removing parts.
    """
    best = evidence.details.get("baseline_confidence")
    if best is None:
        return None
    if best < CONFIDENT:
        sentence = f"The empty picture is empty to the model too: its best guess there gets {percent(best)}."
        return Check("missingness", "green", sentence, best)
    sentence = (
        f"The model is {percent(best)} sure of a class in the empty picture too, so it is not empty to it: "
        "try another filling."
    )
    return Check("missingness", "amber", sentence, best)


@basic_check
def check_model_unsure(evidence: Evidence) -> Check | None:
    """Amber where the best class stays under 0.2, or the explained class under 0.01; None otherwise."""
    top, own = evidence.top_probability, evidence.probability
    if top < UNSURE:
        sentence = f"The model itself is unsure: its best guess gets only {percent(top)}."
        return Check("model_unsure", "amber", sentence, top)
    if own < NEGLIGIBLE:
        sentence = (
            f"The model gives {evidence.label} almost no score ({percent(own)}): this shows what little speaks for it."
        )
        return Check("model_unsure", "amber", sentence, own)
    return None


@check
def check_surrogate_fit(evidence: Evidence) -> Check | None:
    """Green from R² 0.6, amber from 0.3, red below; None where there is no surrogate.

    The weighted R² on the surrogate's own samples: Ribeiro et al. 2016, arXiv:1602.04938, section 3.4.
    """
    fit = evidence.details.get("surrogate_r2")
    if fit is None:
        return None
    share = f"{percent(max(fit, 0))} of what the model does near this picture"
    if fit >= GOOD_FIT:
        return Check("surrogate_fit", "green", f"The simple stand-in explains {share}.", fit)
    level: Level = "amber" if fit >= POOR_FIT else "red"
    advice = "read it with care" if level == "amber" else "do not rely on this map"
    return Check("surrogate_fit", level, f"The simple stand-in explains only {share}: {advice}.", fit)
