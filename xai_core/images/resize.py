"""Resizing of colour pictures exactly as Pillow does it, in a fifth to a third of its time.

Pillow weighs one number after the other. The same sums, with the same rounding to bytes after each of the two directions, are done here
along whole lines (`_resize_loops`), and only where they are kept. The loops have to be compiled, which whoever has many pictures to read
begins with `soon`. Until that is done, and wherever they do not give Pillow's own bytes, Pillow does the work.

Weights as Pillow documents its filters (for the bicubic one Keys 1981, doi:10.1109/TASSP.1981.1163711), widened by the factor by which a
picture shrinks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

log = logging.getLogger(__name__)

Picture = Image.Image
Filter = Image.Resampling
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]
Doubles = npt.NDArray[np.float64]
Size: TypeAlias = tuple[int, int]
Box: TypeAlias = tuple[int, int, int, int]

Loops: TypeAlias = "Callable[[Bytes, Taps, Taps, Bytes], None]"

PRECISION = 22
"""Bits after the point of a weight, as in Pillow."""
_GAP = 2.0
_LARGEST = 2**23
"""Pixels of a picture that is copied for the loops."""


def _bilinear(x: Doubles) -> Doubles:
    weights: Doubles = np.maximum(1 - np.abs(x), 0)
    return weights


def _bicubic(x: Doubles) -> Doubles:
    x = np.abs(x)
    near, far = (1.5 * x - 2.5) * x * x + 1, (((x - 5) * x + 8) * x - 4) * -0.5
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(x: Doubles) -> Doubles:
    return np.where((x >= -3) & (x < 3), np.sinc(x) * np.sinc(x / 3), 0)


_FILTERS: Mapping[Filter, tuple[Callable[[Doubles], Doubles], float]] = MappingProxyType({
    Filter.BILINEAR: (_bilinear, 1.0), Filter.BICUBIC: (_bicubic, 2.0), Filter.LANCZOS: (_lanczos, 3.0),
})  # fmt: skip
"""Each with its reach in pixels where nothing shrinks. All others are left to Pillow."""


class Taps(NamedTuple):
    """What each of n new columns or rows is made of: `span` old ones from `first` on, (n,), by `weights` in units of 2**-22, (n, most)."""

    first: Ints
    span: Ints
    weights: Ints


def resized(image: Picture, size: Size, kind: Filter, box: Box) -> Bytes:
    """What `box` (left, top, right, bottom) holds of the picture resized to `size` (width, height): (h, w, 3), or (h, w) if it is grey."""
    left, top, right, bottom = box
    inside = 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]  # the loops do not look where they read
    loops = _loops_for(image, size, kind) if inside else None
    return np.asarray(image.resize(size, kind).crop(box)) if loops is None else _looped(loops, image, size, kind, box)


def shrunk(image: Picture, size: Size) -> Picture:
    """The picture at a smaller `size`, by Lanczos' filter; itself where it has that size. A far larger one is first reduced by a whole
    factor, for memory. Transparency is premultiplied on the way.
    """
    if image.size == size:
        return image
    kind, loops = Filter.LANCZOS, _loops_for(image, size, Filter.LANCZOS)
    if loops is None or any(before / after / _GAP >= 2 for before, after in zip(image.size, size, strict=True)):
        return image.resize(size, kind, reducing_gap=_GAP)
    return Image.fromarray(_looped(loops, image, size, kind, (0, 0, *size)))


def _loops_for(image: Picture, size: Size, kind: Filter) -> Loops | None:
    """The loops, if they are ready and can do this."""
    fits = (
        image.mode == "RGB"
        and kind in _FILTERS
        and image.width * image.height <= _LARGEST
        and _rows_first(image.size, size)
    )
    return _LOOPS.ready if fits else None


def _rows_first(before: Size, after: Size) -> bool:
    """False where Pillow may go along the columns first, and so round otherwise: since 13 where it is mostly the height that shrinks."""
    narrower, lower = before[0] - after[0], before[1] - after[1]
    return lower <= 0 or lower < 2 * narrower


@lru_cache(maxsize=128)
def _taps(before: int, after: int, begin: int, end: int, kind: Filter) -> Taps:
    """For new columns or rows from `begin` to `end`, of the `after` that `before` old ones become."""
    weigh, reach = _FILTERS[kind]
    scale = before / after
    stretch = max(scale, 1.0)
    middle = (np.arange(begin, end) + 0.5) * scale
    first = np.maximum((middle - reach * stretch + 0.5).astype(np.int32), 0)
    span = np.minimum((middle + reach * stretch + 0.5).astype(np.int32), before) - first
    tap = np.arange(span.max())
    weights = weigh((tap + first[:, None] - middle[:, None] + 0.5) * (1 / stretch))
    weights[tap >= span[:, None]] = 0
    total = sum(weights.T, np.zeros(len(first)))  # one after the other, as Pillow adds them up
    units = weights / total[:, None] * (1 << PRECISION)
    return Taps(first, span, (units + np.copysign(0.5, units)).astype(np.int32))


def _looped(loops: Loops, image: Picture, size: Size, kind: Filter, box: Box) -> Bytes:
    left, top, right, bottom = box
    across = _taps(image.width, size[0], left, right, kind)
    down = _taps(image.height, size[1], top, bottom, kind)
    found = np.empty((bottom - top, right - left, 3), dtype=np.uint8)
    loops(np.asarray(image), across, down, found)
    return found


class _Compiled:
    """The loops, once they are compiled and have given Pillow's own bytes."""

    def __init__(self) -> None:
        self.ready: Loops | None = None
        self._begun = False
        self._guard = threading.Lock()

    def make(self) -> None:
        """Compile, unless that was done before, and come back when it is done; takes a second."""
        with self._guard:
            if self._begun:
                return
            self._begun = True
            try:
                from xai_core.images.resize_loops import resample
            except (
                ImportError,
                OSError,
            ) as problem:  # Numba refuses to be imported beside a NumPy that is too new for it
                log.warning("Pictures of a set are read more slowly, because Numba cannot be used: %s", problem)
                return
            if all(_same(resample, *case) for case in _CASES):
                self.ready = resample
            else:
                log.warning(
                    "Pictures of a set are read more slowly, because this Pillow resizes otherwise than expected."
                )

    def soon(self) -> None:
        """Compile in the background, unless that was begun before."""
        if not self._begun:
            threading.Thread(target=self.make, name="whybox-resize").start()


_CASES: tuple[tuple[Size, Size, Box], ...] = (
    ((61, 47), (83, 64), (14, 4, 70, 60)),
    ((47, 61), (64, 83), (4, 14, 60, 70)),
    ((300, 200), (96, 64), (0, 0, 96, 64)),
    ((181, 331), (64, 117), (4, 30, 60, 86)),
    ((64, 64), (64, 64), (4, 4, 60, 60)),
    ((9, 200), (64, 1422), (4, 683, 60, 739)),
    ((200, 9), (1422, 64), (683, 4, 739, 60)),
)
"""Sizes before and after, and a box: larger and smaller, wide and tall, most of them cut."""


def _same(loops: Loops, before: Size, after: Size, box: Box) -> bool:
    """Whether these are Pillow's own bytes, on noise."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*before[::-1], 3), dtype=np.uint8))
    pillow = {kind: np.asarray(noise.resize(after, kind).crop(box)) for kind in _FILTERS}
    return all(np.array_equal(_looped(loops, noise, after, kind, box), right) for kind, right in pillow.items())


_LOOPS = _Compiled()
make, soon = _LOOPS.make, _LOOPS.soon
