"""Tables: how a model of rows and columns decides, in general and for one row. Names are loaded when they are first used.

To add a name, put it into `_HOME` with the module that has it, and into the imports for type checkers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOME = {
    "TABLES": "data",
    "Column": "data",
    "RawTable": "data",
    "Table": "data",
    "TableSpec": "data",
    "load_table": "data",
    "loan_log_odds": "data",
    "loan_truth": "data",
    "read_table": "data",
    "table_from": "data",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
