"""The form in which a fitted scikit-learn model takes each column: values that its encoders know, or numbers.

A pipeline is walked from its input: a column is followed through column transformers, at any depth, and through
imputers, up to the first encoder or the first part that computes with it. No code of the model is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

# Attributes under which scikit-learn keeps fitted models that get the same columns.
_PARTS = ("best_estimator_", "regressor_", "estimator_", "estimators_", "calibrated_classifiers_", "estimator")


@dataclass(frozen=True)
class Encoding:
    """Values of one column that an encoder met when it was fitted."""

    values: frozenset[Any]
    knows_missing: bool
    takes_unknown: bool
    """True where a value it never met is no error."""

    def knows(self, value: Any) -> bool:
        """Return whether the encoder, or an imputer before it, met a value; NaN and None are no value."""
        return self.knows_missing if is_missing(value) else value in self.values


@dataclass
class Demand:
    """First use that a model makes of one column."""

    encodings: list[Encoding] = field(default_factory=list)
    is_number: bool = False
    """True where a part of the model computes with it."""

    @property
    def takes_text(self) -> bool:
        return any(isinstance(value, str) for encoding in self.encodings for value in encoding.values)

    def knows(self, value: Any) -> bool:
        return all(encoding.knows(value) for encoding in self.encodings)

    @property
    def takes_unknown(self) -> bool:
        return all(encoding.takes_unknown for encoding in self.encodings)


@dataclass(frozen=True)
class _Source:
    """A column of the input on its way, with the values that imputers replaced."""

    name: str
    replaced: tuple[Any, ...] = ()


# None stands for what was computed from several columns or by an encoder.
_Sources = Sequence[_Source | None]


def find_demands(estimator: Any, names: Sequence[str]) -> dict[str, Demand]:
    """Return what the model does first with each of the columns, which it takes in this order."""
    demands = {name: Demand() for name in names}
    _Walk(demands).visit(estimator, [_Source(name) for name in names])
    return demands


def is_missing(value: Any) -> bool:
    """Return whether a cell is None or NaN."""
    # Only NaN differs from itself.
    return value is None or bool(value != value)


@dataclass
class _Walk:
    demands: dict[str, Demand]

    def visit(self, step: Any, sources: _Sources) -> _Sources:
        """Record what a step does with its columns, and return its outputs as far as they are known."""
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import FeatureUnion, Pipeline
        from sklearn.preprocessing import FunctionTransformer

        if step is None or isinstance(step, str):
            return [] if step == "drop" else sources
        if isinstance(step, Pipeline):
            for _, part in step.steps:
                sources = self.visit(part, sources)
            return sources
        if isinstance(step, FeatureUnion):
            return [output for _, part in step.transformer_list for output in self.visit(part, sources)]
        if isinstance(step, ColumnTransformer):
            return self._visit_columns(step, sources)
        if isinstance(step, SimpleImputer) and step.strategy in ("most_frequent", "constant"):
            return _impute(step, sources)
        if isinstance(step, FunctionTransformer) and step.func is None:
            return sources
        if hasattr(step, "categories_"):
            return self._record_encoder(step, sources)
        return self._visit_model(step, sources)

    def _visit_columns(self, step: Any, sources: _Sources) -> _Sources:
        outputs = step.output_indices_
        result: list[_Source | None] = [None] * max((part.stop for part in outputs.values()), default=0)
        for name, part, selection in step.transformers_:
            positions = _find_positions(step, selection)
            if positions and max(positions) < len(sources):
                parts = self.visit(part, [sources[position] for position in positions])
                place = outputs.get(name, slice(0, 0))
                if len(parts) == place.stop - place.start:
                    result[place] = parts
        return result

    def _record_encoder(self, step: Any, sources: _Sources) -> _Sources:
        takes_unknown = getattr(step, "handle_unknown", "ignore") != "error"
        for source, categories in zip(sources, step.categories_, strict=False):
            if source is not None:
                known = [*np.asarray(categories).tolist(), *source.replaced]
                encoding = Encoding(
                    frozenset(value for value in known if not is_missing(value)),
                    any(map(is_missing, known)),
                    takes_unknown,
                )
                self.demands[source.name].encodings.append(encoding)
        # As many outputs as columns for all encoders but one-hot ones, whose outputs nobody encodes again.
        return [None] * len(sources)

    def _visit_model(self, step: Any, sources: _Sources) -> _Sources:
        """Follow a model into those that get the same columns; without such it computes with them itself."""
        preparation = getattr(step, "_preprocessor", None)
        parts = [preparation] if preparation is not None else list(_iter_parts(step, len(sources)))
        for part in parts:
            self.visit(part, sources)
        for source in sources if not parts else ():
            if source is not None:
                self.demands[source.name].is_number = True
        return [None] * len(sources)


def _iter_parts(step: Any, count: int) -> Iterator[Any]:
    for name in _PARTS:
        entry = vars(step).get(name)
        for part in entry if isinstance(entry, (list, tuple)) else [entry]:
            # A calibrated classifier holds its model one level deeper.
            part = getattr(part, "estimator", part) if name == "calibrated_classifiers_" else part
            if getattr(part, "n_features_in_", None) == count:
                yield part


def _impute(step: Any, sources: _Sources) -> _Sources:
    """Return the columns behind an imputer; those that held no value at all are dropped."""
    statistics = np.asarray(step.statistics_, dtype=object)
    filled_sources = [
        source and replace(source, replaced=(*source.replaced, step.missing_values))
        for source, filled in zip(sources, statistics, strict=False)
        if step.keep_empty_features or not is_missing(filled)
    ]
    indicator = getattr(step, "indicator_", None)
    return [*filled_sources, *[None] * (0 if indicator is None else len(indicator.features_))]


def _find_positions(step: Any, selection: Any) -> list[int]:
    """Return the positions of a block's columns, which may be names, numbers, a slice or a mask."""
    count = int(step.n_features_in_)
    names = [str(name) for name in getattr(step, "feature_names_in_", ())]
    if isinstance(selection, slice):
        start, stop = (names.index(end) if isinstance(end, str) else end for end in (selection.start, selection.stop))
        # A slice by name includes its end.
        stop = stop + 1 if isinstance(selection.stop, str) else stop
        return list(range(count)[slice(start, stop, selection.step)])
    entries = np.atleast_1d(np.asarray(selection, dtype=object)).tolist()
    if entries and all(isinstance(entry, (bool, np.bool_)) for entry in entries):
        return [position for position, is_chosen in enumerate(entries) if is_chosen]
    return [
        names.index(entry) if isinstance(entry, str) else int(entry) % count
        for entry in entries
        if not isinstance(entry, str) or entry in names
    ]
