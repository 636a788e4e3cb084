"""Suites of fuzzing: what is read (pictures, tables, zips), how, and how an outcome is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.fuzz import cases, tables, zips
from benchmarks.fuzz.cases import Case, Slot
from benchmarks.fuzz.guarded_reader import Outcome, Reader
from xai_core.images import read_image


@dataclass(frozen=True)
class Suite:
    """Cases of one kind of file."""

    plan: Sequence[Slot]
    read: Reader
    """Function that a fresh process can import."""
    count: int
    """Cases that `make fuzz` tries."""
    find_faults: Callable[[Case, Outcome], list[str]]


SUITES: Mapping[str, Suite] = {
    "pictures": Suite(cases.PLAN, read_image, 1000, cases.find_faults),
    "tables": Suite(tables.PLAN, tables.read, 600, tables.find_faults),
    "zips": Suite(zips.PLAN, zips.read, 400, zips.find_faults),
}
