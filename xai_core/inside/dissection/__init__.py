"""Network dissection: the concept that each unit of a layer matches, with tests."""

from __future__ import annotations

from xai_core.inside.dissection.dissect import MIN_IOU, Dissection, UnitLabel, dissect
from xai_core.inside.dissection.examples import UnitExample, read_examples
from xai_core.inside.dissection.stored import find_dissection, load_dissection

__all__ = [
    "MIN_IOU",
    "Dissection",
    "UnitExample",
    "UnitLabel",
    "dissect",
    "find_dissection",
    "load_dissection",
    "read_examples",
]
