"""Glass boxes against the models themselves: sums, paths and curves computed by hand from the records."""

from __future__ import annotations

from dataclasses import replace

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


def read_sums(model: TabularModel) -> tuple[Weights, np.ndarray]:
    """Return the record, and the sums it gives for all rows, (N, outcomes)."""
    result = glass_box(model)
    assert isinstance(result, Weights)
    prepared = model.prepare(model.table.frame)
    assert (result.names, result.features) == (prepared.names, prepared.owners)
    return result, prepared.values @ result.values.T + result.intercepts


# Weights


def test_weights_of_two_classes_add_up() -> None:
    model = train(mixed_table(), "linear")
    result, sums = read_sums(model)
    assert result.outcomes == ("class 1",) and result.unit == "log-odds"
    np.testing.assert_allclose(1 / (1 + np.exp(-sums[:, 0])), model.score(model.table.frame), atol=1e-12)


def test_weights_of_three_classes_add_up() -> None:
    model = train(load_table("iris"), "linear")
    result, sums = read_sums(model)
    assert result.outcomes == ("setosa", "versicolor", "virginica")
    powers = np.exp(sums)
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), model.predict(model.table.frame), atol=1e-12)


def test_weights_of_a_regression_add_up() -> None:
    model = train(mixed_table("regression"), "linear")
    result, sums = read_sums(model)
    assert result.outcomes == ("limit",) == (result.unit,)
    np.testing.assert_allclose(sums[:, 0], model.predict(model.table.frame))


def test_a_weight_is_about_its_unit() -> None:
    model = train(mixed_table("regression"), "linear")
    result = glass_box(model)
    assert isinstance(result, Weights)
    income = result.names.index("income")
    rows = model.table.frame.dropna()
    more = rows.assign(income=rows["income"] + result.units[income])
    np.testing.assert_allclose(model.predict(more) - model.predict(rows), result.values[0, income])
    assert result.units[income] > 100 and result.units[result.names.index("owner")] == 1
    best = result.order()[0]
    assert abs(result.values[0, best]) == np.abs(result.values).max()
    assert result.sentence(income).startswith("income: each ") and " more adds " in result.sentence(income)
    assert "to the predicted limit" in result.sentence(income)
    large = replace(result, units=np.full(len(result.names), 1_234_567.0), values=result.values * 1e7)
    assert " each 1,234,567 more " in large.sentence(income) and "e+" not in large.sentence(income)


# The tree


def follow_tree(tree: Tree, names: tuple[str, ...], row: np.ndarray) -> tuple[float, ...]:
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
    prepared = model.prepare(model.table.frame)
    result = np.array([follow_tree(tree, prepared.names, row) for row in prepared.values])
    np.testing.assert_allclose(result.squeeze() if task == "regression" else result, model.predict(model.table.frame))


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
    positions = [leaf.x for leaf in tree.leaves]
    np.testing.assert_allclose(np.diff(positions), 1 / len(positions))
    for node in tree.nodes:
        if node.left is not None and node.right is not None:
            assert tree.nodes[node.left].x < node.x < tree.nodes[node.right].x
    assert min(positions) > 0 and max(positions) < 1


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
        subjects = [condition.rpartition(" ")[0] for condition in conditions]
        assert len(subjects) == len(set(subjects)) <= leaf.depth, "a tighter limit takes the place of a wider one"


# The curves


def find_steps(axis: Axis, cells: pd.Series) -> np.ndarray:
    """Return the step of each cell, −1 for an empty one."""
    if axis.names:
        return np.array([axis.names.index(cell) if isinstance(cell, str) else -1 for cell in cells])
    return np.where(cells.isna(), -1, np.digitize(cells, axis.edges[1:-1]))


def add_terms(result: Shapes, frame: pd.DataFrame) -> np.ndarray:
    """Add up the intercept and all curves and pairs for every row, (N, outcomes)."""
    sums = np.tile(result.intercept, (len(frame), 1))
    for curve in result.curves:
        step = find_steps(curve.axis, frame[curve.axis.feature])
        sums += np.where(step[:, None] < 0, curve.missing, curve.values[step])
    for pair in result.pairs:
        sums += pair.values[
            find_steps(pair.first, frame[pair.first.feature]), find_steps(pair.second, frame[pair.second.feature])
        ]
    return sums


@pytest.fixture(scope="module")
def machine() -> TabularModel:
    return train(mixed_table(), "explainable_boosting", quick_params("explainable_boosting") | {"pairs": 3})


def test_curves_add_up_to_the_log_odds(machine: TabularModel) -> None:
    result = glass_box(machine)
    assert isinstance(result, Shapes) and len(result.pairs) == 3 and result.outcomes == ("class 1",)
    frame = machine.table.frame.dropna()
    sums = add_terms(result, frame)[:, 0]
    np.testing.assert_allclose(1 / (1 + np.exp(-sums)), machine.score(frame), atol=1e-9)
    assert np.ptp(sums) > 1


def test_an_empty_cell_adds_what_the_record_says() -> None:
    model = train(
        mixed_table("regression"), "explainable_boosting", quick_params("explainable_boosting") | {"pairs": 0}
    )
    result = glass_box(model)
    assert isinstance(result, Shapes) and not result.pairs and result.unit == "limit"
    assert any(np.abs(curve.missing).max() > 0.01 for curve in result.curves)
    np.testing.assert_allclose(add_terms(result, model.table.frame)[:, 0], model.predict(model.table.frame), atol=1e-6)


def test_curves_match_the_librarys_own_explanation(machine: TabularModel) -> None:
    result = glass_box(machine)
    assert isinstance(result, Shapes)
    explanation = machine.last_step.explain_global()
    for term, curve in enumerate(result.curves):
        data = explanation.data(term)
        np.testing.assert_allclose(data["scores"], curve.values[:, 0])
        np.testing.assert_allclose(data["upper_bounds"], (curve.values + curve.errors)[:, 0])
        if curve.axis.names:
            assert tuple(data["names"]) == curve.axis.names
        else:
            np.testing.assert_allclose(data["names"], curve.axis.edges)
    for term, pair in enumerate(result.pairs, start=len(result.curves)):
        np.testing.assert_allclose(explanation.data(term)["scores"], pair.values[..., 0])


def test_three_classes_have_a_curve_each() -> None:
    model = train(mixed_table(classes=3), "explainable_boosting", quick_params("explainable_boosting"))
    result = glass_box(model)
    assert isinstance(result, Shapes) and result.outcomes == ("class 0", "class 1", "class 2") and not result.pairs
    powers = np.exp(add_terms(result, model.table.frame))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), model.predict(model.table.frame), atol=1e-6)


def test_a_black_box_is_refused() -> None:
    for name in ("nearest_neighbours", "gradient_boosting"):
        with pytest.raises(NotApplicable, match="not a glass box"):
            glass_box(train(mixed_table(), name, quick_params(name)))
