"""Choosing a model: loaded in a job with progress; while it loads, or where it cannot, the old one stays in use."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.visitor import waiter

AT_ONCE_S = 0.3
FALLBACK = "efficientnet_lite0"


def _words(name: str) -> str:
    spec = xai_core.MODELS.get(name)
    return spec.title if spec.bundled else f"{spec.title} (fetches {spec.size_mb:.0f} MB once)"


def pick() -> None:
    """The list of models, with one sentence on the chosen one."""
    name = st.selectbox("Model", list(xai_core.MODELS), format_func=_words, key="model", bind="query-params", label_visibility="collapsed")
    st.caption(xai_core.MODELS.get(name).sentence)


def _stop_loading(old: str) -> None:
    st.session_state["model_stopped"] = True
    st.session_state["model"] = old


@st.fragment(run_every=0.5)
def _loading(name: str, old: str | None) -> None:
    job = xai_core.start_model(name, waiter())
    if job.finished:
        st.rerun()
    title = xai_core.MODELS.get(name).title
    share = f" {job.done / 1e6:.0f} of {job.total / 1e6:.0f} MB" if job.total else ""
    st.progress(job.fraction, f"Loading {title} …{share}")
    if old is not None and st.button("Stop loading", key="stop_model", on_click=_stop_loading, args=(old,)):
        job.cancel()


def _retry() -> None:
    st.session_state.pop("model_failed", None)


def _failed(name: str, sentence: str, old: str | None) -> None:
    st.error(sentence, icon=":material/cloud_off:")
    st.button("Try again", key="retry_model", on_click=_retry)
    if old is not None:
        st.info(f"{xai_core.MODELS.get(old).title} stays in use.", icon=":material/undo:")


def current() -> xai_core.Classifier:
    """The chosen model, or the one before while the chosen one loads or cannot be had. Stops the page if there is none."""
    name, old = st.session_state.get("model") or FALLBACK, st.session_state.get("model_in_use")
    failed = st.session_state.get("model_failed", {})
    if name not in failed:
        job = xai_core.start_model(name, waiter())
        try:
            model = job.wait(AT_ONCE_S)
        except TimeoutError:
            _loading(name, old)
        except xai_core.XaiError as problem:
            st.session_state["model_failed"] = failed | {name: str(problem)}
        else:
            st.session_state["model_in_use"] = name
            return model
    if name in st.session_state.get("model_failed", {}):
        _failed(name, st.session_state["model_failed"][name], old)
    if old is None and name != FALLBACK and name in st.session_state.get("model_failed", {}):
        old = FALLBACK
    if old is None:
        st.stop()
    return xai_core.start_model(old, waiter()).wait(60)
