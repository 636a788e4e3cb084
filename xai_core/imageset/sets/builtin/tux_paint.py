"""Stamps of Tux Paint, where Debian's package of them is installed: single objects with their outline as a mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from xai_core.engine.jobs import Job
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.reading.folder_files import list_folder
from xai_core.imageset.record import BUILT_IN
from xai_core.imageset.sets.builtin.spec import IMAGE_SETS, ImageSetSpec
from xai_core.imageset.sets.uploaded import read_files

STAMPS = Path("/usr/share/tuxpaint/stamps")
# Letters, flags and coins, which are no objects.
_SYMBOLS = "symbols/"


def _read_stamps(spec: ImageSetSpec, job: Job[Any]) -> ImageSet:
    files = list_folder(STAMPS, job)
    rows = [row for row, name in enumerate(files.names) if name.endswith(".png") and not name.startswith(_SYMBOLS)]
    stamps = files.take(np.array(rows, dtype=np.intp))
    return read_files(stamps, BUILT_IN, STAMPS, title=spec.title, origin=spec.origin, name=spec.name, job=job)


IMAGE_SETS.add(
    ImageSetSpec(
        name="tux_stamps",
        title="Stamps of Tux Paint",
        about="About 550 single objects, photographed or drawn, cut out of their background and labelled by kind: "
        "animals, food …",
        origin="Debian package tuxpaint-stamps-default: Bill Kendrick and others, GPL-2",
        model="efficientnet_lite0",
        read=_read_stamps,
        available=lambda: STAMPS.is_dir(),
        missing="The stamps of Tux Paint are not on this computer. "
        "On Debian or Ubuntu, install the package tuxpaint-stamps-default.",
    )
)
