"""Choice of the model, loaded in a job; the former one stays in use while it loads or where it cannot load."""

from __future__ import annotations

import logging

import streamlit as st

import xai_core
from pages.ui.frame import render_slots, url_state
from pages.ui.frame.session import session_id
from pages.ui.widgets import own_models, show

AT_ONCE_S = 0.3
DEFAULT_MODEL = "efficientnet_lite0"
_log = logging.getLogger(__name__)

ModelJob = xai_core.Job[None]


def _format_model(name: str) -> str:
    spec = xai_core.MODELS.get(name)
    if xai_core.MODELS.is_own(name):
        return f"Your own: {spec.title}"
    return spec.title if spec.bundled else f"{spec.title} (fetches {spec.size_mb:.0f} MB once)"


def render_choice() -> None:
    """Render the list of models, with one sentence on the chosen one."""
    if (old := st.session_state.pop("model_back_to", None)) is not None:
        url_state.set_value("model", old)
    names = [*xai_core.MODELS, *own_models.names()]
    name = st.selectbox(
        "Model",
        names,
        url_state.index_of(names, "model"),
        format_func=_format_model,
        key="model",
        on_change=_clear_rejection,
        label_visibility="collapsed",
    )
    show.write(xai_core.MODELS.get(name).sentence, quiet=True)


def _failures() -> dict[str, str]:
    failures: dict[str, str] = st.session_state.setdefault("model_failed", {})
    return failures


def _stop_loading(old: str) -> None:
    # Another session may wait for the same download.
    xai_core.jobs.leave(session_id(), pool="models")
    url_state.set_value("model", old)


@render_slots.acquire_slot()
def _render_loading(job: ModelJob, name: str, old: str) -> None:
    if job.is_finished:
        st.rerun()
    share = f" {job.done / 1e6:.0f} of {job.total / 1e6:.0f} MB" if job.total else ""
    st.progress(job.fraction, f"Loading {xai_core.MODELS.get(name).title} …{share}")
    if old != name and st.button("Stop loading", key="stop_model", on_click=_stop_loading, args=(old,)):
        st.rerun()


def _clear_rejection() -> None:
    st.session_state.pop("model_rejected", None)


def _retry(name: str) -> None:
    _failures().pop(name, None)
    _clear_rejection()
    url_state.set_value("model", name)


def _render_failure(name: str, old: str) -> None:
    st.error(_failures()[name], icon=":material/cloud_off:")
    st.button("Try again", key="retry_model", on_click=_retry, args=(name,))
    if old != name:
        st.info(f"{xai_core.MODELS.get(old).title} stays in use.", icon=":material/undo:")


def _describe_failure(name: str, problem: xai_core.XaiError) -> str:
    """Return why a model cannot be loaded, for a visitor; paths and commands go to the log, for who runs the server."""
    if not isinstance(problem, xai_core.ModelUnavailable):
        return str(problem)
    _log.warning("the model %s could not be loaded: %s", name, problem)
    spec = xai_core.MODELS.get(name)
    if spec.bundled:
        return f"{spec.title} could not be loaded: its files on this computer are missing or damaged."
    return (
        f"{spec.title} could not be loaded. Its weights ({spec.size_mb:.0f} MB) are fetched once over the internet: "
        "check the connection and try again, or choose another model."
    )


def find_or_load(name: str) -> xai_core.Classifier | ModelJob:
    """Return the model if it is in memory or loads in a moment, else the job that loads it.

    Raises ModelUnavailable where it failed before: a new start at every poll would never end.
    """
    if (model := xai_core.ready(name)) is not None:
        return model
    if name in _failures():
        raise xai_core.ModelUnavailable(_failures()[name])
    loading: set[str] = st.session_state.setdefault("model_loading", set())
    job = xai_core.jobs.watch(name, session_id()) if name in loading else None
    if job is None or job.is_stopping:
        job = xai_core.start_model(name, session_id())
        loading.add(name)
    try:
        job.wait(AT_ONCE_S)
    except TimeoutError:
        return job
    except xai_core.XaiError as problem:
        _failures()[name] = _describe_failure(name, problem)
        loading.discard(name)
        raise xai_core.ModelUnavailable(_failures()[name]) from problem
    loading.discard(name)
    return xai_core.load_model(name)


def _find_or_render_loading(name: str, old: str) -> xai_core.Classifier | None:
    """Return the model, or None while the page shows its loading."""
    try:
        model_or_job = find_or_load(name)
    except xai_core.XaiError:
        return None
    if isinstance(model_or_job, xai_core.Job):
        st.fragment(_render_loading, run_every=render_slots.poll_interval(session_id()))(model_or_job, name, old)
        return None
    return model_or_job


def _load(name: str) -> xai_core.Classifier:
    try:
        return xai_core.warm(name)
    except xai_core.XaiError as problem:
        st.error(_describe_failure(name, problem), icon=":material/cloud_off:")
        st.stop()


def current_model() -> xai_core.Classifier:
    """Return the chosen model, or the former one while it loads or has failed; stop the page if there is none."""
    name: str = st.session_state["model"]
    old: str | None = st.session_state.get("model_in_use")
    model = _find_or_render_loading(name, old or DEFAULT_MODEL)
    if model is None and name in _failures():
        old = old or DEFAULT_MODEL
        if old != name:
            # The list goes back to the model that is in use.
            st.session_state.update(model_rejected=name, model_back_to=old)
            st.rerun()
        _render_failure(name, old)
    elif (rejected := st.session_state.get("model_rejected")) in _failures():
        _render_failure(rejected, name)
    if model is None:
        if old is None or old == name:
            st.stop()
        name, model = old, xai_core.ready(old) or _load(old)
    st.session_state["model_in_use"] = name
    return model
