"""Made-up loan decisions whose rule is known, so that an explanation can be judged against the truth.

1,000 rows, drawn with a fixed seed. The probability of a yes depends on the columns through log-odds, the sum of

- income: straight line, `INCOME` per 1,000 a month;
- amount: straight line, `AMOUNT` per 1,000;
- age: a hill, `AGE` times the squared distance from 45, in tens of years;
- employment and district: one number a category, `EMPLOYMENT` and `DISTRICT`;
- late payments AND debt together: `LATE_BY_DEBT` times late payments times debt in thousands. This is the interaction:
  a late payment costs nothing without debt, and debt nothing without late payments.

Nothing else matters: spending (which follows income, |ρ| > 0.8), purpose, owning a home, and the protected `group`.
The group has no effect of its own, yet its shares of a yes differ, because it decides where people live and the
district counts: a proxy.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from xai_core.arrays import Float64, Int64
from xai_core.tabular.data.builtin.spec import TABLES, TableSpec
from xai_core.tabular.data.table import Table

ROWS = 1000
SEED = 2024
BASE = 0.9
INCOME = 0.9
AMOUNT = -0.15
AGE = -0.25
LATE_BY_DEBT = -0.25
EMPLOYMENT = {"permanent": 0.5, "temporary": -0.3, "self-employed": 0.0, "unemployed": -1.5}
DISTRICT = {"north": 0.9, "east": 0.5, "south": -0.8, "west": -0.6}
# Columns without an effect in the rule.
IRRELEVANT = ("spending", "purpose", "owns home", "group")

# Shares of each group in the districts, in the order of DISTRICT.
DISTRICT_SHARES = {"A": (0.45, 0.35, 0.08, 0.12), "B": (0.08, 0.12, 0.45, 0.35)}


def loan_log_odds(frame: pd.DataFrame) -> Float64:
    """Return the true log-odds of a yes, (N,), for rows with the columns of the loan table."""
    income = INCOME * (frame["income"] - 3000) / 1000
    amount = AMOUNT * (frame["amount"] - 10_000) / 1000
    age = AGE * ((frame["age"] - 45) / 10) ** 2
    employment = frame["employment"].map(EMPLOYMENT)
    district = frame["district"].map(DISTRICT)
    late = LATE_BY_DEBT * frame["late payments"] * frame["debt"] / 1000
    return np.asarray(BASE + income + amount + age + employment + district + late, dtype=np.float64)


def loan_truth(frame: pd.DataFrame) -> Float64:
    """Return the true probability of a yes, (N,), for rows with the columns of the loan table."""
    probability: Float64 = 1.0 / (1.0 + np.exp(-loan_log_odds(frame)))
    return probability


def draw_loan_frame(rows: int = ROWS, seed: int = SEED) -> pd.DataFrame:
    """Draw the features of that many people, without the decision."""
    # The seed belongs to this order of draws: numbers in texts and tests rely on it.
    rng = np.random.default_rng(seed)
    income = np.clip(3000 * rng.lognormal(0.0, 0.35, rows), 900, 12_000).round(-1)
    group = rng.choice(["A", "B"], rows, p=[0.6, 0.4])
    districts = np.array(list(DISTRICT), dtype=object)
    district = np.where(
        group == "A",
        rng.choice(districts, rows, p=DISTRICT_SHARES["A"]),
        rng.choice(districts, rows, p=DISTRICT_SHARES["B"]),
    )
    return pd.DataFrame(
        {
            "age": rng.integers(20, 71, rows).astype(np.float64),
            "income": income,
            "spending": (0.6 * income + rng.normal(0, 220, rows)).clip(300).round(-1),
            "amount": np.clip(10_000 * rng.lognormal(-0.1, 0.5, rows), 1000, 40_000).round(-2),
            "debt": (rng.gamma(2.0, 2500, rows) * rng.binomial(1, 0.85, rows)).clip(0, 25_000).round(-2),
            "late payments": rng.poisson(1.1, rows).clip(0, 6).astype(np.float64),
            "employment": pd.Series(rng.choice(list(EMPLOYMENT), rows, p=[0.55, 0.2, 0.15, 0.1]), dtype=object),
            "purpose": pd.Series(
                rng.choice(["car", "home", "studies", "business"], rows, p=[0.4, 0.3, 0.2, 0.1]), dtype=object
            ),
            "owns home": rng.binomial(1, 0.4, rows).astype(np.float64),
            "district": pd.Series(district, dtype=object),
            "group": pd.Series(group, dtype=object),
        }
    )


def draw_loan_decisions(frame: pd.DataFrame, seed: int = SEED + 1) -> Int64:
    """Draw one decision a row with its true probability, (N,): 1 is a yes, 0 a no."""
    return (np.random.default_rng(seed).random(len(frame)) < loan_truth(frame)).astype(np.int64)


def build(spec: TableSpec) -> Table:
    frame = draw_loan_frame()
    classes = ("refused", "approved")
    return spec.to_table(frame, draw_loan_decisions(frame), classes=classes, kinds={"owns home": "boolean"})


TABLES.add(
    TableSpec(
        name="loan",
        title="Loan decisions (made up)",
        task="classification",
        target_name="decision",
        about=(
            "Made up by a computer: 1,000 people ask for a loan, and a rule that is known decides. The chance of a yes "
            "rises with income, falls with the amount, is best around the age of 45, and depends on employment and "
            "district. Late payments count only together with debt (an interaction). Spending, purpose, owning a home "
            "and group have no effect of their own. Spending follows income closely, so a model may mix the two up. "
            "Group decides where people live, and the district counts, so the groups do not fare alike although the "
            "rule never looks at the group."
        ),
        rank=50,
        protected="group",
        build=build,
    )
)
