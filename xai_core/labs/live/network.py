"""A trained digit network as a model like any other, also as it was after an earlier epoch, and as a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch

from xai_core.arrays import Int64
from xai_core.engine import memory
from xai_core.engine.backends.forward import use_plain_forward
from xai_core.engine.lru_cache import LRUCache
from xai_core.errors import XaiError
from xai_core.formatting import percent
from xai_core.labs.classifiers import make_classifier
from xai_core.labs.live.settings import check_settings
from xai_core.labs.live.training import CLASSES, Epoch, TrainedDigits, build_variant
from xai_core.labs.model_file import ModelFile, foreign_model, read_model, write_model
from xai_core.models import MODELS, Classifier, ModelSpec
from xai_core.models.families.small_cnn import LABELS, STEPS
from xai_core.models.spec import Built
from xai_core.models.weights import Progress, state_sha256
from xai_core.params import check_seed

KIND = "digit network"
_MAX_ANSWERS = 2000
# Finished trainings by the name of their model.
_TRAINED: LRUCache[TrainedDigits] = LRUCache(128 * memory.MB)
_STATE_BYTES = 48_000
# Networks as they were after an epoch, by model and epoch: a map on a page needs the same one at every run.
_EARLIER: LRUCache[Classifier] = LRUCache(64)


def put_digits(trained: TrainedDigits) -> ModelSpec:
    """Keep a trained digit network as an own model of this process; the same weights have the same name."""
    digest = hashlib.sha256(f"{KIND} {state_sha256(trained.module)}".encode()).hexdigest()
    name = f"own_{digest[:24]}"
    _TRAINED.put(name, trained, _STATE_BYTES * (2 + len(trained.states)))

    def build(_progress: Progress | None) -> Built:
        return trained.module, STEPS, LABELS

    epochs = len(trained.epochs) - 1
    return MODELS.put_own(
        replace(
            MODELS.get("small_cnn"),
            name=name,
            title=f"Digits, {epochs} {'epoch' if epochs == 1 else 'epochs'}, {percent(trained.accuracy)} right",
            sentence="Your own digit network, trained here. It reads light strokes on a dark ground.",
            source="trained in the app",
            bundled=True,
            fingerprint=digest,
            build=build,
        )
    )


def find_digits(name: str) -> TrainedDigits | None:
    """Return the training of an own model, or None where it is no longer kept."""
    return _TRAINED.get(name)


def digits_after(name: str, epoch: int) -> Classifier | None:
    """Return the network of an own model as it was after an epoch, 0 for the untrained one; None if it is not kept."""
    trained, key = find_digits(name), f"{name} {epoch}"
    if trained is None or not 0 <= epoch < len(trained.states):
        return None
    model = _EARLIER.get(key)
    if model is None:
        module = _fill_network(bool(trained.settings["norm"]), trained.states[epoch])
        # Asked a few times only: compiling it would take longer than all answers.
        model = use_plain_forward(make_classifier(f"{name}_{epoch}", f"After epoch {epoch}", module, LABELS, STEPS))
        _EARLIER.put(key, model, 1)
    return model


def save_digits(trained: TrainedDigits) -> bytes:
    """Return a trained digit network as the bytes of a file."""
    record = {
        "settings": dict(trained.settings),
        "seed": trained.seed,
        "epochs": [asdict(epoch) for epoch in trained.epochs],
        "exploded": trained.exploded,
        "truth": trained.truth.tolist(),
        "answers": trained.answers.tolist(),
    }
    # Counts of batches are whole numbers that nothing uses.
    state = {name: tensor for name, tensor in trained.module.state_dict().items() if tensor.is_floating_point()}
    return write_model(ModelFile(KIND, record, state))


def open_digits(data: bytes) -> TrainedDigits:
    """Return the trained digit network of a file. Raises InvalidParam where it is damaged or no such file."""
    model = read_model(data)
    if model.kind != KIND:
        raise foreign_model()
    try:
        settings = check_settings(model.record["settings"])
        seed, epochs = check_seed(model.record["seed"]), tuple(Epoch(**entry) for entry in model.record["epochs"])
        truth, answers = (_read_digits(model.record[key]) for key in ("truth", "answers"))
    except (KeyError, TypeError, ValueError, XaiError) as error:
        raise foreign_model() from error
    figures = [figure for epoch in epochs for figure in asdict(epoch).values()]
    if not epochs or len(truth) != len(answers) or not all(type(figure) is float for figure in figures):
        raise foreign_model()
    module = _load_state(bool(settings["norm"]), model)
    exploded = model.record.get("exploded") is True
    return TrainedDigits(settings, seed, epochs, exploded, module, truth, answers)


def _fill_network(norm: bool, state: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    """Return a digit network with these weights; nothing is drawn for weights that are replaced at once."""
    with torch.device("meta"):
        module = build_variant(norm)
    module.to_empty(device="cpu")
    module.load_state_dict(state)
    return module.eval().requires_grad_(False)


def _load_state(norm: bool, model: ModelFile) -> torch.nn.Module:
    with torch.device("meta"):
        state = build_variant(norm).state_dict()
    shapes = {name: tensor.shape for name, tensor in state.items() if tensor.is_floating_point()}
    if {name: tensor.shape for name, tensor in model.tensors.items()} != shapes:
        raise foreign_model()
    counts = {name: torch.zeros((), dtype=torch.int64) for name in state if name not in shapes}
    return _fill_network(norm, {name: tensor.float() for name, tensor in model.tensors.items()} | counts)


def _read_digits(rows: Any) -> Int64:
    if not isinstance(rows, list) or not 1 <= len(rows) <= _MAX_ANSWERS:
        raise foreign_model()
    if not all(type(row) is int and 0 <= row < CLASSES for row in rows):
        raise foreign_model()
    return np.array(rows, dtype=np.int64)
