"""The digit network trained live: settings, epochs, words on the curves, and the model that comes of it."""

from __future__ import annotations

from xai_core.labs.live.diagnosis import describe_training
from xai_core.labs.live.drawing import digit_picture
from xai_core.labs.live.network import digits_after, find_digits, open_digits, put_digits, save_digits
from xai_core.labs.live.settings import PARAMS, PRESETS, SIDE, Preset, check_settings
from xai_core.labs.live.training import Epoch, TrainedDigits, train_digits
from xai_core.labs.model_file import MAX_FILE_MB, SUFFIX

__all__ = [
    "MAX_FILE_MB",
    "PARAMS",
    "PRESETS",
    "SIDE",
    "SUFFIX",
    "Epoch",
    "Preset",
    "TrainedDigits",
    "check_settings",
    "describe_training",
    "digit_picture",
    "digits_after",
    "find_digits",
    "open_digits",
    "put_digits",
    "save_digits",
    "train_digits",
]
