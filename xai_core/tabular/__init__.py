"""Tables: how a model of rows and columns decides, in general and for one row. Names are loaded when they are first used.

To add a name, put it into `_HOME` with the module that has it, and into the imports for type checkers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xai_core.tabular._service import keep_model as keep_model
    from xai_core.tabular._service import keep_raw as keep_raw
    from xai_core.tabular._service import keep_table as keep_table
    from xai_core.tabular._service import leave_training as leave_training
    from xai_core.tabular._service import raw as raw
    from xai_core.tabular._service import start_training as start_training
    from xai_core.tabular._service import stop_training as stop_training
    from xai_core.tabular._service import table as table
    from xai_core.tabular._service import trained as trained
    from xai_core.tabular._service import watch_training as watch_training
    from xai_core.tabular.agreement import RowAgreement as RowAgreement
    from xai_core.tabular.agreement import agreement_rows as agreement_rows
    from xai_core.tabular.ale import accumulated_local_effects as accumulated_local_effects
    from xai_core.tabular.ale import accumulated_local_effects_2d as accumulated_local_effects_2d
    from xai_core.tabular.counterfactual import Change as Change
    from xai_core.tabular.counterfactual import Counterfactuals as Counterfactuals
    from xai_core.tabular.counterfactual import counterfactuals as counterfactuals
    from xai_core.tabular.data import TABLES as TABLES
    from xai_core.tabular.data import Column as Column
    from xai_core.tabular.data import RawTable as RawTable
    from xai_core.tabular.data import Table as Table
    from xai_core.tabular.data import TableSpec as TableSpec
    from xai_core.tabular.data import load_table as load_table
    from xai_core.tabular.data import loan_log_odds as loan_log_odds
    from xai_core.tabular.data import loan_truth as loan_truth
    from xai_core.tabular.data import read_table as read_table
    from xai_core.tabular.data import table_from as table_from
    from xai_core.tabular.effects import Effect as Effect
    from xai_core.tabular.effects import Effect2D as Effect2D
    from xai_core.tabular.effects import partial_dependence as partial_dependence
    from xai_core.tabular.effects import partial_dependence_2d as partial_dependence_2d
    from xai_core.tabular.effects import unreal as unreal
    from xai_core.tabular.fairness import Group as Group
    from xai_core.tabular.fairness import Groups as Groups
    from xai_core.tabular.fairness import Proxies as Proxies
    from xai_core.tabular.fairness import group_scores as group_scores
    from xai_core.tabular.fairness import proxies as proxies
    from xai_core.tabular.glassbox import Shapes as Shapes
    from xai_core.tabular.glassbox import Tree as Tree
    from xai_core.tabular.glassbox import Weights as Weights
    from xai_core.tabular.glassbox import glass_box as glass_box
    from xai_core.tabular.importance import Importance as Importance
    from xai_core.tabular.importance import permutation_importance as permutation_importance
    from xai_core.tabular.interaction import interaction_strength as interaction_strength
    from xai_core.tabular.local import TABULAR_METHODS as TABULAR_METHODS
    from xai_core.tabular.local import Contributions as Contributions
    from xai_core.tabular.local import RowMethod as RowMethod
    from xai_core.tabular.local import explain_row as explain_row
    from xai_core.tabular.local import kernel_widths as kernel_widths
    from xai_core.tabular.models import TABULAR_MODELS as TABULAR_MODELS
    from xai_core.tabular.models import TabularModel as TabularModel
    from xai_core.tabular.models import TabularModelSpec as TabularModelSpec
    from xai_core.tabular.models import train as train
    from xai_core.tabular.own_model import load_own_model as load_own_model
    from xai_core.tabular.own_model import untrusted_types as untrusted_types
    from xai_core.tabular.scores import Scores as Scores
    from xai_core.tabular.scores import evaluate as evaluate
    from xai_core.tabular.shap_global import ShapSummary as ShapSummary
    from xai_core.tabular.shap_global import shap_summary as shap_summary

_HOME = {
    "Change": "counterfactual",
    "Column": "data",
    "Contributions": "local",
    "Counterfactuals": "counterfactual",
    "Effect": "effects",
    "Effect2D": "effects",
    "Group": "fairness",
    "Groups": "fairness",
    "Importance": "importance",
    "Proxies": "fairness",
    "RawTable": "data",
    "RowAgreement": "agreement",
    "RowMethod": "local",
    "Scores": "scores",
    "ShapSummary": "shap_global",
    "Shapes": "glassbox",
    "TABLES": "data",
    "TABULAR_METHODS": "local",
    "TABULAR_MODELS": "models",
    "Table": "data",
    "TableSpec": "data",
    "TabularModel": "models",
    "TabularModelSpec": "models",
    "Tree": "glassbox",
    "Weights": "glassbox",
    "accumulated_local_effects": "ale",
    "accumulated_local_effects_2d": "ale",
    "agreement_rows": "agreement",
    "counterfactuals": "counterfactual",
    "evaluate": "scores",
    "explain_row": "local",
    "glass_box": "glassbox",
    "group_scores": "fairness",
    "interaction_strength": "interaction",
    "keep_model": "_service",
    "keep_raw": "_service",
    "keep_table": "_service",
    "kernel_widths": "local",
    "leave_training": "_service",
    "load_own_model": "own_model",
    "load_table": "data",
    "loan_log_odds": "data",
    "loan_truth": "data",
    "partial_dependence": "effects",
    "partial_dependence_2d": "effects",
    "permutation_importance": "importance",
    "proxies": "fairness",
    "raw": "_service",
    "read_table": "data",
    "shap_summary": "shap_global",
    "start_training": "_service",
    "stop_training": "_service",
    "table": "_service",
    "table_from": "data",
    "train": "models",
    "trained": "_service",
    "unreal": "effects",
    "untrusted_types": "own_model",
    "watch_training": "_service",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
