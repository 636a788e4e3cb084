"""Figures about tables and their models, from plain arrays to Plotly.

Every function returns a Drawing: the figure, a sentence for those who cannot see it, and a caption where something was
left out. Names and cells of foreign tables are shown as they are, never read as markup.
"""

from xai_core.formatting import number
from xai_core.render.tables.bars import (
    draw_bars,
    draw_error_bars,
    draw_intervals,
    draw_signed_bars,
    draw_swarm,
    draw_waterfall,
)
from xai_core.render.tables.curves import (
    draw_hiding,
    draw_layer_strength,
    draw_likeness,
    draw_similarity,
    draw_steps_curve,
    draw_threshold,
)
from xai_core.render.tables.effects import MAX_LINES, Colouring, Curve, draw_effect, draw_effect_2d
from xai_core.render.tables.glass_box import Box, draw_category_steps, draw_pair_heatmap, draw_steps, draw_tree
from xai_core.render.tables.scores import (
    draw_calibration,
    draw_confusion,
    draw_counts,
    draw_fit,
    draw_histogram,
    draw_roc,
)
from xai_core.render.tables.shakes import draw_broken_classes, draw_shake_curve
from xai_core.render.tables.style import Drawing, signed_number
from xai_core.render.tables.training import draw_training

__all__ = [
    "MAX_LINES",
    "Box",
    "Colouring",
    "Curve",
    "Drawing",
    "draw_bars",
    "draw_broken_classes",
    "draw_calibration",
    "draw_category_steps",
    "draw_confusion",
    "draw_counts",
    "draw_effect",
    "draw_effect_2d",
    "draw_error_bars",
    "draw_fit",
    "draw_hiding",
    "draw_histogram",
    "draw_intervals",
    "draw_layer_strength",
    "draw_likeness",
    "draw_pair_heatmap",
    "draw_roc",
    "draw_shake_curve",
    "draw_signed_bars",
    "draw_similarity",
    "draw_steps",
    "draw_steps_curve",
    "draw_swarm",
    "draw_threshold",
    "draw_training",
    "draw_tree",
    "draw_waterfall",
    "number",
    "signed_number",
]
