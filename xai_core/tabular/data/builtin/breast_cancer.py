"""Breast cancer cells of scikit-learn (Wolberg, Street and Mangasarian, 1993)."""

from __future__ import annotations

from xai_core.tabular.data.builtin.spec import TABLES, TableSpec, build_sklearn_classes

TABLES.add(
    TableSpec(
        name="breast_cancer",
        title="Breast cancer cells",
        task="classification",
        target_name="diagnosis",
        about=(
            "569 samples of breast tissue, malignant (dangerous) or benign (harmless), with 30 measurements of the "
            "cell nuclei in a picture (Wolberg, Street and Mangasarian, 1993). Many of the measurements say nearly the "
            "same, which makes explanations harder."
        ),
        rank=30,
        build=build_sklearn_classes,
    )
)
