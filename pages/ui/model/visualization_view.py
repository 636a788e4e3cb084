"""Pictures made for a unit, below the natural ones: how they are made, the opposite beside them, and their check."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import render_slots, session
from pages.ui.imageset.page_context import PageContext
from pages.ui.model import check_view, navigation
from pages.ui.widgets import background, forms, show
from xai_core import Job, inside, jobs
from xai_core.formatting import number
from xai_core.inside import PARAMETRIZATIONS, Unit, Visualization, VisualizationPlan
from xai_core.params import Float, Int
from xai_core.render import tables

# A picture of 256 pixels in three channels, with its gradients in two workers.
MEMORY = 512 * 2**20
MADE_PX = 240
STARTS = {"noise": "Noise", "picture": "Your picture", "strongest": "The strongest photograph"}
SMOOTHER = Float(
    name="smoother",
    title="Smoother",
    help="Holds fine detail back: 0 leaves it as it comes.",
    default=0.0,
    low=0.0,
    high=1.0,
    step=0.1,
)
COUNT = Int(
    name="count",
    title="Pictures",
    help="Several pictures are pushed apart, so that they show different sides of a unit.",
    default=1,
    low=1,
    high=4,
)
# The class for the button, where the model knows it: the most common kind of dog.
DOG = "golden retriever"

_POOL = jobs.JobPool("visualizations", workers=1, quick_workers=1, keep=24, timeout=jobs.CLOSED_TAB_S)


def render(model: xai_core.Classifier, unit: Unit, page: PageContext | None = None) -> None:
    """Render the pictures made for a unit, on request; `page` knows the photographs it likes."""
    st.subheader("Pictures made for it")
    show.write(
        "A picture is changed step by step until this part of the network answers as strongly as it can. Such pictures "
        "show what excites it, but the photographs above tell people more."
    )
    method, start = _render_choices(page)
    photo = _start_photo(start, page, unit)
    with st.expander("More settings", icon=":material/tune:"):
        values = forms.render_params((SMOOTHER, COUNT), model.side, "made")
        smoother, count = float(values[SMOOTHER.name]), int(values[COUNT.name])
        seed = forms.render_seed()
    signs = (1,) if unit.kind == "layer" else (1, -1)
    plans = [
        inside.plan_visualization(
            model, unit.name, method, sign, start=photo, seed=seed, smoother=smoother, count=count
        )
        for sign in signs
    ]
    _render_buttons(model, plans)
    results = _render_results(plans) if _is_requested(plans) else []
    if page is None or unit.index is None:
        return
    if results:
        check_view.render_check(page, unit, results[0])
    st.subheader("A quiz")
    check_view.render_quiz(page, unit)


def _render_choices(page: PageContext | None) -> tuple[str, str]:
    """Render how to draw and what to begin with; return both names."""
    ways = {spec.name: f"{spec.technical} · {spec.title.lower()}" for spec in PARAMETRIZATIONS.specs()}
    left, right = st.columns([3, 2])
    with left:
        method = forms.render_segments("made_by", "Drawn as", ways, "fourier")
        show.write(PARAMETRIZATIONS.get(method).sentence, quiet=True)
    starts = STARTS if page is not None else {name: title for name, title in STARTS.items() if name != "strongest"}
    with right:
        start = forms.render_segments("made_from", "Begin with", starts, "noise")
        if start == "picture":
            show.write(f"Your picture: {session.current_picture()[1]}", quiet=True)
    return method, start


def _start_photo(start: str, page: PageContext | None, unit: Unit) -> Image.Image | None:
    if start == "picture":
        return session.current_picture()[0]
    if start == "strongest" and page is not None:
        return check_view.open_strongest(page, unit)
    return None


def _requests() -> set[str]:
    plan_ids: set[str] = st.session_state.setdefault("made_plans", set())
    return plan_ids


def _is_requested(plans: Sequence[VisualizationPlan]) -> bool:
    """Return whether the visitor asked for these pictures, or they were made before."""
    return all(plan.id in _requests() or inside.find_visualization(plan) is not None for plan in plans)


def _request(plans: Sequence[VisualizationPlan]) -> None:
    """Callback: make these pictures from now on."""
    _requests().update(plan.id for plan in plans)


def _render_buttons(model: xai_core.Classifier, plans: Sequence[VisualizationPlan]) -> None:
    with st.container(horizontal=True):
        if not _is_requested(plans):
            st.button("Make the pictures", on_click=_request, args=(plans,), type="primary", icon=":material/brush:")
        if DOG in model.labels:
            st.button(
                "The most dog-ish picture",
                on_click=navigation.use_unit,
                args=(f"class:{model.labels.index(DOG)}",),
                icon=":material/pets:",
                help=f"Opens the class “{DOG}”: make its pictures there.",
            )


def _render_results(plans: Sequence[VisualizationPlan]) -> list[Visualization]:
    """Render the pictures of all plans side by side; return those that are finished if all are."""
    results = []
    for column, plan in zip(st.columns(len(plans)), plans, strict=True):
        with column:
            st.markdown("**Answers most**" if plan.settings.sign > 0 else "**Answers least: the opposite**")
            # Stored pictures do not queue behind those being made.
            result = inside.find_visualization(plan) or background.follow(
                ("visualization", plan.id), partial(_start, plan), "Making the picture"
            )
            if result is None:
                st.fragment(_draw_preview, run_every=render_slots.poll_interval(session.session_id()))(plan.id)
            else:
                _render_result(result)
                results.append(result)
    return results if len(results) == len(plans) else []


def _start(plan: VisualizationPlan) -> Job[Visualization]:
    work = partial(inside.load_visualization, plan)
    return _POOL.start(plan.id, work, 4.0 * plan.gradients, session.session_id(), MEMORY)


@render_slots.acquire_slot()
def _draw_preview(plan_id: str) -> None:
    """Draw the picture as far as it is, while its job works."""
    job = jobs.find(plan_id)
    preview: inside.Preview | None = None if job is None or job.is_finished else job.request_preview()
    if preview is None:
        return
    st.image(inside.to_picture(preview.pictures[0]), width=MADE_PX, alt="The unfinished picture")
    show.write(f"Step {len(preview.curve)} of {preview.steps}: {number(preview.curve[-1])}", quiet=True)


def _render_result(result: Visualization) -> None:
    for picture, score in zip(result.pictures, result.scores, strict=True):
        st.image(
            picture,
            width=MADE_PX,
            alt=f"Picture made for {result.unit}: value {number(score)}",
            caption=f"Value {number(score)}",
        )
    with st.expander("How it grew", icon=":material/show_chart:"):
        drawing = tables.draw_steps_curve(result.curve, result.steps, "value")
        show.draw_figure(drawing, f"made_curve_{result.sign}")
        show.write(
            f"Seed {result.seed}, {result.steps} steps, {result.size[0]} × {result.size[1]} pixels, "
            f"{number(result.seconds)} s.",
            quiet=True,
        )
