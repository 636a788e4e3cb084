"""Sets of pictures: the built-in ones, own ones from a zip or a folder, and those that were read before.

A session holds ids only. What was used longest ago goes first; then its owner is asked to bring it again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from xai_core.engine._recent import Recent
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidSet
from xai_core.imageset import _store as store
from xai_core.imageset._builtin import IMAGE_SETS, ImageSetSpec, Made
from xai_core.imageset._set import ImageSet
from xai_core.imageset._store import Kept, Manifest
from xai_core.imageset._thumbs import write_thumbs

__all__ = ["IMAGE_SETS", "ImageSet", "ImageSetSpec", "Kept", "find_set", "forget_set", "kept_sets", "load_set"]

_RECENT: Recent[ImageSet] = Recent(256 * 2**20)
"""Sets in memory, by id: names and labels, no pictures."""
_BUILT_IN: dict[str, ImageSet] = {}
_LOADING = threading.Lock()


def load_set(name: str, job: Job[ImageSet] | None = None) -> ImageSet:
    """A built-in set by its name in IMAGE_SETS; the same object every time.

    Raises UnknownName, and InvalidSet where what it is made of is not installed.
    """
    spec = IMAGE_SETS.get(name)
    with _LOADING:
        if name not in _BUILT_IN:
            if not spec.available():
                raise InvalidSet(spec.missing)
            _BUILT_IN[name] = _built(spec, spec.make(), job)
        return _BUILT_IN[name]


def _built(spec: ImageSetSpec, made: Made, job: Job[ImageSet] | None) -> ImageSet:
    set_id = made.digest[:24]
    manifest = Manifest("built-in", spec.name, spec.title, made.names, made.classes, (), made.notes, spec.origin, dict(made.aliases))
    found = store.restore(set_id, manifest, made.source)
    if found is None:
        with store.bench() as folder:
            write_thumbs(folder / "thumbs.u8", len(made.names), made.source.picture, job)
            store.settle(folder, set_id, manifest, {"labels": made.labels, "masked": np.zeros(len(made.names), dtype=np.bool_)})
        found = store.restore(set_id, manifest, made.source)
    if found is None:
        raise InvalidSet("This picture set could not be kept on disk. Make room and try again.")
    return found


def find_set(set_id: str) -> ImageSet | None:
    """The set of an id, from memory or from disk, also after a restart; None if it is not kept (any more)."""
    if not store.is_id(set_id):
        return None
    found = _RECENT.get(set_id) or _reopened(set_id)
    if found is not None:
        store.touch(set_id)
    return found


def _reopened(set_id: str) -> ImageSet | None:
    manifest = store.read_manifest(set_id)
    if manifest is None:
        return None
    found = KINDS[manifest.kind](set_id, manifest) if manifest.kind in KINDS else None
    if found is not None:
        _remember(found)
    return found


def _built_in(set_id: str, manifest: Manifest) -> ImageSet | None:
    spec = IMAGE_SETS.get(manifest.name) if manifest.name in IMAGE_SETS else None
    found = load_set(spec.name) if spec is not None and spec.available() else None
    return found if found is not None and found.id == set_id else None


KINDS: dict[str, Callable[[str, Manifest], ImageSet | None]] = {"built-in": _built_in}
"""How a set is opened again, by where its pictures come from."""


def _remember(found: ImageSet) -> None:
    _RECENT.put(found.id, found, sum(map(len, found.names)) + 200 * len(found))


def kept_sets() -> tuple[Kept, ...]:
    """The sets on disk, used longest ago first: for whoever runs the server. A page must not list what others have uploaded."""
    return store.kept()


def forget_set(set_id: str) -> bool:
    """Delete a set from memory and disk; False if there was none."""
    _RECENT.pop(set_id)
    return store.forget(set_id)
