"""Diabetes progression of scikit-learn (Efron and others, 2004), in the units it was measured in."""

from __future__ import annotations

import pandas as pd

from xai_core.tabular.data.builtin.spec import TABLES, TableSpec, load_sklearn
from xai_core.tabular.data.table import Table

COLUMN_NAMES = {
    "bmi": "body mass index",
    "bp": "blood pressure",
    "s1": "total cholesterol",
    "s2": "LDL cholesterol",
    "s3": "HDL cholesterol",
    "s4": "cholesterol ratio",
    "s5": "log of triglycerides",
    "s6": "blood sugar",
}


def build(spec: TableSpec) -> Table:
    bunch = load_sklearn("diabetes", scaled=False)
    # The source does not say which sex is which.
    sexes = pd.Series(["group 1" if code == 1 else "group 2" for code in bunch.data["sex"]], dtype=object)
    frame = bunch.data.assign(sex=sexes).rename(columns=COLUMN_NAMES)
    return spec.to_table(frame, bunch.target.to_numpy())


TABLES.add(
    TableSpec(
        name="diabetes",
        title="Diabetes after one year",
        task="regression",
        target_name="progression",
        about=(
            "442 people with diabetes: age, sex, body and blood measurements, and a number for how far the illness had "
            "come one year later (Efron and others, 2004). The source does not say which sex is which, so they are "
            "called group 1 and group 2."
        ),
        rank=40,
        protected="sex",
        build=build,
    )
)
