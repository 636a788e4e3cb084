"""Pictures: untrusted bytes to a safe RGB picture, sample pictures, baselines."""

from xai_core.images.baselines import BASELINES, make_baseline
from xai_core.images.decode_lock import LARGE_PIXELS, exclusive_decode
from xai_core.images.fill import fill
from xai_core.images.formats.headers import READABLE_SUFFIXES
from xai_core.images.inversion import INVERSION_HINT, invert, suggest_inversion
from xai_core.images.limits import BROKEN
from xai_core.images.reading import ImageFile, Picture, image_sha256, read_image, read_image_file
from xai_core.images.samples import SAMPLES, Sample
from xai_core.images.transparency import NOTHING_TO_SEE, ON_WHITE

__all__ = [
    "BASELINES",
    "BROKEN",
    "INVERSION_HINT",
    "LARGE_PIXELS",
    "NOTHING_TO_SEE",
    "ON_WHITE",
    "READABLE_SUFFIXES",
    "SAMPLES",
    "ImageFile",
    "Picture",
    "Sample",
    "exclusive_decode",
    "fill",
    "image_sha256",
    "invert",
    "make_baseline",
    "read_image",
    "read_image_file",
    "suggest_inversion",
]
