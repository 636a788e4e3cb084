"""Pictures: untrusted bytes to a safe RGB picture, sample pictures, baselines."""

from xai_core.images.baselines import BASELINES, make_baseline
from xai_core.images.decode_lock import LARGE_PIXELS, exclusive_decode
from xai_core.images.limits import BROKEN
from xai_core.images.reading import Picture, image_sha256, read_image
from xai_core.images.samples import SAMPLES, Sample

__all__ = [
    "BASELINES",
    "BROKEN",
    "LARGE_PIXELS",
    "SAMPLES",
    "Picture",
    "Sample",
    "exclusive_decode",
    "image_sha256",
    "make_baseline",
    "read_image",
]
