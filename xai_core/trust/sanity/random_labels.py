"""Label randomization: the digit network learns shuffled labels by heart; is a method's map still the same?

Adebayo et al. 2018, arXiv:1810.03292. Such a network knows each training picture and nothing about digits. It is a test
only where it has learnt its labels: below 95 % training accuracy the network is merely a bad one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from xai_core.engine import cores
from xai_core.engine.backends.forward import use_plain_forward
from xai_core.engine.jobs import Job, JobPart
from xai_core.engine.scheduler import SCHEDULER
from xai_core.errors import NotApplicable
from xai_core.formatting import percent
from xai_core.methods.run.explain import carry_out, plan, predict
from xai_core.models import load_model
from xai_core.models.classifier import Classifier
from xai_core.models.families.small_cnn import build_network
from xai_core.models.random_weights import initialize_network
from xai_core.models.train_small_cnn import Digits, accuracy, load_digits
from xai_core.params import check_seed
from xai_core.trust.sanity.similarity import compare_heats

MIN_ACCURACY = 0.95
# As many as the network's weights can learn by heart.
DIGITS, EPOCHS, BATCH, LEARNING_RATE = 200, 400, 50, 5e-3


@dataclass(frozen=True)
class LabelRandomization:
    """Similarity of a method's maps by the digit network and by one that learnt shuffled labels, by measure."""

    accuracy: float
    """Share of the shuffled labels that the second network says, 0 to 1."""
    similarity: dict[str, float]


def learn_shuffled_labels(
    digits: Digits, seed: int, job: Job[Any] | None = None, count: int = DIGITS, epochs: int = EPOCHS
) -> tuple[nn.Module, float]:
    """Return the network after learning shuffled labels of some digits by heart, and its accuracy on them.

    It stops once it says them all. Raises Cancelled.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(digits.train), generator=generator)[:count]
    inputs, labels = digits.train[rows], digits.train_labels[rows]
    labels = labels[torch.randperm(len(labels), generator=generator)]
    module, work = initialize_network(build_network, generator), job or Job()
    optimizer = torch.optim.Adam(module.parameters(), lr=LEARNING_RATE)
    reached = 0.0
    for _ in range(epochs):
        with SCHEDULER.slot(work, 1), torch.enable_grad(), cores.limit(cores.CORES_PER_WORKER):
            for batch in torch.randperm(len(inputs), generator=generator).split(BATCH):
                optimizer.zero_grad()
                nn.functional.cross_entropy(module(inputs[batch]), labels[batch]).backward()
                optimizer.step()
        work.tick(1)
        reached = accuracy(module, inputs, labels)
        if reached == 1.0:
            break
    return module.eval().requires_grad_(False), reached


def label_randomization(
    image: Image.Image, method: str, seed: int = 0, job: Job[Any] | None = None, epochs: int = EPOCHS
) -> LabelRandomization:
    """Compare a method's maps of a digit by the digit network and by one that learnt shuffled labels.

    Raises:
        NotApplicable: the second network did not learn its labels, so this would be no test.
    """
    model, whole = load_model("small_cnn"), job or Job()
    planned = plan(model, image, method, predict(model, image, 1).classes[0][0], seed=check_seed(seed))
    whole.expect(epochs + 2 * planned.spec.cost(planned.params, model.side))
    module, reached = learn_shuffled_labels(load_digits(), seed, whole, epochs=epochs)
    if reached < MIN_ACCURACY:
        raise NotApplicable(
            f"The network learnt only {percent(reached)} of its shuffled labels by heart. Below "
            f"{percent(MIN_ACCURACY)} it is merely a bad network, so this is no test."
        )
    first = carry_out(planned, JobPart(whole)).heatmap.astype(np.float64)
    second = carry_out(replace(planned, model=_wrap(model, module, seed)), JobPart(whole)).heatmap.astype(np.float64)
    return LabelRandomization(reached, compare_heats(first, second))


def _wrap(model: Classifier, module: nn.Module, seed: int) -> Classifier:
    model.layers()
    return use_plain_forward(replace(model, module=module, weights_sha256=f"shuffled labels {seed}"))
