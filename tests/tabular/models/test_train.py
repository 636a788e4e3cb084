"""Training: the contract of every kind of model, and numbers equal to scikit-learn used by hand."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import xai_core.tabular.models.train
from tests.tabular.mixed_table import mixed_table, quick_params
from xai_core.engine import jobs
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, InvalidTable, NotApplicable, UnknownName
from xai_core.tabular import service
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.data.table import Table, table_from
from xai_core.tabular.models import families
from xai_core.tabular.models.object_graph import estimate_bytes
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import TABULAR_MODELS, _sample_rows, model_id, train

TASKS = ("classification", "regression")
pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
    pytest.mark.filterwarnings("ignore:Missing values detected"),
]


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    return {task: mixed_table(task) for task in TASKS}


def trained(table: Table, name: str) -> TabularModel:
    """A quick model: two folds are enough here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xai_core.tabular.models.train, "FOLDS", 2)
        return train(table, name, quick_params(name))


@pytest.fixture(scope="module")
def models(tables: dict[str, Table]) -> dict[tuple[str, str], TabularModel]:
    return {(name, task): trained(tables[task], name) for name in TABULAR_MODELS for task in TASKS}


# Every kind of model


@pytest.mark.parametrize("name", list(TABULAR_MODELS))
def test_probabilities_of_a_table_with_holes(models: dict[tuple[str, str], TabularModel], name: str) -> None:
    model = models[name, "classification"]
    table = model.table
    found = model.predict(table.frame)
    assert found.shape == (len(table), 2) and found.min() >= 0
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    held_out = found[model.test_rows].argmax(axis=1) == table.target[model.test_rows]
    assert held_out.mean() > 0.75, "it has learnt nothing"


@pytest.mark.parametrize("name", list(TABULAR_MODELS))
def test_values_of_a_regression(models: dict[tuple[str, str], TabularModel], name: str) -> None:
    model = models[name, "regression"]
    found = model.predict(model.table.frame)
    assert found.shape == (len(model.table),)
    np.testing.assert_array_equal(found, model.score(model.table.frame))
    truth = model.table.target[model.test_rows]
    missed = np.square(found[model.test_rows] - truth).sum() / np.square(truth - truth.mean()).sum()
    assert missed < 0.7, "it has learnt nothing"


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("rounds", [10, 1000])
def test_a_network_that_was_stopped_early_says_so(tables: dict[str, Table], task: str, rounds: int) -> None:
    with warnings.catch_warnings(record=True) as caught, pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("always")
        patch.setattr(xai_core.tabular.models.train, "FOLDS", 2)
        model = train(tables[task], "neural_network", {"epochs": rounds, "width": 16})
    by_scikit_learn = any(issubclass(each.category, ConvergenceWarning) for each in caught)
    said = [note for note in model.notes if "before it had settled" in note]
    assert len(said) == by_scikit_learn == (rounds == 10)


@pytest.mark.parametrize("name", list(TABULAR_MODELS))
def test_row_from_a_form_and_unknown_words(models: dict[tuple[str, str], TabularModel], name: str) -> None:
    model = models[name, "classification"]
    empty = model.table.row({"age": 40})
    stranger = model.table.frame.head(3).assign(district=pd.Series(["elsewhere"] * 3, dtype=object))
    assert np.isfinite(model.score(empty)).all() and np.isfinite(model.score(stranger)).all()


@pytest.mark.parametrize("name", list(TABULAR_MODELS))
def test_same_seed_same_model_and_nobody_elses_randomness(
    tables: dict[str, Table], models: dict[tuple[str, str], TabularModel], name: str
) -> None:
    before = repr(np.random.get_state()), torch.get_rng_state()
    first = models[name, "classification"]
    again = trained(tables["classification"], name)
    assert repr(np.random.get_state()) == before[0] and torch.equal(torch.get_rng_state(), before[1])
    np.testing.assert_array_equal(again.predict(first.table.frame), first.predict(first.table.frame))
    assert again.id == first.id and again.cross_validation == first.cross_validation


@pytest.mark.parametrize("name", [name for name in TABULAR_MODELS if TABULAR_MODELS.get(name).prepared])
def test_prepared_rows_are_what_the_last_step_sees(models: dict[tuple[str, str], TabularModel], name: str) -> None:
    model = models[name, "classification"]
    seen = model.prepare(model.table.frame)
    assert seen.names == (
        *("income", "age", "since", "owner"),
        *("district = north", "district = south", "district = west", "district is missing"),
    )
    assert seen.owners == ("income", "age", "since", "owner", *["district"] * 4)
    np.testing.assert_array_equal(seen.values[:, 4:].sum(axis=1), 1)
    np.testing.assert_array_equal(seen.values[:, 7] == 1, model.table.frame["district"].isna())
    np.testing.assert_array_equal(model.last_step.predict_proba(seen.values), model.predict(model.table.frame))


def test_every_spec_says_what_it_is() -> None:
    files = {path.stem for path in Path(families.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(TABULAR_MODELS)
    ranks = [spec.rank for spec in TABULAR_MODELS.specs()]
    assert ranks == sorted(set(ranks))
    for spec in TABULAR_MODELS.specs():
        assert spec.title and spec.paper and spec.sentence.endswith(".")
        assert all(param.help.endswith(".") for param in spec.params)


# Against scikit-learn by hand


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
    for wrong in (3, -1, True, 1.5, "a"):
        with pytest.raises(InvalidParam, match="from 0 to 2"):
            model.score(iris.frame, wrong)  # type: ignore[arg-type]


def test_rare_categories_share_a_column() -> None:
    rng = np.random.default_rng(0)
    towns = np.array([f"town {i}" for i in range(40)], dtype=object)
    town = np.concatenate([towns, rng.choice(towns[:8], 160)])
    frame = pd.DataFrame({"town": town, "size": rng.random(200)})
    table = table_from(frame, np.isin(town, towns[:4]).astype(int), classes=["no", "yes"])
    seen = train(table, "linear").prepare(table.frame)
    assert len(seen.names) == len(seen.owners) == seen.values.shape[1] == 21
    assert seen.names[-1] == "town = another value" and set(seen.owners) == {"town", "size"}


def test_a_column_with_hardly_a_value_is_filled() -> None:
    table = mixed_table()
    frame = table.frame.assign(void=np.nan, rare=np.where(np.arange(len(table)) < 3, 1.0, np.nan))
    odd = table_from(frame, table.target, classes=table.classes, kinds={"owner": "boolean"})
    model = train(odd, "gradient_boosting")
    seen = model.prepare(odd.frame)
    assert np.isfinite(seen.values[:, [seen.names.index("void"), seen.names.index("rare")]]).all()
    assert np.isnan(seen.values[:, seen.names.index("income")]).any(), "this model reads empty cells"
    assert any("filled" in note and "void (160), rare (157)" in note for note in model.notes)


def test_torch_module_is_the_model(models: dict[tuple[str, str], TabularModel]) -> None:
    for task in TASKS:
        model = models["torch_network", task]
        rows = torch.from_numpy(model.prepare(model.table.frame).values.astype(np.float32))
        found = model.module(rows)
        values = found.softmax(dim=1).numpy() if task == "classification" else found[:, 0].numpy()
        np.testing.assert_allclose(values, model.predict(model.table.frame), rtol=1e-5)
        assert not model.module.training and not any(each.requires_grad for each in model.module.parameters())
    with pytest.raises(NotApplicable, match="no gradients"):
        _ = models["linear", "classification"].module


def test_torch_network_speaks_the_targets_unit(models: dict[tuple[str, str], TabularModel]) -> None:
    first = models["torch_network", "regression"]
    table = replace(first.table, target=first.table.target * 1000 - 5)
    np.testing.assert_allclose(
        trained(table, "torch_network").predict(table.frame), first.predict(table.frame) * 1000 - 5, rtol=2e-5
    )


# Jobs, limits and refusals


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
    ids = {model_id(each, *setting) for each in (table, mixed_table(rows=161)) for setting in settings}
    assert len(ids) == 8 and train(table, "linear", {"freedom": 1}).id == model_id(mixed_table(), *settings[0])


def test_long_tables_are_drawn_from() -> None:
    rows = np.arange(10, 1000)
    drawn = _sample_rows(rows, 100, seed=1)
    assert len(drawn) == len(set(drawn)) == 100 and set(drawn) <= set(rows) and np.all(np.diff(drawn) > 0)
    np.testing.assert_array_equal(drawn, _sample_rows(rows, 100, seed=1))
    assert set(drawn) != set(_sample_rows(rows, 100, seed=2)) and _sample_rows(rows, 5000, 1) is rows


def numbers(rows: int, target: list[int] | np.ndarray, scale: float = 1.0) -> Table:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(rows, 3)) * scale, columns=["a", "b", "c"])
    return table_from(frame, target, classes=[str(i) for i in range(max(target) + 1)])


@pytest.mark.parametrize(
    ("table", "name", "words"),
    [
        (numbers(16, [0, 1] * 8), "linear", "12 rows to learn from; at least 20"),
        (numbers(60, [0] * 59 + [1]), "linear", "'1' has too few rows"),
        (numbers(240, np.arange(240) // 4), "linear", "60 different outcomes; at most 50"),
        (numbers(60, [0, 1] * 30, scale=1e300), "random_forest", "cannot learn from this table"),
        (numbers(60, [0, 1] * 30), "nearest_neighbours", "n_neighbors"),
    ],
)
def test_refused_in_words(table: Table, name: str, words: str) -> None:
    with pytest.raises(InvalidTable, match=words):
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


# What the pages call


def test_training_is_shared_and_kept() -> None:
    table = replace(mixed_table(), name="own")
    key = service.keep_table(table)
    first, second = (service.start_training(key, "linear", session_id=session_id) for session_id in ("a", "b"))
    assert first is second
    model = first.wait(60)
    assert service.find_model(str(first.key)) is model and model.id == first.key and model.table is table
    assert jobs.watch(model.id) is not None
    assert service.start_training(key, "linear", seed=1).key != first.key
    with pytest.raises(InvalidParam):
        service.start_training(key, "decision_tree", {"depth": 0})


def test_tables_are_found_by_id_or_name() -> None:
    assert service.table("iris") is load_table("iris")
    with pytest.raises(UnknownName, match="Upload it again"):
        service.table("0" * 24)
    with pytest.raises(UnknownName, match="Upload it again"):
        service.raw("0" * 24)
    assert service.find_model("0" * 24) is None


def test_big_models_count_for_more() -> None:
    rows = np.random.default_rng(0).normal(size=(100, 3))
    small, big = (RandomForestRegressor(trees, random_state=0).fit(rows, rows[:, 0]) for trees in (5, 20))
    sizes = [estimate_bytes(forest) - estimate_bytes(None) for forest in (small, big)]
    assert sizes[0] > 0 and 3.5 < sizes[1] / sizes[0] < 4.5


def test_only_a_preparation_feature_by_feature_may_be_mixed_behind(models: dict[tuple[str, str], TabularModel]) -> None:
    """Mixtures of prepared rows are prepared mixtures for ours; somebody's own pipeline of the same names is asked as a whole."""
    from sklearn.compose import ColumnTransformer
    from sklearn.decomposition import PCA
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline

    ours = models["random_forest", "classification"]
    assert ours.prepared_score is not None
    found = ours.prepared_score(ours.prepare(ours.table.frame).values, None)
    np.testing.assert_array_equal(found, ours.score(ours.table.frame))
    names = [column.name for column in ours.table.columns if column.kind == "numeric"]
    blocks = {
        "mixes features": make_pipeline(SimpleImputer(), PCA(len(names))),
        "says more": SimpleImputer(add_indicator=True),
        "as ours": SimpleImputer(),
    }
    for what, block in blocks.items():
        steps = [("prepare", ColumnTransformer([("numbers", block, names)])), ("model", LogisticRegression())]
        own = Pipeline(steps).fit(ours.table.frame, ours.table.target)
        assert (replace(ours, estimator=own).prepared_score is not None) == (what == "as ours"), what
    longer = Pipeline([steps[0], ("scale", StandardScaler()), steps[1]]).fit(ours.table.frame, ours.table.target)
    assert replace(ours, estimator=longer).prepared_score is None
    assert models["explainable_boosting", "classification"].prepared_score is None
