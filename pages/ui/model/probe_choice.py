"""Choice of the concept pictures: drawn ones, or the objects or classes of the picture set in use."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.imageset import page_context
from pages.ui.model.ideas import concept_upload
from pages.ui.widgets import background, forms, picture_grid, show
from xai_core import Job, XaiError, inside, read_image
from xai_core.inside import ConceptProbe

DRAWN, OWN = "drawn", "own"
SOURCES = {
    DRAWN: "Drawn patterns and colours",
    "objects": "Objects of the picture set",
    "classes": "Classes of the picture set",
    OWN: "Your own pictures",
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
    elif chosen == OWN:
        return _render_own()
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


def _render_own() -> ConceptProbe | None:
    """Render the choice of a name and pictures of one more concept beside the drawn ones; None while it is not made."""
    show.write(
        f"Drop at least {inside.MIN_OWN} pictures that show one thing, such as dogs or grass, and name it. It is "
        "compared beside the drawn concepts. Each picture counts as a whole; for a part of pictures, "
        "upload a picture set with masks."
    )
    name = st.text_input("Name of the concept", key="own_concept", max_chars=inside.MAX_NAME, placeholder="grass")
    files = concept_upload.render("own_concept_files", "Pictures of the concept", inside.MIN_OWN)
    if not files:
        return None
    if not name.strip():
        show.write("Give the concept a name to go on.")
        return None
    try:
        for data in files:
            read_image(data)
        pictures = inside.LazySequence(len(files), lambda number: read_image(files[number]))
        digest = ",".join(hashlib.sha256(data).hexdigest() for data in files)
        return inside.add_concept(drawn_probe(), name, pictures, digest)
    except XaiError as problem:
        show.write_upload_problem(problem)
        return None


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
