"""Training of the digit network with visible settings, epoch by epoch; every draw from the training's own generator.

One core a training: equal seeds give equal bytes, also beside other trainings. Digits and network are those of
`models.train_small_cnn`; dropout and augmentation are written out, since torch's draw from the global generator.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from xai_core.arrays import Int64
from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.labs.live.settings import check_settings
from xai_core.models.families.small_cnn import build_network
from xai_core.models.random_weights import initialize_network
from xai_core.models.train_small_cnn import Digits, load_digits
from xai_core.params import ParamReader, Value, check_seed

BATCH = 32
CLASSES = 10
VALIDATION = 300
# Loss above which a training has exploded; guessing among ten digits gives 2.3.
MAX_LOSS = 100.0


@dataclass(frozen=True)
class Epoch:
    """Mean cross-entropy and share of right answers after an epoch, in eval mode, of training and other pictures."""

    train_loss: float
    validation_loss: float
    train_accuracy: float
    validation_accuracy: float


@dataclass(frozen=True, eq=False)
class TrainedDigits:
    """A finished training: `epochs` begins with the untrained network; `module` is in eval mode."""

    settings: Mapping[str, Value]
    seed: int
    epochs: tuple[Epoch, ...]
    exploded: bool
    """True where the loss grew beyond MAX_LOSS or all numbers; the module then is that of the last epoch before."""
    module: nn.Module
    truth: Int64
    """Digits of the test pictures, which no choice was made by, (n,)."""
    answers: Int64
    """(n,)"""
    states: tuple[Mapping[str, torch.Tensor], ...] = ()
    """Weights after each epoch, those of the untrained network first; () for a network opened from a file."""

    @property
    def accuracy(self) -> float:
        """Share of the test pictures that are named right, 0..1."""
        return float((self.truth == self.answers).mean())

    @property
    def confusion(self) -> Int64:
        """Test pictures of each digit by their answer, (10, 10): rows are the right digit."""
        return np.bincount(self.truth * CLASSES + self.answers, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


@dataclass(frozen=True)
class _Settings(ParamReader):
    params: Mapping[str, Value]


@cache
def digits() -> Digits:
    """Return the digits, read once."""
    return load_digits()


def build_variant(norm: bool) -> nn.Sequential:
    """Return the untrained digit network; with `norm` each convolution is followed by a batch normalization."""
    plain = build_network()
    if not norm:
        return plain
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, layer in plain.named_children():
        layers[name] = layer
        if isinstance(layer, nn.Conv2d):
            layers[name.replace("conv", "norm")] = nn.BatchNorm2d(layer.out_channels)
    return nn.Sequential(layers)


def _start_network(norm: bool, generator: torch.Generator) -> nn.Module:
    """Return the network with random weights; a batch normalization changes nothing before it has seen a batch."""
    module = initialize_network(partial(build_variant, norm), generator)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
    return module


def drop(features: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Return features (N, F) with a share of them set to 0 and the others enlarged."""
    # No draw, so that a training without dropout keeps its sequence of draws.
    if not share:
        return features
    stays = torch.rand(features.shape, generator=generator) >= share
    return features * stays / (1 - share)


def augment(inputs: torch.Tensor, degrees: float, pixels: float, generator: torch.Generator) -> torch.Tensor:
    """Return pictures (N, 1, H, W), each turned by up to `degrees` and moved by up to `pixels`; edges are repeated."""
    # As above: nothing is drawn for what is switched off.
    if not degrees and not pixels:
        return inputs
    turn, right, down = (2 * torch.rand(3, len(inputs), generator=generator) - 1).unbind()
    # Coordinates go from -1 to 1 over the side.
    turn, step = turn * math.radians(degrees), 2 * pixels / inputs.shape[-1]
    cosine, sine = turn.cos(), turn.sin()
    rows = torch.stack([cosine, -sine, right * step], 1), torch.stack([sine, cosine, down * step], 1)
    grid = nn.functional.affine_grid(torch.stack(rows, 1), list(inputs.shape), align_corners=False)
    return nn.functional.grid_sample(inputs, grid, padding_mode="border", align_corners=False)


def _mix_labels(labels: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Return labels (N,) of which a share is that of another digit."""
    # An exact share: with few pictures a draw for each would miss it.
    count = round(share * len(labels))
    rows = torch.randperm(len(labels), generator=generator)[:count]
    mixed = labels.clone()
    mixed[rows] = (labels[rows] + torch.randint(1, CLASSES, (count,), generator=generator)) % CLASSES
    return mixed


def train_digits(
    settings: Mapping[str, object] | None = None, seed: int = 0, job: Job[Any] | None = None
) -> TrainedDigits:
    """Train the digit network; `job` counts epochs and gets the epochs so far as its preview.

    Raises:
        InvalidParam: a setting or the seed is not allowed.
        Cancelled: within one batch of the job's cancel.
    """
    values, job = _Settings(check_settings(settings)), job or Job()
    generator, source = torch.Generator().manual_seed(check_seed(seed)), digits()
    order = torch.randperm(len(source.train_labels), generator=generator)
    held, learnt = order[:VALIDATION], order[VALIDATION:][: values.integer("pictures")]
    labels = _mix_labels(source.train_labels[learnt], values.number("wrong") / 100, generator)
    known = source.train[learnt], labels
    unknown = source.train[held], source.train_labels[held]
    module = _start_network(bool(values.params["norm"]), generator)
    optimizer = _make_optimizer(module, values)
    job.expect(job.done + values.integer("epochs"))
    with cores.limit(1):
        # The untrained network is the first point of the curves.
        epochs, exploded = [_measure(module, known, unknown)], False
        states = [_copy_state(module)]
        for _ in range(values.integer("epochs")):
            _run_epoch(module, optimizer, known, values, generator, job)
            epoch = _measure(module, known, unknown)
            # Not a number is below no limit.
            if not (epoch.train_loss < MAX_LOSS and epoch.validation_loss < MAX_LOSS):
                exploded = True
                break
            epochs.append(epoch)
            states.append(_copy_state(module))
            job.show_preview(tuple(epochs))
            job.tick(1)
        module.load_state_dict(states[-1])
        with torch.no_grad():
            answers = module(source.held_out).argmax(1).numpy()
    module = module.eval().requires_grad_(False)
    truth = source.held_out_labels.numpy()
    return TrainedDigits(values.params, seed, tuple(epochs), exploded, module, truth, answers, tuple(states))


def _copy_state(module: nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of the weights; counts of batches, which nothing uses, are 0: equal weights are equal."""
    state = module.state_dict()
    return {
        name: tensor.clone() if tensor.is_floating_point() else torch.zeros_like(tensor)
        for name, tensor in state.items()
    }


def _make_optimizer(module: nn.Module, values: _Settings) -> torch.optim.Optimizer:
    rate, decay = float(values.choice("rate")), float(values.choice("decay"))
    if values.choice("optimizer") == "sgd":
        return torch.optim.SGD(module.parameters(), lr=rate, weight_decay=decay)
    return torch.optim.Adam(module.parameters(), lr=rate, weight_decay=decay)


def _run_epoch(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    known: tuple[torch.Tensor, torch.Tensor],
    values: _Settings,
    generator: torch.Generator,
    job: Job[Any],
) -> None:
    """Go through all training pictures once, in a new order."""
    *before, head = module.children()
    body = nn.Sequential(*before)
    inputs, labels = known
    module.train()
    for rows in torch.randperm(len(inputs), generator=generator).split(BATCH):
        job.tick()
        optimizer.zero_grad()
        pictures = augment(inputs[rows], values.number("turn"), values.number("move"), generator)
        features = drop(body(pictures), values.number("dropout") / 100, generator)
        nn.functional.cross_entropy(head(features), labels[rows]).backward()
        optimizer.step()
    module.eval()


def _measure(
    module: nn.Module, known: tuple[torch.Tensor, torch.Tensor], unknown: tuple[torch.Tensor, torch.Tensor]
) -> Epoch:
    module.eval()
    figures = []
    with torch.no_grad():
        for inputs, labels in (known, unknown):
            logits = module(inputs)
            loss = float(nn.functional.cross_entropy(logits, labels))
            figures.append((loss, float((logits.argmax(1) == labels).double().mean())))
    (train_loss, train_accuracy), (validation_loss, validation_accuracy) = figures
    return Epoch(train_loss, validation_loss, train_accuracy, validation_accuracy)
