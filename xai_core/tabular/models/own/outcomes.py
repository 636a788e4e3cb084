"""The outcomes that an own classifier names, matched with a table's classes, however both write them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.errors import ModelUnavailable
from xai_core.tabular.models.own.demands import is_missing
from xai_core.tabular.models.own.readings import DEFAULT

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

_TRUE, _FALSE = ("true", "yes", "y", "t", "1"), ("false", "no", "n", "f", "0")


def match_outcomes(labels: Sequence[Any], table: Table) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the table's class of each of the model's labels, and notes on what was guessed.

    Raises:
        ModelUnavailable: they do not fit.
    """
    spellings = _list_spellings(table)
    for read in (_keep, _as_number, _strip, _lower, _as_answer):
        classes = _match_with(read, labels, spellings)
        if classes is not None:
            _check_distinct(labels, classes, table)
            return classes, ()
    order = _sort_as_pandas(table)
    # Trained on numbers of the outcomes, as scikit-learn's LabelEncoder gives them.
    if all(_is_index(label, len(table.classes)) for label in labels):
        classes = tuple(order[int(label)] for label in labels)
        pairs = ", ".join(
            f"{int(label)} for {table.classes[index]}" for label, index in zip(labels, classes, strict=True)
        )
        return classes, (f"Your model numbers its outcomes. They were taken in sorted order: {pairs}.",)
    if all(isinstance(label, bool) for label in labels):
        raise ModelUnavailable(
            f"Your model knows the outcomes False and True, the table has {', '.join(table.classes[:8])}, and it is "
            "not known which of them True stands for. Train on the outcomes as the file writes them."
        )
    raise ModelUnavailable(
        f"Your model knows the outcomes {', '.join(str(label)[:40] for label in labels[:8])}, the table has "
        f"{', '.join(table.classes[:8])}. Choose the target your model was made for."
    )


def _list_spellings(table: Table) -> list[set[Any]]:
    """Return all that the file or pandas writes for each class: its name, its texts, its values."""
    spellings: list[set[Any]] = [{name} for name in table.classes]
    for index, text, value in _read_target(table):
        spellings[index] |= {text, value}
    return spellings


def _read_target(table: Table) -> list[tuple[int, str, Any]]:
    """Return the class, the text and pandas' value of each text of the target; [] where they are not known."""
    cells = table.texts.get(table.target_name)
    if cells is None:
        return []
    present = [index for index, value in enumerate(cells.values.tolist()) if not is_missing(value)]
    stored = cells.values[present]
    # Classes are sorted as their stored values are.
    distinct, index = np.unique(stored, return_inverse=True)
    if len(distinct) != len(table.classes):
        return []
    texts = [str(text) for text in cells.texts.to_pylist()]
    values = DEFAULT.read(texts).tolist()
    return [(int(owner), texts[place], values[place]) for owner, place in zip(index, present, strict=True)]


def _sort_as_pandas(table: Table) -> list[int]:
    """Return the classes in the order in which NumPy sorts what pandas reads."""
    first: dict[int, Any] = {}
    for index, _, value in _read_target(table):
        first[index] = min(value, first.get(index, value)) if not is_missing(value) else first.get(index, value)
    is_sortable = len(first) == len(table.classes) and len({isinstance(value, str) for value in first.values()}) == 1
    return sorted(first, key=lambda index: first[index]) if is_sortable else list(range(len(table.classes)))


def _is_index(label: Any, count: int) -> bool:
    is_number = isinstance(label, (int, float)) and not isinstance(label, bool)
    return is_number and float(label).is_integer() and 0 <= label < count


def _match_with(
    read: Callable[[Any], Hashable], labels: Sequence[Any], spellings: Sequence[set[Any]]
) -> tuple[int, ...] | None:
    """Return the class of each label where both are read alike; None where a label fits none or several."""
    owners: dict[Hashable, set[int]] = {}
    for index, forms in enumerate(spellings):
        for form in forms:
            owners.setdefault(read(form), set()).add(index)
    candidates = [owners.get(read(label), set()) for label in labels]
    if any(len(classes) != 1 for classes in candidates) or any(read(label) is None for label in labels):
        return None
    return tuple(next(iter(classes)) for classes in candidates)


def _check_distinct(labels: Sequence[Any], classes: Sequence[int], table: Table) -> None:
    owners: Mapping[int, list[Any]] = {index: [] for index in classes}
    for label, index in zip(labels, classes, strict=True):
        owners[index].append(label)
    for index, same in owners.items():
        if len(same) > 1:
            words = " and ".join(repr(str(label)) for label in same[:3])
            raise ModelUnavailable(
                f"Your model tells the outcomes {words} apart; here they are one, {table.classes[index]!r}. "
                "Write them alike in the file, train the model again and save it."
            )


def _keep(form: Any) -> Hashable:
    return (isinstance(form, str), form)


def _as_number(form: Any) -> Hashable:
    try:
        number = float(str(form).replace(",", "")) if not isinstance(form, bool) else None
    except ValueError:
        return None
    return number if number is not None and np.isfinite(number) else None


def _strip(form: Any) -> Hashable:
    return str(form).strip()


def _lower(form: Any) -> Hashable:
    return str(form).strip().casefold()


def _as_answer(form: Any) -> Hashable:
    """Return True for yes and its like, False for no, None for all else."""
    word = _lower(form)
    word = str(word).removesuffix(".0")
    return True if word in _TRUE else False if word in _FALSE else None
