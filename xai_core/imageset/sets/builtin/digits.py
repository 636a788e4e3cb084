"""scikit-learn's handwritten digits (Alpaydin, Kaynak 1998) as a set for the digit network."""

from __future__ import annotations

import hashlib

import numpy as np
from PIL import Image

from xai_core.arrays import Bool, UInt8
from xai_core.errors import InvalidSet
from xai_core.images import Picture
from xai_core.images.resize import VERSION as RESIZE_VERSION
from xai_core.imageset.record import VERSION
from xai_core.imageset.sets.builtin.spec import IMAGE_SETS, BuiltinSet, ImageSetSpec, generate

_NOTE = (
    "The small digit network learnt from three quarters of these pictures: "
    "on digits it has never seen it is right less often."
)


class _Digits:
    """White on black, 28 x 28 pixels: exactly the training pictures of the digit network."""

    def __init__(self, levels: UInt8) -> None:
        self._levels = levels

    def picture(self, index: int) -> Picture:
        from xai_core.models.families.small_cnn import STEPS

        return STEPS.model_input(Image.fromarray(self._levels[index]))

    def mask(self, index: int) -> Bool | None:
        return None


def _build_digits() -> BuiltinSet:
    try:
        # Importing it takes a second.
        from sklearn.datasets import load_digits

        images, digits = load_digits(return_X_y=True)
    except (ImportError, OSError) as error:
        raise InvalidSet(
            "The handwritten digits are not on this computer: they come with scikit-learn. Install it again."
        ) from error
    levels = np.rint(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return BuiltinSet(
        names=tuple(f"{digit}/{row:04}.png" for row, digit in enumerate(digits)),
        labels=digits.astype(np.int32),
        classes=tuple("0123456789"),
        source=_Digits(levels),
        digest=hashlib.sha256(f"digits {VERSION} {RESIZE_VERSION} ".encode() + levels.tobytes()).hexdigest(),
        notes=(_NOTE,),
    )


IMAGE_SETS.add(
    ImageSetSpec(
        name="digits",
        title="Handwritten digits",
        about="1,797 digits that people wrote by hand, labelled 0 to 9.",
        origin="scikit-learn, load_digits: UCI Optical Recognition of Handwritten Digits (Alpaydin, Kaynak 1998), "
        "CC BY 4.0",
        model="small_cnn",
        read=generate(_build_digits),
    )
)
