from .data.builtin import TABLES as TABLES, TableSpec as TableSpec, load_table as load_table
from .data.builtin.loan import loan_log_odds as loan_log_odds, loan_truth as loan_truth
from .data.column import Column as Column
from .data.histogram import histogram as histogram
from .data.raw_table import RawTable as RawTable
from .data.roles import Role as Role
from .data.table import Table as Table, table_from as table_from
from .evaluation.fairness import (
    Estimate as Estimate,
    Group as Group,
    Groups as Groups,
    Proxies as Proxies,
    group_scores as group_scores,
    proxies as proxies,
)
from .evaluation.score_functions import SCORE_FUNCTIONS as SCORE_FUNCTIONS, ScoreFunction as ScoreFunction
from .evaluation.scores import OutcomeCurves as OutcomeCurves, Scores as Scores, evaluate as evaluate
from .glassbox.glass_box import (
    Curve as Curve,
    Pair as Pair,
    Shapes as Shapes,
    Tree as Tree,
    Weights as Weights,
    glass_box as glass_box,
)
from .inspection.ale import (
    accumulated_local_effects as accumulated_local_effects,
    accumulated_local_effects_2d as accumulated_local_effects_2d,
)
from .inspection.association import measure_extrapolation as measure_extrapolation, rank_by_target as rank_by_target
from .inspection.h_statistic import interaction_strength as interaction_strength
from .inspection.partial_dependence import (
    Effect as Effect,
    Effect2D as Effect2D,
    partial_dependence as partial_dependence,
    partial_dependence_2d as partial_dependence_2d,
)
from .inspection.permutation_importance import (
    Importance as Importance,
    permutation_importance as permutation_importance,
)
from .inspection.shap_summary import ShapSummary as ShapSummary, shap_summary as shap_summary
from .models.leaderboard import (
    Leaderboard as Leaderboard,
    LeaderboardEntry as LeaderboardEntry,
    rank_models as rank_models,
)
from .models.own_model import load_own_model as load_own_model, untrusted_types as untrusted_types
from .models.spec import TabularModelSpec as TabularModelSpec
from .models.table_model import TabularModel as TabularModel
from .models.train import TABULAR_MODELS as TABULAR_MODELS, model_id as model_id, train as train
from .reading.read import ENCODINGS as ENCODINGS, read_table as read_table
from .row.agreement import RowAgreement as RowAgreement, agreement_rows as agreement_rows
from .row.counterfactual import (
    CAUTION as CAUTION,
    Change as Change,
    Counterfactuals as Counterfactuals,
    TargetOutcome as TargetOutcome,
    counterfactuals as counterfactuals,
)
from .row.directions import (
    Direction as Direction,
    check_direction as check_direction,
    has_order as has_order,
    suggest_rising as suggest_rising,
)
from .row.examples import row_example as row_example
from .row.explain import (
    TABULAR_METHODS as TABULAR_METHODS,
    Contributions as Contributions,
    RowMethod as RowMethod,
    explain_row as explain_row,
    kernel_widths as kernel_widths,
)
from .row.sensitivity import rank_for_row as rank_for_row
from .row.verdict import judge_rows as judge_rows
from .service import (
    find_model as find_model,
    keep_model as keep_model,
    keep_raw as keep_raw,
    keep_table as keep_table,
    raw as raw,
    start_leaderboard as start_leaderboard,
    start_training as start_training,
    table as table,
)
