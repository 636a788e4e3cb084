"""Input gradients of a network compiled by OpenVINO, for batches of known sizes, and the check against plain torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import ref

import torch
from torch import nn

from xai_core.engine.backends.folding import fold_network, folded_network_for
from xai_core.engine.backends.forward import Forward
from xai_core.engine.backends.gradient_graph import translate_gradient
from xai_core.engine.backends.gradient_trace import trace_gradient
from xai_core.engine.backends.graph_files import delete_graph, gradient_graph_id, is_stored, read_graph, save_graph
from xai_core.engine.backends.network import Run, example_input
from xai_core.engine.backends.openvino import compile_inputs
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import GRADIENT_COST, SCHEDULER, Task
from xai_core.images import SAMPLES
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.results import Target

# Pictures in one batch: as quick a picture as eight, and rounds of eight points keep two workers busy.
BATCH = 4
# A whole map may differ by this share of its length.
MAX_ERROR = 1e-3
# Where plain torch's own layouts differ by more: kinks that rounding decides, as those of ReLU6.
MAX_KINK_ERROR = 2e-2
MIN_SOUND_SHARE = 0.75
_CHECKED = 8


@dataclass(eq=False)
class CompiledGradients:
    """Gradients of one model for single pictures and for batches of `batch.micro_batch`.

    Which of both a picture goes through depends on its own request alone, never on what others ask at the time.
    """

    classes: int
    single: Forward
    batch: Forward

    def split(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Split pictures (N, C, H, W) into full batches; a small rest goes one by one, a large one fills a batch."""
        parts = list(pictures.split(self.batch.micro_batch))
        if len(parts[-1]) <= self.batch.micro_batch // 2:
            parts[-1:] = parts[-1].split(1)
        return parts

    def weigh_classes(self, target: Target) -> torch.Tensor:
        """Return the weight of each class in the explained score, (classes,)."""
        first, second = target if isinstance(target, tuple) else (target, None)
        weights = torch.zeros(self.classes)
        weights[first] = 1
        if second is not None:
            weights[second] = -1
        return weights

    def submit(self, pictures: torch.Tensor, weights: torch.Tensor, job: Job[Any] | None = None) -> Task[torch.Tensor]:
        """Queue a part of `split`; the result goes to `unpack`. `weights`: of the classes in the score, (classes,)."""
        forward = self.single if len(pictures) == 1 else self.batch
        rows = torch.cat([pictures.detach().flatten(1), weights.expand(len(pictures), -1)], dim=1)
        return SCHEDULER.submit(forward, rows, job, GRADIENT_COST)

    def unpack(self, rows: torch.Tensor, shape: torch.Size) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (n, classes) and gradients (n, *shape[1:])."""
        return rows[:, : self.classes], rows[:, self.classes :].view(-1, *shape[1:])


def build_gradients(model: Classifier) -> CompiledGradients | str:
    """Build and check the compiled gradients of a model; a sentence with the reason where they cannot be used.

    Raises RuntimeError, ValueError, TypeError, NotImplementedError or ImportError where tracing or compiling fails.
    """
    forwards = []
    for size in (1, BATCH):
        run = _build_sound_run(model, size)
        if isinstance(run, str):
            return run
        forwards.append(Forward(run, "openvino", partial(_build_again, ref(model), size), micro_batch=size))
    return CompiledGradients(len(model.labels), *forwards)


def _build_again(reference: ref[Classifier], size: int) -> Run:
    model = reference()
    if model is None:
        raise RuntimeError("the model has been dropped")
    return build_run(model, size)


def _build_sound_run(model: Classifier, size: int) -> Run | str:
    """Return the function for batches of one size, or the reason against it. A file that is wrong is made anew."""
    key = gradient_graph_id(model, (size, *example_input(model).shape[1:]))
    reason = ""
    for from_disk in (True, False):
        if from_disk and not is_stored(key):
            continue
        try:
            run = build_run(model, size)
            reason = find_error(run, model, size)
        except RuntimeError:
            delete_graph(key)
            if not from_disk:
                raise
            continue
        if not reason:
            return run
        delete_graph(key)
    return reason


def build_run(model: Classifier, size: int) -> Run:
    """Build the function from packed rows (n, C H W + classes), n at most `size`, to (n, classes + C H W)."""
    example = example_input(model).expand(size, -1, -1, -1).contiguous()
    shapes = (tuple(example.shape), (size, len(model.labels)))
    key = gradient_graph_id(model, shapes[0])
    graph = read_graph(key, model.name)
    if graph is None:
        network = fold_network(model.module, model.zero_input, products=False)
        graph = translate_gradient(trace_gradient(network, example, shapes[1][1]), shapes)
        save_graph(graph, key, model.name)
    infer, pixels = compile_inputs(graph), example[0].numel()

    def run(rows: torch.Tensor) -> torch.Tensor:
        # The graph takes one size only: fill up with zeros.
        full = torch.zeros(size, rows.shape[1])
        full[: len(rows)] = rows
        inputs = [full[:, :pixels].reshape(shapes[0]).numpy(), full[:, pixels:].contiguous().numpy()]
        logits, gradients = (torch.from_numpy(part) for part in infer(inputs))
        return torch.cat([logits, gradients.flatten(1)], dim=1)[: len(rows)]

    return run


def find_error(run: Run, model: Classifier, size: int) -> str:
    """Return the reason against a compiled gradient, "" where it equals plain torch on photographs and on noise.

    Rounding decides at kinks, as those of ReLU6, and torch's own layouts differ there by up to a hundredth of a map:
    a map may differ by MAX_ERROR, or by as much as they do, and one in four by MAX_KINK_ERROR.
    """
    pictures, weights = _check_batch(model)
    rows = torch.cat([pictures.flatten(1), weights], dim=1)
    answers = torch.cat([run(part) for part in rows.split(size)])
    plain, folded = (
        _differentiate(module, pictures, weights) for module in (isolate(model.module), folded_network_for(model))
    )
    if answers.shape != plain.shape or not answers.isfinite().all():
        return "It gives no numbers."
    classes = weights.shape[1]
    if (answers - plain)[:, :classes].abs().max() > MAX_ERROR * max(1.0, float(plain[:, :classes].abs().max())):
        return "Its scores differ from plain torch."
    maps, plain_maps, folded_maps = (part[:, classes:] for part in (answers, plain, folded))
    lengths = plain_maps.norm(dim=1).clamp_min(1e-30)
    errors = torch.minimum((maps - plain_maps).norm(dim=1), (maps - folded_maps).norm(dim=1)) / lengths
    allowed = ((plain_maps - folded_maps).norm(dim=1) / lengths).clamp(MAX_ERROR, MAX_KINK_ERROR)
    if (errors <= allowed).float().mean() >= MIN_SOUND_SHARE and errors.max() <= MAX_KINK_ERROR:
        return ""
    return f"Its maps differ from plain torch by up to {float(errors.max()):.2g} of their size."


def _check_batch(model: Classifier) -> tuple[torch.Tensor, torch.Tensor]:
    """Return photographs and noise, (_CHECKED, C, H, W), and for each the weights of a class or of a pair."""
    photographs = [model.prepare(sample.load()) for sample in SAMPLES.specs()[: _CHECKED // 2]]
    shape, generator = (_CHECKED - len(photographs), *example_input(model).shape[1:]), torch.Generator().manual_seed(0)
    pictures = torch.cat([*photographs, torch.rand(shape, generator=generator) * 4 - 2])
    classes = len(model.labels)
    weights = torch.zeros(_CHECKED, classes)
    for row in weights:
        first, second = torch.randperm(classes, generator=generator)[:2].tolist() if classes > 1 else (0, 0)
        row[second] -= 1
        row[first] = 1
    return pictures, weights


def _differentiate(module: nn.Module, pictures: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return logits and gradients in plain torch, packed as a run does."""
    private, rows = isolate(module), []
    for picture, row in zip(pictures, weights, strict=True):
        own = picture[None].clone().requires_grad_(True)
        with out_of_place(), torch.enable_grad():
            logits = private(own)
            (gradient,) = torch.autograd.grad((logits[0] * row).sum(), own)
        rows.append(torch.cat([logits.detach(), gradient.flatten(1)], dim=1))
    return torch.cat(rows)
