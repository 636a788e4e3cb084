"""Example pictures of the methods for one row, one file each in assets/methods/tables."""

from __future__ import annotations

from pathlib import Path

from xai_core.tabular.row.explain import TABULAR_METHODS

EXAMPLES = Path(__file__).resolve().parents[3] / "assets" / "methods" / "tables"


def row_example(method: str) -> Path | None:
    """Return the file of a method's example picture, a WebP with a clear background; None for a method without one.

    Raises UnknownName with the nearest names.
    """
    file = EXAMPLES / f"{TABULAR_METHODS.get(method).name}.webp"
    return file if file.is_file() else None
