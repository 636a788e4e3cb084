"""Maps with their provenance in one NPZ file: arrays for the numbers, JSON for everything else, no pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from xai_core.results import Attribution, Check, Floats

FORMAT = 1


def _plain(value: Any) -> Any:
    """What JSON does not know: read-only mappings and checks."""
    return asdict(value) if isinstance(value, Check) else dict(value)


def npz_bytes(attributions: Sequence[Attribution]) -> bytes:
    """An NPZ with one float32 array for each map, named `0_grad_cam` and so on, and `about`: JSON of everything else."""
    about, arrays = [], {}
    for number, found in enumerate(attributions):
        name = f"{number}_{found.method}"
        arrays[name] = found.values
        rest = {field.name: getattr(found, field.name) for field in fields(found) if field.name != "values"}
        about.append({"array": name} | rest)
    buffer = io.BytesIO()
    text = json.dumps({"format": FORMAT, "maps": about}, default=_plain, allow_nan=True)
    np.savez_compressed(buffer, about=np.array(text), **arrays)  # type: ignore[arg-type]  # numpy types **kwds as bool
    return buffer.getvalue()


def read_npz(data: bytes) -> tuple[dict[str, Floats], dict[str, Any]]:
    """The arrays by name and the JSON of a file made by `npz_bytes`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        about: dict[str, Any] = json.loads(str(archive["about"]))
        return {entry["array"]: archive[entry["array"]] for entry in about["maps"]}, about
