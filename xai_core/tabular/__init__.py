"""Tables: how a model of rows and columns decides, in general and for one row. Names are loaded when they are first used.

To add a name, put it into `_HOME` with the module that has it, and into the imports for type checkers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xai_core.tabular.data.builtin import TABLES as TABLES
    from xai_core.tabular.data.builtin import Column as Column
    from xai_core.tabular.data.builtin import RawTable as RawTable
    from xai_core.tabular.data.builtin import Table as Table
    from xai_core.tabular.data.builtin import TableSpec as TableSpec
    from xai_core.tabular.data.builtin import load_table as load_table
    from xai_core.tabular.data.builtin import loan_log_odds as loan_log_odds
    from xai_core.tabular.data.builtin import loan_truth as loan_truth
    from xai_core.tabular.data.builtin import read_table as read_table
    from xai_core.tabular.data.builtin import table_from as table_from
    from xai_core.tabular.evaluation.fairness import Group as Group
    from xai_core.tabular.evaluation.fairness import Groups as Groups
    from xai_core.tabular.evaluation.fairness import Proxies as Proxies
    from xai_core.tabular.evaluation.fairness import group_scores as group_scores
    from xai_core.tabular.evaluation.fairness import proxies as proxies
    from xai_core.tabular.evaluation.scores import Scores as Scores
    from xai_core.tabular.evaluation.scores import evaluate as evaluate
    from xai_core.tabular.glassbox.glass_box import Shapes as Shapes
    from xai_core.tabular.glassbox.glass_box import Tree as Tree
    from xai_core.tabular.glassbox.glass_box import Weights as Weights
    from xai_core.tabular.glassbox.glass_box import glass_box as glass_box
    from xai_core.tabular.inspection.ale import accumulated_local_effects as accumulated_local_effects
    from xai_core.tabular.inspection.ale import accumulated_local_effects_2d as accumulated_local_effects_2d
    from xai_core.tabular.inspection.h_statistic import interaction_strength as interaction_strength
    from xai_core.tabular.inspection.partial_dependence import Effect as Effect
    from xai_core.tabular.inspection.partial_dependence import Effect2D as Effect2D
    from xai_core.tabular.inspection.partial_dependence import partial_dependence as partial_dependence
    from xai_core.tabular.inspection.partial_dependence import partial_dependence_2d as partial_dependence_2d
    from xai_core.tabular.inspection.partial_dependence import unreal as unreal
    from xai_core.tabular.inspection.permutation_importance import Importance as Importance
    from xai_core.tabular.inspection.permutation_importance import permutation_importance as permutation_importance
    from xai_core.tabular.inspection.shap_summary import ShapSummary as ShapSummary
    from xai_core.tabular.inspection.shap_summary import shap_summary as shap_summary
    from xai_core.tabular.models.own_model import load_own_model as load_own_model
    from xai_core.tabular.models.own_model import untrusted_types as untrusted_types
    from xai_core.tabular.models.train import TABULAR_MODELS as TABULAR_MODELS
    from xai_core.tabular.models.train import TabularModel as TabularModel
    from xai_core.tabular.models.train import TabularModelSpec as TabularModelSpec
    from xai_core.tabular.models.train import train as train
    from xai_core.tabular.row.agreement import RowAgreement as RowAgreement
    from xai_core.tabular.row.agreement import agreement_rows as agreement_rows
    from xai_core.tabular.row.counterfactual import Change as Change
    from xai_core.tabular.row.counterfactual import Counterfactuals as Counterfactuals
    from xai_core.tabular.row.counterfactual import counterfactuals as counterfactuals
    from xai_core.tabular.row.explain import TABULAR_METHODS as TABULAR_METHODS
    from xai_core.tabular.row.explain import Contributions as Contributions
    from xai_core.tabular.row.explain import RowMethod as RowMethod
    from xai_core.tabular.row.explain import explain_row as explain_row
    from xai_core.tabular.row.explain import kernel_widths as kernel_widths
    from xai_core.tabular.service import keep_model as keep_model
    from xai_core.tabular.service import keep_raw as keep_raw
    from xai_core.tabular.service import keep_table as keep_table
    from xai_core.tabular.service import leave_training as leave_training
    from xai_core.tabular.service import raw as raw
    from xai_core.tabular.service import start_training as start_training
    from xai_core.tabular.service import stop_training as stop_training
    from xai_core.tabular.service import table as table
    from xai_core.tabular.service import trained as trained
    from xai_core.tabular.service import watch_training as watch_training

_HOME = {
    "Change": "row.counterfactual",
    "Column": "data.builtin",
    "Contributions": "row.explain",
    "Counterfactuals": "row.counterfactual",
    "Effect": "inspection.partial_dependence",
    "Effect2D": "inspection.partial_dependence",
    "Group": "evaluation.fairness",
    "Groups": "evaluation.fairness",
    "Importance": "inspection.permutation_importance",
    "Proxies": "evaluation.fairness",
    "RawTable": "data.builtin",
    "RowAgreement": "row.agreement",
    "RowMethod": "row.explain",
    "Scores": "evaluation.scores",
    "ShapSummary": "inspection.shap_summary",
    "Shapes": "glassbox.glass_box",
    "TABLES": "data.builtin",
    "TABULAR_METHODS": "row.explain",
    "TABULAR_MODELS": "models.train",
    "Table": "data.builtin",
    "TableSpec": "data.builtin",
    "TabularModel": "models.train",
    "TabularModelSpec": "models.train",
    "Tree": "glassbox.glass_box",
    "Weights": "glassbox.glass_box",
    "accumulated_local_effects": "inspection.ale",
    "accumulated_local_effects_2d": "inspection.ale",
    "agreement_rows": "row.agreement",
    "counterfactuals": "row.counterfactual",
    "evaluate": "evaluation.scores",
    "explain_row": "row.explain",
    "glass_box": "glassbox.glass_box",
    "group_scores": "evaluation.fairness",
    "interaction_strength": "inspection.h_statistic",
    "keep_model": "service",
    "keep_raw": "service",
    "keep_table": "service",
    "kernel_widths": "row.explain",
    "leave_training": "service",
    "load_own_model": "models.own_model",
    "load_table": "data.builtin",
    "loan_log_odds": "data.builtin",
    "loan_truth": "data.builtin",
    "partial_dependence": "inspection.partial_dependence",
    "partial_dependence_2d": "inspection.partial_dependence",
    "permutation_importance": "inspection.permutation_importance",
    "proxies": "evaluation.fairness",
    "raw": "service",
    "read_table": "data.builtin",
    "shap_summary": "inspection.shap_summary",
    "start_training": "service",
    "stop_training": "service",
    "table": "service",
    "table_from": "data.builtin",
    "train": "models.train",
    "trained": "service",
    "unreal": "inspection.partial_dependence",
    "untrusted_types": "models.own_model",
    "watch_training": "service",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
