"""`python -m benchmarks.methods.zoo_gradients`: forward and gradient passes of well-known networks, plain torch against
compiled, ms of processor time a picture, and whether the compiled gradient is used.

Random weights with warmed batch norms: time does not depend on their values, and no download is needed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

import torch
from torch import nn
from torchvision.models import get_model

from xai_core.engine import cores
from xai_core.engine.backends.compiled_gradients import BATCH
from xai_core.engine.backends.eager import build_eager_run
from xai_core.engine.backends.folding import folded_network_for
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.backends.gradients import prepare_gradients, ready_gradients
from xai_core.models.classifier import Classifier, Preprocessing
from xai_core.models.isolation import isolate, out_of_place

NETWORKS = (
    "resnet18",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "densenet121",
    "vit_b_32",
    "convnext_tiny",
    "swin_t",
    "vgg16",
)
SIDE, CLASSES = 224, 1000


def _warm(module: nn.Module) -> None:
    """Give batch norms the statistics of noise; with those of a fresh network activations vanish."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None
            part.train()
    with torch.no_grad():
        module(torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1)


def make_model(name: str) -> Classifier:
    """Build a network with random weights as a model."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        module = get_model(name, weights=None).eval()
        for part in module.modules():
            # ViT's head starts at zero, where every map is flat.
            if isinstance(part, nn.Linear) and not part.weight.any():
                nn.init.normal_(part.weight, std=0.1)
        _warm(module)
    steps = Preprocessing(SIDE, SIDE, (0.5,) * 3, (0.25,) * 3)
    labels = tuple(str(number) for number in range(CLASSES))
    module = module.eval().requires_grad_(False)
    return Classifier(name, name, "random", module, steps, labels, f"random weights of {name}", torch.device("cpu"))


def _build_runs(model: Classifier) -> list[Callable[[], object]]:
    """Return forward in torch and compiled, gradient in torch, and compiled where it is used, for one batch."""
    batch = torch.rand(BATCH, 3, SIDE, SIDE) * 2 - 1
    eager, forward, compiled = build_eager_run(model), forward_for(model).run, ready_gradients(model)
    module = isolate(folded_network_for(model))

    def differentiate() -> object:
        own = batch.clone(memory_format=torch.channels_last).requires_grad_(True)
        with out_of_place():
            return torch.autograd.grad(module(own)[:, 0].sum(), own)

    runs: list[Callable[[], object]] = [lambda: eager(batch), lambda: forward(batch), differentiate]
    if compiled is not None:
        rows, run = torch.cat([batch.flatten(1), torch.eye(BATCH, CLASSES)], dim=1), compiled.batch.run
        runs.append(lambda: run(rows))
    return runs


def _measure_cpu_seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def measure(name: str, repeats: int) -> str:
    """Return the table's line of one network: medians of interleaved runs on one worker's cores, in time of all
    threads, which other programs disturb little.
    """
    model = make_model(name)
    forward = forward_for(model)
    note = prepare_gradients(model)
    with cores.limit(cores.CORES_PER_WORKER):
        runs = _build_runs(model)
        for run in runs:
            run()
        rounds = [[_measure_cpu_seconds(run) / BATCH * 1e3 for run in runs] for _ in range(repeats)]
    times = [median(column) for column in zip(*rounds, strict=True)]
    compiled, ratio = ("–", "–")
    if len(runs) == 4:
        compiled, ratio = f"{times[3]:.1f}", f"{median(row[3] / row[2] for row in rounds):.2f}"
    cells = [name, forward.backend, *(f"{time:.1f}" for time in times[:3]), compiled, ratio, note or forward.note]
    return f"| {' | '.join(cells)} |"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print line by line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.methods.zoo_gradients", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=NETWORKS)
    args = parser.parse_args(argv)
    print("| network | forward by | torch | compiled | gradient in torch | compiled | ratio | used or not |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    for name in args.only:
        print(measure(name, args.repeats), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
