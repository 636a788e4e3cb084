"""Pictures of own classes, read once: what is kept of each is a small copy and its features in a bundled network."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

from xai_core.arrays import Float32
from xai_core.engine import memory
from xai_core.engine.backends.forward import forward_with_features
from xai_core.engine.backends.with_features import WithFeatures
from xai_core.engine.jobs import Job
from xai_core.engine.lru_cache import LRUCache
from xai_core.errors import InvalidImage, InvalidSet, NotApplicable, XaiError
from xai_core.images import Picture, image_sha256, read_image
from xai_core.imageset.image_set import ImageSet
from xai_core.inside.head import head_layer
from xai_core.labs.teach.class_names import MAX_CLASSES
from xai_core.models import load_model
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer

BASE = "efficientnet_lite0"
# Pixels of the longer side of the copy that pages show.
# Twice the width on the page, for sharp screens.
THUMBNAIL_SIDE = 128
MAX_PER_CLASS = 200
_CACHE_BYTES = 192 * memory.MB


@dataclass(frozen=True, eq=False)
class Example:
    """One picture: the SHA-256 of its pixels, a small JPEG of it, and its features (F,) in the base network."""

    id: str
    thumbnail: bytes
    features: Float32

    @property
    def bytes(self) -> int:
        return len(self.thumbnail) + self.features.nbytes


@dataclass(frozen=True, eq=False)
class Reading:
    """Ids of the pictures that were read, and a sentence for each file that was not."""

    examples: tuple[str, ...]
    problems: tuple[str, ...] = ()


# By the id of the picture: the same one is embedded once, whoever brings it.
_EXAMPLES: LRUCache[Example] = LRUCache(_CACHE_BYTES)


def find_example(example_id: str) -> Example | None:
    """Return an example that was read before, or None where it is no longer kept."""
    return _EXAMPLES.get(example_id)


def _feature_layer(model: Classifier) -> Layer:
    name = head_layer(model)
    if name is None:
        raise NotApplicable(f"{model.title} has no last layer that can be taught. Choose another network.")
    return model.layer(name)


def count_features(model: Classifier) -> int:
    """Return the number of features that the last layer of a network adds up. Raises NotApplicable."""
    return _feature_layer(model).channels


def embed(model: Classifier, pictures: Sequence[Picture], job: Job[Any] | None = None) -> Float32:
    """Return the features of N pictures that the last layer of a network adds up, (N, F), by the shared engine.

    Raises:
        NotApplicable: the network does not end in a linear layer on averages of maps.
    """
    layer = _feature_layer(model)
    forward = forward_with_features(model, layer)
    steps, size = model.preprocessing, forward.micro_batch
    inputs = torch.stack([torch.from_numpy(steps.input_bytes(picture).copy()) for picture in pictures])
    # All batches are queued at once, so that the workers share them.
    tasks = [forward.submit(batch, job) for batch in inputs.split(size)]
    rows = torch.cat([task.wait() for task in tasks])
    features: Float32 = WithFeatures.from_rows(rows, layer.channels).mean.numpy()
    return features


def add_example(picture: Picture, job: Job[Any] | None = None) -> Example:
    """Return the example of a picture, read from the cache where the same pixels were brought before."""
    key = image_sha256(picture)
    example = _EXAMPLES.get(key)
    if example is None:
        # A copy: a row would keep the whole batch in memory.
        features = embed(load_model(BASE), [picture], job)[0].copy()
        features.flags.writeable = False
        example = Example(key, _encode_thumbnail(picture), features)
        _EXAMPLES.put(key, example, example.bytes)
    return example


def _encode_thumbnail(picture: Picture) -> bytes:
    small = ImageOps.contain(picture.convert("RGB"), (THUMBNAIL_SIDE,) * 2, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=80)
    return file.getvalue()


def read_files(files: Sequence[tuple[str, bytes]], job: Job[Any] | None = None) -> Reading:
    """Read files by name and bytes as pictures of one class. Raises Cancelled within a picture."""
    job, examples, problems = job or Job(), [], []
    job.expect(job.done + len(files))
    for name, data in files:
        job.tick(1)
        try:
            examples.append(add_example(read_image(data)).id)
        except InvalidImage as problem:
            problems.append(f"{name[-60:]}: {problem}")
    return Reading(tuple(examples), tuple(problems))


def read_set(
    dataset: ImageSet, labels: Sequence[str] = (), job: Job[Any] | None = None, most: int = MAX_PER_CLASS
) -> dict[str, Reading]:
    """Read the pictures of some labels of a set (all by default) as own classes, at most `most` of each.

    Raises:
        InvalidSet: the set has no labels, or too many: nothing says which picture is of which class.
        Cancelled: within a picture.
    """
    if not dataset.classes:
        raise InvalidSet(
            "This zip has no folders, so nothing says which picture is of which class. Put the pictures of each class "
            "into a folder with the name of the class, and zip the folders."
        )
    names = [name for name in dataset.classes if name in labels or not labels]
    if len(names) > MAX_CLASSES:
        raise InvalidSet(
            f"This zip has {len(names)} folders with pictures. At most {MAX_CLASSES} classes can be taught: leave some "
            "folders out."
        )
    job, readings = job or Job(), {}
    rows_by_class = {
        name: np.flatnonzero(dataset.labels == dataset.classes.index(name))[:most].tolist() for name in names
    }
    job.expect(job.done + sum(map(len, rows_by_class.values())))
    for name, rows in rows_by_class.items():
        examples, problems = [], []
        for row in rows:
            job.tick(1)
            try:
                examples.append(add_example(dataset.open(row)).id)
            except XaiError as problem:
                problems.append(f"{dataset.names[row][-60:]}: {problem}")
        readings[name] = Reading(tuple(examples), tuple(problems))
    return readings
