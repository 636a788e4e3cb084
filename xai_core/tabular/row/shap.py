"""SHAP for a row of a table: each feature's fair share of the difference between this row's answer and the usual one.

Shapley values (Shapley 1953; Lundberg and Lee 2017, arXiv:1705.07874) of the game in which features that are not in the game keep the
values of a background row (interventional; Janzing et al. 2020, arXiv:1910.13413). Up to `EXACT` features every set of them is
tried; with more, `_shapley` walks random orders until more of them would change little.

One game for all models, in the score's own unit and with the table's features as players: shap's TreeExplainer would play with the
single columns of a one-hot code, and its model-agnostic explainers draw from NumPy's global generator, which threads share.
"""

from __future__ import annotations

from math import comb

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.params import Float, Int
from xai_core.results import Check
from xai_core.tabular.data.row_encoder import MAX_BATCH_CELLS
from xai_core.tabular.inspection.coalitions import Mixing
from xai_core.tabular.inspection.shapley import shares
from xai_core.tabular.row.method import RawRow, RowMethod, RowRequest

Flags = npt.NDArray[np.bool_]
EXACT = 8
"""Features up to which all 2^features sets are tried."""
FEWEST_ROUNDS = 4
"""Rounds before the spread between them is believed. In each, every background row has a new random order."""
ROWS_BY_FEATURES = 20_000
"""Of background rows times features: more features are compared with fewer rows."""


class Game:
    """What a set of the row's own values is worth: the model's mean answer when all other cells come from background rows."""

    def __init__(self, request: RowRequest, background: Float64) -> None:
        self.mixing = Mixing.of(
            request.model, request.codes, np.vstack([request.start, background]), request.outcome, request.job
        )
        self.start, self.background = self.mixing.rows[0], self.mixing.rows[1:]
        self.features, self.rng = self.mixing.features, request.rng
        said = self.mixing.scores(self.mixing.rows)
        self.full, self.starts = float(said[0]), said[1:]
        self.empty = float(self.starts.mean())

    def worth(self, shown: Flags) -> Float64:
        """The worth of each of M sets, (M,), from which features they show, (M, features)."""
        size = max(1, self.mixing.batch // len(self.background))
        return np.concatenate([self._worth(shown[start : start + size]) for start in range(0, len(shown), size)])

    def _worth(self, shown: Flags) -> Float64:
        rows = np.where(shown[:, None, self.mixing.owners], self.start, self.background[None])
        found: Float64 = self.mixing.scores(rows.reshape(-1, len(self.start))).reshape(len(shown), -1).mean(axis=1)
        return found


def all_sets(game: Game) -> Float64:
    """Exact Shapley values, (features,), from all 2^features sets."""
    features = game.features
    sets = np.arange(2**features)
    shown = (sets[:, None] >> np.arange(features)) & 1 == 1
    worth = (
        np.concatenate([[game.empty], game.worth(shown[1:-1]), [game.full]])
        if features > 1
        else np.array([game.empty, game.full])
    )
    share = np.array([1 / (features * comb(features - 1, size)) for size in range(features)])
    sizes = shown.sum(axis=1)
    values = np.empty(features)
    for feature in range(features):
        without = sets[~shown[:, feature]]
        values[feature] = share[sizes[without]] @ (worth[without | 1 << feature] - worth[without])
    return values


def some_rounds(game: Game, count: int) -> Float64:
    """Shapley values, (count, features): in each round every background row has one random order, walked forwards and backwards."""
    rows = game.background
    size = max(1, MAX_BATCH_CELLS // (2 * game.features * len(game.start)))
    found = np.zeros((count, game.features))
    again, full = np.tile(game.start, (count, 1)), np.full(count, game.full)
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        some = shares(game.mixing, again, rows[part], full, game.starts[part], game.rng)
        found += some * (len(rows[part]) / len(rows))
    return found


def by_rounds(game: Game, most: int, steady: float) -> tuple[Float64, float, int]:
    """Shapley values from up to `most` rounds, (features,), their largest standard error, and the number of rounds.

    Stops when no value's standard error is over `steady` times the largest value. Rounds ask the model together, half as many again each
    time, since a question costs milliseconds however short it is.
    """
    found = some_rounds(game, min(FEWEST_ROUNDS, most))
    while True:
        error = float(np.std(found, axis=0, ddof=1).max()) / len(found) ** 0.5
        if len(found) >= most or error <= steady * float(np.abs(found.mean(axis=0)).max()):
            return found.mean(axis=0), error, len(found)
        found = np.concatenate([found, some_rounds(game, min(len(found) // 2, most - len(found)))])


def run(request: RowRequest) -> RawRow:
    """Share of each feature in score - base, where base is the mean score of the background rows; they add up exactly."""
    features, most = len(request.start), request.integer("rounds")
    rows = request.background(max(10, min(request.integer("background"), ROWS_BY_FEATURES // features)))
    exact = features <= EXACT
    request.job.expect(1 + len(rows) * (2**features - 1 if exact else 1 + 2 * (features - 1) * most))
    game = Game(request, rows)
    request.score = game.full
    if exact:
        return RawRow(all_sets(game), game.empty, details={"background_rows": float(len(rows))})
    values, error, rounds = by_rounds(game, most, request.number("steady") / 100)
    request.job.expect(request.job.done)
    details = {"background_rows": float(len(rows)), "rounds": float(rounds), "standard_error": error}
    return RawRow(values, game.empty, checks=(_steady(values, error),), details=details)


def _steady(values: Float64, error: float) -> Check:
    """Amber where other random orders would move a bar by a fifth of the longest."""
    longest = float(np.abs(values).max())
    part = error / longest if longest > 0 else 0.0
    sentence = f"Other random orders would move the bars by about {100 * part:.1f} % of the longest one"
    if part <= 0.1:
        return Check("steady", "green", f"{sentence}.", part)
    return Check("steady", "amber", f"{sentence}: allow more rounds.", part)


SPEC = RowMethod(
    name="shap",
    title="Fair shares",
    technical="SHAP, Shapley values",
    question="How much did each feature move the answer away from the usual one?",
    sentence="Start at the usual answer and add every bar, those to the left taking away: you arrive at this row's answer.",
    caution="It mixes this row's values with those of other rows, so some of the rows it asks about could not exist.",
    paper="Lundberg and Lee 2017, arXiv:1705.07874",
    run=run,
    additive=True,
    params=(
        Int(
            name="background",
            title="Rows to compare with",
            help="Drawn from the rows the model learned from. Their mean answer is where the bars start.",
            default=100,
            low=10,
            high=500,
        ),
        Int(
            name="rounds",
            title="Most rounds",
            help=f"With more than {EXACT} features, random orders of joining are tried. It stops earlier when the bars stand still.",
            default=16,
            low=FEWEST_ROUNDS,
            high=200,
            advanced=True,
        ),
        Float(
            name="steady",
            title="Standing still",
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
