"""Taught classes as a model like any other: the bundled network with the new head in place of its own."""

from __future__ import annotations

import hashlib

import torch
from torch import nn

from xai_core.engine import memory
from xai_core.engine.lru_cache import LRUCache
from xai_core.errors import ModelUnavailable
from xai_core.formatting import join_words
from xai_core.labs.teach.examples import BASE
from xai_core.labs.teach.learning import Taught
from xai_core.models import MODELS, ModelSpec, load_model
from xai_core.models.isolation import isolate
from xai_core.models.spec import Built
from xai_core.models.weights import Progress

_MAX_TITLE = 48
# Taught classes by the name of their model.
_TAUGHT: LRUCache[Taught] = LRUCache(64 * memory.MB)


def replace_head(module: nn.Module, weight: torch.Tensor, bias: torch.Tensor) -> nn.Module:
    """Return a private copy of a network whose last linear layer has this weight (K, F) and bias (K,).

    All other weights are shared with the original and never written.

    Raises:
        ModelUnavailable: the network has no linear layer on F features.
    """
    private = isolate(module)
    linear = [(name, part) for name, part in private.named_modules() if isinstance(part, nn.Linear)]
    if not linear or linear[-1][1].in_features != weight.shape[1]:
        raise ModelUnavailable(f"This model has {weight.shape[1]} features, which do not fit the network under it.")
    # On the meta device, so that no weights are drawn from the global generator.
    with torch.device("meta"):
        head = nn.Linear(weight.shape[1], weight.shape[0])
    head.weight = nn.Parameter(weight, requires_grad=False)
    head.bias = nn.Parameter(bias, requires_grad=False)
    # The layer may lie inside a block: its owner holds it.
    owner, _, last = linear[-1][0].rpartition(".")
    setattr(private.get_submodule(owner), last, head.eval())
    return private


def make_title(labels: tuple[str, ...]) -> str:
    """Return the title of a model of own classes: their names, as many as fit."""
    title = join_words(labels)
    return title if len(title) <= _MAX_TITLE else f"{labels[0]} and {len(labels) - 1} other classes"


def put_model(taught: Taught) -> ModelSpec:
    """Keep taught classes as an own model of this process; the same ones have the same name."""
    base = load_model(BASE)
    parts = (
        repr(taught.labels).encode(),
        taught.weights.tobytes(),
        taught.bias.tobytes(),
        base.weights_sha256.encode(),
    )
    fingerprint = hashlib.sha256(b"\n".join(parts)).hexdigest()
    spec, count = MODELS.get(BASE), len(taught.truth)

    def build(_progress: Progress | None) -> Built:
        network = load_model(BASE)
        weight, bias = (torch.from_numpy(array.copy()).to(network.device) for array in (taught.weights, taught.bias))
        return replace_head(network.module, weight, bias), network.preprocessing, taught.labels

    # A part of the hash: long enough that nobody guesses it.
    name = f"own_{fingerprint[:24]}"
    _TAUGHT.put(name, taught, taught.weights.nbytes + 100 * count)
    return MODELS.put_own(
        ModelSpec(
            name=name,
            title=make_title(taught.labels),
            sentence=f"Your own classes, learnt from {count} pictures on the features of {spec.title}.",
            family=spec.family,
            input_side=spec.input_side,
            channels=spec.channels,
            licence=spec.licence,
            paper=spec.paper,
            source=f"taught on {spec.source}",
            bundled=True,
            size_mb=spec.size_mb,
            prefer=spec.prefer,
            fingerprint=fingerprint,
            build=build,
        )
    )


def find_taught(name: str) -> Taught | None:
    """Return the taught classes of an own model, or None where they are no longer kept."""
    return _TAUGHT.get(name)
