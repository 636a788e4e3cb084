"""Functions that compute compiled gradients of packed rows, and their check against plain torch."""

from __future__ import annotations

import torch
from torch import nn

from xai_core.engine.backends.folding import fold_network, folded_network_for
from xai_core.engine.backends.gradient_graph import translate_gradient
from xai_core.engine.backends.gradient_trace import differentiate, trace_gradient
from xai_core.engine.backends.graph_files import delete_graph, gradient_graph_id, is_stored, read_graph, save_graph
from xai_core.engine.backends.network import Run, example_input
from xai_core.engine.backends.openvino import compile_inputs
from xai_core.images import SAMPLES
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate
from xai_core.models.layers import Layer

# A whole map may differ by this share of its length.
MAX_ERROR = 1e-3
# Where plain torch's own layouts differ by more: kinks that rounding decides, as those of ReLU6.
MAX_KINK_ERROR = 2e-2
MIN_SOUND_SHARE = 0.75
_CHECKED = 8


def build_sound_run(model: Classifier, size: int, layer: Layer | None = None) -> Run | str:
    """Return the function for batches of one size, or the reason against it. A file that is wrong is made anew."""
    key = gradient_graph_id(model, (size, *example_input(model).shape[1:]), layer)
    reason = ""
    for from_disk in (True, False):
        if from_disk and not is_stored(key):
            continue
        try:
            run = build_run(model, size, layer)
            reason = find_error(run, model, size, layer)
        except RuntimeError:
            delete_graph(key)
            if not from_disk:
                raise
            continue
        if not reason:
            return run
        delete_graph(key)
    return reason


def build_run(model: Classifier, size: int, layer: Layer | None = None) -> Run:
    """Build the function from packed rows (n, C H W + classes), n at most `size`, to (n, classes + C H W): logits and
    input gradients. With a layer the second part is its maps and the gradients by them, (n, 2 channels rows columns).
    """
    example = example_input(model).expand(size, -1, -1, -1).contiguous()
    shapes = (tuple(example.shape), (size, len(model.labels)))
    key = gradient_graph_id(model, shapes[0], layer)
    graph = read_graph(key, model.name)
    if graph is None:
        network = fold_network(model.module, model.zero_input, products=False, keep=layer.name if layer else "")
        graph = translate_gradient(trace_gradient(network, example, shapes[1][1], layer), shapes)
        # A visitor may try dozens of layers, and each file holds all weights.
        if layer is None or layer.recommended:
            save_graph(graph, key, model.name)
    infer, pixels = compile_inputs(graph), example[0].numel()

    def run(rows: torch.Tensor) -> torch.Tensor:
        # The graph takes one size only: fill up with zeros.
        full = torch.zeros(size, rows.shape[1])
        full[: len(rows)] = rows
        inputs = [full[:, :pixels].reshape(shapes[0]).numpy(), full[:, pixels:].contiguous().numpy()]
        return torch.cat([torch.from_numpy(part).flatten(1) for part in infer(inputs)], dim=1)[: len(rows)]

    return run


def find_error(run: Run, model: Classifier, size: int, layer: Layer | None = None) -> str:
    """Return the reason against a compiled gradient, "" where it equals plain torch on photographs and on noise.

    Rounding decides at kinks, as those of ReLU6, and torch's own layouts differ there by up to a hundredth of a map:
    a map may differ by MAX_ERROR, or by as much as they do, and one in four by MAX_KINK_ERROR.
    """
    pictures, weights = _check_batch(model)
    rows = torch.cat([pictures.flatten(1), weights], dim=1)
    answers = torch.cat([run(part) for part in rows.split(size)])
    folded_network = (
        fold_network(model.module, model.zero_input, keep=layer.name) if layer else folded_network_for(model)
    )
    plain, folded = (_differentiate(module, pictures, weights, layer) for module in (model.module, folded_network))
    if answers.shape != plain.shape or not answers.isfinite().all():
        return "It gives no numbers."
    classes = weights.shape[1]
    # Logits and, with a layer, its maps come first: no kink lies on the way to them.
    first = classes if layer is None else (classes + plain.shape[1]) // 2
    for part in (slice(0, classes), slice(classes, first)):
        if part.stop > part.start:
            scale = max(1.0, float(plain[:, part].abs().max()))
            if (answers - plain)[:, part].abs().max() > MAX_ERROR * scale:
                return "Its scores differ from plain torch."
    maps, plain_maps, folded_maps = (part[:, first:] for part in (answers, plain, folded))
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


def _differentiate(
    module: nn.Module, pictures: torch.Tensor, weights: torch.Tensor, layer: Layer | None
) -> torch.Tensor:
    """Return logits and gradients in plain torch, packed as a run does."""
    rows = []
    for picture, row in zip(pictures, weights, strict=True):
        parts = differentiate(isolate(module), picture[None], row, layer)
        rows.append(torch.cat([part.flatten(1) for part in parts], dim=1))
    return torch.cat(rows)
