"""Training of the labs' small networks: on weights of their own, every draw from the training's own generator.

One core a training: equal seeds then give equal bytes on any machine load, also beside other trainings.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from functools import partial
from typing import Any

import torch
from torch import nn

from xai_core.arrays import Int64, UInt8
from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.models.classifier import Preprocessing
from xai_core.models.random_weights import initialize_network

SIDE = 64
BATCH = 32
DROPOUT = 0.2
# Pixels that training shifts a picture by, at most.
_SHIFT = 4
# Mean loss of an epoch at which training ends early.
_LEARNT = 0.01
STEPS = Preprocessing(resize=SIDE, crop=SIDE, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


def build_network(classes: int) -> nn.Sequential:
    """Return the untrained network: logits (N, classes) for pictures (N, 3, 64, 64)."""
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(3, 16, 5, stride=2, padding=2),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(16, 24, 3, stride=2, padding=1),
            relu2=nn.ReLU(),
            conv3=nn.Conv2d(24, 24, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(24, 32, 3, padding=1),
            relu4=nn.ReLU(),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            linear=nn.Linear(32, classes),
        )
    )


def to_batch(pictures: UInt8) -> torch.Tensor:
    """Return pictures (N, side, side, 3) as the network's input, (N, 3, side, side)."""
    mean, std = STEPS.mean_and_std()
    return (torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255 - mean) / std


def shift(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return the batch moved by 0, 2 or 4 pixels in each direction, edges repeated, (N, C, H, W).

    Even steps only: a pattern of columns keeps its phase under the first convolution's stride.
    """
    down, right = (2 * int(step) for step in torch.randint(0, _SHIFT + 1, (2,), generator=generator))
    padded = nn.functional.pad(batch, (_SHIFT,) * 4, mode="replicate")
    return padded[:, :, down : down + batch.shape[2], right : right + batch.shape[3]]


def drop(features: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return features with a fifth of them set to 0 and the others enlarged; `nn.Dropout` draws globally."""
    stays = torch.rand(features.shape, generator=generator) >= DROPOUT
    return features * stays / (1 - DROPOUT)


def train(
    pictures: UInt8, labels: Int64, classes: int, seed: int, epochs: int, job: Job[Any], rate: float = 8e-3
) -> nn.Module:
    """Return a network trained on pictures (N, side, side, 3), in eval mode and without gradients.

    The job counts epochs. The rate rises over the first one and falls along a half cosine.

    Raises:
        Cancelled: within one batch of the job's cancel.
    """
    generator = torch.Generator().manual_seed(seed)
    inputs, targets = to_batch(pictures), torch.from_numpy(labels)
    module = initialize_network(partial(build_network, classes), generator)
    *before, head = module.children()
    body = nn.Sequential(*before)
    optimizer = torch.optim.Adam(module.parameters(), lr=rate, weight_decay=1e-4)
    batches = math.ceil(len(inputs) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / batches, 0.5 + 0.5 * math.cos(math.pi * step / (epochs * batches)))
    )
    with cores.limit(1):
        for _ in range(epochs):
            total = 0.0
            for rows in torch.randperm(len(inputs), generator=generator).split(BATCH):
                job.tick()
                optimizer.zero_grad()
                features = body(shift(inputs[rows], generator))
                loss = nn.functional.cross_entropy(head(drop(features, generator)), targets[rows])
                loss.backward()
                nn.utils.clip_grad_norm_(module.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                total += float(loss.detach()) * len(rows)
            job.tick(1)
            if total / len(inputs) < _LEARNT:
                break
    return module.eval().requires_grad_(False)


def score(module: nn.Module, pictures: UInt8) -> torch.Tensor:
    """Return the logits of pictures (N, side, side, 3), (N, classes)."""
    with torch.no_grad(), cores.limit(1):
        return torch.cat([module(to_batch(part)) for part in _split(pictures)])


def _split(pictures: UInt8) -> list[UInt8]:
    return [pictures[first : first + 64] for first in range(0, len(pictures), 64)]
