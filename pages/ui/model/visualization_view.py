"""Pictures made for a unit, below the natural ones."""

from __future__ import annotations

import xai_core
from xai_core.inside import Unit


def render(model: xai_core.Classifier, unit: Unit) -> None:
    """Render the pictures made for a unit."""
    del model, unit
