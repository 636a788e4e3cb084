"""Iris flowers of scikit-learn (Fisher, 1936)."""

from __future__ import annotations

from xai_core.tabular.data.builtin.spec import TABLES, TableSpec, build_sklearn_classes

TABLES.add(
    TableSpec(
        name="iris",
        title="Iris flowers",
        task="classification",
        target_name="species",
        about=(
            "150 iris flowers of three kinds, with the length and width of two sorts of leaf (Fisher, 1936). "
            "The smallest table to start with."
        ),
        rank=10,
        build=build_sklearn_classes,
    )
)
