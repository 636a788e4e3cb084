"""Results: predictions, attributions and the checks on them. Frozen, with their provenance; readable without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from xai_core.arrays import Float32
from xai_core.params import Value

Level = Literal["green", "amber", "red"]
Target = int | tuple[int, int]
# The detail that holds the probability of the explained class.
PROBABILITY = "probability"
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True)
class Prediction:
    """The likeliest classes, best first: (index, label, probability between 0 and 1)."""

    classes: tuple[tuple[int, str, float], ...]


@dataclass(frozen=True)
class Check:
    """The answer to one question about a map; `value` is the number behind the sentence, if there is one."""

    name: str
    level: Level
    sentence: str
    value: float | None = None


@dataclass(frozen=True)
class Attribution:
    """A map of evidence on the model's input grid, with everything needed to compute it again.

    `values` is float32, read-only and signed, (H, W) or (C, H, W) for methods that speak per channel; positive is
    evidence for the target. `quantity` is the explained number (usually the target's logit), `unit` that of the values.
    """

    values: Float32
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
        object.__setattr__(self, "values", _copy_map(self.values))
        for name in ("params", "versions", "details"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def heatmap(self) -> Float32:
        """One number a pixel, (H, W): channels summed, since contributions add up."""
        return _sum_channels(self.values)

    @property
    def probability(self) -> float | None:
        """Probability of the class asked about, of the first one of a pair; None for maps of older versions."""
        value = self.details.get(PROBABILITY)
        return None if value is None or not 0 <= value <= 1 else float(value)

    @property
    def level(self) -> Level:
        """The worst level of all checks, for the badge on the map."""
        levels = {check.level for check in self.checks}
        return "red" if "red" in levels else "amber" if "amber" in levels else "green"


@dataclass(frozen=True, eq=False)
class Preview:
    """An unfinished map: the values so far, read-only, in the shape of the finished map. Nothing has checked them."""

    values: Float32
    fraction: float
    """Share of the work done, 0 to 1."""
    number: int
    """Place among the previews of one map, from 1."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _copy_map(self.values))

    @property
    def heatmap(self) -> Float32:
        """One number a pixel, (H, W), as in the finished map."""
        return _sum_channels(self.values)


def _copy_map(values: Float32) -> Float32:
    """Return a read-only copy of a map: the caller's array stays its own."""
    copied = np.array(values, dtype=np.float32)
    if copied.ndim not in (2, 3):
        raise ValueError(f"a map has shape (H, W) or (C, H, W), got {copied.shape}")
    copied.flags.writeable = False
    return copied


def _sum_channels(values: Float32) -> Float32:
    """Return values (H, W) as they are, and the read-only sum over channels of values (C, H, W)."""
    if values.ndim == 2:
        return values
    heat: Float32 = values.sum(axis=0)
    heat.flags.writeable = False
    return heat


def to_json(attribution: Attribution) -> dict[str, Json]:
    """Return everything but the values as plain data for JSON; NaN and infinity stay, as Python's json writes them."""
    return {
        entry.name: _to_plain(getattr(attribution, entry.name))
        for entry in fields(Attribution)
        if entry.name != "values"
    }


def attribution_from_json(values: Float32, about: Mapping[str, Any]) -> Attribution:
    """Return the attribution of its values and the result of `to_json`, equal to the one that went in.

    Raises:
        ValueError: something is missing or of another kind. A file may say anything.
    """
    for name, is_valid in _KINDS.items():
        if name not in about or not is_valid(about[name]):
            raise ValueError(f"{name!r} is missing or is not what a result says there")
    rest = {name: about[name] for name in _KINDS}
    checks = tuple(Check(**check) for check in rest.pop("checks"))
    target = rest.pop("target")
    target = target if isinstance(target, int) else tuple(target)
    return Attribution(values=values, target=target, checks=checks, **rest)


def _to_plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {name: _to_plain(entry) for name, entry in value.items()}
    if isinstance(value, tuple):
        return [_to_plain(entry) for entry in value]
    if isinstance(value, Check):
        return _to_plain(asdict(value))
    # An attribution holds nothing else.
    return value.item() if isinstance(value, np.generic) else value  # type: ignore[no-any-return]


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
    if not isinstance(value, Mapping) or set(value) != {entry.name for entry in fields(Check)}:
        return False
    number = value["value"] is None or _is_number(value["value"])
    return number and _is_text(value["name"]) and _is_text(value["sentence"]) and value["level"] in get_args(Level)


def _is_checks(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_check, value))


def _is_mapping_of(is_valid: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, Mapping) and all(_is_text(name) and is_valid(entry) for name, entry in value.items())
    )


_KINDS: Mapping[str, Callable[[object], bool]] = {
    "method": _is_text,
    "model": _is_text,
    "layer": lambda value: value is None or _is_text(value),
    "target": _is_target,
    "label": _is_text,
    "quantity": _is_text,
    "params": _is_mapping_of(_is_value),
    "seed": _is_whole,
    "evaluations": _is_whole,
    "seconds": _is_number,
    "image_sha256": _is_text,
    "versions": _is_mapping_of(_is_text),
    "unit": _is_text,
    "checks": _is_checks,
    "details": _is_mapping_of(_is_number),
}
