"""Layout of a decision tree: every node with its position, its question, its answer and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.formatting import number, percent

if TYPE_CHECKING:
    from xai_core.tabular.models.preprocessing import PreparedRows
    from xai_core.tabular.models.table_model import TabularModel


# Conditions from the first question to a node: subject to words; a tighter one of a subject replaces the other.
Path = dict[str, str]


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
    """0..1 from left to right: final answers stand side by side, a question above the middle of its children."""
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
    """Prediction at this node: the commonest class with its share, or the mean."""
    sentence: str
    """The path to this node and its answer, in words."""


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


@dataclass(frozen=True)
class _Question:
    """A question in words, with the condition (subject, words) that each answer adds to a path."""

    text: str
    left_words: str
    right_words: str
    left: tuple[str, str]
    right: tuple[str, str]


def read_tree(model: TabularModel) -> Tree:
    """Return the layout of a decision tree, with the numbers of scikit-learn's own nodes."""
    raw = model.last_step.tree_
    prepared = model.prepare(model.table.frame.head(1))
    positions = _lay_out(raw.children_left.tolist(), raw.children_right.tolist())
    nodes: list[Node] = []
    # Parent, depth and path of the nodes to come: children come after their parents.
    places: dict[int, tuple[int | None, int, Path]] = {0: (None, 0, {})}
    for index in range(raw.node_count):
        parent, depth, path = places[index]
        left, right = int(raw.children_left[index]), int(raw.children_right[index])
        question = None
        if left >= 0:
            question = _ask(model, prepared, raw, index)
            places[left] = (index, depth + 1, path | dict([question.left]))
            places[right] = (index, depth + 1, path | dict([question.right]))
        values = _read_values(model, raw, index)
        answer, rows = _format_answer(model, values), int(raw.n_node_samples[index])
        start = f"If {' and '.join(path.values())}" if path else "For all rows"
        node = Node(
            index=index,
            parent=parent,
            left=left if question else None,
            right=right if question else None,
            depth=depth,
            x=positions[index],
            y=-float(depth),
            column=prepared.names[raw.feature[index]] if question else "",
            feature=prepared.owners[raw.feature[index]] if question else "",
            threshold=float(raw.threshold[index]) if question else float("nan"),
            question=question.text if question else "",
            left_words=question.left_words if question else "",
            right_words=question.right_words if question else "",
            rows=rows,
            values=values,
            answer=answer,
            sentence=f"{start}: {answer}, from {rows:,} training row{'s' * (rows != 1)}.",
        )
        nodes.append(node)
    return Tree(tuple(nodes), int(raw.max_depth), model.table.target_name)


def _ask(model: TabularModel, prepared: PreparedRows, raw: Any, index: int) -> _Question:
    """Return the question of an inner node."""
    name, feature = prepared.names[raw.feature[index]], prepared.owners[raw.feature[index]]
    column = model.table.column(feature)
    if column.kind == "category":
        return _Question(f"{name}?", "no", "yes", (name, f"not ({name})"), (name, name))
    if column.kind == "boolean":
        return _Question(f"{name} = yes?", "no", "yes", (name, f"{name} = no"), (name, f"{name} = yes"))
    limit = column.show(float(raw.threshold[index]))
    below, above = f"{name} ≤", f"{name} >"
    return _Question(f"{below} {limit}?", "yes", "no", (below, f"{below} {limit}"), (above, f"{above} {limit}"))


def _read_values(model: TabularModel, raw: Any, index: int) -> tuple[float, ...]:
    """Return the share of each class in the order of the table, or the mean of the target."""
    values = raw.value[index, 0].astype(np.float64)
    if model.table.task == "regression":
        return (float(values[0]),)
    # The model's classes may stand in another order, or lack one.
    shares = np.zeros(len(model.table.classes))
    shares[list(model.class_order)] = values / values.sum()
    return tuple(float(share) for share in shares)


def _format_answer(model: TabularModel, values: tuple[float, ...]) -> str:
    if model.table.task == "regression":
        return f"{model.table.target_name} = {number(values[0])}"
    best = int(np.argmax(values))
    return f"“{model.table.classes[best]}” ({percent(values[best])})"


def _lay_out(left: list[int], right: list[int]) -> list[float]:
    """Return the position of each node from left to right, 0..1; children come after their parents."""
    # Final answers from left to right.
    leaves: list[int] = []
    stack = [0]
    while stack:
        index = stack.pop()
        if left[index] < 0:
            leaves.append(index)
        else:
            stack += [right[index], left[index]]
    positions = [0.0] * len(left)
    for position, index in enumerate(leaves):
        positions[index] = (position + 0.5) / len(leaves)
    # Questions above the middle of their children.
    for index in reversed(range(len(left))):
        if left[index] >= 0:
            positions[index] = (positions[left[index]] + positions[right[index]]) / 2
    return positions
