"""Networks with storage of their own, whose weights may be shuffled: the shared ones are only read.

An isolated copy shares the weights' storage, so a shuffle there would scramble the network that visitors ask.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from xai_core.engine import cores
from xai_core.engine.backends.forward import use_plain_forward
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place

# Pictures in one pass while norms are measured.
NORM_BATCH = 8


def copy_with_own_weights(module: nn.Module) -> nn.Module:
    """Return a private copy in eval mode that shares no storage with the original, neither weights nor buffers."""
    private = isolate(module)
    for weight in private.parameters():
        weight.data = weight.detach().clone()
    buffers: dict[int, torch.Tensor] = {}
    for part in private.modules():
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = buffers.setdefault(id(buffer), buffer.detach().clone())
    return private


def list_weight_owners(model: Classifier) -> list[str]:
    """Return the names of the modules with weights of their own, in the order in which their last calls end.

    That is the order of `Layer.depth`, continued to modules that are no layers: the last linear layer, tokens and
    position embeddings. A module that is never called itself stands where the module around it does.
    """
    private, order = isolate(model.module), dict[str, int]()

    def record(name: str) -> Any:
        def note(_module: Any, _inputs: Any, _output: Any) -> None:
            order.pop(name, None)
            order[name] = 0

        return note

    for name, part in private.named_modules():
        part.register_forward_hook(record(name))
    with SCHEDULER.slot(), torch.no_grad(), out_of_place(), cores.limit(cores.CORES_PER_WORKER):
        private(model.zero_input)
    places = {name: place for place, name in enumerate(order)}
    owners = [name for name, part in private.named_modules() if any(True for _ in part.parameters(recurse=False))]

    def find_place(name: str) -> int:
        # Tokens that the network itself owns are used before its first block.
        while name and name not in places:
            name = name.rpartition(".")[0]
        return places[name] if name else -1

    return sorted(owners, key=find_place)


def group_owners(names: Sequence[str], groups: int) -> list[list[str]]:
    """Return the names in at most so many groups, the last executed first; the very last module is one of its own.

    >>> group_owners(["a", "b", "c", "d", "head"], 3)
    [['head'], ['c', 'd'], ['a', 'b']]
    """
    *rest, last = names
    count = min(groups - 1, len(rest))
    ends = [round(len(rest) * place / count) for place in range(count + 1)] if count else []
    pairs = list(itertools.pairwise(ends))
    return [[last], *(rest[begin:end] for begin, end in reversed(pairs))]


def shuffle_weights(module: nn.Module, names: Iterable[str], generator: torch.Generator) -> None:
    """Shuffle the values within each weight of the named modules: their distribution stays, their order is lost.

    `module` must have storage of its own.
    """
    for name in names:
        for weight in module.get_submodule(name).parameters(recurse=False):
            values = weight.data.flatten()
            order = torch.randperm(values.numel(), generator=generator).to(values.device)
            weight.data = values[order].view_as(weight.data)


def measure_norms(module: nn.Module, pictures: torch.Tensor, job: Job[Any] | None = None) -> None:
    """Estimate the statistics of batch norms anew from pictures (N, C, H, W); nothing where there are none.

    With those of the old weights activations would vanish or explode, and every map would change for that alone.
    `module` must have storage of its own. It ends in eval mode.
    """
    norms = [part for part in module.modules() if isinstance(part, _BatchNorm) and part.running_mean is not None]
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.reset_running_stats()
            # A plain mean over all batches.
            norm.momentum = None
            norm.train()
        for batch in pictures.split(NORM_BATCH) if norms else ():
            with SCHEDULER.slot(job, len(batch)), torch.no_grad(), out_of_place(), cores.limit(cores.CORES_PER_WORKER):
                module(batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()


def make_shuffled_model(
    model: Classifier, names: Sequence[str], pictures: torch.Tensor, seed: int, job: Job[Any] | None = None
) -> Classifier:
    """Return a model like this one whose named modules have shuffled weights; it runs in plain torch."""
    # Found once: they do not depend on weights.
    model.layers()
    module = copy_with_own_weights(model.module)
    shuffle_weights(module, names, torch.Generator().manual_seed(seed))
    measure_norms(module, pictures, job)
    weights = f"{model.weights_sha256} shuffled by {seed}: {' '.join(names)}"
    return use_plain_forward(replace(model, module=module, weights_sha256=weights))
