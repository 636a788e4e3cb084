"""Figures about tables and their models, from plain arrays to Plotly: compute elsewhere, draw here.

Every function returns a Drawing: the figure, a sentence for those who cannot see it, and a caption where something was left out.
Names and cells of foreign tables are shown as they are, never read as markup.
"""

from xai_core.render.tables.bars import error_bars, intervals, plain_bars, signed_bars, swarm, waterfall
from xai_core.render.tables.effects import MOST_LINES, Colouring, Curve, effect, effect_2d
from xai_core.render.tables.glass_box import Box, named_steps, squares, steps, tree
from xai_core.render.tables.scores import calibration, confusion, counts, fit, histogram, roc
from xai_core.render.tables.style import Drawing, number, signed

__all__ = [
    "MOST_LINES",
    "Box",
    "Colouring",
    "Curve",
    "Drawing",
    "calibration",
    "confusion",
    "counts",
    "effect",
    "effect_2d",
    "error_bars",
    "fit",
    "histogram",
    "intervals",
    "named_steps",
    "number",
    "plain_bars",
    "roc",
    "signed",
    "signed_bars",
    "squares",
    "steps",
    "swarm",
    "tree",
    "waterfall",
]
