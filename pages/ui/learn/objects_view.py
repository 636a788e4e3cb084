"""A scene of several things, what removing each does, its maps, and tables of methods by network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.image import panels
from pages.ui.widgets import background, forms, models
from xai_core import labs
from xai_core.arrays import UInt8

SHOWN = 6
RANKED_SCENES = 12
PHOTO_SCENES = 8
METHODS = ("grad_cam", "occlusion", "integrated_gradients", "lime")
RANKED = (*METHODS, "cam", "saliency", "smooth_grad", "deep_lift", "lrp", "guided_backprop", "deconvolution")
PHOTO_METHODS = ("grad_cam", "occlusion", "integrated_gradients", "saliency", "lrp", "deconvolution")
_ENLARGED = 128


def choose_scene(network: labs.SceneNetwork) -> labs.Scene:
    """Render the choice of one of the scenes and return it."""
    scenes = {str(number): f"Scene {number}" for number in range(1, SHOWN + 1)}
    return network.scenes[int(forms.render_segments("lab_scene", "Picture", scenes, "1")) - 1]


def _enlarge(pixels: UInt8) -> Image.Image:
    return Image.fromarray(pixels).resize((_ENLARGED, _ENLARGED), Image.Resampling.NEAREST)


def render_removal(network: labs.SceneNetwork, scene: labs.Scene) -> labs.Importance | None:
    """Render the scene and the scene without each thing, with what the answer loses."""
    importance: labs.Importance | None = background.compute(
        ("removal", network.model.weights_sha256, scene.picture.tobytes()),
        partial(_measure, network.model, scene),
        "Removing each thing",
    )
    if importance is None:
        return None
    label = network.model.labels[importance.target]
    with st.container(horizontal=True, gap="medium"):
        st.image(_enlarge(scene.picture), width=_ENLARGED, alt="The whole scene", caption=f"Answer: {label}")
        for name, pixels, drop in zip(scene.names, scene.without, importance.drops, strict=True):
            # A word says more than a sign: a removal may also raise the answer.
            words = f"Without the {name}: {'loses' if drop >= 0 else 'gains'} {abs(drop):.1f}"
            st.image(_enlarge(pixels), width=_ENLARGED, alt=f"The scene without the {name}", caption=words)
    return importance


def _measure(model: xai_core.Classifier, scene: labs.Scene, job: xai_core.Job[labs.Importance]) -> labs.Importance:
    return labs.measure_importance(model, scene, job)


def render_maps(network: labs.SceneNetwork, scene: labs.Scene, importance: labs.Importance) -> None:
    """Render the scene's maps by the usual methods."""
    requests = [
        panels.MapRequest(name, xai_core.plan(network.model, scene.image, name, importance.target), picture=scene.image)
        for name in METHODS
    ]
    panels.render_maps(requests, scene.image, "objects")


def render_ranking(networks: Sequence[labs.SceneNetwork]) -> None:
    """Render the table of methods over both networks."""
    tables = {
        network.model.title: background.compute(
            ("ranking", network.model.weights_sha256),
            partial(_rank, network.model, network.scenes[:RANKED_SCENES], RANKED),
            f"Ranking the methods for “{network.model.title}”",
            cost=1000.0,
        )
        for network in networks
    }
    _render_table({title: rows for title, rows in tables.items() if rows is not None})


def _rank(
    model: xai_core.Classifier,
    scenes: Sequence[labs.Scene],
    methods: Sequence[str],
    job: xai_core.Job[tuple[labs.Ranked, ...]],
) -> tuple[labs.Ranked, ...]:
    settings = [labs.Setting(name) for name in methods if xai_core.METHODS.get(name).refusal(model) is None]
    return labs.rank_settings(model, scenes, settings, job=job)


def _render_table(tables: Mapping[str, Sequence[labs.Ranked]]) -> None:
    """Render the methods in the order of the first table, a column a network."""
    if not tables:
        return
    first, *_ = tables.values()
    names = [row.setting.method for row in first]
    columns: dict[str, list[str]] = {"Method": [xai_core.METHODS.get(name).full_title for name in names]}
    for title, rows in tables.items():
        by_name = {row.setting.method: row for row in rows}
        columns[title] = [_format(by_name[name]) if name in by_name else "–" for name in names]
    st.table(columns, hide_index=True)


def _format(row: labs.Ranked) -> str:
    low, high = row.rank_interval
    return f"{row.rank:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")


def render_photographs() -> None:
    """Render the ranking of some methods on pasted photographs, for the default model."""
    model = models.find_or_load("efficientnet_lite0")
    if isinstance(model, xai_core.Job):
        background.follow(("photo_model",), lambda: model, "Loading the model")
        return
    scenes = background.compute(
        ("photo_scenes", PHOTO_SCENES), lambda _job: labs.compose_photographs(PHOTO_SCENES, (0,)), "Composing scenes"
    )
    if scenes is None:
        return
    with st.container(horizontal=True, gap="small"):
        for scene in scenes[:4]:
            st.image(scene.image, width=160, alt=f"A scene of {', '.join(scene.names)}")
    rows = background.compute(
        ("photo_ranking", model.weights_sha256, PHOTO_SCENES),
        partial(_rank, model, scenes, PHOTO_METHODS),
        "Ranking the methods on photographs",
        cost=5000.0,
    )
    if rows is not None:
        _render_table({model.title: rows})
