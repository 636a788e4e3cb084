"""Models that need explaining: forests, boosted trees, neighbours, support vectors and neural networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.params import Choice, Float, Int, Value
from xai_core.tabular.models import glass_box  # noqa: F401  # those that can be read come first
from xai_core.tabular.models.spec import DEPTH, FREEDOM, LEAF, TABULAR_MODELS, TREES, TabularModelSpec, for_task

if TYPE_CHECKING:
    from xai_core.tabular.data.builtin import Table

WIDTH = Int(
    name="width",
    title="Width",
    help="Neurons in each of the two hidden layers.",
    default=32,
    low=2,
    high=256,
    unit="neurons",
    advanced=True,
)


def _with_scaled_target(regressor: Any) -> Any:
    """A regressor whose defaults expect a target of about one."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(regressor=regressor, transformer=StandardScaler())


def _random_forest(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from xai_core.tabular.models.fast_forest import ForestClassifier, ForestRegressor

    kind = for_task(table, lambda: ForestClassifier, lambda: ForestRegressor)
    return kind(n_estimators=params["trees"], min_samples_leaf=params["leaf"], n_jobs=1, random_state=seed)


def _gradient_boosting(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = for_task(table, lambda: HistGradientBoostingClassifier, lambda: HistGradientBoostingRegressor)
    return kind(
        max_iter=params["trees"],
        learning_rate=params["rate"],
        max_depth=params["depth"],
        min_samples_leaf=params["leaf"],
        early_stopping=False,
        random_state=seed,
    )


def _nearest_neighbours(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    kind = for_task(table, lambda: KNeighborsClassifier, lambda: KNeighborsRegressor)
    return kind(n_neighbors=params["neighbours"], weights=params["weights"], n_jobs=1)


def _support_vectors(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold

    from xai_core.tabular.models.fast_svm import SupportClassifier, SupportRegressor

    freedom = float(params["freedom"])
    rarest = int(np.bincount(table.target).min()) if table.classes else 0
    folds = StratifiedKFold(min(max(rarest // 2, 2), 5), shuffle=True, random_state=seed)  # each with every class in it
    return for_task(
        table,
        lambda: CalibratedClassifierCV(SupportClassifier(C=freedom, random_state=seed), ensemble=False, cv=folds),
        lambda: _with_scaled_target(SupportRegressor(C=freedom)),
    )


def _neural_network(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    settings = {
        "hidden_layer_sizes": (params["width"],) * 2,
        "max_iter": params["epochs"],
        "alpha": 1e-2,
        "random_state": seed,
    }
    return for_task(table, lambda: MLPClassifier(**settings), lambda: _with_scaled_target(MLPRegressor(**settings)))


def _torch_network(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from xai_core.tabular.models.torch_mlp import TorchNetworkClassifier, TorchNetworkRegressor

    kind = for_task(table, lambda: TorchNetworkClassifier, lambda: TorchNetworkRegressor)
    return kind(width=params["width"], epochs=params["epochs"], random_state=seed)


TABULAR_MODELS.add(
    TabularModelSpec(
        name="random_forest",
        title="Many trees that vote (random forest)",
        sentence="Many decision trees, each grown on other rows, and their answers are averaged.",
        paper="Breiman 2001",
        params=(TREES, LEAF),
        tree_based=True,
        most_rows=50_000,
        build=_random_forest,
    )
)

TABULAR_MODELS.add(
    TabularModelSpec(
        name="gradient_boosting",
        title="Trees that correct each other (gradient boosting)",
        sentence="Each new small tree corrects what the trees before it got wrong.",
        paper="Friedman 2001; Ke et al. 2017",
        params=(
            TREES,
            Float(
                name="rate",
                title="Learning rate",
                help="How much each tree may correct. Less needs more trees.",
                default=0.1,
                low=0.01,
                high=1.0,
            ),
            DEPTH,
            Int(
                name="leaf",
                title="Rows in a leaf",
                help="The fewest rows a final answer may rest on. More make a simpler model.",
                default=20,
                low=1,
                high=200,
                unit="rows",
            ),
        ),
        tree_based=True,
        filled=False,
        build=_gradient_boosting,
    )
)

TABULAR_MODELS.add(
    TabularModelSpec(
        name="nearest_neighbours",
        title="The most similar rows (k nearest neighbours)",
        sentence="It looks up the rows most like this one and answers what was true for them.",
        paper="Fix & Hodges 1951",
        params=(
            Int(
                name="neighbours",
                title="Neighbours (k)",
                help="How many similar rows have a say.",
                default=15,
                low=1,
                high=100,
                unit="rows",
            ),
            Choice(
                name="weights",
                title="Their say",
                help="Whether nearer rows count more.",
                default="uniform",
                options={"uniform": "all count the same", "distance": "nearer ones count more"},
                advanced=True,
            ),
        ),
        scaled=True,
        most_rows=20_000,
        build=_nearest_neighbours,
    )
)

TABULAR_MODELS.add(
    TabularModelSpec(
        name="support_vectors",
        title="The widest gap (support vector machine)",
        sentence="It draws the border that keeps the outcomes as far apart as possible.",
        paper="Cortes & Vapnik 1995; Platt 1999",
        params=(FREEDOM,),
        scaled=True,
        most_rows=4_000,
        build=_support_vectors,
    )
)

TABULAR_MODELS.add(
    TabularModelSpec(
        name="neural_network",
        title="Neural network (scikit-learn)",
        sentence="Layers of simple sums, each followed by a bend, learn what to look for.",
        paper="Rumelhart et al. 1986; Kingma & Ba 2014, arXiv:1412.6980",
        params=(
            WIDTH,
            Int(
                name="epochs",
                title="Rounds",
                help="How often the network sees all rows, at most.",
                default=200,
                low=5,
                high=2000,
                step=5,
                advanced=True,
            ),
        ),
        scaled=True,
        most_rows=20_000,
        settles=True,
        build=_neural_network,
    )
)

TABULAR_MODELS.add(
    TabularModelSpec(
        name="torch_network",
        title="Neural network (PyTorch)",
        sentence="The same kind of network in PyTorch, so that gradients can explain it too.",
        paper="Rumelhart et al. 1986; Kingma & Ba 2014, arXiv:1412.6980",
        params=(
            WIDTH,
            Int(
                name="epochs",
                title="Rounds",
                help="How often the network sees all rows.",
                default=40,
                low=1,
                high=500,
                advanced=True,
            ),
        ),
        differentiable=True,
        scaled=True,
        most_rows=20_000,
        build=_torch_network,
    )
)
