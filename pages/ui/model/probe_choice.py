"""Choice of the concept pictures: drawn ones, or the objects or classes of the picture set in use."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from pages.ui.imageset import page_context
from pages.ui.widgets import background, forms, picture_grid, show
from xai_core import Job, XaiError, inside
from xai_core.inside import ConceptProbe

DRAWN = "drawn"
SOURCES = {
    DRAWN: "Drawn patterns and colours",
    "objects": "Objects of the picture set",
    "classes": "Classes of the picture set",
}
SAMPLES, SAMPLE_PX = 8, 96
_MAX_NAMES = 30


def drawn_probe() -> ConceptProbe:
    """Return the default probe: the same pictures for everybody."""
    return inside.draw_probe()


def render() -> ConceptProbe | None:
    """Render the choice and some of the pictures; None, with a sentence, where the set has none that fit."""
    chosen = forms.render_segments("concept_pictures", "Concept pictures", SOURCES, DRAWN)
    if chosen == DRAWN:
        probe = drawn_probe()
    else:
        dataset = page_context.require_set()
        page_context.render_set_link(dataset)
        make = inside.probe_from_masks if chosen == "objects" else inside.probe_from_classes
        try:
            probe = make(dataset)
        except XaiError as problem:
            show.write_problem(problem)
            return None
    return probe


def _draw_samples(probe: ConceptProbe, job: Job[Any]) -> list[picture_grid.Item]:
    items = []
    job.expect(SAMPLES)
    for place in np.linspace(0, len(probe) - 1, min(SAMPLES, len(probe))).astype(int).tolist():
        picture, masks = probe.read(place)
        names = [name for name, mask in zip(probe.concepts, masks, strict=True) if mask.any()]
        source, is_tiny = picture_grid.encode_picture(picture, 2 * SAMPLE_PX)
        items.append(
            picture_grid.Item(place, source, f"Shows {', '.join(names) or 'none of the concepts'}", "", is_tiny)
        )
        job.tick(1)
    return items


def render_samples(probe: ConceptProbe) -> None:
    """Render some pictures of a probe, and the names of its concepts."""
    items = background.compute(("probe samples", probe.key), partial(_draw_samples, probe), "Drawing some pictures")
    if items is None:
        return
    picture_grid.render_items(items, "probe_samples", "Some of the concept pictures", lambda _place: None, SAMPLE_PX)
    names = list(probe.concepts[:_MAX_NAMES])
    more = f" and {len(probe.concepts) - len(names)} more" if len(probe.concepts) > len(names) else ""
    show.write(f"The concepts: {', '.join(names)}{more}.", quiet=True)
