"""What a check is asked about, and the registry of checks: one file each, run in milliseconds on every map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xai_core.registry import Registry
from xai_core.results import Check, Floats


@dataclass(frozen=True)
class Evidence:
    """A fresh map and what is known around it, for the checks to judge."""

    values: Floats
    details: Mapping[str, float]
    label: str
    probability: float
    """Of the explained class, 0 to 1."""
    top_probability: float


@dataclass(frozen=True)
class CheckSpec:
    """One check; `run` returns None where the question does not arise."""

    name: str
    run: Callable[[Evidence], Check | None]


CHECKS: Registry[CheckSpec] = Registry("check")


def run_checks(evidence: Evidence) -> tuple[Check, ...]:
    """Every check that applies, in the order of their names."""
    found = (spec.run(evidence) for spec in CHECKS.specs())
    return tuple(check for check in found if check is not None)
