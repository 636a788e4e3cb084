"""Training: numbers equal to scikit-learn used by hand, jobs, limits and refusals."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import xai_core.tabular.models.train
from tests.tabular.mixed_table import mixed_table
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, InvalidTable, NotApplicable, UnknownName
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.data.table import Table, table_from
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import _sample_rows, model_id, train

TASKS = ("classification", "regression")
pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
    pytest.mark.filterwarnings("ignore:Missing values detected"),
]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("rounds", [10, 1000])
def test_a_network_that_was_stopped_early_says_so(tables: dict[str, Table], task: str, rounds: int) -> None:
    with warnings.catch_warnings(record=True) as caught, pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("always")
        patch.setattr(xai_core.tabular.models.train, "FOLDS", 2)
        model = train(tables[task], "neural_network", {"epochs": rounds, "width": 16})
    has_warning = any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    notes = [note for note in model.notes if "before it had settled" in note]
    assert len(notes) == has_warning == (rounds == 10)


def test_linear_equals_scikit_learn() -> None:
    iris = load_table("iris")
    model = train(iris, "linear", seed=3)
    by_hand = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    rows, target = iris.frame.to_numpy()[model.train_rows], iris.target[model.train_rows]
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    np.testing.assert_allclose(model.cross_validation, cross_val_score(by_hand, rows, target, cv=folds))
    by_hand.fit(rows, target)
    np.testing.assert_allclose(model.predict(iris.frame), by_hand.predict_proba(iris.frame.to_numpy()), atol=1e-10)


def test_held_out_rows_are_never_learnt_from() -> None:
    table = mixed_table()
    model = train(table, "linear")
    assert not set(model.train_rows) & set(model.test_rows)
    assert len(model.train_rows) + len(model.test_rows) == len(table)
    imputer = model.estimator[0].named_transformers_["numbers"][0]
    incomes = table.frame["income"]
    assert imputer.statistics_[0] == incomes.iloc[model.train_rows].median() != incomes.median()
    assert any("income (" in note and "filled" in note for note in model.notes)


def test_score_is_the_probability_of_an_outcome() -> None:
    iris = load_table("iris")
    model = train(iris, "linear")
    probabilities = model.predict(iris.frame)
    np.testing.assert_array_equal(model.score(iris.frame), probabilities[:, 2])
    np.testing.assert_array_equal(model.score(iris.frame, 0), probabilities[:, 0])
    for outcome in (3, -1, True, 1.5, "a"):
        with pytest.raises(InvalidParam, match="from 0 to 2"):
            model.score(iris.frame, outcome)  # type: ignore[arg-type]


def test_rare_categories_share_a_column() -> None:
    rng = np.random.default_rng(0)
    towns = np.array([f"town {i}" for i in range(40)], dtype=object)
    town = np.concatenate([towns, rng.choice(towns[:8], 160)])
    frame = pd.DataFrame({"town": town, "size": rng.random(200)})
    table = table_from(frame, np.isin(town, towns[:4]).astype(int), classes=["no", "yes"])
    prepared = train(table, "linear").prepare(table.frame)
    assert len(prepared.names) == len(prepared.owners) == prepared.values.shape[1] == 21
    assert prepared.names[-1] == "town = another value" and set(prepared.owners) == {"town", "size"}


def test_a_column_with_hardly_a_value_is_filled() -> None:
    table = mixed_table()
    frame = table.frame.assign(void=np.nan, rare=np.where(np.arange(len(table)) < 3, 1.0, np.nan))
    sparse = table_from(frame, table.target, classes=table.classes, kinds={"owner": "boolean"})
    model = train(sparse, "gradient_boosting")
    prepared = model.prepare(sparse.frame)
    assert np.isfinite(prepared.values[:, [prepared.names.index("void"), prepared.names.index("rare")]]).all()
    assert np.isnan(prepared.values[:, prepared.names.index("income")]).any(), "this model reads empty cells"
    assert any("filled" in note and "void (160), rare (157)" in note for note in model.notes)


def test_torch_module_is_the_model(models: dict[tuple[str, str], TabularModel]) -> None:
    for task in TASKS:
        model = models["torch_network", task]
        rows = torch.from_numpy(model.prepare(model.table.frame).values.astype(np.float32))
        outputs = model.module(rows)
        values = outputs.softmax(dim=1).numpy() if task == "classification" else outputs[:, 0].numpy()
        np.testing.assert_allclose(values, model.predict(model.table.frame), rtol=1e-5)
        assert not model.module.training and not any(parameter.requires_grad for parameter in model.module.parameters())
    with pytest.raises(NotApplicable, match="no gradients"):
        _ = models["linear", "classification"].module


def test_torch_network_speaks_the_targets_unit(
    models: dict[tuple[str, str], TabularModel], train_quickly: Callable[[Table, str], TabularModel]
) -> None:
    first = models["torch_network", "regression"]
    table = replace(first.table, target=first.table.target * 1000 - 5)
    np.testing.assert_allclose(
        train_quickly(table, "torch_network").predict(table.frame), first.predict(table.frame) * 1000 - 5, rtol=2e-5
    )


def test_job_counts_folds_and_stops_between_them() -> None:
    job: Job[TabularModel] = Job()
    train(mixed_table(), "linear", job=job)
    assert (job.done, job.total) == (6, 6)

    class StopsAfterOne(Job[TabularModel]):
        def tick(self, evaluations: int = 0) -> None:
            self.cancel() if self.done else None
            super().tick(evaluations)

    stopped = StopsAfterOne()
    with pytest.raises(Cancelled):
        train(mixed_table(), "linear", job=stopped)
    assert stopped.done == 2


def test_id_tells_models_apart() -> None:
    table = mixed_table()
    settings = [
        ("linear", {"freedom": 1.0}, 0),
        ("linear", {"freedom": 2.0}, 0),
        ("linear", {"freedom": 1.0}, 1),
        ("other", {"freedom": 1.0}, 0),
    ]
    ids = {model_id(data, *setting) for data in (table, mixed_table(rows=161)) for setting in settings}
    assert len(ids) == 8 and train(table, "linear", {"freedom": 1}).id == model_id(mixed_table(), *settings[0])


def test_of_long_tables_rows_are_sampled() -> None:
    rows = np.arange(10, 1000)
    sampled = _sample_rows(rows, 100, seed=1)
    assert len(sampled) == len(set(sampled)) == 100 and set(sampled) <= set(rows) and np.all(np.diff(sampled) > 0)
    np.testing.assert_array_equal(sampled, _sample_rows(rows, 100, seed=1))
    assert set(sampled) != set(_sample_rows(rows, 100, seed=2)) and _sample_rows(rows, 5000, 1) is rows


def build_table(rows: int, target: list[int] | np.ndarray, scale: float = 1.0) -> Table:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(rows, 3)) * scale, columns=["a", "b", "c"])
    return table_from(frame, target, classes=[str(i) for i in range(max(target) + 1)])


@pytest.mark.parametrize(
    ("table", "name", "message"),
    [
        (build_table(16, [0, 1] * 8), "linear", "12 rows to learn from; at least 20"),
        (build_table(60, [0] * 59 + [1]), "linear", "'1' has too few rows"),
        (build_table(240, np.arange(240) // 4), "linear", "60 different outcomes; at most 50"),
        (build_table(60, [0, 1] * 30, scale=1e300), "random_forest", "cannot learn from this table"),
        (build_table(60, [0, 1] * 30), "nearest_neighbours", "n_neighbors"),
    ],
)
def test_refused_in_words(table: Table, name: str, message: str) -> None:
    with pytest.raises(InvalidTable, match=message):
        train(table, name, {"neighbours": 90} if name == "nearest_neighbours" else None)


def test_settings_are_checked() -> None:
    table = mixed_table()
    with pytest.raises(UnknownName, match="gradient_boosting"):
        train(table, "gradient_bosting")
    with pytest.raises(InvalidParam, match="Depth"):
        train(table, "decision_tree", {"depth": 99})
    for seed in (-1, 2**32, 0.5, "1"):
        with pytest.raises(InvalidParam, match="seed"):
            train(table, "linear", seed=seed)  # type: ignore[arg-type]


def test_only_a_preparation_feature_by_feature_may_be_mixed_behind(models: dict[tuple[str, str], TabularModel]) -> None:
    """Mixed prepared rows are prepared mixtures for ours; an own pipeline of the same names is used as a whole."""
    from sklearn.compose import ColumnTransformer
    from sklearn.decomposition import PCA
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline

    ours = models["random_forest", "classification"]
    assert ours.prepared_score is not None
    scores = ours.prepared_score(ours.prepare(ours.table.frame).values, None)
    np.testing.assert_array_equal(scores, ours.score(ours.table.frame))
    names = [column.name for column in ours.table.columns if column.kind == "numeric"]
    blocks = {
        "mixes features": make_pipeline(SimpleImputer(), PCA(len(names))),
        "says more": SimpleImputer(add_indicator=True),
        "as ours": SimpleImputer(),
    }
    for case, block in blocks.items():
        steps = [("prepare", ColumnTransformer([("numbers", block, names)])), ("model", LogisticRegression())]
        own = Pipeline(steps).fit(ours.table.frame, ours.table.target)
        assert (replace(ours, estimator=own).prepared_score is not None) == (case == "as ours"), case
    longer = Pipeline([steps[0], ("scale", StandardScaler()), steps[1]]).fit(ours.table.frame, ours.table.target)
    assert replace(ours, estimator=longer).prepared_score is None
    assert models["explainable_boosting", "classification"].prepared_score is None
