"""Built-in tables, one file each; importing this package registers them all."""

import sys

from xai_core.registry import discover
from xai_core.tabular.data.builtin.spec import TABLES, TableSpec, load_table

__all__ = ["TABLES", "TableSpec", "load_table"]

discover(sys.modules[__name__])
