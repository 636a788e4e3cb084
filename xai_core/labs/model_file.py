"""Own models as files: a safetensors file whose header holds a JSON record. Nothing in it is ever run or unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from xai_core.errors import InvalidParam

SUFFIX = ".safetensors"
MAX_FILE_MB = 4
_KEY = "whybox"
_VERSION = 1
_MAX_HEADER = 2**20
_FOREIGN = (
    "This is not a model saved here, or it is damaged. Choose a file that was saved with “Save this model”; its name "
    f"ends in {SUFFIX}."
)


@dataclass(frozen=True)
class ModelFile:
    """One own model: its kind, its record (plain JSON values) and its tensors by name."""

    kind: str
    record: Mapping[str, Any]
    tensors: Mapping[str, torch.Tensor]


def write_model(model: ModelFile) -> bytes:
    """Return a model as the bytes of a file."""
    text = json.dumps({"version": _VERSION, "kind": model.kind, **model.record}, ensure_ascii=False)
    return save({name: tensor.contiguous() for name, tensor in model.tensors.items()}, {_KEY: text})


def read_model(data: bytes) -> ModelFile:
    """Return the model of a file's bytes; its record is foreign until whoever reads it has checked it.

    Raises:
        InvalidParam: the bytes are no such file, or hold numbers that are not finite.
    """
    if len(data) > MAX_FILE_MB * 2**20:
        raise InvalidParam(f"A saved model has at most {MAX_FILE_MB} MB. Got {len(data) / 2**20:.0f} MB.")
    record = _read_record(data)
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InvalidParam(_FOREIGN) from error
    # A weight that is no number would make every answer one.
    if not all(tensor.is_floating_point() and bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise InvalidParam(_FOREIGN)
    return ModelFile(record["kind"], record, tensors)


def _read_record(data: bytes) -> dict[str, Any]:
    # A safetensors file begins with the length of its JSON header.
    length = int.from_bytes(data[:8], "little")
    if not 2 <= length <= min(_MAX_HEADER, len(data) - 8):
        raise InvalidParam(_FOREIGN)
    try:
        record = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][_KEY])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidParam(_FOREIGN) from error
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        raise InvalidParam(_FOREIGN)
    if record.get("version") != _VERSION:
        raise InvalidParam("This model was saved by another version of Whybox and cannot be opened here.")
    return record


def foreign_model() -> InvalidParam:
    """Return the error of a file whose record or tensors do not fit together."""
    return InvalidParam(_FOREIGN)
