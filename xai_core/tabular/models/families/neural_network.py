"""Multi-layer perceptron of scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xai_core.params import Int, Value
from xai_core.tabular.models.spec import TABULAR_MODELS, WIDTH, TabularModelSpec, scale_target, select_by_task

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table


def build(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    settings = {
        "hidden_layer_sizes": (params["width"],) * 2,
        "max_iter": params["epochs"],
        "alpha": 1e-2,
        "random_state": seed,
    }
    return select_by_task(table, MLPClassifier(**settings), scale_target(MLPRegressor(**settings)))


TABULAR_MODELS.add(
    TabularModelSpec(
        name="neural_network",
        title="Neural network (scikit-learn)",
        sentence="Layers of simple sums, each followed by a bend, learn what to look for.",
        paper="Rumelhart et al. 1986; Kingma & Ba 2014, arXiv:1412.6980",
        rank=80,
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
        max_rows=20_000,
        converges=True,
        build=build,
    )
)
