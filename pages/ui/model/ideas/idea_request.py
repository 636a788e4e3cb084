"""Ideas to test: their pictures, a layer, and pictures of the class, as numbers read from the model in jobs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

import xai_core
from pages.ui.frame import url_state
from pages.ui.frame.session import session_id
from pages.ui.image import layers
from pages.ui.image.classes import Target
from pages.ui.image.picture import PageContext
from pages.ui.imageset import class_choice, page_context
from pages.ui.model import navigation
from pages.ui.model.ideas import concept_upload
from pages.ui.model.ideas.idea_sources import (
    IDEA_PICTURES,
    RANDOM_PICTURES,
    IdeaSource,
    Rows,
    draw_kit,
    split_set,
    spread_rows,
)
from pages.ui.widgets import background, forms, show
from xai_core import Job, inside, jobs
from xai_core.arrays import Float64, Int64
from xai_core.imageset import ImageSet
from xai_core.inside import MIN_PICTURES, ConceptKit, ConceptScores

EXAMPLES = 40
OWN, RANDOM = "own", "random pictures"
# Activations of all ideas at all layers take up to 20 MB.
_POOL = jobs.JobPool("ideas", workers=2, quick_workers=1, keep=6, timeout=jobs.CLOSED_TAB_S)
_ACTIVATION_BYTES = 40 * 2**20
Activations = Mapping[str, Mapping[str, Float64]]


@dataclass(frozen=True, eq=False)
class Trial:
    """Ideas to test, random pictures and the class's pictures, each as numbers of every layer."""

    layer: str
    label: str
    target: Target
    ideas: Activations
    random: Mapping[str, Float64]
    gradients: Mapping[str, Float64]
    """Of the class's pictures, or of the picture in use alone."""
    own_gradients: Mapping[str, Float64]
    examples: int
    """Number of pictures of the class, 0 where there are too few."""
    titles: Mapping[str, str]
    own: tuple[bytes, ...]
    """Files of the visitor's own idea."""
    key: tuple[Any, ...]


def render_choice(page: PageContext, dataset: ImageSet, rows: Int64) -> Trial | None:
    """Render what is tested and where; None, with a note or progress on the page, while it is not ready."""
    model = page.model
    try:
        kit, default = inside.kit_for(model), inside.choose_layer(model).name
    except xai_core.XaiError as problem:
        show.write_problem(problem)
        return None
    left, right = st.columns(2, gap="large", vertical_alignment="bottom")
    names = [layer.name for layer in inside.spread_layers(model, len(model.layers()))]
    with left:
        key = url_state.restore(
            "idea_layer",
            default,
            url_state.option_reader("layer", names),
            key=f"ideas_{model.name}",
            title=lambda name: layers.format_layer(model, name),
        )
        layer = st.selectbox(
            "Layer",
            names,
            url_state.index_of(names, key),
            format_func=lambda name: f"{layers.format_place(model, name)} · {name}",
            key=key,
            help="Two thirds down is usual: earlier layers know edges, the last ones know classes only.",
        )
    with right:
        own = _render_upload()
    ideas = _request_ideas(model, kit, dataset)
    # The class's pictures do not change with the picture in use.
    own_source, source = ("picture", xai_core.image_sha256(page.image)), ("set", dataset.id)
    own_gradients = _request_slopes(page, own_source, [page.image])
    gradients = _request_slopes(page, source, Rows(dataset, rows)) if len(rows) else own_gradients
    if ideas is None or own_gradients is None or gradients is None:
        return None
    activations, random, titles = ideas
    added = _request_own(model, own, str(layer)) if own else None
    if added is not None:
        activations, titles = {OWN: added, **activations}, {OWN: "your idea", **titles}
    return Trial(
        layer=str(layer),
        label=" and not ".join(model.labels[index] for index in np.atleast_1d(page.target)),
        target=page.target,
        ideas=activations,
        random=random,
        gradients=gradients,
        own_gradients=own_gradients,
        examples=len(rows),
        titles=titles,
        own=own if added is not None else (),
        key=(
            *(model.name, model.weights_sha256, page.target, tuple(activations)),
            *(source if len(rows) else own_source),
            *_digest(own),
        ),
    )


def _all_layers(model: xai_core.Classifier) -> list[Any]:
    return list(inside.spread_layers(model, len(model.layers())))


def _read_source(
    model: xai_core.Classifier, source: Callable[[], IdeaSource], name: tuple[str, ...], job: Job[Any]
) -> tuple[Activations, Mapping[str, Float64], Mapping[str, str]]:
    """Return activations of ideas and of random pictures, and titles. The pictures are drawn in the job."""
    ideas, baseline, titles = source()

    def read() -> Activations:
        job.expect(sum(map(len, ideas.values())) + len(baseline))
        groups = {**ideas, RANDOM: baseline}
        return {group: inside.read_activations(model, _all_layers(model), groups[group], job) for group in groups}

    readings = inside.load_readings(model, ("ideas", IDEA_PICTURES, RANDOM_PICTURES, *name), read)
    return {group: readings[group] for group in ideas}, readings[RANDOM], titles


def _request_ideas(model: xai_core.Classifier, kit: ConceptKit, dataset: ImageSet) -> Any:
    """Render the choice of ideas; return what `_read_source` does, None while it is read."""
    options = {"drawn": kit.title, "labels": "Labels of the picture set"}
    if forms.render_segments("idea_source", "Ideas", options, "drawn") == "drawn":
        source, names, count = partial(draw_kit, kit), (kit.name, ""), IDEA_PICTURES * len(kit.titles)
    else:
        source, names, count = partial(split_set, dataset), ("labels", dataset.id), len(dataset)
        if not split_set(dataset).ideas:
            show.write_problem(
                f"No label of this picture set has {MIN_PICTURES} pictures. Choose another set, or the drawn ideas."
            )
            return None
    key = ("ideas", model.name, model.weights_sha256, *names)
    work, cost = partial(_read_source, model, source, names), float(count + RANDOM_PICTURES)
    start = partial(_POOL.start, key, work, cost, session_id(), _ACTIVATION_BYTES)
    return background.follow(key, start, "Showing the model pictures of the ideas")


def _request_slopes(page: PageContext, source: tuple[Any, ...], pictures: Any) -> Mapping[str, Float64] | None:
    model, target = page.model, page.target

    def read(job: Job[Any]) -> Mapping[str, Float64]:
        job.expect(len(pictures))
        return inside.read_gradients(model, _all_layers(model), target, pictures, job)

    def work(job: Job[Any]) -> Mapping[str, Float64]:
        # The picture in use may be private: nothing of it is kept on disk.
        if source[0] != "set":
            return read(job)
        reading = ("slopes", EXAMPLES, target, *source)
        return inside.load_readings(model, reading, lambda: {"slopes": read(job)})["slopes"]

    key = ("idea slopes", model.name, model.weights_sha256, target, *source)
    start = partial(_POOL.start, key, work, 4.0 * len(pictures), session_id(), _ACTIVATION_BYTES)
    return background.follow(key, start, "Following the score back into the model")


def find_examples(page: PageContext) -> tuple[ImageSet, Int64]:
    """Return the set and its rows of the class's pictures, none where there are too few."""
    dataset = page_context.require_set()
    class_choice.restore(dataset, page.model)
    first = page.target[0] if isinstance(page.target, tuple) else page.target
    rows = np.flatnonzero(class_choice.match(dataset, page.model) == first)
    page_context.render_set_link(dataset, "Pictures of the class from")
    navigation.render_set_hint(page.model, dataset.name)
    enough = len(rows) >= MIN_PICTURES
    return dataset, spread_rows(rows, EXAMPLES) if enough else rows[:0]


def _digest(files: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(hashlib.sha256(data).hexdigest() for data in files)


def _render_upload() -> tuple[bytes, ...]:
    with st.popover("An idea of your own", icon=":material/add_photo_alternate:"):
        show.write(
            f"At least {MIN_PICTURES} pictures that have one thing in common and differ in everything else. "
            "They are compared with the drawn pictures, so let yours be of the same kind where you can.",
            quiet=True,
        )
        return concept_upload.render("idea_files", "Pictures of the idea", MIN_PICTURES)


def _request_own(model: xai_core.Classifier, files: tuple[bytes, ...], *names: str) -> Mapping[str, Float64] | None:
    """Return activations of the own idea in some layers: of one, or the answer would not come at once."""

    def read(job: Job[Any]) -> Mapping[str, Float64]:
        job.expect(len(files))
        pictures = [xai_core.read_image(data) for data in files]
        return inside.read_activations(model, [model.layer(name) for name in names], pictures, job)

    return background.compute(
        ("own idea", model.name, model.weights_sha256, names, *_digest(files)),
        read,
        "Looking at your pictures",
        write_failure=show.write_upload_problem,
    )


def add_own_layers(model: xai_core.Classifier, trial: Trial) -> Trial | None:
    """Return the trial with the own idea read in all layers, None while that goes on."""
    if not trial.own:
        return trial
    names = tuple(layer.name for layer in _all_layers(model))
    values = _request_own(model, trial.own, *names)
    return None if values is None else replace(trial, ideas={**trial.ideas, OWN: values})


def score_layer(trial: Trial, layer: str, job: Job[Any]) -> ConceptScores:
    """Return the scores of all ideas in a layer."""
    ideas = {name: values[layer] for name, values in trial.ideas.items() if layer in values}
    return inside.score_directions(ideas, trial.random[layer], trial.gradients[layer], layer, trial.label, job=job)
