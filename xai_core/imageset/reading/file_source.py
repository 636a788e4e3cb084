"""Pictures of a set that are files of a zip or folder."""

from __future__ import annotations

from xai_core.arrays import Bool, Int32
from xai_core.images import Picture, read_image
from xai_core.imageset.reading.file_roles import Files
from xai_core.imageset.reading.masks import read_mask
from xai_core.imageset.record import NO_MASK


class FileSource:
    """The first N rows of `files` as pictures. `masks` (N,) are rows of files, NO_MASK or ALPHA_MASK."""

    def __init__(self, files: Files, masks: Int32) -> None:
        self._files, self._masks = files, masks

    def picture(self, index: int) -> Picture:
        return read_image(self._files.read(index))

    def mask(self, index: int) -> Bool | None:
        row = int(self._masks[index])
        if row == NO_MASK:
            return None
        data = self._files.read(index)
        return read_mask(self._files, data, row, read_image(data).size)
