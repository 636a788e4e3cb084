"""Maps with their provenance in one NPZ file: arrays for the numbers, JSON for everything else, no pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from xai_core.results import Attribution, Floats, about

FORMAT = 1


def npz_bytes(attributions: Sequence[Attribution]) -> bytes:
    """An NPZ with one float32 array for each map, named `0_grad_cam` and so on, and `about`: JSON of everything else.

    `restored(array, entry)` of xai_core.results makes the same attribution of an array and its entry in the JSON.
    """
    arrays = {f"{number}_{found.method}": found.values for number, found in enumerate(attributions)}
    entries = [{"array": name} | about(found) for name, found in zip(arrays, attributions, strict=True)]
    text = json.dumps({"format": FORMAT, "maps": entries})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, about=np.array(text), **arrays)  # type: ignore[arg-type]  # numpy types **kwds as bool
    return buffer.getvalue()


def read_npz(data: bytes) -> tuple[dict[str, Floats], dict[str, Any]]:
    """The arrays by name and the JSON of a file made by `npz_bytes`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        said: dict[str, Any] = json.loads(str(archive["about"]))
        return {entry["array"]: archive[entry["array"]] for entry in said["maps"]}, said
