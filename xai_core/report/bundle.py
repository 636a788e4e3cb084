"""Maps with their provenance in one NPZ file: arrays for the numbers, JSON for everything else, no pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from xai_core.arrays import Float32
from xai_core.results import Attribution, to_json

FORMAT = 1


def npz_bytes(attributions: Sequence[Attribution]) -> bytes:
    """Return an NPZ with one float32 array for each map, named `0_grad_cam` and so on, and `about`: JSON of the rest.

    `attribution_from_json(array, entry)` of xai_core.results makes an equal attribution of an array and its entry.
    """
    arrays = {f"{number}_{entry.method}": entry.values for number, entry in enumerate(attributions)}
    entries = [{"array": name} | to_json(entry) for name, entry in zip(arrays, attributions, strict=True)]
    text = json.dumps({"format": FORMAT, "maps": entries})
    buffer = io.BytesIO()
    # NumPy types its keywords as bool.
    np.savez_compressed(buffer, about=np.array(text), **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def read_npz(data: bytes) -> tuple[dict[str, Float32], dict[str, Any]]:
    """Return the arrays by name, and the JSON, of a file made by `npz_bytes`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        about: dict[str, Any] = json.loads(str(archive["about"]))
        return {entry["array"]: archive[entry["array"]] for entry in about["maps"]}, about
