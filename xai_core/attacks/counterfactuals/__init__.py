"""Counterfactuals of a picture: what would have to be different for the model to say another class.

Each way is tested for what it claims, and says so when it fails.
"""

from xai_core.attacks.base.wish import check_wish
from xai_core.attacks.counterfactuals.contrast import Contrast, describe_contrast, fool_one_network
from xai_core.attacks.counterfactuals.hide_pieces import HiddenPieces, describe_hidden_pieces, hide_pieces
from xai_core.attacks.counterfactuals.swap_cells import Swap, Swaps, describe_swaps, swap_cells

__all__ = [
    "Contrast",
    "HiddenPieces",
    "Swap",
    "Swaps",
    "check_wish",
    "describe_contrast",
    "describe_hidden_pieces",
    "describe_swaps",
    "fool_one_network",
    "hide_pieces",
    "swap_cells",
]
