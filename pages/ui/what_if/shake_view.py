"""Shaken pictures on the page: one shake with its curve, pictures and maps; all of them; random mixes."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

import xai_core
from pages.ui.frame import link_readers, url_state
from pages.ui.image.picture import PageContext
from pages.ui.what_if.flip_view import draw_row
from pages.ui.widgets import background, forms, picture_grid, show
from pages.ui.widgets.words import escape_markdown
from xai_core import Job, render, shakes
from xai_core.formatting import number, percent
from xai_core.render import tables
from xai_core.shakes import SHAKES, Curve, Point, Shake

GRID_PX, SOURCE_PX = 100, 200
MAX_MAPS = 3
METHODS = ("grad_cam", "occlusion", "integrated_gradients", "lime")
Grid = tuple[tuple[str, bool], ...]


def _restore_shake() -> str:
    return link_readers.restore_entry("shake", "rotation", SHAKES)


def _open_shake(number_: int) -> None:
    """Callback: open the shake of a bar."""
    url_state.set_value("shake", list(SHAKES)[number_])
    url_state.set_value("shake_view", "one")


def _find_class(page: PageContext) -> int:
    """Return the class whose probability is shown: of a pair the first."""
    return page.target[0] if isinstance(page.target, tuple) else page.target


def _key(page: PageContext, *parts: object) -> tuple[object, ...]:
    picture = xai_core.image_sha256(page.image)
    return (*parts, page.model.name, page.model.weights_sha256, picture, _find_class(page))


def _render_shake_choice() -> Shake:
    key, names = _restore_shake(), list(SHAKES)

    def write(name: str) -> str:
        return f"{shakes.GROUPS[SHAKES.get(name).group]}: {SHAKES.get(name).full_title}"

    return SHAKES.get(st.selectbox("Shake", names, url_state.index_of(names, key), format_func=write, key=key))


def render_one(page: PageContext) -> None:
    """Render a shake of choice: curve, pictures, and maps at chosen steps."""
    left, right = st.columns([3, 2], gap="large")
    with right:
        shake = _render_shake_choice()
        show.write(shake.about)
        seed = forms.render_seed() if shake.random else 0
        method, steps = _render_map_choice(page, shake)
    with left:
        curve = background.compute(
            _key(page, "shake", shake.name, seed),
            lambda job: shakes.shake_picture(page.model, page.image, shake.name, _find_class(page), seed, job),
            "Shaking the picture",
            cost=float(len(shake.values)),
        )
        if curve is None:
            return
        show.write_strong(shakes.describe_curve(curve))
        st.markdown(f"**Probability of {escape_markdown(curve.label)}**")
        figure = tables.draw_shake_curve(
            [point.words for point in curve.points],
            [point.probability for point in curve.points],
            [point.answer for point in curve.points],
            [point.is_same for point in curve.points],
            curve.before.probability,
        )
        show.draw_figure(figure, f"shake_curve_{shake.name}")
    _render_pictures(page, curve, seed)
    _render_maps(page, shake, method, steps, seed)


def _render_pictures(page: PageContext, curve: Curve, seed: int) -> None:
    """Render the picture at every step, with the answer."""
    shake = curve.shake

    def draw(job: Job[Grid]) -> Grid:
        job.expect(len(shake.values))
        encoded = []
        for value in shake.values:
            job.tick(1)
            encoded.append(picture_grid.encode_picture(shake.apply(page.model_input, value, seed), SOURCE_PX))
        return tuple(encoded)

    encoded = background.compute(_key(page, "shaken pictures", shake.name, seed), draw, "Drawing the pictures")
    if encoded is None:
        return
    items = [
        picture_grid.Item(
            place,
            source,
            f"{point.words}: the model says {point.answer} ({percent(point.answer_probability)})",
            _format_caption(f"{point.words}: {point.answer}", point),
            is_tiny,
        )
        for place, (point, (source, is_tiny)) in enumerate(zip(curve.points, encoded, strict=True))
    ]
    st.subheader("Step by step")
    show.write("What the model sees, and what it says. Choose a picture to see its map below.", quiet=True)
    take = partial(_add_step, shake)
    picture_grid.render_items(items, f"shaken_{shake.name}", "Steps of the shake", take, GRID_PX)


def _format_caption(text: str, point: Point) -> str:
    """Return a text with the answer's probability."""
    return f"{text} {percent(point.answer_probability)}"


def _restore_steps(shake: Shake) -> str:
    def read(text: str) -> list[float]:
        steps = [
            shake.values[int(part)] for part in text.split("-") if part.isdigit() and int(part) < len(shake.values)
        ]
        return steps[:MAX_MAPS]

    def write(steps: list[float]) -> str:
        return "-".join(str(shake.values.index(step)) for step in steps)

    return url_state.restore("steps", [shake.strong], read, write, f"steps_of_{shake.name}")


def _add_step(shake: Shake, place: int) -> None:
    """Callback: show the map of one more step; the oldest one goes where there are too many."""
    key, value = _restore_steps(shake), shake.values[place]
    steps = [step for step in st.session_state[key] if step != value]
    url_state.set_value(key, [*steps, value][-MAX_MAPS:])


def _render_map_choice(page: PageContext, shake: Shake) -> tuple[str, list[float]]:
    fitting = [name for name in METHODS if xai_core.METHODS.get(name).refusal(page.model) is None]
    key = link_readers.restore_method("shake_map", fitting[0], fitting)
    method = st.selectbox(
        "Map",
        fitting,
        url_state.index_of(fitting, key),
        format_func=lambda name: xai_core.METHODS.get(name).full_title,
        key=key,
    )
    steps = _restore_steps(shake)
    chosen = st.multiselect(
        "Steps with a map",
        list(shake.values),
        url_state.value_of(steps),
        format_func=shake.describe,
        key=steps,
        max_selections=MAX_MAPS,
        placeholder="No map",
    )
    return method, chosen


def _render_maps(page: PageContext, shake: Shake, method: str, steps: list[float], seed: int) -> None:
    """Render the maps of chosen steps, each in its own frame and back on the original picture."""
    st.subheader("The explanation, back on the picture")
    if not steps:
        show.write("Choose at least one step above to see its map.")
        return
    plan = xai_core.plan(page.model, page.image, method, page.target)
    maps = background.compute(
        (*_key(page, "shaken maps", shake.name, tuple(steps), method, seed), page.target),
        lambda job: shakes.shake_maps(page.model, page.image, shake.name, steps, method, page.target, seed, job),
        "Explaining the shaken pictures",
        cost=(1 + len(steps)) * xai_core.METHODS.get(method).weight(plan.params, page.model.side),
    )
    if maps is None:
        return
    show.write_strong(shakes.describe_restored_maps(maps))
    pictures = []
    for shaken in maps:
        words = f"{shaken.words[0].upper()}{shaken.words[1:]}"
        pictures.append((render.overlay(shaken.picture, shaken.heatmap), words))
        # The picture as it is has no way back.
        if shaken is not maps[0]:
            way = "exactly" if shaken.is_exact else "by interpolation"
            back = render.draw_map_back(page.model_input, shaken.restored, shaken.common)
            pictures.append((back, f"{words}, brought back {way}: rank correlation {number(shaken.rank)}"))
    draw_row(pictures)
    if not all(shaken.common.all() for shaken in maps):
        show.write(
            "Dark: the shaken picture does not show this part, so only the rest is compared. Each map has its own "
            "scale.",
            quiet=True,
        )


def render_all(page: PageContext) -> None:
    """Render the stability of the answer under every shake."""
    seed = forms.restore_seed()
    curves = background.compute(
        _key(page, "all shakes", seed),
        lambda job: shakes.shake_all(page.model, page.image, _find_class(page), seed, job),
        "Shaking the picture in every way",
        cost=float(sum(len(shake.values) for shake in SHAKES.specs())),
    )
    if curves is None:
        return
    show.write_strong(shakes.describe_weakest(curves))
    show.write("Stability: the share of the steps at which the answer stays. Choose a bar to see its steps.")
    figure = tables.draw_bars(
        [curve.shake.short_title for curve in curves],
        np.array([curve.stability for curve in curves]),
        "stability",
        shares=True,
    )
    show.draw_figure(figure, "all_shakes", _open_shake)
    with st.expander("The mildest step that changes the answer, shake by shake"):
        show.write_list(f"{curve.shake.short_title}: {_describe_change(curve)}" for curve in curves)


def _describe_change(curve: Curve) -> str:
    change = curve.nearest_change
    if change is None:
        return "no step changes the answer."
    return f"{change.words}, then it says {change.answer} ({percent(change.answer_probability)})."


def render_mixes(page: PageContext) -> None:
    """Render random mixes of mild shakes, as in training, with their answers."""
    show.write(
        "In training, pictures are varied a little at random, so that a model learns to look past it (augmentation). "
        "Here are such pictures of yours."
    )
    seed = forms.render_seed()
    mixes = background.compute(
        _key(page, "mixes", seed),
        lambda job: shakes.mix_shakes(page.model, page.image, target=_find_class(page), seed=seed, job=job),
        "Mixing shakes",
        cost=16.0,
    )
    if mixes is None:
        return
    show.write_strong(shakes.describe_mixes(mixes))
    items = []
    for place, mix in enumerate(mixes.mixes):
        source, is_tiny = picture_grid.encode_picture(mix.picture, SOURCE_PX)
        answer = _format_caption(mix.point.answer, mix.point)
        items.append(picture_grid.Item(place, source, f"{answer}. {mix.point.words}", answer, is_tiny))
    picture_grid.render_items(items, "mixes", "Mildly changed pictures", partial(_open_mix, seed), GRID_PX)
    opened = st.session_state.get("open_mix")
    if opened is not None and opened[0] == seed and opened[1] < len(mixes.mixes):
        mix = mixes.mixes[opened[1]]
        show.write(f"{mix.point.answer} ({percent(mix.point.answer_probability)}). {mix.point.words}.")
    else:
        show.write("Choose a picture to see what was done to it.", quiet=True)


def _open_mix(seed: int, place: int) -> None:
    """Callback: tell what was done to a picture."""
    st.session_state["open_mix"] = (seed, place)
