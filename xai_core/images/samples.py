"""The sample pictures: photographs that ship in the wheels of scikit-image and scikit-learn, and digits of
scikit-learn.

Nothing is copied or downloaded; origins and licences are those the two packages state (also in assets/SOURCES.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from xai_core.errors import XaiError
from xai_core.images.reading import read_image
from xai_core.registry import Registry


@dataclass(frozen=True)
class Sample:
    """A picture to start with; `load` returns a new RGB picture and raises XaiError if its file is not installed."""

    name: str
    title: str
    origin: str
    licence: str
    load: Callable[[], Image.Image]
    kind: Literal["photo", "digit"] = "photo"
    thing: str = ""
    """The object that the picture is about, where an oval of less than half of the model's view holds it."""
    thing_oval: tuple[float, float, float, float] = (0, 0, 0, 0)
    """Left, top, right and bottom of the oval, as shares of the picture's width and height; drawn by hand."""


_CC0 = "CC0 1.0"
_PUBLIC = "public domain"
_CC_BY = "CC BY 2.0"
_CC_BY_4 = "CC BY 4.0"

_PHOTOS = (
    ("coffee", "Coffee", "skimage/data/coffee.png", "Rachel Michetti, at Pikolo Espresso Bar", _CC0),
    ("chelsea", "Cat", "skimage/data/chelsea.png", "Stefan van der Walt: Chelsea the cat", _CC0),
    ("rocket", "Rocket", "skimage/data/rocket.jpg", "SpaceX: launch of DSCOVR on Falcon 9", _PUBLIC),
    ("camera", "Photographer", "skimage/data/camera.png", "Lav Varshney", _CC0),
    ("astronaut", "Astronaut", "skimage/data/astronaut.png", "NASA Great Images: Eileen Collins", _PUBLIC),
    ("flower", "Flower", "sklearn/datasets/images/flower.jpg", "vultilion on Flickr, photo 6056698931", _CC_BY),
    ("china", "Pagoda", "sklearn/datasets/images/china.jpg", "danielbuechele on Flickr, photo 6061409035", _CC_BY),
    ("motorcycle", "Motorcycle", "skimage/data/motorcycle_left.png", "Middlebury 2014 stereo benchmark, left view",
     "none stated; please cite Scharstein et al., GCPR 2014"),
    ("coins", "Coins", "skimage/data/coins.png", "Brooklyn Museum: Greek coins from Pompeii",
     "no known copyright restrictions"),
    ("horse", "Horse (outline)", "skimage/data/horse.png", "Andreas Preuss (marauder), Openclipart 158377", _CC0),
    ("hubble", "Galaxies", "skimage/data/hubble_deep_field.jpg", "NASA, HubbleSite: eXtreme Deep Field, 2012", _PUBLIC),
    ("retina", "Inside of an eye", "skimage/data/retina.jpg", "Mikael Häggström, Wikimedia Commons", _CC0),
)  # fmt: skip

_THINGS = {
    "coffee": ("the cup", (0.285, 0.04, 0.685, 0.77)),
    "rocket": ("the rocket", (0.47, 0.28, 0.54, 0.96)),
    "camera": ("the camera and its tripod", (0.46, 0.26, 0.8, 0.99)),
    "flower": ("the flower", (0.265, 0.2, 0.7, 0.84)),
}

# (digit, row of load_digits): rows that the digit network's training holds out.
_DIGITS = ((3, 1513), (5, 1532), (8, 1529))
_DIGIT_SIDE = 280


def _read_photo(title: str, file: str) -> Image.Image:
    package, _, path_inside = file.partition("/")
    # find_spec finds the folder without importing the package.
    spec = find_spec(package)
    path = Path((spec.submodule_search_locations or [""])[0], path_inside) if spec else None
    if path is None or not path.is_file():
        raise _missing(title, "scikit-image" if package == "skimage" else "scikit-learn")
    return read_image(path)


def _draw_digit(row: int) -> Image.Image:
    """Return a digit white on black, from 8 x 8 levels of 0 to 16, as smooth as the network's training pictures."""
    try:
        # Here, because importing it takes a second.
        from sklearn.datasets import load_digits

        levels = load_digits().images[row]
    except (ImportError, OSError) as error:
        raise _missing("handwritten digit", "scikit-learn") from error
    grey = Image.fromarray(np.rint(levels * (255 / 16)).astype(np.uint8))
    return grey.resize((_DIGIT_SIDE, _DIGIT_SIDE), Image.Resampling.BICUBIC).convert("RGB")


def _missing(title: str, project: str) -> XaiError:
    return XaiError(
        f"The sample picture {title!r} is not on this computer: it comes with {project}. "
        f"Choose another, or install {project} again."
    )


# All sample pictures, the photographs first; their files are read like any upload.
SAMPLES: Registry[Sample] = Registry("sample picture")
for _name, _title, _file, _origin, _licence in _PHOTOS:
    _load = partial(_read_photo, _title, _file)
    SAMPLES.add(Sample(_name, _title, _origin, _licence, _load, "photo", *_THINGS.get(_name, ())))
for _digit, _row in _DIGITS:
    _origin = (
        f"scikit-learn, load_digits, row {_row}: UCI Optical Recognition of Handwritten Digits (Alpaydin, Kaynak 1998)"
    )
    SAMPLES.add(
        Sample(f"digit_{_digit}", f"Handwritten {_digit}", _origin, _CC_BY_4, partial(_draw_digit, _row), "digit")
    )
