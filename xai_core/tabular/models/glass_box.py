"""Models that can be read as they are: a weighted sum, a decision tree, a sum of curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xai_core.params import Int, Value
from xai_core.tabular.models.spec import DEPTH, FREEDOM, LEAF, TABULAR_MODELS, TabularModelSpec, for_task

if TYPE_CHECKING:
    from xai_core.tabular.data.builtin import Table


def _linear(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    freedom = float(params["freedom"])
    return for_task(table, lambda: LogisticRegression(C=freedom, max_iter=2000), lambda: Ridge(alpha=1 / freedom))


def _decision_tree(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = for_task(table, lambda: DecisionTreeClassifier, lambda: DecisionTreeRegressor)
    return kind(max_depth=params["depth"], min_samples_leaf=params["leaf"], random_state=seed)


def _explainable_boosting(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

    kind = for_task(table, lambda: ExplainableBoostingClassifier, lambda: ExplainableBoostingRegressor)
    return kind(
        feature_names=[column.name for column in table.columns],
        feature_types=["nominal" if column.kind == "category" else "continuous" for column in table.columns],
        interactions=params["pairs"]
        if len(table.classes) <= 2
        else 0,  # the library has no pairs for three classes and more
        max_bins=params["bins"],
        max_interaction_bins=16,
        outer_bags=params["bags"],
        learning_rate=0.1,
        max_rounds=2000,
        smoothing_rounds=10,
        interaction_smoothing_rounds=10,
        early_stopping_rounds=50,
        n_jobs=1,
        random_state=seed,
    )


TABULAR_MODELS.add(
    TabularModelSpec(
        name="linear",
        title="Weighted sum (logistic or linear regression)",
        sentence="Every feature adds or takes away a fixed amount, and the amounts are summed up.",
        paper="Cox 1958; Hoerl & Kennard 1970",
        params=(FREEDOM,),
        glass_box=True,
        scaled=True,
        settles=True,
        build=_linear,
    )
)

TABULAR_MODELS.add(
    TabularModelSpec(
        name="decision_tree",
        title="Questions in a row (decision tree)",
        sentence="It asks one yes-or-no question after the other until it has an answer.",
        paper="Breiman et al. 1984",
        params=(DEPTH, LEAF),
        glass_box=True,
        tree_based=True,
        build=_decision_tree,
    )
)

TABULAR_MODELS.add(
    TabularModelSpec(
        name="explainable_boosting",
        title="Sum of curves (explainable boosting)",
        sentence="Every feature has a curve of its own that adds or takes away, and a few pairs of features have one together.",
        paper="Lou et al. 2013; Nori et al. 2019, arXiv:1909.09223",
        params=(
            Int(
                name="pairs",
                title="Pairs",
                help="Pairs of features that may act together. For three outcomes and more there are none.",
                default=5,
                low=0,
                high=20,
            ),
            Int(
                name="bins",
                title="Steps of a curve",
                help="How fine the curves may be.",
                default=128,
                low=8,
                high=1024,
                advanced=True,
            ),
            Int(
                name="bags",
                title="Repetitions",
                help="Models averaged. More give smoother curves and truer error bars.",
                default=8,
                low=2,
                high=25,
                advanced=True,
            ),
        ),
        glass_box=True,
        prepared=False,
        filled=False,
        most_rows=20_000,
        build=_explainable_boosting,
    )
)
