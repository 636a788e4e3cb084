"""LIME for a row of a table: a simple sum of conditions that answers like the model for rows near this one.

Ribeiro et al. 2016, arXiv:1602.04938. As in the authors' package: numbers are cut at the quartiles of the training rows, each
cell of a sample is drawn on its own from the training rows, a sample is near if it shares many conditions with the row, and a ridge
regression weighs the conditions. Drawn here with a generator of its own, since Captum's and the authors' samplers use the shared one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xai_core.params import Float, Int
from xai_core.results import Check
from xai_core.tabular._coded import Doubles
from xai_core.tabular._row import RawRow, RowMethod, RowRequest
from xai_core.tabular._words import cell_words
from xai_core.tabular.data import Column

Flags = npt.NDArray[np.bool_]
WIDTHS = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 2.0)
GOOD, POOR = 0.6, 0.3
PER_FEATURE = 10
"""Samples that must count, for each condition that is weighed."""


@dataclass(frozen=True)
class Pieces:
    """How a column is cut: at `edges` (each belongs to the piece below it), or, where there are none, by its single values."""

    column: Column
    edges: Doubles

    @classmethod
    def of(cls, column: Column, values: Doubles, count: int) -> Pieces:
        seen = values[~np.isnan(values)]
        if column.kind in ("category", "boolean") or not len(seen):
            return cls(column, np.zeros(0))
        edges = np.unique(np.quantile(seen, np.arange(1, count) / count))
        return cls(column, edges[edges < seen.max()])

    def same(self, values: Doubles, own: float) -> Flags:
        """Which values lie in the same piece as the row's own, (N,)."""
        if np.isnan(own):
            found: Flags = np.isnan(values)
        elif len(self.edges):
            found = ~np.isnan(values) & (np.searchsorted(self.edges, values) == np.searchsorted(self.edges, own))
        else:
            found = values == own
        return found

    def condition(self, own: str | float | None) -> str:
        """The piece of the row's own value in words: "petal width ≤ 0.30", "district = north", "income is missing"."""
        name = self.column.name
        if own is None:
            return f"{name} is missing"
        if not len(self.edges) or isinstance(own, str):
            return f"{name} = {cell_words(self.column, own)}"
        place = int(np.searchsorted(self.edges, own))
        above = cell_words(self.column, float(self.edges[place - 1])) if place else ""
        if place == len(self.edges):
            return f"{name} > {above}"
        below = f"{name} ≤ {cell_words(self.column, float(self.edges[place]))}"
        return f"{above} < {below}" if place else below


@dataclass(frozen=True)
class Sample:
    """Made-up rows around the row: which conditions each shares with it, (N, features), and the model's answers, (N,)."""

    same: Flags
    scores: Doubles
    conditions: tuple[str, ...]

    @classmethod
    def draw(cls, request: RowRequest) -> Sample:
        """The first sample is the row itself."""
        count, known = request.integer("samples"), request.trained_on
        rows = known[request.rng.integers(len(known), size=(count, known.shape[1])), np.arange(known.shape[1])]
        rows[0] = request.start
        request.job.expect(count)
        cuts = [Pieces.of(column, known[:, j], request.integer("pieces")) for j, column in enumerate(request.codes.columns)]
        same = np.column_stack([cut.same(rows[:, j], request.start[j]) for j, cut in enumerate(cuts)])
        words = tuple(cut.condition(request.codes.cell(j, request.start[j])) for j, cut in enumerate(cuts))
        return cls(same, request.scores(rows), words)


@dataclass(frozen=True)
class Surrogate:
    """The simple sum for one kernel width."""

    width: float
    """In parts of the largest possible distance, the square root of the number of features."""
    weights: Doubles
    """(features,): what it adds that a condition holds."""
    constant: float
    r2: float
    """Share of the model's ups and downs among near samples that the sum explains, at most 1."""
    effective: float
    """Samples that count: as many equally weighted ones would say as much (Kish 1965)."""


def fit(sample: Sample, width: float) -> Surrogate:
    """The weighted ridge regression of the model's answers on the shared conditions."""
    from sklearn.linear_model import Ridge

    distance = (~sample.same).mean(axis=1)  # squared, in parts of the largest one
    weights = np.exp(-distance / (2 * width**2))
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    weights *= effective / weights.sum()  # so that the ridge is worth one sample, however narrow the kernel
    model = Ridge(alpha=1.0).fit(sample.same, sample.scores, sample_weight=weights)
    r2 = float(model.score(sample.same, sample.scores, sample_weight=weights))
    return Surrogate(width, model.coef_, float(model.intercept_), r2, effective)


def kernel_effect(request: RowRequest, widths: Sequence[float] = WIDTHS) -> tuple[Surrogate, ...]:
    """How the answer changes with the kernel width, over the same samples and without asking the model again."""
    sample = Sample.draw(request)
    return tuple(fit(sample, width) for width in widths)


def run(request: RowRequest) -> RawRow:
    """What each condition that holds for the row adds to the simple sum, in the score's unit."""
    sample = Sample.draw(request)
    found = fit(sample, request.number("kernel_width"))
    details = {
        "surrogate_r2": found.r2,
        "effective_samples": found.effective,
        "surrogate_score": found.constant + float(found.weights.sum()),
    }
    return RawRow(found.weights, found.constant, sample.conditions, _checks(found), details)


def _checks(found: Surrogate) -> tuple[Check, ...]:
    share = f"{100 * max(found.r2, 0):.0f} % of what the model does near this row"
    if found.r2 >= GOOD:
        fits = Check("surrogate_fit", "green", f"The simple sum explains {share}.", found.r2)
    elif found.r2 >= POOR:
        fits = Check("surrogate_fit", "amber", f"The simple sum explains only {share}: read it with care.", found.r2)
    else:
        fits = Check("surrogate_fit", "red", f"The simple sum explains only {share}: do not rely on these bars.", found.r2)
    needed = PER_FEATURE * len(found.weights)
    if found.effective >= needed:
        return (fits,)
    few = f"Only about {found.effective:,.0f} made-up rows are near enough to count, for {len(found.weights)} features"
    return fits, Check("neighbourhood", "amber", f"{few}: take more samples or a wider kernel.", found.effective)


SPEC = RowMethod(
    name="lime",
    title="A simple stand-in nearby",
    technical="LIME",
    question="Which conditions decide for rows like this one?",
    sentence="A bar to the right: that this condition holds raises the answer for rows like this one; a bar to the left lowers it.",
    caution="It mixes columns freely, so some of its made-up rows could not exist, and what counts as near is a choice.",
    paper="Ribeiro et al. 2016, arXiv:1602.04938",
    run=run,
    params=(
        Float(
            name="kernel_width",
            title="Width of the neighbourhood",
            help="How far a made-up row may differ and still count. Narrow speaks of this row alone, but fewer samples count.",
            default=0.75,
            low=0.05,
            high=5.0,
            step=0.05,
        ),
        Int(name="samples", title="Made-up rows", help="More give steadier bars and take longer.", default=2000, low=100, high=20000),
        Int(
            name="pieces",
            title="Pieces a number is cut into",
            help="Each holds as many training rows as the others; 4 cuts at the quartiles.",
            default=4,
            low=2,
            high=10,
            advanced=True,
        ),
    ),
)
