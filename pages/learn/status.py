"""Status of the server in plain words, refreshed every two seconds."""

from __future__ import annotations

from html import escape

import streamlit as st

import xai_core
from pages.ui.frame import render_slots
from pages.ui.image import provenance
from xai_core.formatting import percent

POLL_S = 2.0


def _format_count(count: int, singular: str, plural: str) -> str:
    return f"{count:,} {singular if count == 1 else plural}"


def _format_size(megabytes: float) -> str:
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1024 else f"{megabytes:.0f} MB"


def _summarize(status: xai_core.Status) -> str:
    """Return the whole page in one sentence."""
    if not status.working and not status.waiting:
        return "Nothing is running right now. Whatever you start begins at once."
    working = f"{_format_count(status.working, 'task is', 'tasks are')} running"
    if not status.waiting:
        return f"{working}, and nobody has to wait."
    return f"{working}, and {_format_count(status.waiting, 'is', 'are')} waiting for a turn."


def _render_figure(title: str, technical: str, figure: str, sentence: str) -> None:
    with st.container(border=True, width=300):
        st.metric(f"{title} *({technical})*", figure)
        st.caption(sentence)


def _render_work(status: xai_core.Status) -> None:
    with st.container(horizontal=True):
        _render_figure(
            "Waiting", "queue", f"{status.waiting:,}", "Short tasks go first, so that they need not wait for long ones."
        )
        kinds = (
            "Tasks running at the same time: maps, models learning from a table, models looking through a picture set."
        )
        _render_figure("Running", "running jobs", f"{status.working:,}", kinds)
        _render_figure(
            "People", "sessions", f"{status.sessions:,}", "Visitors who asked for something in the last two minutes."
        )
        speed = f"{status.evaluations_per_second:,.0f} a second"
        _render_figure(
            "Speed", "evaluations", speed, "How often the models look at a picture, or at a changed copy of it."
        )


def _render_memory(status: xai_core.Status) -> None:
    st.subheader("Memory")
    share = min(max(status.reserved_mb / status.budget_mb, 0.0), 1.0) if status.budget_mb > 0 else 0.0
    sizes = f"{_format_size(status.reserved_mb)} of {_format_size(status.budget_mb)}"
    st.progress(share, f"{sizes} reserved for running tasks *(memory budget)*")
    st.caption(
        "A task that does not fit into the rest waits until another one is finished. The whole program uses "
        f"{_format_size(status.memory_mb)} of this computer's memory *(resident memory)*."
    )


def _render_results(status: xai_core.Status) -> None:
    st.subheader("Finished maps")
    requests = status.hits + status.misses
    with st.container(horizontal=True):
        stored_words = (
            f"They take {_format_size(status.stored_mb)}. "
            "When space runs out, those not viewed for longest are deleted."
        )
        _render_figure("Kept", "stored results", f"{status.results:,}", stored_words)
        share = percent(status.hits / requests) if requests else "–"
        hit_words = (
            f"{status.hits:,} of {_format_count(requests, 'map', 'maps')} had been made before, so nobody had to "
            f"wait for them."
        )
        _render_figure("Ready at once", "cache hits", share, hit_words)


def _render_models(status: xai_core.Status) -> None:
    st.subheader("Models ready to answer")
    st.caption("These are loaded *(in memory)*; any other model is loaded when somebody chooses it.")
    names = "".join(
        f"<li>{escape(provenance.model_title(name))} <small>({escape(name)})</small>"
        f"<br><small>{escape(status.gradient_notes.get(name, ''))}</small></li>"
        for name in status.models
    )
    st.html(f"<ul>{names or '<li>None yet</li>'}</ul>")


@st.fragment(run_every=POLL_S)
@render_slots.acquire_slot()
def _render_status() -> None:
    status = xai_core.status()
    st.markdown(f"**{_summarize(status)}**")
    if status.note:
        st.warning(status.note, icon=":material/save:")
    _render_work(status)
    _render_memory(status)
    _render_results(status)
    _render_models(status)


st.title("Server activity")
st.markdown(
    "Everybody who has Whybox open shares one computer. This is what it is doing; the numbers are refreshed every "
    "two seconds."
)
# No job is left: whoever looks here while waiting for a map still wants it.
_render_status()
