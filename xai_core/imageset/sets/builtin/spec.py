"""Description of a built-in set, and the registry of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xai_core.arrays import Int32
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidSet
from xai_core.imageset.image_set import ImageSet, Source
from xai_core.imageset.record import BUILT_IN, SetRecord, no_masks
from xai_core.imageset.sets import disk
from xai_core.imageset.thumbnails import write_thumbnails
from xai_core.registry import Registry


@dataclass(frozen=True)
class BuiltinSet:
    """Contents of a set that is generated; `digest` is a hash of them."""

    names: tuple[str, ...]
    labels: Int32
    classes: tuple[str, ...]
    source: Source
    digest: str
    notes: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ImageSetSpec:
    """A built-in set: its words, the model it is meant for, and the function that loads it."""

    name: str
    title: str
    about: str
    origin: str
    model: str
    """A model that knows what is to be seen in it."""
    read: Callable[[ImageSetSpec, Job[Any]], ImageSet]
    available: Callable[[], bool] = lambda: True
    missing: str = ""
    """Advice where it is not available."""

    def load(self, job: Job[Any] | None = None) -> ImageSet:
        """Return a new object of the set; `load_set` gives the shared one.

        Raises InvalidSet where what it is made of is not installed.
        """
        if not self.available():
            raise InvalidSet(self.missing)
        return self.read(self, job or Job())


IMAGE_SETS: Registry[ImageSetSpec] = Registry("picture set")


def generate(build: Callable[[], BuiltinSet]) -> Callable[[ImageSetSpec, Job[Any]], ImageSet]:
    """Return an `ImageSetSpec.read` for generated contents, of which only thumbnails and names need room on disk."""

    def read(spec: ImageSetSpec, job: Job[Any]) -> ImageSet:
        contents = build()
        count = len(contents.names)
        record = SetRecord(
            id=contents.digest[:24],
            kind=BUILT_IN,
            name=spec.name,
            title=spec.title,
            names=contents.names,
            labels=contents.labels,
            classes=contents.classes,
            masks=no_masks(count),
            origin=spec.origin,
            notes=contents.notes,
            aliases=dict(contents.aliases),
        )
        if disk.read_record(record.id) is None:
            # Damaged, if it is there at all.
            disk.cache().forget(record.id)
            with disk.staging_dir() as folder:
                write_thumbnails(folder / "thumbs.u8", count, contents.source.picture, job)
                disk.commit(folder, record)
            if disk.read_record(record.id) is None:
                raise InvalidSet(disk.FULL)
        return ImageSet(record, contents.source, disk.cache().root / record.id)

    return read
