"""The stamps of Tux Paint, where Debian's package with them is installed: single objects with their outline as a mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from xai_core.engine.jobs import Job
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.reading.file_roles import Listing
from xai_core.imageset.reading.folder_files import list_folder
from xai_core.imageset.sets.builtin.spec import IMAGE_SETS, ImageSetSpec
from xai_core.imageset.sets.disk import BUILT_IN, Manifest
from xai_core.imageset.sets.uploaded import read_below

STAMPS = Path("/usr/share/tuxpaint/stamps")
_NO_OBJECTS = "symbols"
"""Letters, flags and coins."""


def _stamps(spec: ImageSetSpec, job: Job[Any] | None) -> ImageSet:
    files = list_folder(STAMPS, job).files
    pictures = [
        row for row, name in enumerate(files.names) if name.endswith(".png") and not name.startswith(f"{_NO_OBJECTS}/")
    ]
    about = Manifest(BUILT_IN, spec.name, spec.title, (), (), (), (), spec.origin)
    return read_below(STAMPS, Listing(files.take(np.array(pictures, dtype=np.intp))), about, job)


IMAGE_SETS.add(
    ImageSetSpec(
        name="tux_stamps",
        title="Stamps of Tux Paint",
        about="About 550 single objects, photographed or drawn, cut out of their background and labelled by kind: animals, food …",
        origin="Debian package tuxpaint-stamps-default: Bill Kendrick and others, GPL-2",
        model="efficientnet_lite0",
        read=_stamps,
        available=lambda: STAMPS.is_dir(),
        missing="The stamps of Tux Paint are not on this computer. On Debian or Ubuntu, install the package tuxpaint-stamps-default.",
    )
)
