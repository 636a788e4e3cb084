"""Search for small changes of a row that reach a goal: few features first, then small changes, within observed values.

Rows are coded in numbers. A beam over one, two and more changed features finds goals nearby; where that is not enough,
rows of the data that reach the goal are turned back towards this row feature by feature (Keane and Smyth 2020,
arXiv:2005.13997). Each result is freed of changes it does not need, and every number goes back towards its old value as
far as the goal allows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xai_core.arrays import Bool, Float64, Int64
from xai_core.tabular.data.cell_format import count_decimals
from xai_core.tabular.data.column import Column
from xai_core.tabular.row.directions import Limits, has_order

# Kind of a change: each changed feature with its direction, or with its new category.
Signature = frozenset[tuple[int, float]]

# Values tried for one feature.
MAX_OPTIONS = 24
# Rows tried for each number of changed features, about.
BUDGET = 8192
# Features changed at once by the beam; beyond it real rows are the better guide.
MAX_FEATURES = 4
# Rows that a selection keeps of each set of changed features at least.
MIN_PER_SET = 3
MAX_RESULTS = 60
MAX_NEIGHBOURS = 24
# A path back is cut into 8 parts, three times: it ends within a five-hundredth of the best.
PARTS, ROUNDS = 8, 3
WEIGHT_OF_DISTANCE = 0.1


@dataclass(frozen=True, eq=False)
class Space:
    """Values that each feature may take, and their distances."""

    columns: tuple[Column, ...]
    start: Float64
    """The row to change, (features,)."""
    observed: Float64
    """Rows of the data, (N, features)."""
    free: Int64
    """Features that may change."""
    scale: Float64
    """A distance of 1, (features,): the middle nine tenths of the values."""
    options: tuple[Float64, ...]
    """Values to try, for each free feature."""
    limits: Limits

    @classmethod
    def of(cls, columns: tuple[Column, ...], start: Float64, observed: Float64, limits: Limits) -> Space:
        free = np.flatnonzero(~limits.locked)
        # With many features each gets fewer options, so that one round keeps to the budget.
        count = int(np.clip(BUDGET // max(len(free), 1), 4, MAX_OPTIONS))
        scale = np.array([_measure_scale(observed[:, j]) for j in range(len(columns))])
        ends = zip(limits.low, limits.high, strict=True)
        options = tuple(
            _list_options(columns[j], observed[:, j], start[j], (low, high), count)
            for j, (low, high) in enumerate(ends)
            if not limits.locked[j]
        )
        return cls(columns, start, observed, free, scale, options, limits)

    def is_numeric(self, feature: int) -> bool:
        """Return whether a smaller change of the feature is a smaller number."""
        return self.columns[feature].kind != "boolean" and has_order(self.columns[feature])

    def is_allowed(self, rows: Float64) -> Bool:
        """Return True for cells that a feature may change to, (N, features)."""
        flags: Bool = (rows >= self.limits.low) & (rows <= self.limits.high) & ~self.limits.locked
        return flags

    def find_changes(self, rows: Float64) -> Bool:
        """Return True for cells that differ from the start, (N, features); missing and still missing is no change."""
        flags: Bool = (rows != self.start) & ~(np.isnan(rows) & np.isnan(self.start))
        return flags

    def distance(self, rows: Float64) -> Float64:
        """Return the distance to the start, (N,): a number at most 1; a category, or one that was missing, counts 1."""
        paths = np.abs(rows - self.start) / self.scale
        exact = np.array([self.is_numeric(j) for j in range(len(self.columns))]) & ~np.isnan(self.start)
        parts: Float64 = np.where(self.find_changes(rows), np.where(exact, np.minimum(paths, 1.0), 1.0), 0.0)
        total: Float64 = parts.sum(axis=1)
        return total

    def signature(self, row: Float64) -> Signature:
        features = np.flatnonzero(self.find_changes(row[None])[0]).tolist()
        numbers = {j: self.is_numeric(j) and not np.isnan(self.start[j]) for j in features}
        return frozenset((j, float(np.sign(row[j] - self.start[j]) if numbers[j] else row[j])) for j in features)

    def round_values(self, values: Float64, features: Int64) -> Float64:
        """Round numbers to the digits that are shown, within the limits, (N,) of one feature each."""
        scale = 10.0 ** np.array([count_decimals(self.columns[j]) for j in features])
        return np.clip(np.round(values * scale) / scale, self.limits.low[features], self.limits.high[features])


def _measure_scale(values: Float64) -> float:
    present = values[~np.isnan(values)]
    if not len(present):
        return 1.0
    low, high = np.quantile(present, [0.05, 0.95])
    # A column that is constant in its middle falls back to its whole range, then to 1.
    return float(high - low) or float(np.ptp(present)) or 1.0


def _list_options(column: Column, values: Float64, own: float, ends: tuple[float, float], count: int) -> Float64:
    """Return other values within the ends: all of a few, else `count` evenly by rank with the smallest and the largest.

    Of categories without order the commonest ones.
    """
    low, high = ends
    options = np.unique(values[~np.isnan(values)])
    if column.kind == "category":
        options = np.arange(len(column.categories), dtype=np.float64)
    options = options[(options >= low) & (options <= high)]
    if not len(options) and low <= high:
        # No row has a value there, so that only the ends are known to be meant.
        options = np.unique([low, high])
    if len(options) > count:
        # Take observed values only, never ones in between.
        evenly = np.quantile(options, np.linspace(0, 1, count), method="nearest")
        options = np.unique(evenly) if has_order(column) else options[:count]
    others: Float64 = options[options != own]
    return others


class Search:
    """Search from one row. `shortfall` measures the gap of rows (N, features) to the goal, (N,): 0 where reached."""

    def __init__(self, space: Space, shortfall: Callable[[Float64], Float64], rng: np.random.Generator) -> None:
        self.space, self.rng, self.evaluations = space, rng, 0
        self._shortfall = shortfall

    def measure_shortfall(self, rows: Float64) -> Float64:
        self.evaluations += len(rows)
        return self._shortfall(rows) if len(rows) else np.zeros(0)

    def run(self, count: int) -> Float64:
        """Return up to `count` rows that reach the goal, (n, features), small and unlike each other.

        None is a larger form of a change that is enough.
        """
        rows = self._search_beam(count)
        if self._count_feature_sets(rows) < count:
            rows = np.concatenate([rows, self._search_data()])
        if not len(rows):
            return rows
        return self._select_diverse(self._shrink_changes(self._prune_changes(rows)), count)

    def _count_feature_sets(self, rows: Float64) -> int:
        """Return the number of different sets of features that the rows change."""
        return len(np.unique(self.space.find_changes(rows), axis=0))

    def _search_beam(self, count: int) -> Float64:
        """Return rows with few changed features that reach the goal."""
        frontier, results = self.space.start[None], np.zeros((0, len(self.space.start)))
        # So many rows that all their extensions together keep to the budget.
        width = max(8, BUDGET // max(sum(map(len, self.space.options)), 1))
        for _ in range(min(MAX_FEATURES, len(self.space.free))):
            # Change one more feature of every row of the frontier.
            rows = self._extend(frontier)
            shortfall = self.measure_shortfall(rows)
            cost = self.space.distance(rows)
            reached = shortfall == 0
            results = np.concatenate([results, self._select_cheapest(rows[reached], cost[reached], MAX_RESULTS)])
            # Go on from the rows nearest to the goal.
            scale = float(shortfall.max()) or 1.0
            rank = shortfall / scale + WEIGHT_OF_DISTANCE * cost
            frontier = self._select_cheapest(rows[~reached], rank[~reached], width)
            if self._count_feature_sets(results) >= count or not len(frontier):
                break
        return results

    def _extend(self, frontier: Float64) -> Float64:
        """Return each row of the frontier with each further feature at each of its options."""
        changed = self.space.find_changes(frontier)
        parts = []
        for feature, options in zip(self.space.free, self.space.options, strict=True):
            rows = np.repeat(frontier[~changed[:, feature]], len(options), axis=0)
            rows[:, feature] = np.tile(options, len(rows) // max(len(options), 1))
            parts.append(rows)
        return np.unique(np.concatenate(parts), axis=0, equal_nan=True)

    def _select_cheapest(self, rows: Float64, cost: Float64, count: int) -> Float64:
        """Return the cheapest rows, shared out among the sets of changed features."""
        sets, selected = Counter[bytes](), []
        flags = self.space.find_changes(rows)
        # A single set of features must not crowd out the others.
        max_per_set = max(MIN_PER_SET, count // max(self._count_feature_sets(rows), 1))
        for index in np.argsort(cost, kind="stable"):
            changed = flags[index].tobytes()
            if sets[changed] < max_per_set:
                sets[changed] += 1
                selected.append(index)
            if len(selected) == count:
                break
        return rows[selected]

    def _search_data(self) -> Float64:
        """Return the nearest rows of the data that reach the goal; what may not change and empty cells do not."""
        # An empty cell is not allowed either: it is no value to propose.
        rows = np.where(self.space.is_allowed(self.space.observed), self.space.observed, self.space.start)
        # Score only a random part of a large table.
        rows = rows[self.rng.permutation(len(rows))[:BUDGET]]
        rows = rows[self.measure_shortfall(rows) == 0]
        nearest: Float64 = rows[np.argsort(self.space.distance(rows), kind="stable")[:MAX_NEIGHBOURS]]
        return nearest

    def _prune_changes(self, rows: Float64) -> Float64:
        """Return the rows without the changes they can do without; the largest of those goes first."""
        rows, active = rows.copy(), np.arange(len(rows))
        while len(active):
            changed = self.space.find_changes(rows[active])
            # Without its only change a row is the start.
            changed &= changed.sum(axis=1, keepdims=True) > 1
            # Undo every change of every row on its own.
            owner, feature = np.nonzero(changed)
            trials = rows[active][owner]
            trials[np.arange(len(trials)), feature] = self.space.start[feature]
            reached = self.measure_shortfall(trials) == 0
            # Of each row's trials that reach the goal take the nearest: the last one written.
            shorter = {}
            for index in np.argsort(-self.space.distance(trials), kind="stable"):
                if reached[index]:
                    shorter[int(owner[index])] = index
            rows[active[list(shorter)]] = trials[list(shorter.values())]
            active = active[sorted(shorter)]
        return rows

    def _shrink_changes(self, rows: Float64) -> Float64:
        """Return the rows with each changed number as near to its old value as the goal allows, one after the other."""
        rows = rows.copy()
        numbers = [
            [
                j
                for j in np.flatnonzero(flags).tolist()
                if self.space.is_numeric(j) and not np.isnan(self.space.start[j])
            ]
            for flags in self.space.find_changes(rows)
        ]
        for turn in range(max(map(len, numbers), default=0)):
            active = np.array([i for i, features in enumerate(numbers) if len(features) > turn])
            features = np.array([numbers[i][turn] for i in active])
            self._move_back(rows, active, features)
        return rows

    def _move_back(self, rows: Float64, active: Int64, features: Int64) -> None:
        """Move one number of each active row back towards its old value, in place."""
        near, far = rows[active, features], self.space.start[features]
        for _ in range(ROUNDS):
            # Try values evenly between the last one that fails and the first that reaches the goal.
            steps = np.arange(1, PARTS) / PARTS
            raw = (far[:, None] + (near - far)[:, None] * steps).ravel()
            values = self.space.round_values(raw, np.repeat(features, PARTS - 1))
            trials = np.repeat(rows[active], PARTS - 1, axis=0)
            trials[np.arange(len(trials)), np.repeat(features, PARTS - 1)] = values
            reached = (self.measure_shortfall(trials) == 0).reshape(len(active), -1)
            values = values.reshape(reached.shape)
            first = np.where(reached.any(axis=1), reached.argmax(axis=1), PARTS - 1)
            # Go on between the first value that reaches the goal and the one before it.
            ladder = np.column_stack([far, values, near])
            row = np.arange(len(active))
            far, near = ladder[row, first], ladder[row, first + 1]
        rows[active, features] = near

    def _select_diverse(self, rows: Float64, count: int) -> Float64:
        """Return the cheapest row of each kind, one by one the cheapest that shares least with those before."""
        cost = self.space.find_changes(rows).sum(axis=1) + self.space.distance(rows)
        kinds: dict[Signature, int] = {}
        for index in np.argsort(cost, kind="stable"):
            # The cheapest of each kind comes first and stays.
            kinds.setdefault(self.space.signature(rows[index]), int(index))
        selected: list[Signature] = []
        indices = []

        def penalise(kind: Signature) -> float:
            overlap = max((_measure_overlap(kind, earlier) for earlier in selected), default=0.0)
            return float(cost[kinds[kind]] + overlap)

        while kinds and len(selected) < count:
            best = min(kinds, key=penalise)
            selected.append(best)
            indices.append(kinds.pop(best))
        return rows[indices]


def _measure_overlap(first: Signature, second: Signature) -> float:
    """Return the share of features that two kinds of change have in common, 0 to 1 (Jaccard)."""
    a, b = {feature for feature, _ in first}, {feature for feature, _ in second}
    return len(a & b) / len(a | b)
