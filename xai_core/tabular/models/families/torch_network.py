"""Multi-layer perceptron in torch, which has gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xai_core.params import Int, Value
from xai_core.tabular.models.spec import TABULAR_MODELS, WIDTH, TabularModelSpec, select_by_task

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table


def build(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from xai_core.tabular.models.torch_mlp import TorchNetworkClassifier, TorchNetworkRegressor

    estimator_class: Any = select_by_task(table, TorchNetworkClassifier, TorchNetworkRegressor)
    return estimator_class(width=params["width"], epochs=params["epochs"], random_state=seed)


TABULAR_MODELS.add(
    TabularModelSpec(
        name="torch_network",
        title="Neural network (PyTorch)",
        sentence="The same kind of network in PyTorch, so that gradients can explain it too.",
        paper="Rumelhart et al. 1986; Kingma & Ba 2014, arXiv:1412.6980",
        rank=90,
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
        max_rows=20_000,
        build=build,
    )
)
