"""A decision tree as a drawing: every node with its place, its question, its answer and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.tabular.evaluation.sentences import number, percent

if TYPE_CHECKING:
    from xai_core.tabular.models.preprocessing import PreparedRows
    from xai_core.tabular.models.table_model import TabularModel


Condition = tuple[str, str]
"""What it is about, so that a tighter one takes its place, and its words."""


@dataclass(frozen=True)
class Node:
    """One question or one final answer. Left is the first child, reached when `left_words` is the answer."""

    index: int
    parent: int | None
    left: int | None
    """None for a final answer."""
    right: int | None
    depth: int
    x: float
    """0..1 from left to right: final answers stand side by side, a question above the middle of what it leads to."""
    y: float
    """0 for the first question, −1 for each question below."""
    column: str
    """The prepared column asked about; "" for a final answer."""
    feature: str
    """The table's feature behind it."""
    threshold: float
    """Left is column ≤ threshold, in the prepared column's unit; NaN for a final answer."""
    question: str
    left_words: str
    right_words: str
    rows: int
    """Training rows that come by here."""
    values: tuple[float, ...]
    """Share of each class among them in the order of `table.classes`, or the mean of the target."""
    answer: str
    """What would be said here: the commonest class with its share, or the mean."""
    sentence: str
    """The way to this node and its answer, in words."""


@dataclass(frozen=True)
class Tree:
    """A decision tree, the first question first; children come after their parents."""

    nodes: tuple[Node, ...]
    depth: int
    outcome: str
    """The target's name."""

    @property
    def leaves(self) -> tuple[Node, ...]:
        """The final answers, from left to right."""
        return tuple(sorted((node for node in self.nodes if node.left is None), key=lambda node: node.x))


def read_tree(model: TabularModel) -> Tree:
    """The drawing of a decision tree, equal to scikit-learn's own nodes."""
    raw = model.last_step.tree_
    seen = model.prepare(model.table.frame.head(1))
    places = _places(raw.children_left, raw.children_right)
    nodes: list[Node] = []
    ways: dict[int, tuple[int | None, int, dict[str, str]]] = {0: (None, 0, {})}
    for index in range(raw.node_count):
        parent, depth, way = ways[index]
        question, yes, no, below = _question(model, seen, raw, index)
        for child, condition in zip(
            (int(raw.children_left[index]), int(raw.children_right[index])), below, strict=True
        ):
            if child >= 0:
                ways[child] = (index, depth + 1, way | dict([condition]))
        nodes.append(
            _node(model, seen, raw, index, parent, depth, places[index], (question, yes, no), tuple(way.values()))
        )
    return Tree(tuple(nodes), int(raw.max_depth), model.table.target_name)


def _node(
    model: TabularModel, seen: PreparedRows, raw: Any, index: int, parent: int | None, depth: int, x: float, words: tuple[str, str, str],
    way: tuple[str, ...],
) -> Node:  # fmt: skip
    leaf = raw.children_left[index] < 0
    values = _values(model, raw, index)
    answer = _answer(model, values)
    rows = int(raw.n_node_samples[index])
    start = f"If {' and '.join(way)}" if way else "For all rows"
    return Node(
        index=index,
        parent=parent,
        left=None if leaf else int(raw.children_left[index]),
        right=None if leaf else int(raw.children_right[index]),
        depth=depth,
        x=x,
        y=-float(depth),
        column="" if leaf else seen.names[raw.feature[index]],
        feature="" if leaf else seen.owners[raw.feature[index]],
        threshold=float("nan") if leaf else float(raw.threshold[index]),
        question=words[0],
        left_words=words[1],
        right_words=words[2],
        rows=rows,
        values=values,
        answer=answer,
        sentence=f"{start}: {answer}, from {rows:,} training row{'s' * (rows != 1)}.",
    )


def _question(
    model: TabularModel, seen: PreparedRows, raw: Any, index: int
) -> tuple[str, str, str, tuple[Condition, Condition]]:
    """The question, the words for going left and right, and the two conditions that a path is told by."""
    if raw.children_left[index] < 0:
        return "", "", "", (("", ""), ("", ""))
    name, feature = seen.names[raw.feature[index]], seen.owners[raw.feature[index]]
    column = model.table.column(feature)
    if column.kind == "category":
        return f"{name}?", "no", "yes", ((name, f"not ({name})"), (name, name))
    if column.kind == "boolean":
        return f"{name} = yes?", "no", "yes", ((name, f"{name} = no"), (name, f"{name} = yes"))
    limit = column.show(float(raw.threshold[index]))
    return f"{name} ≤ {limit}?", "yes", "no", ((f"{name} ≤", f"{name} ≤ {limit}"), (f"{name} >", f"{name} > {limit}"))


def _values(model: TabularModel, raw: Any, index: int) -> tuple[float, ...]:
    found = raw.value[index, 0].astype(np.float64)
    if model.table.task == "regression":
        return (float(found[0]),)
    shares = np.zeros(len(model.table.classes))
    shares[list(model.class_order)] = found / found.sum()
    return tuple(float(share) for share in shares)


def _answer(model: TabularModel, values: tuple[float, ...]) -> str:
    if model.table.task == "regression":
        return f"{model.table.target_name} = {number(values[0])}"
    best = int(np.argmax(values))
    return f"“{model.table.classes[best]}” ({percent(values[best])})"


def _places(left: Any, right: Any) -> list[float]:
    """Where each node stands from left to right, 0..1."""
    order: list[int] = []
    waiting = [0]
    while waiting:  # final answers from left to right
        index = waiting.pop()
        if left[index] < 0:
            order.append(index)
        else:
            waiting += [int(right[index]), int(left[index])]
    places = [0.0] * len(left)
    for place, index in enumerate(order):
        places[index] = (place + 0.5) / len(order)
    for index in reversed(range(len(left))):  # children come after their parents
        if left[index] >= 0:
            places[index] = (places[left[index]] + places[right[index]]) / 2
    return places
