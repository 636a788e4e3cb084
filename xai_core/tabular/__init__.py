"""Tables: how a model of rows and columns decides, in general and for one row. Names are loaded when they are first used.

To add a name, put it into `_HOME` with the module that has it, and into the imports for type checkers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xai_core.tabular.ale import accumulated_local_effects as accumulated_local_effects
    from xai_core.tabular.ale import accumulated_local_effects_2d as accumulated_local_effects_2d
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
    from xai_core.tabular.importance import Importance as Importance
    from xai_core.tabular.importance import permutation_importance as permutation_importance
    from xai_core.tabular.interaction import interaction_strength as interaction_strength
    from xai_core.tabular.shap_global import ShapSummary as ShapSummary
    from xai_core.tabular.shap_global import shap_summary as shap_summary

_HOME = {
    "Column": "data",
    "Effect": "effects",
    "Effect2D": "effects",
    "Importance": "importance",
    "RawTable": "data",
    "ShapSummary": "shap_global",
    "TABLES": "data",
    "Table": "data",
    "TableSpec": "data",
    "accumulated_local_effects": "ale",
    "accumulated_local_effects_2d": "ale",
    "interaction_strength": "interaction",
    "load_table": "data",
    "loan_log_odds": "data",
    "loan_truth": "data",
    "partial_dependence": "effects",
    "partial_dependence_2d": "effects",
    "permutation_importance": "importance",
    "read_table": "data",
    "shap_summary": "shap_global",
    "table_from": "data",
    "unreal": "effects",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
