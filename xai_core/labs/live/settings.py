"""Settings of a training of the digit network, declared once, and presets that show what can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xai_core.params import Choice, Flag, Int, Param, Value, resolve

SIDE = 28
RATES = ("0.0001", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "10")
DECAYS = ("0", "0.0001", "0.001", "0.01", "0.1")
MAX_EPOCHS = 60
PARAMS: tuple[Param, ...] = (
    Choice(
        name="optimizer",
        title="Optimizer",
        help="The rule by which the weights are changed after each batch.",
        default="adam",
        options={"sgd": "SGD · plain steps", "adam": "Adam · steps that adapt"},
    ),
    Choice(
        name="rate",
        title="Learning rate",
        help="The length of a step. Too small learns slowly, too large jumps past the goal.",
        default="0.003",
        options={rate: rate for rate in RATES},
    ),
    Choice(
        name="decay",
        title="Weight decay",
        help="Pulls all weights towards 0 a little at each step.",
        default="0.0001",
        options={decay: decay for decay in DECAYS},
    ),
    Int(
        name="dropout",
        title="Dropout",
        help="Share of the 120 hidden values that are set to 0 at random in each step.",
        unit="%",
        default=0,
        low=0,
        high=80,
        step=10,
    ),
    Flag(
        name="norm",
        title="Batch normalization",
        help="Brings the values of each channel to a common scale.",
        default=False,
    ),
    Int(
        name="turn",
        title="Augmentation: rotation",
        help="Each training picture is turned at random by up to so many degrees.",
        unit="degrees",
        default=0,
        low=0,
        high=45,
        step=5,
    ),
    Int(
        name="move",
        title="Augmentation: translation",
        help="Each training picture is moved at random by up to so many of its 28 pixels.",
        unit="pixels",
        default=0,
        low=0,
        high=8,
    ),
    Int(
        name="epochs",
        title="Epochs",
        help="How often all training pictures are gone through.",
        default=10,
        low=1,
        high=MAX_EPOCHS,
    ),
    Int(
        name="wrong",
        title="Wrong labels",
        help="Share of the training pictures that get the label of another digit.",
        unit="%",
        default=0,
        low=0,
        high=90,
        step=10,
    ),
    Int(
        name="pictures",
        title="Training pictures",
        help="How many pictures the network learns from.",
        default=1000,
        low=50,
        high=1000,
        step=50,
    ),
)


@dataclass(frozen=True)
class Preset:
    """Settings by name that differ from the defaults, with a title and what to look at."""

    title: str
    advice: str
    values: Mapping[str, Value]


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "good": Preset("Learns well", "Both lines fall together and stay close.", {}),
        "underfitting": Preset(
            "Underfitting",
            "Both lines stay high: the steps are so short that ten epochs are not enough.",
            {"optimizer": "sgd", "rate": "0.001"},
        ),
        "overfitting": Preset(
            "Overfitting",
            "The line of the training pictures falls, that of others turns up again: 100 pictures are learnt by heart.",
            {"pictures": 100, "epochs": 60, "rate": "0.01", "decay": "0"},
        ),
        "noise": Preset(
            "Wrong labels",
            "Four of ten labels are wrong. First the network learns what is common, then the mistakes.",
            {"wrong": 40, "epochs": 40, "rate": "0.01", "decay": "0"},
        ),
        "explosion": Preset(
            "Rate too high", "The steps are so long that nothing is learnt.", {"optimizer": "sgd", "rate": "10"}
        ),
    }
)


def check_settings(values: Mapping[str, object] | None = None) -> dict[str, Value]:
    """Return all settings with checked values. Raises InvalidParam or UnknownName with what is allowed."""
    return resolve(PARAMS, values, SIDE)
