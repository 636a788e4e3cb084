from .data.builtin import (
    TABLES as TABLES,
)
from .data.builtin import (
    Column as Column,
)
from .data.builtin import (
    RawTable as RawTable,
)
from .data.builtin import (
    Table as Table,
)
from .data.builtin import (
    TableSpec as TableSpec,
)
from .data.builtin import (
    load_table as load_table,
)
from .data.builtin import (
    loan_log_odds as loan_log_odds,
)
from .data.builtin import (
    loan_truth as loan_truth,
)
from .data.builtin import (
    read_table as read_table,
)
from .data.builtin import (
    table_from as table_from,
)
from .evaluation.fairness import (
    Group as Group,
)
from .evaluation.fairness import (
    Groups as Groups,
)
from .evaluation.fairness import (
    Proxies as Proxies,
)
from .evaluation.fairness import (
    group_scores as group_scores,
)
from .evaluation.fairness import (
    proxies as proxies,
)
from .evaluation.scores import Scores as Scores
from .evaluation.scores import evaluate as evaluate
from .glassbox.glass_box import Shapes as Shapes
from .glassbox.glass_box import Tree as Tree
from .glassbox.glass_box import Weights as Weights
from .glassbox.glass_box import glass_box as glass_box
from .inspection.ale import (
    accumulated_local_effects as accumulated_local_effects,
)
from .inspection.ale import (
    accumulated_local_effects_2d as accumulated_local_effects_2d,
)
from .inspection.h_statistic import interaction_strength as interaction_strength
from .inspection.partial_dependence import (
    Effect as Effect,
)
from .inspection.partial_dependence import (
    Effect2D as Effect2D,
)
from .inspection.partial_dependence import (
    measure_extrapolation as measure_extrapolation,
)
from .inspection.partial_dependence import (
    partial_dependence as partial_dependence,
)
from .inspection.partial_dependence import (
    partial_dependence_2d as partial_dependence_2d,
)
from .inspection.permutation_importance import (
    Importance as Importance,
)
from .inspection.permutation_importance import (
    permutation_importance as permutation_importance,
)
from .inspection.shap_summary import ShapSummary as ShapSummary
from .inspection.shap_summary import shap_summary as shap_summary
from .models.own_model import load_own_model as load_own_model
from .models.own_model import untrusted_types as untrusted_types
from .models.train import (
    TABULAR_MODELS as TABULAR_MODELS,
)
from .models.train import (
    TabularModel as TabularModel,
)
from .models.train import (
    TabularModelSpec as TabularModelSpec,
)
from .models.train import (
    train as train,
)
from .row.agreement import RowAgreement as RowAgreement
from .row.agreement import agreement_rows as agreement_rows
from .row.counterfactual import Change as Change
from .row.counterfactual import Counterfactuals as Counterfactuals
from .row.counterfactual import counterfactuals as counterfactuals
from .row.explain import (
    TABULAR_METHODS as TABULAR_METHODS,
)
from .row.explain import (
    Contributions as Contributions,
)
from .row.explain import (
    RowMethod as RowMethod,
)
from .row.explain import (
    explain_row as explain_row,
)
from .row.explain import (
    kernel_widths as kernel_widths,
)
from .service import (
    keep_model as keep_model,
)
from .service import (
    keep_raw as keep_raw,
)
from .service import (
    keep_table as keep_table,
)
from .service import (
    raw as raw,
)
from .service import (
    start_training as start_training,
)
from .service import (
    table as table,
)
from .service import (
    trained as trained,
)
