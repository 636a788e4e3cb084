"""What a set is that is there without a file of one's own, and how it gets its place on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xai_core.arrays import Int32
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidSet
from xai_core.imageset.image_set import ImageSet, Source
from xai_core.imageset.sets import disk as store
from xai_core.imageset.sets.disk import BUILT_IN, Manifest
from xai_core.imageset.thumbnails import write_thumbs
from xai_core.registry import Registry


@dataclass(frozen=True)
class Made:
    """A built-in set before it has its thumbnails; `digest` is a hash of the contents."""

    names: tuple[str, ...]
    labels: Int32
    classes: tuple[str, ...]
    source: Source
    digest: str
    notes: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageSetSpec:
    """A built-in set: what it is called, what is in it, for which models it is meant, and how to get it."""

    name: str
    title: str
    about: str
    origin: str
    model: str
    """A model that knows what is to be seen in it."""
    read: Callable[[ImageSetSpec, Job[Any] | None], ImageSet]
    available: Callable[[], bool] = lambda: True
    missing: str = ""
    """What to do where it is not available."""

    def load(self, job: Job[Any] | None = None) -> ImageSet:
        """The set; `load_set` gives the one that everybody shares. Raises InvalidSet where what it is made of is not here."""
        if not self.available():
            raise InvalidSet(self.missing)
        return self.read(self, job)


IMAGE_SETS: Registry[ImageSetSpec] = Registry("picture set")


def reader(make: Callable[[], Made]) -> Callable[[ImageSetSpec, Job[Any] | None], ImageSet]:
    """How a set that is made and not read gets its place on disk, where only its thumbnails need room."""

    def read(spec: ImageSetSpec, job: Job[Any] | None) -> ImageSet:
        made = make()
        set_id, count = made.digest[:24], len(made.names)
        manifest = Manifest(
            BUILT_IN, spec.name, spec.title, made.names, made.classes, (), made.notes, spec.origin, dict(made.aliases)
        )
        found = store.restore(set_id, manifest, made.source)
        if found is None:
            store.forget(set_id)  # damaged, if it is there at all
            with store.bench() as folder:
                write_thumbs(folder / "thumbs.u8", count, made.source.picture, job)
                store.settle(
                    folder, set_id, manifest, {"labels": made.labels, "masked": np.zeros(count, dtype=np.bool_)}
                )
            found = store.restore(set_id, manifest, made.source)
        if found is None:
            raise InvalidSet(store.FULL)
        return found

    return read
