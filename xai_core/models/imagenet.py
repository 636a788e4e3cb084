"""WordNet numbers of the 1000 ImageNet classes (ILSVRC 2012), by which data sets name their folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

CODES = Path(__file__).parents[2] / "assets" / "imagenet_codes.txt"


def class_codes(labels: Sequence[str]) -> Mapping[str, int]:
    """Return the class of each WordNet number ("n01440764": 0); empty for labels that are not ImageNet's.

    >>> class_codes(("cat", "dog"))
    {}
    """
    return _read_codes() if len(labels) == 1000 and tuple(labels) == _imagenet_labels() else {}


@cache
def _read_codes() -> Mapping[str, int]:
    return {code: row for row, code in enumerate(CODES.read_text(encoding="ascii").split())}


@cache
def _imagenet_labels() -> tuple[str, ...]:
    from torchvision.models import ResNet18_Weights

    return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
