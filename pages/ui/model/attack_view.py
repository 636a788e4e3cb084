"""Attacks on the page: the settings, what came of it, and what it means elsewhere."""

from __future__ import annotations

import io
from collections.abc import Iterable

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import link_readers, render_slots, session, url_state
from pages.ui.image import classes
from pages.ui.image.picture import PageContext
from pages.ui.widgets import background, forms, share, show
from pages.ui.widgets.words import escape_markdown
from xai_core import Job, attacks, jobs, render
from xai_core.formatting import number, percent

PREVIEW_PX = 200
# Page that a neighbour arrives at: it says what the model sees, and lets one try further.
HAND_OVER_PAGE = "hide"
MAP_METHODS = ("grad_cam", "occlusion", "integrated_gradients", "lime")
_CONSEQUENCES = {
    "none": "Nothing more",
    "smallest": "Smallest strength",
    "maps": "Maps",
    "models": "Other models",
    "jpeg": "JPEG",
}


def render_settings(page: PageContext) -> attacks.AttackPlan:
    """Render the choice of an attack with its settings. Raises XaiError where the request is not allowed."""
    key = link_readers.restore_entry("attack", "pgd", xai_core.ATTACKS)
    names = list(xai_core.ATTACKS)
    start = url_state.index_of(names, key)
    name = st.selectbox("Attack", names, start, format_func=lambda n: xai_core.ATTACKS.get(n).full_title, key=key)
    spec = xai_core.ATTACKS.get(name)
    show.write(spec.sentence)
    words = classes.number_repeats(page.model.labels)
    guesses = [index for index, _, _ in classes.guess(page.model, page.image).classes][1:]
    hint = "The likeliest other class" if spec.needs_target else "Any other class"
    target = classes.render_search(page.model, "aim", "Make the model say", words, hint, guesses)
    epsilon = None
    if spec.epsilon is not None:
        strength = forms.render_params((attacks.strength_param(spec),), page.model.side, f"attack_{name}")
        epsilon = int(strength[attacks.EPSILON.name])
    params = forms.render_params(spec.params, page.model.side, f"attack_{name}")
    seed = forms.render_seed() if spec.random else 0
    show.write(spec.limits, quiet=True)
    return attacks.plan_attack(page.model, page.image, name, epsilon, target, params, seed)


def render_preview(planned: attacks.AttackPlan) -> None:
    """Render what the attack has so far, about twice a second, where it shows that."""
    if planned.spec.previews:
        st.fragment(_draw_preview, run_every=render_slots.poll_interval(session.session_id()))(planned.id)


@render_slots.acquire_slot()
def _draw_preview(plan_id: str) -> None:
    job = jobs.find(plan_id)
    preview = None if job is None or job.is_finished else job.request_preview()
    if preview is not None:
        st.image(preview, width=PREVIEW_PX, alt="The unfinished sticker", caption="Still being made")


def render_result(model: xai_core.Classifier, result: xai_core.Attacked) -> None:
    """Render the pictures before and after, the answers, and the sizes of the change."""
    show.write_strong(attacks.describe_attack(result))
    show.write_list(attacks.list_findings(result))
    change, factor = render.draw_change(result.change)
    titles = ("Before", f"The change, {factor} times as strong", "After")
    pictures = (result.original, change, result.picture)
    _draw_side_by_side("attack", zip(pictures, titles, titles, strict=True))
    for column, title, prediction in zip(
        st.columns(2), ("The model said", "Now it says"), (result.before, result.after), strict=True
    ):
        with column:
            st.markdown(f"**{title}**")
            show.draw_shares([(label, probability) for _, label, probability in prediction.classes])
    _render_hand_over(model, result)
    with st.expander("How large is the change?"):
        st.table(
            {
                "Most of any value (L∞), grey levels": number(result.linf),
                "Average over all values (RMS), grey levels": number(result.l2),
                "Euclidean length (L2), grey levels": number(result.l2_norm),
                "Changed pixels (L0)": f"{result.l0:,}",
                "Pictures the model was asked about": f"{result.queries:,}",
            }
        )


def _draw_side_by_side(name: str, pictures: Iterable[tuple[Image.Image, str, str]]) -> None:
    """Draw pictures with their captions and text alternatives."""
    drawn = list(pictures)
    with st.container(key=f"side_by_side_{name}"):
        for column, (picture, caption, alt) in zip(st.columns(len(drawn), gap="small"), drawn, strict=True):
            with column:
                size = f"{picture.width} × {picture.height} pixels"
                st.image(picture, caption=escape_markdown(caption), alt=f"{alt}: {size}", width="stretch")


def _render_hand_over(model: xai_core.Classifier, result: xai_core.Attacked) -> None:
    """Render the attacked picture as a link with a QR code, and as a file."""
    file = io.BytesIO()
    result.upload.save(file, "PNG")
    buttons = st.container(horizontal=True)
    share.render_hand_over(
        result.upload,
        HAND_OVER_PAGE,
        {"model": model.name},
        "Hand it to your neighbour",
        "The link opens the changed picture, kept on the disk of this computer, with this model.",
        buttons,
    )
    buttons.download_button(
        "Save the picture",
        file.getvalue(),
        f"whybox-{result.attack}.png",
        "image/png",
        icon=":material/download:",
        help="A PNG that still fools this model when somebody uploads it.",
    )


def render_consequences(planned: attacks.AttackPlan, result: xai_core.Attacked) -> None:
    """Render one more question about the attacked picture, by choice."""
    chosen = forms.render_segments("then", "And then?", _CONSEQUENCES, "none")
    model = planned.model
    if chosen == "smallest":
        _render_smallest(planned)
    views = {"maps": _render_maps, "models": _render_models, "jpeg": _render_jpeg}
    if chosen in views:
        views[chosen](model, result)


def _render_smallest(planned: attacks.AttackPlan) -> None:
    """Render the smallest strength at which the attack works, searched level by level or by halving."""
    spec, target, params = planned.spec, planned.target, planned.params

    def search(job: Job[tuple[xai_core.Attacked | None]]) -> tuple[xai_core.Attacked | None]:
        image, seed = planned.image, planned.seed
        return (attacks.smallest_epsilon(planned.model, image, spec.name, target, params, seed, job),)

    words = "Looking for the smallest strength"
    key = ("attack_smallest", planned.model.name, planned.id)
    answer = background.compute(key, search, words, cost=16 * planned.weight, write_failure=show.write_problem)
    if answer is None:
        return
    (smallest,) = answer
    how = (
        "Every strength was tried, from 1 up: of this attack a stronger change may fail where a weaker one works."
        if spec.search == "scan"
        else "Found by halving the range again and again."
    )
    if smallest is None:
        show.write(f"No strength that was tried works. {how}")
        return
    levels = "1 grey level" if smallest.epsilon == 1 else f"{smallest.epsilon} grey levels"
    show.write(f"It works from {levels} of 255 on: the model then says {smallest.after.classes[0][1]}. {how}")


def _render_maps(model: xai_core.Classifier, result: xai_core.Attacked) -> None:
    fitting = [name for name in MAP_METHODS if xai_core.METHODS.get(name).refusal(model) is None]
    key = link_readers.restore_method("attack_map", fitting[0], fitting)
    start = url_state.index_of(fitting, key)
    method = st.selectbox("Map", fitting, start, format_func=lambda n: xai_core.METHODS.get(n).full_title, key=key)
    change = background.compute(
        ("attack_map", result.picture.tobytes(), result.original.tobytes(), model.name, method),
        lambda job: attacks.compare_maps(model, result, method, job),
        "Explaining both pictures",
        cost=2 * xai_core.METHODS.get(method).weight(xai_core.plan(model, result.upload, method).params, model.side),
    )
    if change is None:
        return
    label = model.labels[result.source]
    triples = ((result.original, change.before, "before"), (result.picture, change.after, "after"))
    maps = (
        (render.overlay(picture, attribution.heatmap), f"What speaks for {label}, {when}", f"Map {when} the attack")
        for picture, attribution, when in triples
    )
    difference = render.overlay(result.original, change.difference)
    words = "The difference: orange where there is more now, blue where less"
    _draw_side_by_side("attack_maps", [*maps, (difference, words, "Map after the attack less that before")])
    show.write(
        f"Rank correlation of the two maps: {number(change.rank)} (1 means the same order of places, 0 none in common)."
    )


def _render_models(model: xai_core.Classifier, result: xai_core.Attacked) -> None:
    answers = background.compute(
        ("attack_models", result.picture.tobytes(), result.original.tobytes(), model.name),
        lambda job: attacks.try_on_bundled_models(result, job),
        "Asking the other models",
    )
    if answers is None:
        return
    for answer in answers:
        verdict = "fooled" if answer.is_fooled else "not fooled"
        show.write(
            f"{answer.name}: {verdict}. It said {answer.label_before} and now says {answer.label} "
            f"({percent(answer.probability)})."
        )
    show.write(
        "A picture made for one model often leaves others untouched: it exploits that model, not the picture.",
        quiet=True,
    )


def _render_jpeg(model: xai_core.Classifier, result: xai_core.Attacked) -> None:
    answers = background.compute(
        ("attack_jpeg", result.picture.tobytes(), result.original.tobytes(), model.name),
        lambda job: attacks.try_as_jpeg(model, result, job),
        "Saving it as JPEG",
    )
    if answers is None:
        return
    by_quality = {answer.name: answer for answer in answers}
    qualities = list(by_quality)
    quality = st.select_slider("JPEG quality", qualities, qualities[0], key="jpeg_quality")
    answer = by_quality[quality]
    verdict = "still fooled" if answer.is_fooled else "no longer fooled"
    show.write(f"At quality {quality} the model is {verdict}: it says {answer.label} ({percent(answer.probability)}).")
    fails = next((answer.name for answer in answers if not answer.is_fooled), None)
    if result.success:
        show.write(
            "It survives every quality tried."
            if fails is None
            else f"Going down, quality {fails} is the first that undoes it.",
            quiet=True,
        )
