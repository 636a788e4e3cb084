"""SHAP for a row of a table: each feature's Shapley value in the difference between the row's score and the mean.

Shapley values (Shapley 1953; Lundberg and Lee 2017, arXiv:1705.07874) of the game in which absent features keep the
values of a background row (interventional; Janzing et al. 2020, arXiv:1910.13413). Up to `MAX_EXACT` features every set
of them is tried; with more, random orders are, until more of them would change little.

One game for all models, in the score's own unit and with the table's features as players: shap's TreeExplainer would
play with the single columns of a one-hot code, and its model-agnostic explainers draw from NumPy's global generator.
"""

from __future__ import annotations

from math import comb

import numpy as np

from xai_core.arrays import Bool, Float64
from xai_core.formatting import percent
from xai_core.params import Float, Int
from xai_core.results import Check
from xai_core.tabular.data.row_encoder import MAX_BATCH_CELLS
from xai_core.tabular.inspection.coalitions import CoalitionSampler
from xai_core.tabular.inspection.shapley import estimate_contributions
from xai_core.tabular.row.method import TABULAR_METHODS, RawContributions, RowMethod, RowRequest

# Features up to which all 2^features sets are tried.
MAX_EXACT = 8
# Rounds before the spread between them is used. In each, every background row has a new random order.
MIN_ROUNDS = 4
# Background rows times features: more features are compared with fewer rows.
ROWS_TIMES_FEATURES = 20_000
# Standard error, as a share of the longest bar, up to which the bars count as steady.
STEADY = 0.1


class ValueFunction:
    """Value of a set of the row's own cells: the mean score when all other cells come from background rows."""

    def __init__(self, request: RowRequest, background: Float64) -> None:
        rows = np.vstack([request.coded_row, background])
        self.sampler = CoalitionSampler.of(request.model, request.codes, rows, request.outcome, request.job)
        self.row, self.background = self.sampler.rows[0], self.sampler.rows[1:]
        self.features, self.rng = self.sampler.features, request.rng
        scores = self.sampler.scores(self.sampler.rows)
        self.full, self.background_scores = float(scores[0]), scores[1:]
        self.empty = float(self.background_scores.mean())

    def values(self, present: Bool) -> Float64:
        """Return the value of each of M sets, (M,), given by the features in them, (M, features)."""
        size = max(1, self.sampler.batch // len(self.background))
        parts = []
        for start in range(0, len(present), size):
            part = present[start : start + size]
            rows = np.where(part[:, None, self.sampler.owners], self.row, self.background[None])
            scores = self.sampler.scores(rows.reshape(-1, len(self.row)))
            parts.append(scores.reshape(len(part), -1).mean(axis=1))
        return np.concatenate(parts)


def compute_exact(function: ValueFunction) -> Float64:
    """Return exact Shapley values, (features,), from all 2^features sets."""
    features = function.features
    # A set is a number whose bits are its features.
    sets = np.arange(2**features)
    present = (sets[:, None] >> np.arange(features)) & 1 == 1
    between = function.values(present[1:-1]) if features > 1 else np.zeros(0)
    values = np.concatenate([[function.empty], between, [function.full]])
    # The weight of a set of each size among all orders of joining.
    weights = np.array([1 / (features * comb(features - 1, size)) for size in range(features)])
    sizes = present.sum(axis=1)
    contributions = np.empty(features)
    for feature in range(features):
        without = sets[~present[:, feature]]
        # Mean change when the feature joins, over all sets without it.
        contributions[feature] = weights[sizes[without]] @ (values[without | 1 << feature] - values[without])
    return contributions


def estimate_rounds(function: ValueFunction, count: int) -> Float64:
    """Return Shapley values of `count` rounds, (count, features).

    In each round every background row has one random order, taken forwards and backwards.
    """
    background = function.background
    size = max(1, MAX_BATCH_CELLS // (2 * function.features * len(function.row)))
    rounds = np.zeros((count, function.features))
    rows, scores = np.tile(function.row, (count, 1)), np.full(count, function.full)
    for start in range(0, len(background), size):
        part = slice(start, start + size)
        contributions = estimate_contributions(
            function.sampler, rows, background[part], scores, function.background_scores[part], function.rng
        )
        # Parts count by their background rows.
        rounds += contributions * (len(background[part]) / len(background))
    return rounds


def estimate_until_steady(function: ValueFunction, max_rounds: int, steady: float) -> tuple[Float64, float, int]:
    """Return Shapley values, (features,), their largest standard error, and the number of rounds.

    Stops when no value's standard error is over `steady` times the largest value. Rounds are scored together, half as
    many again each time, since a call costs milliseconds however short it is.
    """
    rounds = estimate_rounds(function, min(MIN_ROUNDS, max_rounds))
    while True:
        error = float(np.std(rounds, axis=0, ddof=1).max()) / len(rounds) ** 0.5
        if len(rounds) >= max_rounds or error <= steady * float(np.abs(rounds.mean(axis=0)).max()):
            return rounds.mean(axis=0), error, len(rounds)
        more = min(len(rounds) // 2, max_rounds - len(rounds))
        rounds = np.concatenate([rounds, estimate_rounds(function, more)])


def run(request: RowRequest) -> RawContributions:
    """Return the share of each feature in score - base, where base is the mean score of the background rows."""
    features, max_rounds = len(request.coded_row), request.integer("rounds")
    background = request.draw_background(max(10, min(request.integer("background"), ROWS_TIMES_FEATURES // features)))
    exact = features <= MAX_EXACT
    request.job.expect(1 + len(background) * (2**features - 1 if exact else 1 + 2 * (features - 1) * max_rounds))
    function = ValueFunction(request, background)
    request.score = function.full
    details = {"background_rows": float(len(background))}
    if exact:
        return RawContributions(compute_exact(function), function.empty, details=details)
    values, error, rounds = estimate_until_steady(function, max_rounds, request.number("steady") / 100)
    # It may have stopped before the announced number of rounds.
    request.job.expect(request.job.done)
    details |= {"rounds": float(rounds), "standard_error": error}
    return RawContributions(values, function.empty, checks=(_check_steady(values, error),), details=details)


def _check_steady(values: Float64, error: float) -> Check:
    """Return amber where other random orders would move a bar by a fifth of the longest."""
    longest = float(np.abs(values).max())
    share = error / longest if longest > 0 else 0.0
    sentence = f"Other random orders would move the bars by {percent(share)} of the longest one"
    if share <= STEADY:
        return Check("steady", "green", f"{sentence}.", share)
    return Check("steady", "amber", f"{sentence}: allow more rounds.", share)


TABULAR_METHODS.add(
    RowMethod(
        name="shap",
        title="Fair shares",
        technical="SHAP (Shapley values)",
        rank=20,
        question="How much did each feature move the answer away from the usual one?",
        sentence="Start at the usual answer and add every bar, those to the left taking away: "
        "you arrive at this row's answer.",
        caution="It mixes this row's values with those of other rows, "
        "so some of the rows it asks about could not exist.",
        paper="Lundberg and Lee 2017, arXiv:1705.07874",
        run=run,
        additive=True,
        params=(
            Int(
                name="background",
                title="Rows to compare with",
                help="Drawn from the rows the model learnt from. Their mean answer is where the bars start.",
                default=100,
                low=10,
                high=500,
            ),
            Int(
                name="rounds",
                title="Most rounds",
                help=f"With more than {MAX_EXACT} features, random orders of joining are tried. "
                "It stops earlier when the bars stand still.",
                default=16,
                low=MIN_ROUNDS,
                high=200,
                advanced=True,
            ),
            Float(
                name="steady",
                title="Steady enough",
                unit="%",
                help="No bar may be unsure by more than this part of the longest.",
                default=3.0,
                low=0.1,
                high=20.0,
                step=0.1,
                advanced=True,
            ),
        ),
    )
)
