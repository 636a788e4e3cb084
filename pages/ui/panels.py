"""Jobs on the page: a progress line each while they run, then their maps in the viewer. Polled from a fragment; workers never come here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from PIL import Image

import xai_core
from pages.ui import link
from pages.ui.viewer import Panel, show_maps
from pages.ui.visitor import waiter

POLL_S = 0.4

Making = xai_core.Job[xai_core.Attribution]


@dataclass(frozen=True)
class Ask:
    """One map wanted: the checked request, or the sentence that says why there can be none."""

    method: str
    planned: xai_core.Plan | None = None
    refusal: str = ""


def _stopped() -> set[str]:
    """What this visitor has stopped. Others who wait for the same map still get it."""
    stopped: set[str] = st.session_state.setdefault("stopped", set())
    return stopped


def _held() -> dict[str, Making]:
    """This visitor's jobs by the map they make. A finished one is not asked for again: a failed one would start anew at every look."""
    held: dict[str, Making] = st.session_state.setdefault("jobs", {})
    return held


def _again(ids: Sequence[str]) -> None:
    _stopped().difference_update(ids)
    for name in ids:
        _held().pop(name, None)


def _job(ask: Ask) -> Making | None:
    """The job of a request, started if need be; None for what was refused or stopped."""
    if ask.planned is None or ask.planned.id in _stopped():
        return None
    job = _held().get(ask.planned.id)
    if job is None or job.state not in ("done", "failed"):
        job = _held()[ask.planned.id] = xai_core.start(ask.planned, waiter())
    return job


def _jobs(asks: Sequence[Ask]) -> list[Making | None]:
    """The jobs of all requests, and an end to everything else this visitor waited for."""
    wanted = [ask.planned for ask in asks if ask.planned and ask.planned.id not in _stopped()]
    xai_core.leave(waiter(), wanted)
    for name in _held().keys() - {planned.id for planned in wanted}:
        del _held()[name]
    return [_job(ask) for ask in asks]


def _panel(ask: Ask, job: Making | None) -> Panel:
    spec = xai_core.METHODS.get(ask.method)
    caption = f"Layer: {ask.planned.layer.name}" if ask.planned and ask.planned.layer else ""
    if ask.planned is None:
        return Panel(spec.name, spec.title, spec.technical, spec.sentence, "failed", message=ask.refusal)
    if job is None:
        return Panel(spec.name, spec.title, spec.technical, spec.sentence, "cancelled", caption=caption, message="Stopped.")
    message = str(job.error) if job.error is not None else ""
    return Panel(spec.name, spec.title, spec.technical, spec.sentence, job.state, job.result, caption, message)


def _left(job: Making) -> str:
    if job.state == "waiting":
        return "waiting for its turn"
    left = job.seconds_left
    return "starting" if left is None else f"{job.done:,} of {job.total:,} evaluations, about {max(left, 1):.0f} s left"


def _progress(ask: Ask, job: Making) -> None:
    line, button = st.columns([6, 1], vertical_alignment="center")
    title = xai_core.METHODS.get(ask.method).title
    line.progress(job.fraction, f"{title}: {_left(job)}")
    if button.button("Stop", key=f"stop_{ask.method}", width="stretch", help=f"Stop {title}"):
        _stop([ask])


def _stop(asks: Sequence[Ask]) -> None:
    _stopped().update(ask.planned.id for ask in asks if ask.planned)
    st.rerun()


def _buttons(asks: Sequence[Ask], jobs: Sequence[Making | None], key: str) -> None:
    running = [ask for ask, job in zip(asks, jobs, strict=True) if job is not None and not job.finished]
    failed = [ask.planned.id for ask, job in zip(asks, jobs, strict=True) if ask.planned and job is not None and job.state == "failed"]
    stopped = [ask.planned.id for ask in asks if ask.planned and ask.planned.id in _stopped()]
    if len(running) > 1 and st.button("Stop all", key=f"stop_all_{key}", icon=":material/stop_circle:"):
        _stop(running)
    for words, ids in (("Go on with what was stopped", stopped), ("Try again what failed", failed)):
        if ids and st.button(words, key=f"{words[:2].lower()}_{key}", icon=":material/play_circle:"):
            _again(ids)
            st.rerun()


def _draw(asks: Sequence[Ask], picture: Image.Image, key: str, polled: bool) -> None:
    jobs = _jobs(asks)
    running = [(ask, job) for ask, job in zip(asks, jobs, strict=True) if job is not None and not job.finished]
    if polled and not running:
        st.rerun()  # the whole page: polling ends, and what depends on the maps is drawn
    for ask, job in running:
        _progress(ask, job)
    _buttons(asks, jobs, key)
    show_maps(picture, [_panel(ask, job) for ask, job in zip(asks, jobs, strict=True)], key=key)


def watch(asks: Sequence[Ask], picture: Image.Image, key: str) -> list[xai_core.Attribution]:
    """Start what was asked for and show it as it comes. Returns the maps that are finished now, in the order asked for."""
    link.write()
    jobs = [job for job in _jobs(asks) if job is not None]
    polled = not all(job.finished for job in jobs)
    st.fragment(_draw, run_every=POLL_S if polled else None)(asks, picture, key, polled)
    return [job.result for job in jobs if job.result is not None]
