"""Wines of scikit-learn (Forina and others, 1988)."""

from __future__ import annotations

from xai_core.tabular.data.builtin.spec import TABLES, TableSpec, build_sklearn_classes

TABLES.add(
    TableSpec(
        name="wine",
        title="Wines",
        task="classification",
        target_name="grower",
        about=(
            "178 wines of three growers in one Italian region, with 13 chemical measurements (Forina and others, 1988)."
        ),
        rank=20,
        build=build_sklearn_classes,
    )
)
