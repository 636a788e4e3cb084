"""Every kind of model, trained quickly once on a classification and a regression with missing cells."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest

import xai_core.tabular.models.train
from tests.tabular.mixed_table import mixed_table, quick_params
from xai_core.tabular.data.table import Table
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import TABULAR_MODELS, train

TASKS = ("classification", "regression")


@pytest.fixture(scope="session")
def tables() -> dict[str, Table]:
    return {task: mixed_table(task) for task in TASKS}


@pytest.fixture(scope="session")
def train_quickly() -> Callable[[Table, str], TabularModel]:
    """Train with quick parameters and two folds."""

    def train_two_folds(table: Table, name: str) -> TabularModel:
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Stochastic Optimizer")
            warnings.filterwarnings("ignore", "Missing values detected")
            patch.setattr(xai_core.tabular.models.train, "FOLDS", 2)
            return train(table, name, quick_params(name))

    return train_two_folds


@pytest.fixture(scope="session")
def models(
    tables: dict[str, Table], train_quickly: Callable[[Table, str], TabularModel]
) -> dict[tuple[str, str], TabularModel]:
    return {(name, task): train_quickly(tables[task], name) for name in TABULAR_MODELS for task in TASKS}
