"""Jobs on the page: a progress line each while they run, then their maps in the viewer. Polled from a fragment; workers never come here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.viewer import Panel, show_maps
from pages.ui.visitor import waiter

POLL_S = 0.4


@dataclass(frozen=True)
class Ask:
    """One map wanted: the checked request, or the sentence that says why there can be none."""

    method: str
    planned: xai_core.Plan | None = None
    refusal: str = ""


def _stopped() -> set[str]:
    stopped: set[str] = st.session_state.setdefault("stopped", set())
    return stopped


def _stop(ids: Sequence[str]) -> None:
    _stopped().update(ids)


def _go_on(ids: Sequence[str]) -> None:
    _stopped().difference_update(ids)


def _panel(ask: Ask, job: xai_core.Job[xai_core.Attribution] | None) -> Panel:
    spec = xai_core.METHODS.get(ask.method)
    caption = f"Layer: {ask.planned.layer.name}" if ask.planned and ask.planned.layer else ""
    if ask.planned is None:
        return Panel(spec.name, spec.title, spec.name, spec.sentence, "failed", message=ask.refusal)
    if job is None or job.state == "cancelled":
        return Panel(spec.name, spec.title, spec.name, spec.sentence, "cancelled", caption=caption, message="Stopped.")
    message = str(job.error) if job.error is not None else ""
    return Panel(spec.name, spec.title, spec.name, spec.sentence, job.state, job.result, caption, message)


def _left(job: xai_core.Job[xai_core.Attribution]) -> str:
    if job.state == "waiting":
        return "waiting for its turn"
    left = job.seconds_left
    return "starting" if left is None else f"{job.done:,} of {job.total:,} evaluations, about {max(left, 1):.0f} s left"


def _progress(ask: Ask, job: xai_core.Job[xai_core.Attribution]) -> None:
    line, button = st.columns([6, 1], vertical_alignment="center")
    title = xai_core.METHODS.get(ask.method).title
    line.progress(job.fraction, f"{title}: {_left(job)}")
    button.button("Stop", key=f"stop_{ask.method}", on_click=_stop, args=([job.key],), width="stretch", help=f"Stop {title}")


def watch(asks: Sequence[Ask], picture: Image.Image, key: str) -> list[xai_core.Attribution]:
    """Start what was asked for and show it as it comes. Returns the maps that are finished now, in the order asked for."""
    plans = [ask.planned for ask in asks if ask.planned]
    xai_core.leave(waiter(), [planned for planned in plans if planned.id not in _stopped()])
    unfinished = not all(job.finished for job in _jobs(asks) if job is not None)
    st.fragment(_draw, run_every=POLL_S if unfinished else None)(asks, picture, key, unfinished)
    return [job.result for job in _jobs(asks) if job is not None and job.result is not None]


def _jobs(asks: Sequence[Ask]) -> list[xai_core.Job[xai_core.Attribution] | None]:
    """The job of every request; None for what was refused or stopped."""
    going = [ask.planned if ask.planned and ask.planned.id not in _stopped() else None for ask in asks]
    return [xai_core.start(planned, waiter()) if planned else None for planned in going]


def _draw(asks: Sequence[Ask], picture: Image.Image, key: str, unfinished: bool) -> None:
    wanted = {ask.planned.id for ask in asks if ask.planned}
    xai_core.leave(waiter(), [ask.planned for ask in asks if ask.planned and ask.planned.id not in _stopped()])
    jobs = _jobs(asks)
    running = [(ask, job) for ask, job in zip(asks, jobs, strict=True) if job is not None and not job.finished]
    if unfinished and not running:
        st.rerun()
    for ask, job in running:
        _progress(ask, job)
    if len(running) > 1:
        st.button("Stop all", key=f"stop_all_{key}", on_click=_stop, args=([job.key for _, job in running],), icon=":material/stop_circle:")
    held = sorted(wanted & _stopped())
    if held:
        st.button("Go on with what was stopped", key=f"go_on_{key}", on_click=_go_on, args=(held,), icon=":material/play_circle:")
    show_maps(picture, [_panel(ask, job) for ask, job in zip(asks, jobs, strict=True)], key=key)
