"""LIME for a row of a table: a simple sum of conditions that answers like the model for rows near this one.

Ribeiro et al. 2016, arXiv:1602.04938. As in the authors' package numbers are cut at the quartiles of the training rows, each cell of a
sample is drawn on its own from the training rows, and a ridge regression weighs the conditions that a sample shares with the row. The
authors draw from everywhere and give far samples a small weight; for a narrow kernel that leaves hardly any, and with their default width
all samples count nearly alike (Garreau and von Luxburg 2020, arXiv:2008.11092). Their kernel has one factor for each condition that is
broken, so samples are drawn here from the weighted distribution itself: the same sum in the limit, and every sample counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.params import Float, Int
from xai_core.results import Check
from xai_core.tabular.data.cell_format import format_cell
from xai_core.tabular.data.column import Column
from xai_core.tabular.row.method import RawRow, RowMethod, RowRequest

Flags = npt.NDArray[np.bool_]
WIDTHS = (0.35, 0.5, 0.7, 1.0, 1.5, 2.5, 5.0)
GOOD, POOR = 0.6, 0.3
FEWEST = 30
"""Samples that must hold, and that must break, each condition."""


@dataclass(frozen=True)
class Pieces:
    """How a column is cut: at `edges` (each belongs to the piece below it), or, where there are none, by its single values."""

    column: Column
    edges: Float64

    @classmethod
    def of(cls, column: Column, values: Float64, count: int) -> Pieces:
        seen = values[~np.isnan(values)]
        if column.kind in ("category", "boolean") or not len(seen):
            return cls(column, np.zeros(0))
        edges = np.unique(np.quantile(seen, np.arange(1, count) / count))
        return cls(column, edges[edges < seen.max()])

    def same(self, values: Float64, own: float) -> Flags:
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
            return f"{name} = {format_cell(self.column, own)}"
        place = int(np.searchsorted(self.edges, own))
        above = format_cell(self.column, float(self.edges[place - 1])) if place else ""
        if place == len(self.edges):
            return f"{name} > {above}"
        below = f"{name} ≤ {format_cell(self.column, float(self.edges[place]))}"
        return f"{above} < {below}" if place else below


@dataclass(frozen=True)
class Sample:
    """Made-up rows around the row: which conditions each shares with it, (N, features), and the model's answers, (N,)."""

    same: Flags
    scores: Float64
    conditions: tuple[str, ...]

    @classmethod
    def draw(cls, request: RowRequest, width: float) -> Sample:
        """Samples near the row, for a kernel width; the first one is the row itself."""
        count, known, start = request.integer("samples"), request.trained_on, request.start
        request.job.expect(request.job.done + count)
        rows, same = np.tile(start, (count, 1)), np.ones((count, len(start)), dtype=np.bool_)
        words = []
        for j, column in enumerate(request.codes.columns):
            cut = Pieces.of(column, known[:, j], request.integer("pieces"))
            inside = cut.same(known[:, j], start[j])
            same[1:, j] = _kept(float(inside.mean()), width, count - 1, request.rng)
            for flags, values in ((same[:, j], known[inside, j]), (~same[:, j], known[~inside, j])):
                if len(values):
                    rows[flags, j] = request.rng.choice(values, int(flags.sum()))
            words.append(cut.condition(request.codes.decode_cell(j, start[j])))
        rows[0] = start
        return cls(same, request.scores(rows), tuple(words))


def _kept(share: float, width: float, count: int, rng: np.random.Generator) -> Flags:
    """Which of so many samples hold a condition that this share of the training rows holds; of one that all of them hold, all."""
    breaking = (1 - share) * np.exp(-1 / (2 * width**2))
    holding: Flags = rng.random(count) >= breaking / (breaking + (share or 1.0))
    return holding


@dataclass(frozen=True)
class Surrogate:
    """The simple sum for one kernel width."""

    width: float
    """How many conditions a sample may break and still be near."""
    weights: Float64
    """(features,): what it adds that a condition holds."""
    constant: float
    r2: float
    """Share of the model's ups and downs among near samples that the sum explains, at most 1."""
    effective_samples: float
    """Samples that tell of the condition known least: that hold it or that break it, whichever are fewer."""


def fit(sample: Sample, width: float) -> Surrogate:
    """The ridge regression of the model's answers on the shared conditions."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1.0).fit(sample.same, sample.scores)
    r2 = float(model.score(sample.same, sample.scores))
    return Surrogate(width, model.coef_, float(model.intercept_), r2, _told(sample.same))


def _told(same: Flags) -> float:
    holding = same.sum(axis=0)
    fewer = np.minimum(holding, len(same) - holding)
    return float(fewer[holding < len(same)].min(initial=len(same)))  # what cannot be broken at all has nothing to tell


def kernel_effect(request: RowRequest, widths: Sequence[float] = WIDTHS) -> tuple[Surrogate, ...]:
    """How the answer changes with the kernel width: new samples for each."""
    return tuple(fit(Sample.draw(request, width), width) for width in widths)


def run(request: RowRequest) -> RawRow:
    """What each condition that holds for the row adds to the simple sum, in the score's unit."""
    width = request.number("kernel_width")
    sample = Sample.draw(request, width)
    request.score = float(sample.scores[0])
    found = fit(sample, width)
    details = {
        "surrogate_r2": found.r2,
        "effective_samples": found.effective_samples,
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
        fits = Check(
            "surrogate_fit", "red", f"The simple sum explains only {share}: do not rely on these bars.", found.r2
        )
    if found.effective_samples >= FEWEST:
        return (fits,)
    few = f"One of the conditions is known from only {found.effective_samples:,.0f} made-up rows"
    return fits, Check(
        "neighbourhood", "amber", f"{few}: take more of them or a wider kernel.", found.effective_samples
    )


SPEC = RowMethod(
    name="lime",
    title="A simple stand-in nearby",
    technical="LIME",
    question="Which conditions decide for rows like this one?",
    sentence="A bar to the right: that this condition holds raises the answer for rows like this one; a bar to the left lowers it.",
    caution="It mixes columns freely, so some of its made-up rows could not exist, and what counts as near is a choice.",
    paper="Ribeiro et al. 2016, arXiv:1602.04938",
    run=run,
    fit_widths=kernel_effect,
    params=(
        Float(
            name="kernel_width",
            title="Width of the neighbourhood",
            help="How many conditions a made-up row may break and still be near. Narrow speaks of this row, wide of the whole table.",
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
