"""What can be read is the model itself: sums, walks and curves worked out by hand from the records give its answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.tabular.mixed_table import mixed_table, quick_params
from xai_core.errors import NotApplicable
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.glassbox.glass_box import Shapes, Tree, Weights, glass_box
from xai_core.tabular.glassbox.shape_functions import Axis
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import train

pytestmark = [pytest.mark.filterwarnings("ignore:Missing values detected")]


def weights_of(model: TabularModel) -> tuple[Weights, np.ndarray]:
    """The record, and the sums it gives for all rows, (N, outcomes)."""
    found = glass_box(model)
    assert isinstance(found, Weights)
    seen = model.prepare(model.table.frame)
    assert (found.names, found.features) == (seen.names, seen.owners)
    return found, seen.values @ found.values.T + found.intercepts


# Weights


def test_weights_of_two_classes_add_up() -> None:
    model = train(mixed_table(), "linear")
    found, sums = weights_of(model)
    assert found.outcomes == ("class 1",) and found.unit == "log-odds"
    np.testing.assert_allclose(1 / (1 + np.exp(-sums[:, 0])), model.score(model.table.frame), atol=1e-12)


def test_weights_of_three_classes_add_up() -> None:
    model = train(load_table("iris"), "linear")
    found, sums = weights_of(model)
    assert found.outcomes == ("setosa", "versicolor", "virginica")
    powers = np.exp(sums)
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), model.predict(model.table.frame), atol=1e-12)


def test_weights_of_a_regression_add_up() -> None:
    model = train(mixed_table("regression"), "linear")
    found, sums = weights_of(model)
    assert found.outcomes == ("limit",) == (found.unit,)
    np.testing.assert_allclose(sums[:, 0], model.predict(model.table.frame))


def test_a_weight_is_about_its_unit() -> None:
    model = train(mixed_table("regression"), "linear")
    found = glass_box(model)
    assert isinstance(found, Weights)
    income = found.names.index("income")
    rows = model.table.frame.dropna()
    more = rows.assign(income=rows["income"] + found.units[income])
    np.testing.assert_allclose(model.predict(more) - model.predict(rows), found.values[0, income])
    assert found.units[income] > 100 and found.units[found.names.index("owner")] == 1
    best = found.order()[0]
    assert abs(found.values[0, best]) == np.abs(found.values).max()
    assert found.sentence(income).startswith("income: each ") and " more adds " in found.sentence(income)
    assert "to the predicted limit" in found.sentence(income)


# The tree


def answer_by_walking(tree: Tree, names: tuple[str, ...], row: np.ndarray) -> tuple[float, ...]:
    node = tree.nodes[0]
    while node.left is not None and node.right is not None:
        value = np.float32(row[names.index(node.column)])
        node = tree.nodes[node.left if value <= node.threshold else node.right]
    return node.values


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_walking_the_tree_gives_the_answers(task: str) -> None:
    model = train(mixed_table(task), "decision_tree")
    tree = glass_box(model)
    assert isinstance(tree, Tree) and tree.depth == model.last_step.get_depth() > 2
    seen = model.prepare(model.table.frame)
    found = np.array([answer_by_walking(tree, seen.names, row) for row in seen.values])
    np.testing.assert_allclose(found.squeeze() if task == "regression" else found, model.predict(model.table.frame))


def test_nodes_match_the_library() -> None:
    model = train(mixed_table(), "decision_tree")
    tree, raw = glass_box(model), model.last_step.tree_
    assert isinstance(tree, Tree)
    assert [node.rows for node in tree.nodes] == raw.n_node_samples.tolist()
    assert [-1 if node.left is None else node.left for node in tree.nodes] == raw.children_left.tolist()
    for node in tree.nodes[1:]:
        assert node.parent is not None and node.index in (tree.nodes[node.parent].left, tree.nodes[node.parent].right)
        assert node.y == tree.nodes[node.parent].y - 1 == -node.depth


def test_tree_is_drawn_without_crossings() -> None:
    tree = glass_box(train(mixed_table(), "decision_tree"))
    assert isinstance(tree, Tree)
    places = [leaf.x for leaf in tree.leaves]
    np.testing.assert_allclose(np.diff(places), 1 / len(places))
    for node in tree.nodes:
        if node.left is not None and node.right is not None:
            assert tree.nodes[node.left].x < node.x < tree.nodes[node.right].x
    assert min(places) > 0 and max(places) < 1


def test_tree_speaks() -> None:
    tree = glass_box(train(mixed_table(), "decision_tree"))
    assert isinstance(tree, Tree)
    questions = {node.question: (node.left_words, node.right_words) for node in tree.nodes if node.question}
    assert questions["district = north?"] == ("no", "yes")
    assert any(question.startswith("income ≤ ") and words == ("yes", "no") for question, words in questions.items())
    assert tree.nodes[0].sentence.startswith("For all rows: “class ")
    for leaf in tree.leaves:
        assert leaf.sentence.startswith("If ") and leaf.sentence.endswith(".") and leaf.answer in leaf.sentence
        conditions = leaf.sentence.removeprefix("If ").split(": “")[0].split(" and ")
        about = [condition.rpartition(" ")[0] for condition in conditions]
        assert len(about) == len(set(about)) <= leaf.depth, "a tighter limit takes the place of a wider one"


# The curves


def steps(axis: Axis, cells: pd.Series) -> np.ndarray:
    """Which step each cell falls on, −1 for an empty one."""
    if axis.names:
        return np.array([axis.names.index(cell) if isinstance(cell, str) else -1 for cell in cells])
    return np.where(cells.isna(), -1, np.digitize(cells, axis.edges[1:-1]))


def sums_by_hand(found: Shapes, frame: pd.DataFrame) -> np.ndarray:
    """Intercept and all curves and pairs for every row, (N, outcomes)."""
    sums = np.tile(found.intercept, (len(frame), 1))
    for curve in found.curves:
        where = steps(curve.axis, frame[curve.axis.feature])
        sums += np.where(where[:, None] < 0, curve.missing, curve.values[where])
    for pair in found.pairs:
        sums += pair.values[
            steps(pair.first, frame[pair.first.feature]), steps(pair.second, frame[pair.second.feature])
        ]
    return sums


@pytest.fixture(scope="module")
def machine() -> TabularModel:
    return train(mixed_table(), "explainable_boosting", quick_params("explainable_boosting") | {"pairs": 3})


def test_curves_add_up_to_the_log_odds(machine: TabularModel) -> None:
    found = glass_box(machine)
    assert isinstance(found, Shapes) and len(found.pairs) == 3 and found.outcomes == ("class 1",)
    frame = machine.table.frame.dropna()
    sums = sums_by_hand(found, frame)[:, 0]
    np.testing.assert_allclose(1 / (1 + np.exp(-sums)), machine.score(frame), atol=1e-9)
    assert np.ptp(sums) > 1


def test_an_empty_cell_adds_what_the_record_says() -> None:
    model = train(
        mixed_table("regression"), "explainable_boosting", quick_params("explainable_boosting") | {"pairs": 0}
    )
    found = glass_box(model)
    assert isinstance(found, Shapes) and not found.pairs and found.unit == "limit"
    assert any(np.abs(curve.missing).max() > 0.01 for curve in found.curves)
    np.testing.assert_allclose(
        sums_by_hand(found, model.table.frame)[:, 0], model.predict(model.table.frame), atol=1e-6
    )


def test_curves_match_the_librarys_own_explanation(machine: TabularModel) -> None:
    found = glass_box(machine)
    assert isinstance(found, Shapes)
    theirs = machine.last_step.explain_global()
    for term, curve in enumerate(found.curves):
        data = theirs.data(term)
        np.testing.assert_allclose(data["scores"], curve.values[:, 0])
        np.testing.assert_allclose(data["upper_bounds"], (curve.values + curve.errors)[:, 0])
        if curve.axis.names:
            assert tuple(data["names"]) == curve.axis.names
        else:
            np.testing.assert_allclose(data["names"], curve.axis.edges)
    for term, pair in enumerate(found.pairs, start=len(found.curves)):
        np.testing.assert_allclose(theirs.data(term)["scores"], pair.values[..., 0])


def test_three_classes_have_a_curve_each() -> None:
    model = train(mixed_table(classes=3), "explainable_boosting", quick_params("explainable_boosting"))
    found = glass_box(model)
    assert isinstance(found, Shapes) and found.outcomes == ("class 0", "class 1", "class 2") and not found.pairs
    powers = np.exp(sums_by_hand(found, model.table.frame))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), model.predict(model.table.frame), atol=1e-6)


def test_a_black_box_is_refused() -> None:
    for name in ("nearest_neighbours", "gradient_boosting"):
        with pytest.raises(NotApplicable, match="no glass box"):
            glass_box(train(mixed_table(), name, quick_params(name)))
