"""The search for small changes of a row that reach a goal: few features first, then short ways, within values seen in the data.

Rows are in numbers (`_coded.Codes`). A beam over one, two and more changed features finds goals nearby; where that is not enough,
rows of the data that reach the goal are turned back towards this row feature by feature (Keane and Smyth 2020, arXiv:2005.13997). What is
found is freed of changes it does not need, and every number goes back towards its old value as far as the goal allows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.tabular.data.cell_format import count_decimals
from xai_core.tabular.data.column import Column

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
Signature = frozenset[tuple[int, float]]
"""What kind of change it is: each changed feature with its direction, or with its new category."""

OPTIONS = 24
"""Values tried for one feature."""
BUDGET = 8192
"""Rows tried for each number of changed features, about."""
MOST_CHANGED = 4
"""Features changed at once by the beam; beyond it real rows are the better guide."""
SAME_SET = 3
"""Rows kept at least that change the same features."""
KEPT = 60
NEIGHBOURS = 24
PARTS, ROUNDS = 8, 3
"""A way back is cut into 8, three times: it ends within a five-hundredth of where it could."""
WEIGHT_OF_DISTANCE = 0.1


@dataclass(frozen=True, eq=False)
class Space:
    """Where a row may go: the values each feature may take, and how far they are."""

    columns: tuple[Column, ...]
    start: Float64
    """(features,)."""
    seen: Float64
    """Rows of the data, (N, features)."""
    free: Places
    """Features that may change."""
    spread: Float64
    """What counts as a way of 1, (features,): the middle nine tenths of the values."""
    options: tuple[Float64, ...]
    """Values to try, for each free feature."""

    @classmethod
    def around(cls, columns: tuple[Column, ...], start: Float64, seen: Float64, locked: Places) -> Space:
        free = np.setdiff1d(np.arange(len(columns)), locked)
        most = int(np.clip(BUDGET // max(len(free), 1), 4, OPTIONS))
        spread = np.array([_spread(column, seen[:, j]) for j, column in enumerate(columns)])
        return cls(
            columns, start, seen, free, spread, tuple(_options(columns[j], seen[:, j], start[j], most) for j in free)
        )

    def numeric(self, feature: int) -> bool:
        return self.columns[feature].kind in ("numeric", "date")

    def changed(self, rows: Float64) -> Flags:
        """(N, features). A missing cell stays what it was if it is missing still."""
        flags: Flags = (rows != self.start) & ~(np.isnan(rows) & np.isnan(self.start))
        return flags

    def distance(self, rows: Float64) -> Float64:
        """(N,): numbers by their way in spreads, at most 1 each; a category, or a number that was missing, counts 1."""
        ways = np.abs(rows - self.start) / self.spread
        exact = np.array([self.numeric(j) for j in range(len(self.columns))]) & ~np.isnan(self.start)
        each: Float64 = np.where(self.changed(rows), np.where(exact, np.minimum(ways, 1.0), 1.0), 0.0)
        total: Float64 = each.sum(axis=1)
        return total

    def signature(self, row: Float64) -> Signature:
        places = np.flatnonzero(self.changed(row[None])[0]).tolist()
        numbers = {j: self.numeric(j) and not np.isnan(self.start[j]) for j in places}
        return frozenset((j, float(np.sign(row[j] - self.start[j]) if numbers[j] else row[j])) for j in places)

    def rounded(self, values: Float64, features: Places) -> Float64:
        """Numbers with as many digits as are shown, never outside of what was seen, (N,) of one feature each."""
        ends = np.array(
            [(self.columns[j].low, self.columns[j].high, count_decimals(self.columns[j])) for j in features]
        ).reshape(-1, 3)
        scale = 10.0 ** ends[:, 2]
        return np.clip(np.round(values * scale) / scale, ends[:, 0], ends[:, 1])


def _spread(column: Column, values: Float64) -> float:
    present = values[~np.isnan(values)]
    if not len(present):
        return 1.0
    low, high = np.quantile(present, [0.05, 0.95])
    return float(high - low) or float(np.ptp(present)) or 1.0


def _options(column: Column, values: Float64, own: float, most: int) -> Float64:
    """Other values of a column: all of a few, or of many numbers some, evenly by rank, with the smallest and the largest."""
    if column.kind == "category":
        found = np.arange(min(len(column.categories), most), dtype=np.float64)
    else:
        found = np.unique(values[~np.isnan(values)])
        if len(found) > most:
            found = np.unique(np.quantile(found, np.linspace(0, 1, most), method="nearest"))
    others: Float64 = found[found != own]
    return others


class Search:
    """`ask` says how far rows (N, features) are from the goal, (N,): 0 where it is reached."""

    def __init__(self, space: Space, ask: Callable[[Float64], Float64], rng: np.random.Generator) -> None:
        self.space, self.rng, self.evaluations = space, rng, 0
        self._ask = ask

    def ask(self, rows: Float64) -> Float64:
        self.evaluations += len(rows)
        return self._ask(rows) if len(rows) else np.zeros(0)

    def run(self, count: int) -> Float64:
        """Up to `count` rows that reach the goal, (n, features), small and unlike each other; none is a larger form of what is needed."""
        found = self._beam(count)
        if self._ways(found) < count:
            found = np.concatenate([found, self._from_the_data()])
        if not len(found):
            return found
        return self._choose(self._closer(self._needed(found)), count)

    def _ways(self, rows: Float64) -> int:
        """How many different sets of features the rows change."""
        return len(np.unique(self.space.changed(rows), axis=0))

    def _beam(self, count: int) -> Float64:
        """Rows with few changed features that reach the goal."""
        frontier, found = self.space.start[None], np.zeros((0, len(self.space.start)))
        width = max(8, BUDGET // max(sum(map(len, self.space.options)), 1))
        for _ in range(min(MOST_CHANGED, len(self.space.free))):
            rows = self._one_more(frontier)
            missing = self.ask(rows)
            cost = self.space.distance(rows)
            reached = missing == 0
            found = np.concatenate([found, self._best(rows[reached], cost[reached], KEPT)])
            scale = float(missing.max()) or 1.0
            frontier = self._best(rows[~reached], (missing / scale + WEIGHT_OF_DISTANCE * cost)[~reached], width)
            if self._ways(found) >= count or not len(frontier):
                break
        return found

    def _one_more(self, frontier: Float64) -> Float64:
        """Each row of the frontier with each further feature at each of its options."""
        changed = self.space.changed(frontier)
        grown = []
        for feature, options in zip(self.space.free, self.space.options, strict=True):
            rows = np.repeat(frontier[~changed[:, feature]], len(options), axis=0)
            rows[:, feature] = np.tile(options, len(rows) // max(len(options), 1))
            grown.append(rows)
        return np.unique(np.concatenate(grown), axis=0, equal_nan=True)

    def _best(self, rows: Float64, cost: Float64, most: int) -> Float64:
        """The cheapest rows, shared out among the sets of features that are changed."""
        sets, kept = Counter[bytes](), []
        flags = self.space.changed(rows)
        same = max(SAME_SET, most // max(self._ways(rows), 1))
        for place in np.argsort(cost, kind="stable"):
            which = flags[place].tobytes()
            if sets[which] < same:
                sets[which] += 1
                kept.append(place)
            if len(kept) == most:
                break
        return rows[kept]

    def _from_the_data(self) -> Float64:
        """The nearest rows of the data that reach the goal, with locked features and empty cells as in this row."""
        rows = np.tile(self.space.start, (len(self.space.seen), 1))
        rows[:, self.space.free] = self.space.seen[:, self.space.free]
        rows = np.where(np.isnan(rows), self.space.start, rows)
        rows = rows[self.rng.permutation(len(rows))[:BUDGET]]
        rows = rows[self.ask(rows) == 0]
        nearest: Float64 = rows[np.argsort(self.space.distance(rows), kind="stable")[:NEIGHBOURS]]
        return nearest

    def _needed(self, rows: Float64) -> Float64:
        """The rows without the changes they can do without: the longest of those that can go goes first."""
        rows, active = rows.copy(), np.arange(len(rows))
        while len(active):
            changed = self.space.changed(rows[active])
            changed &= changed.sum(axis=1, keepdims=True) > 1  # without its only change a row is the one to be changed
            owner, feature = np.nonzero(changed)
            trials = rows[active][owner]
            trials[np.arange(len(trials)), feature] = self.space.start[feature]
            fine = self.ask(trials) == 0
            shorter = {}
            for place in np.argsort(-self.space.distance(trials), kind="stable"):
                if fine[place]:
                    shorter[int(owner[place])] = place  # the last one written is the shortest
            rows[active[list(shorter)]] = trials[list(shorter.values())]
            active = active[sorted(shorter)]
        return rows

    def _closer(self, rows: Float64) -> Float64:
        """The rows with each changed number as near to its old value as the goal allows, one number after the other."""
        rows = rows.copy()
        ways = [
            [j for j in np.flatnonzero(flags).tolist() if self.space.numeric(j) and not np.isnan(self.space.start[j])]
            for flags in self.space.changed(rows)
        ]
        for turn in range(max(map(len, ways), default=0)):
            active = np.array([i for i, way in enumerate(ways) if len(way) > turn])
            features = np.array([ways[i][turn] for i in active])
            self._back(rows, active, features)
        return rows

    def _back(self, rows: Float64, active: Places, features: Places) -> None:
        """Bring one number of each active row back: try places between the last one that fails and the first that is fine, evenly."""
        near, far = rows[active, features], self.space.start[features]
        for _ in range(ROUNDS):
            steps = np.arange(1, PARTS) / PARTS
            raw = (far[:, None] + (near - far)[:, None] * steps).ravel()
            values = self.space.rounded(raw, np.repeat(features, PARTS - 1))
            trials = np.repeat(rows[active], PARTS - 1, axis=0)
            trials[np.arange(len(trials)), np.repeat(features, PARTS - 1)] = values
            fine = (self.ask(trials) == 0).reshape(len(active), -1)
            values = values.reshape(fine.shape)
            first = np.where(fine.any(axis=1), fine.argmax(axis=1), PARTS - 1)
            ladder = np.column_stack([far, values, near])
            each = np.arange(len(active))
            far, near = ladder[each, first], ladder[each, first + 1]
        rows[active, features] = near

    def _choose(self, rows: Float64, count: int) -> Float64:
        """The cheapest of each kind of change, then one after the other the cheapest that shares least with those chosen."""
        cost = self.space.changed(rows).sum(axis=1) + self.space.distance(rows)
        kinds: dict[Signature, int] = {}
        for place in np.argsort(cost, kind="stable"):
            kinds.setdefault(self.space.signature(rows[place]), int(place))
        chosen: list[Signature] = []
        places = []
        while kinds and len(chosen) < count:
            best = min(
                kinds, key=lambda kind: cost[kinds[kind]] + max((_shared(kind, other) for other in chosen), default=0.0)
            )
            chosen.append(best)
            places.append(kinds.pop(best))
        return rows[places]


def _shared(one: Signature, other: Signature) -> float:
    """Part of the features of two kinds of change that is the same, 0 to 1 (Jaccard)."""
    mine, theirs = {feature for feature, _ in one}, {feature for feature, _ in other}
    return len(mine & theirs) / len(mine | theirs)
