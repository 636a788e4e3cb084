"""Answers of a model to pictures as it sees them: bytes in, logits out, in batches that are merged with others'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import torch

from xai_core.arrays import UInt8
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.evaluator import Evaluator
from xai_core.engine.jobs import Job
from xai_core.models.classifier import Classifier


def ask_model(model: Classifier, seen: Iterable[UInt8], job: Job[Any] | None = None) -> torch.Tensor:
    """Return the logits (N, classes) of pictures of the input's size, each (H, W, C) in 0..255.

    The next batch is drawn from `seen` while one is run. `job` counts pictures. Raises Cancelled.
    """
    forward, steps = forward_for(model), model.preprocessing
    evaluator = Evaluator(model, forward, model.zero_input, 0, job or Job())

    def compose() -> Iterator[torch.Tensor]:
        pictures = iter(seen)
        while batch := list(islice(pictures, forward.micro_batch)):
            rows = [steps.to_tensor(steps.to_pixels(picture)) for picture in batch]
            yield torch.cat(rows).to(model.device)

    return torch.cat([torch.empty(0, len(model.labels)), *evaluator.logits(compose())])
