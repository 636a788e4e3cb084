"""A set of pictures for tests, made as they are asked for, that counts how often it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PIL import Image

from tests.zoo_networks import make_picture
from xai_core.errors import InvalidImage


class Pictures:
    """`count` pictures by a seed; those in `broken` cannot be opened. `told` is called before each picture is made."""

    def __init__(
        self, count: int = 40, side: int = 30, broken: tuple[int, ...] = (), on_open: Callable[[int], object] = int
    ) -> None:
        self.id, self.count, self.side, self.broken, self.on_open = (
            "0123456789abcdef01234567",
            count,
            side,
            broken,
            on_open,
        )
        self.opened: list[int] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self.count

    def open(self, index: int) -> Image.Image:
        with self._lock:
            self.opened.append(index)
        self.on_open(index)
        if index in self.broken:
            raise InvalidImage("This picture is damaged.")
        return make_picture(self.side, seed=index)
