"""Train the small digit network: `python -m xai_core.models.train_small_cnn` writes its weights and measured accuracy
to assets/.

scikit-learn's 1797 digits (8x8) are enlarged to 28x28 the way an uploaded picture would be. A quarter of them, the same
share of each digit, is held out and only measured: rate and epochs were chosen by cross-validation on the other three
quarters. Every random draw comes from one seeded generator.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from xai_core.models.families.small_cnn import STEPS, WEIGHTS, build_network
from xai_core.models.random_weights import initialize_network

SEED = 0
EPOCHS = 60
BATCH = 64
LEARNING_RATE = 4e-3
HELD_OUT = 0.25


@dataclass(frozen=True)
class Digits:
    """Network inputs (N, 1, 28, 28) and their digits (N,), for training and held out."""

    train: torch.Tensor
    train_labels: torch.Tensor
    held_out: torch.Tensor
    held_out_labels: torch.Tensor


def enlarge(digit: Any) -> torch.Tensor:
    """Return one 8x8 digit with values 0..16 as the network's input, (1, 1, 28, 28), by the model's preprocessing."""
    picture = Image.fromarray(np.rint(np.asarray(digit) * (255 / 16)).astype(np.uint8))
    return STEPS.to_tensor(STEPS.to_pixels(STEPS.model_input(picture)))


def load_digits() -> Digits:
    """Return the digits, split the same way every time."""
    from sklearn.datasets import load_digits as bundled_digits
    from sklearn.model_selection import train_test_split

    images, labels = bundled_digits(return_X_y=True)
    inputs = torch.cat([enlarge(row.reshape(8, 8)) for row in images])
    rows = np.arange(len(labels))
    training, held_out = train_test_split(rows, test_size=HELD_OUT, stratify=labels, random_state=SEED)
    digits = torch.tensor(labels)
    return Digits(inputs[training], digits[training], inputs[held_out], digits[held_out])


def accuracy(module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the share of pictures whose likeliest class is the right one, 0..1."""
    with torch.no_grad():
        return float((module(inputs).argmax(dim=1) == labels).double().mean())


def distort(inputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return each picture turned by up to 10 degrees, scaled by up to a tenth and shifted by up to 2 pixels.

    Without it the network learns the few training digits by heart.
    """
    turn, scale, right, down = (
        (2 * torch.rand(4, len(inputs), generator=generator) - 1).T * torch.tensor([0.17, 0.1, 0.14, 0.14])
    ).T
    cosine, sine = turn.cos() * (1 + scale), turn.sin() * (1 + scale)
    maps = torch.stack([torch.stack([cosine, -sine, right], dim=1), torch.stack([sine, cosine, down], dim=1)], dim=1)
    grid = nn.functional.affine_grid(maps, list(inputs.shape), align_corners=False)
    return nn.functional.grid_sample(inputs, grid, padding_mode="border", align_corners=False)


def train(inputs: torch.Tensor, labels: torch.Tensor, seed: int = SEED, epochs: int = EPOCHS) -> nn.Module:
    """Return the trained network, in eval mode.

    The rate falls along a half cosine, so that the last epoch is as good as any.
    """
    generator = torch.Generator().manual_seed(seed)
    module = initialize_network(build_network, generator)
    optimizer = torch.optim.Adam(module.parameters(), lr=LEARNING_RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs), generator=generator).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(distort(inputs[batch], generator)), labels[batch]).backward()
            optimizer.step()
        schedule.step()
    return module.eval()


def main() -> None:
    """Train, measure on the held-out digits and write assets/small_cnn.safetensors and .json."""
    # Batches this small run faster so, and the sums come out the same on every number of cores.
    torch.set_num_threads(1)
    digits = load_digits()
    module = train(digits.train, digits.train_labels)
    measured = {
        "test_accuracy": accuracy(module, digits.held_out, digits.held_out_labels),
        "train_accuracy": accuracy(module, digits.train, digits.train_labels),
        "test_digits": len(digits.held_out),
        "train_digits": len(digits.train),
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "seed": SEED,
        "epochs": EPOCHS,
    }
    save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, WEIGHTS)
    WEIGHTS.with_suffix(".json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
