"""A layer's maps and effects for a page: computed in jobs, shared by all sessions, few of them kept."""

from __future__ import annotations

from functools import partial

from PIL import Image

import xai_core
from pages.ui.frame.session import session_id
from pages.ui.image.classes import Target
from pages.ui.widgets import background
from xai_core import inside, jobs
from xai_core.inside import Activations, Block, ChannelEffects

# Maps of one layer may take 13 MB; reading them again takes a moment.
_POOL = jobs.JobPool("inside", workers=2, quick_workers=2, keep=6, timeout=jobs.CLOSED_TAB_S)


def picture_key(model: xai_core.Classifier, image: Image.Image) -> tuple[str, str, str]:
    """Return what names a model and a picture in the keys of jobs."""
    return model.name, model.weights_sha256, xai_core.image_sha256(image)


def request_activations(model: xai_core.Classifier, image: Image.Image, layer: str) -> Activations | None:
    """Return the layer's maps of a picture, or None while they are read."""
    record, key = model.layer(layer), ("activations", *picture_key(model, image), layer)
    size = 8 * record.channels * record.grid[0] * record.grid[1]

    def read(job: xai_core.Job[Activations]) -> Activations:
        return inside.activations(model, image, layer, job)

    return background.follow(
        key, partial(_POOL.start, key, read, 1.0, session_id(), size), "Reading the layer", again=False
    )


def request_effects(
    model: xai_core.Classifier, image: Image.Image, layer: str, target: Target
) -> ChannelEffects | None:
    """Return each channel's estimated effect on a class or pair, or None while they are computed."""
    return background.compute(
        ("effects", *picture_key(model, image), layer, target),
        lambda job: inside.channel_effects(model, image, layer, target, job),
        "Estimating what matters",
        again=False,
    )


def request_blocks(model: xai_core.Classifier) -> tuple[Block, ...] | None:
    """Return the blocks of a network, or None while they are counted."""
    return background.compute(
        ("blocks", model.name, model.weights_sha256), lambda _job: inside.list_blocks(model), "Counting the layers"
    )
