"""What comes out: predictions, attributions and the checks on them. Frozen, with their provenance; needs no torch to be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from xai_core.params import Value

Floats = npt.NDArray[np.float32]
Level = Literal["green", "amber", "red"]
Target = int | tuple[int, int]
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True)
class Prediction:
    """The likeliest classes, best first: (index, label, probability between 0 and 1)."""

    classes: tuple[tuple[int, str, float], ...]


@dataclass(frozen=True)
class Check:
    """One question asked of a map: may it be trusted? `value` is the number behind the sentence, if there is one."""

    name: str
    level: Level
    sentence: str
    value: float | None = None


@dataclass(frozen=True)
class Attribution:
    """A map of evidence on the model's input grid, with everything needed to compute it again.

    `values` is float32, read-only and signed, (H, W) or (C, H, W) for methods that speak per channel; positive is evidence
    for the target. `quantity` is what was explained (usually the target's logit), `unit` what the values themselves are measured in.
    """

    values: Floats
    method: str
    model: str
    layer: str | None
    target: Target
    label: str
    quantity: str
    params: Mapping[str, Value]
    seed: int
    evaluations: int
    seconds: float
    image_sha256: str
    versions: Mapping[str, str]
    unit: str = "logit"
    checks: tuple[Check, ...] = ()
    details: Mapping[str, float] = field(default_factory=dict)
    """Numbers the method itself reports: a completeness gap, steps used, a surrogate's R²."""

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float32)  # a copy: the caller's array stays its own
        if values.ndim not in (2, 3):
            raise ValueError(f"an attribution has shape (H, W) or (C, H, W), got {values.shape}")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        for name in ("params", "versions", "details"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def heatmap(self) -> Floats:
        """The map as one number a pixel, (H, W): channels summed, since contributions add up."""
        if self.values.ndim == 2:
            return self.values
        heat: Floats = self.values.sum(axis=0)
        heat.flags.writeable = False
        return heat

    @property
    def level(self) -> Level:
        """The worst level of all checks: what the badge on the map says."""
        levels = {check.level for check in self.checks}
        return "red" if "red" in levels else "amber" if "amber" in levels else "green"


def about(found: Attribution) -> dict[str, Json]:
    """Everything but the values, as plain data for JSON. NaN and infinity stay, as Python's json writes and reads them."""
    return {each.name: _plain(getattr(found, each.name)) for each in fields(found) if each.name != "values"}


def restored(values: Floats, about: Mapping[str, Any]) -> Attribution:
    """The attribution that its values and what `about` said of it describe, equal to the one that went in.

    Raises ValueError where something is missing or of another kind: a file may say anything.
    """
    for name, fits in _KINDS.items():
        if name not in about or not fits(about[name]):
            raise ValueError(f"{name!r} is missing or is not what a result says there")
    rest = {name: about[name] for name in _KINDS}
    checks = tuple(Check(**check) for check in rest.pop("checks"))
    target = rest.pop("target")
    return Attribution(
        values=values, target=target if isinstance(target, int) else tuple(target), checks=checks, **rest
    )


def _plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Check):
        return _plain(asdict(value))
    return value.item() if isinstance(value, np.generic) else value  # type: ignore[no-any-return]  # an attribution holds nothing else


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object) -> bool:
    return isinstance(value, int)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _is_value(value: object) -> bool:
    return isinstance(value, (bool, int, float, str))


def _is_target(value: object) -> bool:
    return _is_whole(value) or (isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_whole, value)))


def _is_check(value: object) -> bool:
    if not isinstance(value, Mapping) or set(value) != {each.name for each in fields(Check)}:
        return False
    number = value["value"] is None or _is_number(value["value"])
    return number and _is_text(value["name"]) and _is_text(value["sentence"]) and value["level"] in get_args(Level)


def _is_checks(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_check, value))


def _mapping_of(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, Mapping) and all(_is_text(name) and fits(each) for name, each in value.items())
    )


_KINDS: Mapping[str, Callable[[object], bool]] = {
    "method": _is_text,
    "model": _is_text,
    "layer": lambda value: value is None or _is_text(value),
    "target": _is_target,
    "label": _is_text,
    "quantity": _is_text,
    "params": _mapping_of(_is_value),
    "seed": _is_whole,
    "evaluations": _is_whole,
    "seconds": _is_number,
    "image_sha256": _is_text,
    "versions": _mapping_of(_is_text),
    "unit": _is_text,
    "checks": _is_checks,
    "details": _mapping_of(_is_number),
}
