"""Network dissection on a page: its three steps, the detectors of a layer, one unit's pictures, layers compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

import xai_core
from pages.ui.frame import url_state
from pages.ui.frame.session import session_id
from pages.ui.imageset import clickable_tables
from pages.ui.model import navigation, probe_choice
from pages.ui.model.label_words import ANY, count_units, describe_label, format_share, name_label
from pages.ui.widgets import background, forms, picture_grid, show
from xai_core import Job, inside, jobs
from xai_core.formatting import score
from xai_core.inside import MIN_IOU, ConceptProbe, Dissection, UnitLabel
from xai_core.render import draw_response, tables as figures

EXAMPLE_PX, _MAX_LETTERS = 150, 80
CONCEPT = "concept"
# Bytes beside the layer's maps, of which at most a part is held.
WORKSPACE, MAX_MAPS = 200 * 2**20, 256 * 2**20
POOL = jobs.JobPool("dissections", workers=1, quick_workers=1, keep=16, timeout=jobs.CLOSED_TAB_S)
_QUESTIONS = (
    (
        "What does this not tell?",
        (
            "Only concepts with labelled pixels can be found: a unit may match something that no label names. Only the "
            "strongest half percent of a unit's responses is compared; weaker ones may mean something else. Several "
            "units may share a concept, and one unit may have several: the label is the best one of them."
        ),
    ),
    (
        "Why is the IoU so low?",
        (
            "A unit's mask covers half a percent of all places. If a concept covers 3 percent of the pixels, the mask "
            "can share at most a sixth of what both cover. So every IoU stands beside the largest one that the areas "
            "allow."
        ),
    ),
    (
        "Can a label be luck?",
        (
            "The best of many concepts is always a little good by luck. So each label is tested on pictures it was not "
            "chosen on, many tests together let at most one wrong label in twenty pass, and the count with shuffled "
            "masks shows what luck alone gives."
        ),
    ),
    (
        "What does “saturated” mean?",
        (
            "Some layers cannot answer more than a fixed number, such as 6. If more than half a percent of the places "
            "reach it, the mask takes all of them, so it is larger than that of other units."
        ),
    ),
)


def render_steps(model: xai_core.Classifier, layer: str, probe: ConceptProbe) -> None:
    """Render the three steps of network dissection with the numbers of this choice."""
    record = model.layer(layer)
    (rows, columns), held_out = record.grid, 0 if probe.held_out is None else len(probe.held_out)
    steps = (
        (
            "1 · Get",
            (
                f"Take {len(probe):,} pictures in which every pixel of {len(probe.concepts)} concepts is labelled, and "
                f"record what the {record.channels:,} units (channels) of {layer} answer at {rows} × {columns} places."
            ),
        ),
        (
            "2 · Measure",
            (
                "Find for each unit the value that it exceeds at only half a percent of all places. These places are "
                "its mask: what it likes most."
            ),
        ),
        (
            "3 · Quantify",
            "Compare each mask with each concept: pixels in both over pixels in either (IoU, intersection over union). "
            f"Above {MIN_IOU} the unit counts as a detector"
            + (f", if {held_out} other pictures confirm it." if held_out else "."),
        ),
    )
    for column, (title, text) in zip(st.columns(3, gap="large"), steps, strict=True):
        with column:
            st.markdown(f"**{title}**")
            show.write(text)
    probe_choice.render_samples(probe)


def request(
    model: xai_core.Classifier, layer: str, probe: ConceptProbe, name: str = "concepts_on"
) -> Dissection | None:
    """Return the layer's dissection: the stored one at once, else on request; None while there is none."""
    stored = inside.find_dissection(model, layer, probe)
    if stored is not None:
        return stored
    if not forms.render_toggle(
        name, "Match the units with the concepts", "Takes about a minute the first time; the answer is stored."
    ):
        return None
    record, key = model.layer(layer), ("dissection", model.name, model.weights_sha256, layer, probe.key)
    maps = 4 * record.channels * record.grid[0] * record.grid[1] * len(probe)

    def work(job: Job[Dissection]) -> Dissection:
        return inside.load_dissection(model, layer, probe, job)

    start = partial(POOL.start, key, work, 2.0 * len(probe), session_id(), WORKSPACE + min(maps, MAX_MAPS))
    return background.follow(key, start, "Comparing units with concepts", again=False)


def render_detectors(model: xai_core.Classifier, result: Dissection) -> None:
    """Render how many units match a concept, the concepts as bars, and the units in a table."""
    count = len(result.detectors)
    tested = f", and {result.held_out} pictures that it was not chosen on confirm the label" if result.held_out else ""
    show.write_strong(
        f"{count} of {len(result.labels):,} units match a concept: the IoU is above {MIN_IOU}{tested}."
        if count
        else f"None of the {len(result.labels):,} units matches one of these concepts."
    )
    show.write(
        f"Check: when each picture gets the labels of another one, {result.shuffled_detectors:,} of "
        f"{len(result.labels):,} units reach an IoU of {MIN_IOU}. That is what luck alone gives."
    )
    _write_saturation(result)
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.subheader("Concepts of this layer")
        _draw_concepts(result)
    with right:
        st.subheader("Units")
        render_label_table(result.layer, select_labels(result), "unit_labels", navigation.use_unit)


def _write_saturation(result: Dissection) -> None:
    saturated = [label for label in result.labels if label.saturated > 0]
    if saturated:
        most = max(label.saturated for label in saturated)
        show.write(
            f"{count_units(len(saturated))} saturated: the largest value is reached at up to {format_share(most)} of "
            "the places, so the masks are larger there.",
            quiet=True,
        )


def select_labels(result: Dissection) -> list[UnitLabel]:
    """Render the choice of a concept, and of detectors or all units; return the labels that fit."""
    concept = _render_concept_choice(result)
    is_complete = forms.render_toggle(
        "concepts_all_units", "Also units that are not detectors", "Their best match is below the limit or unproven."
    )
    labels = sorted(result.labels, key=lambda label: -label.iou) if is_complete else result.detectors
    return [label for label in labels if concept in (ANY, label.concept)]


def _render_concept_choice(result: Dissection) -> str:
    counts = {concept: len(result.units_for(concept)) for concept in result.concepts}
    options = [ANY, *sorted((name for name in counts if counts[name]), key=lambda name: -counts[name])]
    if st.session_state[CONCEPT] not in options:
        options.append(st.session_state[CONCEPT])
    return str(
        st.selectbox(
            "Find units by concept",
            options,
            url_state.index_of(options, CONCEPT),
            format_func=lambda name: name if name == ANY else f"{name} · {counts.get(name, 0)}",
            key=CONCEPT,
        )
    )


def restore_concept() -> None:
    """Restore the concept that units are searched by, before anything is drawn; it may be none of this layer."""
    url_state.restore(CONCEPT, ANY, lambda text: text[:_MAX_LETTERS])


def _draw_concepts(result: Dissection) -> None:
    counts = [(concept, len(result.units_for(concept))) for concept in result.concepts]
    shown = sorted((entry for entry in counts if entry[1]), key=lambda entry: -entry[1])
    if not shown:
        show.write("No concept has a detector here. Try another layer, or other concept pictures.", quiet=True)
        return

    def take(place: int) -> None:
        url_state.set_value(CONCEPT, shown[place][0])

    names, numbers = zip(*shown, strict=True)
    drawing = figures.draw_bars(names, np.array(numbers, dtype=float), "units")
    show.draw_figure(drawing, "concept_bars", take)


def render_label_table(layer: str, labels: Sequence[UnitLabel], key: str, take: Callable[[str], None]) -> None:
    """Render units with their labels, sortable; `take` gets the name of the unit that is clicked."""
    if not labels:
        show.write("No detector to show. Units that are not detectors can be shown too.", quiet=True)
        return
    frame = pd.DataFrame(
        {
            "Unit": [label.unit for label in labels],
            "Concept": [label.concept or "none" for label in labels],
            "IoU": [label.iou for label in labels],
            "At most": [label.reachable for label in labels],
            "Range": [f"{score(label.low)}–{score(label.high)}" for label in labels],
            "AUPRC": [label.precision for label in labels],
            "By chance": [label.chance for label in labels],
            "Saturated": [format_share(label.saturated) if label.saturated else "" for label in labels],
        }
    ).round(3)
    clickable_tables.draw_table(
        frame,
        key,
        lambda place, _column: take(f"channel:{layer}:{labels[place].unit}"),
        "Units with the concept that each matches best",
        most=12,
    )
    show.write(
        "At most: the largest IoU that the areas allow. Range: where the IoU lies with resampled pictures (95 %). "
        "AUPRC: how well the unit sorts held-out pictures that show the concept before the others, "
        "beside what a random order gets. Click a unit; click a head to sort.",
        quiet=True,
    )


def _current_label(model: xai_core.Classifier, result: Dissection) -> UnitLabel:
    """Return the label of the open unit if it is one of this layer, else of the best detector."""
    best = result.detectors[0] if result.detectors else result.labels[0]
    try:
        unit = inside.parse_unit(model, st.session_state[navigation.restore_unit()])
    except xai_core.XaiError:
        return best
    return result.labels[unit.index] if unit.layer == result.layer and unit.index is not None else best


def _draw_examples(
    model: xai_core.Classifier, result: Dissection, probe: ConceptProbe, unit: int, job: Job[Any]
) -> list[tuple[str, bool]]:
    return [
        picture_grid.encode_picture(draw_response(example.picture, example.mask, example.concept), 2 * EXAMPLE_PX)
        for example in inside.read_examples(model, result, probe, unit, job=job)
    ]


def render_unit_pictures(model: xai_core.Classifier, result: Dissection, probe: ConceptProbe) -> None:
    """Render the open unit: its label in words, and the pictures it answers to most."""
    label = _current_label(model, result)
    st.subheader(f"Unit {label.unit}: {name_label(label)}")
    for sentence in describe_label(label, result):
        show.write(sentence)
    name = f"channel:{result.layer}:{label.unit}"
    st.button("Open this unit", on_click=navigation.open_unit, args=(name,), icon=":material/center_focus_strong:")
    render_examples(model, result, probe, label)


def render_examples(model: xai_core.Classifier, result: Dissection, probe: ConceptProbe, label: UnitLabel) -> None:
    """Render the pictures of the probe that a unit answers to most, with its mask and the concept."""
    if label.concept is None:
        return
    drawn = background.compute(
        ("unit examples", model.name, model.weights_sha256, result.layer, probe.key, label.unit),
        partial(_draw_examples, model, result, probe, label.unit),
        "Looking at its strongest pictures",
        cost=8,
    )
    if drawn is None:
        return
    items = [
        picture_grid.Item(place, source, f"Number {place + 1} of the pictures it answers to most", "", is_tiny)
        for place, (source, is_tiny) in enumerate(drawn)
    ]
    picture_grid.render_items(items, "unit_examples", "Strongest pictures", lambda _place: None, EXAMPLE_PX)
    show.write(f"Bright: where the unit answers most. Orange frame: {label.concept}.", quiet=True)


def render_questions() -> None:
    """Render what the comparison can and cannot tell."""
    for title, text in _QUESTIONS:
        with st.expander(title, icon=":material/help:"):
            show.write(text)
