"""Results of own classes: held-out answers, a new picture, the way to its explanations, and the file."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.learn import own_classes
from pages.ui.widgets import background, own_models, show, sidebar, uploader
from pages.ui.widgets.words import escape_markdown
from xai_core.arrays import Float32
from xai_core.labs import teach

EXPLANATIONS = (
    ("pages/image/compare.py", "Why? Four explanations", ":material/grid_view:"),
    ("pages/image/hide.py", "Hide a part of it", ":material/brush:"),
    ("pages/image/shake.py", "Shake it", ":material/vibration:"),
)
_KEY = "taught"
_MAX_SIDE = 280
_MAX_MISTAKES = 12


def _request() -> None:
    """Callback: ask to learn the classes as they are."""
    st.session_state["teach_request"] = own_classes.describe_state()


def render_start() -> None:
    """Render the button that teaches, and teach; an own model that results is the one in use from then on."""
    state = st.session_state
    # A callback: the pictures above report that they are drawn, and a run which that interrupts forgets its click.
    st.button("Teach it", type="primary", icon=":material/school:", on_click=_request)
    if state.get("teach_request") != own_classes.describe_state():
        state.pop("teach_request", None)
        return
    try:
        classes = own_classes.current_examples()
    except xai_core.XaiError as problem:
        show.write_problem(problem)
        return
    taught = background.compute(
        ("teach", state["teach_request"]), partial(_teach, classes), "Learning your classes", again=False
    )
    if taught is not None:
        _use(taught)
        del state["teach_request"]


def _teach(classes: dict[str, list[teach.Example]], job: xai_core.Job[Any]) -> teach.Taught:
    return teach.teach(classes, job=job)


def _use(taught: teach.Taught) -> None:
    name = teach.put_model(taught).name
    st.session_state[_KEY] = name
    st.session_state["taught_from"] = own_classes.describe_state()
    own_models.use(name)


def render_opening() -> None:
    """Render the way to open a saved model."""
    with st.expander("Open a saved model", icon=":material/folder_open:"):
        upload = uploader.render(
            "A model saved here",
            "teach_open",
            teach.MAX_FILE_MB,
            "Choose a model that was saved here.",
            problem=str(st.session_state.get("teach_open_problem", "")),
        )
        if upload is None:
            st.session_state.pop("teach_open_problem", None)
        elif st.session_state.get("teach_opened") != upload.file_id:
            st.session_state["teach_opened"] = upload.file_id
            st.session_state.pop("teach_open_problem", None)
            try:
                _use(teach.open_taught(upload.getvalue()))
            except xai_core.XaiError as problem:
                st.session_state["teach_open_problem"] = str(problem)
            st.rerun()


def current() -> tuple[str, teach.Taught] | None:
    """Return the name of the session's taught model and what it learnt, None before there is one."""
    name = str(st.session_state.get(_KEY, ""))
    taught = teach.find_taught(name) if name in xai_core.MODELS else None
    return None if taught is None else (name, taught)


def render_scores(taught: teach.Taught) -> None:
    """Render how often the held-out answers are right, and which pictures they are wrong about."""
    changed = st.session_state.get("taught_from") != own_classes.describe_state()
    if changed and taught.examples:
        show.write_warning("The classes have changed since. Press “Teach it” to learn them anew.")
    first, *rest = teach.describe_taught(taught)
    show.write_strong(first)
    show.write_list(rest)
    _render_confusion(taught)
    _render_mistakes(taught)


def _render_confusion(taught: teach.Taught) -> None:
    columns: dict[str, list[Any]] = {"Pictures of": [escape_markdown(label) for label in taught.labels]}
    for column, label in enumerate(taught.labels):
        columns[f"taken for {escape_markdown(label)}"] = taught.confusion[:, column].tolist()
    st.table(columns, hide_index=True)


def _render_mistakes(taught: teach.Taught) -> None:
    rows = np.flatnonzero(taught.truth != taught.answers)[:_MAX_MISTAKES].tolist() if taught.examples else []
    shown = [(row, example) for row in rows if (example := teach.find_example(taught.examples[row])) is not None]
    if not shown:
        return
    show.write("Pictures it was wrong about:", quiet=True)
    with st.container(horizontal=True, gap="small"):
        for row, example in shown:
            label, answer = (taught.labels[index[row]] for index in (taught.truth, taught.answers))
            picture = Image.open(io.BytesIO(example.thumbnail))
            st.image(
                picture, width=96, alt=f"A picture of {label}", caption=escape_markdown(f"{label}, taken for {answer}")
            )


def render_trial(name: str, taught: teach.Taught) -> None:
    """Render the answer to the picture in use, the choice of another one, and links to what explains it."""
    picture, title = session.current_picture()
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.image(
            picture,
            width=show.fit_width(picture, _MAX_SIDE, _MAX_SIDE),
            alt=f"The picture in use: {title}",
            caption=escape_markdown(title),
        )
        sidebar.render_uploader("teach")
    with right:
        features = background.compute(
            ("teach features", xai_core.image_sha256(picture)), partial(_embed, picture), "Looking at the picture"
        )
        if features is not None:
            shares = taught.probabilities(features)[0]
            order = np.argsort(-shares, kind="stable").tolist()
            show.write_strong(f"It says {taught.labels[order[0]]}.")
            show.draw_shares([(taught.labels[row], float(shares[row])) for row in order])
            show.write("It knows these classes only: whatever the picture shows, it names one of them.", quiet=True)
        with st.container(horizontal=True):
            for address, label, icon in EXPLANATIONS:
                if st.button(label, icon=icon):
                    own_models.use(name)
                    st.switch_page(address, query_params=url_state.query())


def _embed(picture: Image.Image, job: xai_core.Job[Any]) -> Float32:
    return teach.embed(xai_core.load_model(teach.BASE), [picture], job)


def render_saving(name: str, taught: teach.Taught) -> None:
    """Render the download of the model."""
    st.download_button(
        "Save this model",
        partial(teach.save_taught, taught),
        file_name="-".join(taught.labels)[:60].replace(" ", "_") + teach.SUFFIX,
        mime="application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
        key=f"save_{name}",
    )
    show.write("The file holds what was learnt and the names of the classes. Your pictures are not in it.", quiet=True)
