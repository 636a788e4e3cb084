"""A training of the digit network on a page: settings with their cards, live curves, words, and the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.image import panels
from pages.ui.learn import digit_canvas
from pages.ui.widgets import background, forms, own_models, show, uploader
from xai_core import labs
from xai_core.formatting import percent
from xai_core.labs import live
from xai_core.params import Value
from xai_core.render.tables import draw_training

EXPLANATIONS = (
    ("pages/image/compare.py", "Why? Four explanations", ":material/grid_view:"),
    ("pages/image/hide.py", "Hide a part of it", ":material/brush:"),
    ("pages/model/layer.py", "Look at its layers", ":material/layers:"),
)
GROWTH_METHODS = ("occlusion", "integrated_gradients")
_PREFIX = "live"
_RUNS = "live_runs"
# Runs of a session that can be compared.
_MAX_RUNS = 6


def _use_preset(name: str) -> None:
    """Callback: set all settings to those of a preset."""
    values = live.check_settings(live.PRESETS[name].values)
    for param, value in values.items():
        url_state.set_value(f"{_PREFIX}_{param}_{live.SIDE}", value)
    st.session_state["live_advice"] = live.PRESETS[name].advice


def render_presets() -> None:
    """Render the presets as buttons, with what to look at in the last one chosen."""
    forms.restore_params(live.PARAMS, live.SIDE, _PREFIX)
    with st.container(horizontal=True):
        for name, preset in live.PRESETS.items():
            st.button(preset.title, key=f"preset_{name}", on_click=_use_preset, args=(name,))
    show.write(st.session_state.get("live_advice", ""), quiet=True)


def render_settings() -> tuple[Mapping[str, Value], int]:
    """Render all settings, each with its cards; return their values and the seed."""
    values: dict[str, Value] = {}
    columns = st.columns(3, gap="medium")
    for place, param in enumerate(live.PARAMS):
        with columns[place % 3]:
            values |= forms.render_params([param], live.SIDE, _PREFIX)
            render_cards(f"train:{param.name}")
    with columns[len(live.PARAMS) % 3]:
        seed = forms.render_seed()
    return values, seed


def render_cards(place: str) -> None:
    """Render the cards that belong to a place of a page, each behind its name."""
    cards = labs.cards_at(place)
    if cards:
        with st.container(horizontal=True, gap="small"):
            for card in cards:
                with st.popover(card.title, icon=":material/info:"):
                    st.markdown(card.text)


def render_training(values: Mapping[str, Value], seed: int) -> None:
    """Render the button that trains, the live curves while it does, and keep what comes of it."""
    state = st.session_state
    # A training goes on with the settings it began with, whatever is moved meanwhile.
    request = (tuple(values.items()), seed)
    if st.button("Train it", type="primary", icon=":material/play_arrow:"):
        state["live_request"] = request
    if "live_request" not in state:
        return
    chosen, chosen_seed = state["live_request"]
    trained = background.compute(
        ("live", state["live_request"]),
        partial(_train, dict(chosen), chosen_seed),
        "Training the network",
        cost=2000.0,
        draw=partial(_draw_epochs, total=int(dict(chosen)["epochs"]), key="live_running"),
    )
    if trained is not None:
        del state["live_request"]
        keep(trained)


def _train(values: Mapping[str, Value], seed: int, job: xai_core.Job[Any]) -> live.TrainedDigits:
    return live.train_digits(values, seed, job)


def keep(trained: live.TrainedDigits) -> None:
    """Keep a training in the session; its network is the model in use from then on."""
    name = live.put_digits(trained).name
    earlier = [entry for entry in st.session_state.get(_RUNS, []) if entry != name]
    st.session_state[_RUNS] = [*earlier, name][-_MAX_RUNS:]
    own_models.use(name)


def runs() -> list[tuple[str, live.TrainedDigits]]:
    """Return the session's trainings that are still kept, the latest last."""
    names = [name for name in st.session_state.get(_RUNS, []) if name in xai_core.MODELS]
    return [(name, trained) for name in names if (trained := live.find_digits(name)) is not None]


def _draw_epochs(epochs: Sequence[live.Epoch], total: int, key: str) -> None:
    losses = [entry.train_loss for entry in epochs], [entry.validation_loss for entry in epochs]
    shares = [entry.train_accuracy for entry in epochs], [entry.validation_accuracy for entry in epochs]
    show.draw_figure(draw_training(losses, shares, total), key)


def _describe_settings(trained: live.TrainedDigits) -> str:
    usual = live.check_settings()
    changed = [
        f"{param.title.lower()} {str(trained.settings[param.name]).lower()}"
        for param in live.PARAMS
        if trained.settings[param.name] != usual[param.name]
    ]
    return f"Seed {trained.seed}; {', '.join(changed) or 'all settings as at the start'}."


def render_run(name: str, trained: live.TrainedDigits) -> None:
    """Render the curves of a training and what they say."""
    first, *rest = live.describe_training(trained.epochs, trained.settings, trained.exploded)
    show.write_strong(first)
    show.write_list(rest)
    show.write(_describe_settings(trained), quiet=True)
    _draw_epochs(trained.epochs, max(len(trained.epochs) - 1, 1), f"curves_{name}")


def render_comparison() -> None:
    """Render the latest training beside an earlier one, where there is one."""
    entries = runs()
    *earlier, (name, trained) = entries
    st.subheader("What happened?")
    render_cards("train:curves")
    if not earlier:
        render_run(name, trained)
        return
    titles = {key: f"Run {place}: {percent(run.accuracy)} right" for place, (key, run) in enumerate(earlier, 1)}
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**This run**")
        render_run(name, trained)
    with right:
        keys = list(titles)
        chosen = st.selectbox("An earlier run beside it", keys, len(keys) - 1, titles.__getitem__, key="live_beside")
        render_run(chosen, dict(earlier)[chosen])


def render_confusion(trained: live.TrainedDigits) -> None:
    """Render the answers to the test pictures, which nothing was chosen by."""
    total = len(trained.truth)
    right = round(trained.accuracy * total)
    st.subheader("The test")
    show.write_strong(f"It names {right} of {total} test pictures right ({percent(trained.accuracy)}).")
    show.write("These pictures were used neither to learn nor to choose settings.", quiet=True)
    with st.expander("Which digit is taken for which"):
        columns: dict[str, list[Any]] = {"Digit": [str(digit) for digit in range(10)]}
        for digit in range(10):
            columns[f"taken for {digit}"] = trained.confusion[:, digit].tolist()
        st.table(columns, hide_index=True)


def render_trial(name: str) -> None:
    """Render the field to draw on, the fresh network's answer, and links to what explains it."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        digit_canvas.render()
    with right:
        if digit_canvas.is_drawn():
            picture, title = session.current_picture()
            st.image(picture, width=112, alt=title, caption="What the network gets")
            prediction = background.compute(
                ("digit", name, xai_core.image_sha256(picture)),
                lambda _job: xai_core.guess(xai_core.load_model(name), picture, 5),
                "Asking the fresh network",
            )
            if prediction is not None:
                show.write_strong(f"It reads a {prediction.classes[0][1]}.")
                show.draw_shares([(label, share) for _index, label, share in prediction.classes])
            render_cards("train:answer")
        else:
            show.write("Draw a digit in the field, as large as it allows. The fresh network then reads it.")
        with st.container(horizontal=True):
            for address, label, icon in EXPLANATIONS:
                if st.button(label, icon=icon, disabled=not digit_canvas.is_drawn()):
                    own_models.use(name)
                    st.switch_page(address, query_params=url_state.query())


def render_growth(name: str, trained: live.TrainedDigits) -> None:
    """Render maps of the drawn digit by the network as it was after an epoch."""
    last = len(trained.states) - 1
    if last < 1 or not digit_canvas.is_drawn():
        return
    st.subheader("How the evidence formed")
    show.write("Move the slider: the same digit and the same question, asked of the network after each epoch.")
    epoch = st.slider("After epoch", 0, last, last, key=f"epoch_{name}")
    now, model = (live.digits_after(name, place) for place in (last, epoch))
    if now is None or model is None:
        return
    picture, _title = session.current_picture()
    answer = xai_core.guess(now, picture, 1).classes[0][0]
    share = {row[0]: row[2] for row in xai_core.guess(model, picture, 10).classes}[answer]
    show.write_strong(f"After epoch {epoch}, it gives {now.labels[answer]} a probability of {percent(share)}.")
    requests = [
        panels.MapRequest(
            method, xai_core.plan(model, picture, method, answer), id=f"{method}-{epoch}", picture=picture
        )
        for method in GROWTH_METHODS
    ]
    panels.render_maps(requests, picture, "growth")


def render_files(name: str, trained: live.TrainedDigits) -> None:
    """Render the download of the latest network."""
    st.download_button(
        "Save this model",
        partial(live.save_digits, trained),
        file_name=f"digits{live.SUFFIX}",
        mime="application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
        key=f"save_{name}",
    )


def render_opening() -> None:
    """Render the way to open a saved network."""
    with st.expander("Open a saved model", icon=":material/folder_open:"):
        problem = str(st.session_state.get("live_open_problem", ""))
        upload = uploader.render(
            "A digit network saved here",
            "live_open",
            live.MAX_FILE_MB,
            "Choose one that was saved here.",
            problem=problem,
        )
        if upload is not None and st.session_state.get("live_opened") != upload.file_id:
            st.session_state["live_opened"] = upload.file_id
            st.session_state.pop("live_open_problem", None)
            try:
                keep(live.open_digits(upload.getvalue()))
            except xai_core.XaiError as problem_error:
                st.session_state["live_open_problem"] = str(problem_error)
            st.rerun()
