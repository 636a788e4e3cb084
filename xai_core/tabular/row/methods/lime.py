"""LIME for a row of a table (Ribeiro et al. 2016, arXiv:1602.04938): a sum of conditions that answers like the model.

As in the authors' package numbers are cut at the quartiles of the training rows, each cell of a sample is drawn on its
own from the training rows, and a ridge regression weighs the conditions that a sample shares with the row. The authors
draw from everywhere and give far samples a small weight; for a narrow kernel that leaves hardly any, and with their
default width all samples count nearly alike (Garreau and von Luxburg 2020, arXiv:2008.11092). Their kernel has one
factor for each condition that is broken, so samples are drawn here from the weighted distribution itself: the same sum
in the limit, and every sample counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xai_core.arrays import Bool, Float64
from xai_core.formatting import percent
from xai_core.params import Float, Int
from xai_core.results import Check
from xai_core.tabular.data.cell_format import format_cell
from xai_core.tabular.data.column import Column
from xai_core.tabular.row.method import TABULAR_METHODS, RawContributions, RowMethod, RowRequest, Surrogate

WIDTHS = (0.35, 0.5, 0.7, 1.0, 1.5, 2.5, 5.0)
GOOD, POOR = 0.6, 0.3
# Samples that must hold, and that must break, each condition.
MIN_SAMPLES = 30


@dataclass(frozen=True)
class Bins:
    """Bins of a column: cut at `edges` (each belongs to the bin below it), or, without edges, one a value."""

    column: Column
    edges: Float64

    @classmethod
    def of(cls, column: Column, values: Float64, count: int) -> Bins:
        present = values[~np.isnan(values)]
        if column.kind in ("category", "boolean") or not len(present):
            return cls(column, np.zeros(0))
        # Equal quantiles are one edge; an edge at the maximum would leave an empty bin.
        edges = np.unique(np.quantile(present, np.arange(1, count) / count))
        return cls(column, edges[edges < present.max()])

    def match(self, values: Float64, own: float) -> Bool:
        """Return True for values in the same bin as the row's own, (N,)."""
        if np.isnan(own):
            same: Bool = np.isnan(values)
        elif len(self.edges):
            same = ~np.isnan(values) & (np.searchsorted(self.edges, values) == np.searchsorted(self.edges, own))
        else:
            same = values == own
        return same

    def describe(self, own: str | float | None) -> str:
        """Return the bin of the row's own value: "petal width ≤ 0.30", "district = north", "income is missing"."""
        name = self.column.name
        if own is None:
            return f"{name} is missing"
        if not len(self.edges) or isinstance(own, str):
            return f"{name} = {format_cell(self.column, own)}"
        index = int(np.searchsorted(self.edges, own))
        above = format_cell(self.column, float(self.edges[index - 1])) if index else ""
        if index == len(self.edges):
            return f"{name} > {above}"
        below = f"{name} ≤ {format_cell(self.column, float(self.edges[index]))}"
        return f"{above} < {below}" if index else below


@dataclass(frozen=True)
class Sample:
    """Made-up rows around the row: the conditions that each shares with it, (N, features), and their scores, (N,)."""

    same: Bool
    scores: Float64
    conditions: tuple[str, ...]

    @classmethod
    def draw(cls, request: RowRequest, width: float) -> Sample:
        """Draw samples near the row for a kernel width; the first one is the row itself."""
        count, known, start = request.integer("samples"), request.training_rows, request.coded_row
        request.job.expect(request.job.done + count)
        rows, same = np.tile(start, (count, 1)), np.ones((count, len(start)), dtype=np.bool_)
        conditions = []
        for j, column in enumerate(request.codes.columns):
            bins = Bins.of(column, known[:, j], request.integer("pieces"))
            inside = bins.match(known[:, j], start[j])
            # Choose the samples that hold the condition.
            same[1:, j] = _draw_holding(float(inside.mean()), width, count - 1, request.rng)
            # Give them values from training rows that hold it too, and the others values from those that do not.
            for flags, values in ((same[:, j], known[inside, j]), (~same[:, j], known[~inside, j])):
                if len(values):
                    rows[flags, j] = request.rng.choice(values, int(flags.sum()))
            conditions.append(bins.describe(request.codes.decode_cell(j, start[j])))
        rows[0] = start
        return cls(same, request.scores(rows), tuple(conditions))


def _draw_holding(share: float, width: float, count: int, rng: np.random.Generator) -> Bool:
    """Return True for samples that hold a condition, (count,); `share` of the training rows hold it."""
    # The kernel gives a broken condition the weight exp(-1 / 2 width²).
    breaking = (1 - share) * np.exp(-1 / (2 * width**2))
    holding: Bool = rng.random(count) >= breaking / (breaking + (share or 1.0))
    return holding


def fit_surrogate(sample: Sample, width: float) -> Surrogate:
    """Fit the ridge regression of the model's scores on the shared conditions."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1.0).fit(sample.same, sample.scores)
    r2 = float(model.score(sample.same, sample.scores))
    return Surrogate(width, model.coef_, float(model.intercept_), r2, _count_effective(sample.same))


def _count_effective(same: Bool) -> float:
    """Return the samples that hold, or that break, the condition known least, whichever are fewer."""
    holding = same.sum(axis=0)
    fewer = np.minimum(holding, len(same) - holding)
    # A condition that cannot be broken does not count.
    return float(fewer[holding < len(same)].min(initial=len(same)))


def fit_widths(request: RowRequest, widths: Sequence[float] = WIDTHS) -> tuple[Surrogate, ...]:
    """Fit a surrogate for each kernel width, with new samples for each."""
    return tuple(fit_surrogate(Sample.draw(request, width), width) for width in widths)


def run(request: RowRequest) -> RawContributions:
    """Return the weight of each condition that holds for the row, in the score's unit."""
    width = request.number("kernel_width")
    sample = Sample.draw(request, width)
    request.score = float(sample.scores[0])
    surrogate = fit_surrogate(sample, width)
    details = {
        "surrogate_r2": surrogate.r2,
        "effective_samples": surrogate.effective_samples,
        "surrogate_score": surrogate.constant + float(surrogate.weights.sum()),
    }
    checks = _build_checks(surrogate)
    return RawContributions(surrogate.weights, surrogate.constant, sample.conditions, checks, details)


def _build_checks(surrogate: Surrogate) -> tuple[Check, ...]:
    r2 = surrogate.r2
    share = f"{percent(max(r2, 0))} of what the model does near this row"
    if r2 >= GOOD:
        fit = Check("surrogate_fit", "green", f"The simple sum explains {share}.", r2)
    elif r2 >= POOR:
        fit = Check("surrogate_fit", "amber", f"The simple sum explains only {share}: read it with care.", r2)
    else:
        fit = Check("surrogate_fit", "red", f"The simple sum explains only {share}: do not rely on these bars.", r2)
    samples = surrogate.effective_samples
    if samples >= MIN_SAMPLES:
        return (fit,)
    few = f"One of the conditions is known from only {samples:,.0f} made-up rows"
    return fit, Check("neighbourhood", "amber", f"{few}: take more of them or a wider kernel.", samples)


TABULAR_METHODS.add(
    RowMethod(
        name="lime",
        title="A simple stand-in nearby",
        technical="LIME",
        rank=10,
        question="Which conditions decide for rows like this one?",
        sentence="A bar to the right: that this condition holds raises the answer for rows like this one; "
        "a bar to the left lowers it.",
        caution="It mixes columns freely, so some of its made-up rows could not exist, "
        "and what counts as near is a choice.",
        paper="Ribeiro et al. 2016, arXiv:1602.04938",
        run=run,
        fit_widths=fit_widths,
        params=(
            Float(
                name="kernel_width",
                title="Width of the neighbourhood",
                help="How many conditions a made-up row may break and still be near. "
                "Narrow speaks of this row, wide of the whole table.",
                default=0.5,
                low=0.3,
                high=10.0,
                step=0.05,
            ),
            Int(
                name="samples",
                title="Made-up rows",
                help="More give steadier bars and take longer.",
                default=2000,
                low=100,
                high=20000,
            ),
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
)
