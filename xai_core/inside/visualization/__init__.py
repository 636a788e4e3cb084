"""Feature visualization: objectives, ways to write a picture, views of it, and the optimization.

A new objective or way to write a picture is one file in `objectives/` or `parametrizations/`.
"""

from __future__ import annotations

from xai_core.inside.visualization.objectives.direction import Direction
from xai_core.inside.visualization.optimize import Preview
from xai_core.inside.visualization.photographs.check import PhotographCheck, compare_with_photographs
from xai_core.inside.visualization.photographs.quiz import Question, make_quiz
from xai_core.inside.visualization.spec import PARAMETRIZATIONS
from xai_core.inside.visualization.stored import find_visualization, load_visualization
from xai_core.inside.visualization.visualize import (
    Visualization,
    VisualizationPlan,
    plan_visualization,
    run_visualization,
    to_picture,
    unit_values,
    visualize,
)

__all__ = [
    "PARAMETRIZATIONS",
    "Direction",
    "PhotographCheck",
    "Preview",
    "Question",
    "Visualization",
    "VisualizationPlan",
    "compare_with_photographs",
    "find_visualization",
    "load_visualization",
    "make_quiz",
    "plan_visualization",
    "run_visualization",
    "to_picture",
    "unit_values",
    "visualize",
]
