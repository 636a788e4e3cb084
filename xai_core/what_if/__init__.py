"""Pictures with a part hidden: by hand, by a map, or piece by piece in a game."""

from xai_core.what_if.challenge import Attempt, Challenge, challenge_params, cut_picture, prepare_challenge
from xai_core.what_if.hide import (
    EVERYTHING_HIDDEN,
    FILLINGS,
    NOTHING_PAINTED,
    SURROUNDINGS,
    ClassChange,
    Hidden,
    hide,
    make_hider,
    prepare_hiding,
)
from xai_core.what_if.masks import decode_mask, encode_mask, mask_of_runs, runs_of
from xai_core.what_if.threshold import SHARES, ThresholdCurve, follow_threshold, select_strongest

__all__ = [
    "EVERYTHING_HIDDEN",
    "FILLINGS",
    "NOTHING_PAINTED",
    "SHARES",
    "SURROUNDINGS",
    "Attempt",
    "Challenge",
    "ClassChange",
    "Hidden",
    "ThresholdCurve",
    "challenge_params",
    "cut_picture",
    "decode_mask",
    "encode_mask",
    "follow_threshold",
    "hide",
    "make_hider",
    "mask_of_runs",
    "prepare_challenge",
    "prepare_hiding",
    "runs_of",
    "select_strongest",
]
