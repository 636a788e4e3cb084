"""Taught classes saved as a file and opened again: the head, its labels and its held-out answers; no pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from xai_core.arrays import Int64
from xai_core.errors import InvalidParam
from xai_core.labs.model_file import ModelFile, foreign_model, read_model, write_model
from xai_core.labs.teach.class_names import MAX_CLASSES, check_names
from xai_core.labs.teach.examples import BASE, MAX_PER_CLASS, count_features
from xai_core.labs.teach.learning import Taught
from xai_core.models import MODELS, load_model

KIND = "taught classes"


def save_taught(taught: Taught) -> bytes:
    """Return taught classes as the bytes of a file; pictures are not in it."""
    record = {
        "base": BASE,
        "base_sha256": load_model(BASE).weights_sha256,
        "labels": list(taught.labels),
        "truth": taught.truth.tolist(),
        "answers": taught.answers.tolist(),
    }
    tensors = {"weight": torch.from_numpy(taught.weights.copy()), "bias": torch.from_numpy(taught.bias.copy())}
    return write_model(ModelFile(KIND, record, tensors))


def open_taught(data: bytes) -> Taught:
    """Return the taught classes of a file.

    Raises:
        InvalidParam: the file is damaged, no such model, or made for other weights of the network under it.
    """
    model = read_model(data)
    if model.kind != KIND:
        raise foreign_model()
    base = load_model(BASE)
    # The head knows features of these very weights only.
    if (model.record.get("base"), model.record.get("base_sha256")) != (BASE, base.weights_sha256):
        raise InvalidParam(
            f"This model was taught on another network than {MODELS.get(BASE).title} as it is installed here, so it "
            "would give wrong answers. Teach it again from the pictures."
        )
    labels = model.record.get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise foreign_model()
    names = check_names(labels)
    weight, bias = model.tensors.get("weight"), model.tensors.get("bias")
    width = count_features(base)
    if weight is None or bias is None or weight.shape != (len(names), width) or bias.shape != (len(names),):
        raise foreign_model()
    truth, answers = (_read_classes(model.record, key, len(names)) for key in ("truth", "answers"))
    if len(truth) != len(answers):
        raise foreign_model()
    return Taught(names, weight.float().numpy(), bias.float().numpy(), (), truth, answers)


def _read_classes(record: Mapping[str, Any], key: str, count: int) -> Int64:
    """Return rows of classes from a record, (N,). Raises InvalidParam."""
    rows = record.get(key)
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_CLASSES * MAX_PER_CLASS:
        raise foreign_model()
    # True is an int too, and no class.
    if not all(type(row) is int and 0 <= row < count for row in rows):
        raise foreign_model()
    return np.array(rows, dtype=np.int64)
