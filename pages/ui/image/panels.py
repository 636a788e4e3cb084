"""Jobs on the page: a progress line each while they run, then their maps in the viewer. Polled from a fragment; workers never come here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import render_slots, url_state
from pages.ui.frame.session import session_id
from pages.ui.image.viewer import Panel, show_maps
from pages.ui.widgets import background

MAX_PROGRESS_LINES = 4
"""As many jobs have a progress line of their own; more of them share one."""

MapJob = xai_core.Job[xai_core.Attribution]
ModelJob = xai_core.Job[None]
Order = Callable[[Sequence[xai_core.Attribution]], Sequence[float]]
"""What finished maps of a row are sorted by, the smallest first."""


@dataclass(frozen=True)
class MapRequest:
    """One map wanted: the checked request, the sentence that says why there can be none, or the model it still waits for.

    Its card has the method's titles, or `title` above them. `id` tells cards of one page apart; cards of one `row` stand together.
    """

    method: str
    planned: xai_core.Plan | None = None
    refusal: str = ""
    loading: ModelJob | None = None
    id: str = ""
    title: str = ""
    row: str = ""
    picture: Image.Image | None = None

    @property
    def name(self) -> str:
        return self.id or self.method

    @property
    def words(self) -> str:
        """What the card is called where there is no card around it."""
        return " · ".join(filter(None, (self.row, self.title or xai_core.METHODS.get(self.method).title)))

    @property
    def weight(self) -> float:
        return self.planned.weight if self.planned else 0.0


def _stopped_ids() -> set[str]:
    """What this visitor has stopped. Others who wait for the same map still get it."""
    stopped: set[str] = st.session_state.setdefault("stopped", set())
    return stopped


def _started_ids() -> set[str]:
    """The maps this visitor has asked for: a failed one is not asked for again, or it would start anew at every look."""
    asked: set[str] = st.session_state.setdefault("asked", set())
    return asked


def _allow_restart(ids: Sequence[str]) -> None:
    _stopped_ids().difference_update(ids)
    _started_ids().difference_update(ids)


def _find_or_start(ask: MapRequest) -> MapJob | None:
    """The job of a request, started if need be; None for what was refused or stopped."""
    if ask.planned is None or ask.planned.id in _stopped_ids():
        return None
    if ask.planned.id in _started_ids():
        job = xai_core.jobs.watch(ask.planned.id, session_id())
        if job is not None and job.state == "failed":
            return job
    _started_ids().add(ask.planned.id)
    return xai_core.start(ask.planned, session_id())


def _start_jobs(asks: Sequence[MapRequest]) -> list[MapJob | None]:
    """The jobs of all requests, and an end to everything else this visitor waited for."""
    wanted = [ask.planned for ask in asks if ask.planned and ask.planned.id not in _stopped_ids()]
    keys = {planned.id for planned in wanted}
    xai_core.jobs.leave(session_id(), keys, "attributions")
    _started_ids().intersection_update(keys)
    return [_find_or_start(ask) for ask in asks]


def _build_panel(ask: MapRequest, job: MapJob | None) -> Panel:
    spec = xai_core.METHODS.get(ask.method)
    title, name = (ask.title, f"{spec.title} ({spec.technical})") if ask.title else (spec.title, spec.technical)
    caption = f"Layer: {ask.planned.layer.name}" if ask.planned and ask.planned.layer else ""
    card = Panel(ask.name, title, name, spec.sentence, "failed", None, caption, row=ask.row, picture=ask.picture)
    if ask.loading is not None:
        return replace(card, state="waiting", message="Waiting for its model")
    if ask.planned is None:
        return replace(card, message=ask.refusal)
    if job is None:
        return replace(card, state="cancelled", message="Stopped.")
    if job.result is not None and ask.planned.target is None:
        card = replace(card, caption=" · ".join(filter(None, (f"Class: {job.result.label}", caption))))
    message = (
        str(job.error)
        if job.error is not None
        else background.describe_place(job).capitalize()
        if job.state == "waiting"
        else ""
    )
    return replace(card, state=job.state, attribution=job.result, message=message)


def _format_progress(job: MapJob) -> str:
    left = job.seconds_left
    return (
        background.describe_place(job)
        if left is None
        else f"{job.done:,} of {job.total:,} evaluations, about {max(left, 1):.0f} s left"
    )


def _render_progress(ask: MapRequest, job: MapJob) -> None:
    line, button = st.columns([6, 1], vertical_alignment="center")
    line.progress(job.fraction, f"{ask.words}: {_format_progress(job)}")
    if button.button("Stop", key=f"stop_{ask.name}", width="stretch", help=f"Stop {ask.words}"):
        _stop([ask])


def _render_total_progress(jobs: Sequence[MapJob]) -> None:
    """One line for many jobs: how many maps are ready, and how far the others are."""
    ready = sum(job.finished for job in jobs)
    st.progress(sum(job.fraction for job in jobs) / len(jobs), f"{ready} of {len(jobs)} maps are ready")


def _render_model_progress(asks: Sequence[MapRequest]) -> None:
    """A line for each model that is being loaded. When one has come, the whole page is drawn anew: its maps can be asked for."""
    loading = {id(ask.loading): (ask, ask.loading) for ask in asks if ask.loading is not None}
    for ask, job in loading.values():
        if job.finished:
            url_state.rerun()
        share = f"{job.done / 1e6:.0f} of {job.total / 1e6:.0f} MB" if job.total else background.describe_place(job)
        st.progress(job.fraction, f"Loading the model of {ask.words}: {share}")


def _stop(asks: Sequence[MapRequest]) -> None:
    _stopped_ids().update(ask.planned.id for ask in asks if ask.planned)
    url_state.rerun()


def _render_buttons(asks: Sequence[MapRequest], jobs: Sequence[MapJob | None], key: str) -> None:
    running = [ask for ask, job in zip(asks, jobs, strict=True) if job is not None and not job.finished]
    failed = [
        ask.planned.id
        for ask, job in zip(asks, jobs, strict=True)
        if ask.planned and job is not None and job.state == "failed"
    ]
    stopped = [ask.planned.id for ask in asks if ask.planned and ask.planned.id in _stopped_ids()]
    if len(running) > 1 and st.button("Stop all", key=f"stop_all_{key}", icon=":material/stop_circle:"):
        _stop(running)
    for words, ids in (("Go on with what was stopped", stopped), ("Try again what failed", failed)):
        if ids and st.button(words, key=f"{words[:2].lower()}_{key}", icon=":material/play_circle:"):
            _allow_restart(ids)
            url_state.rerun()


def _choose_poll_interval(asks: Sequence[MapRequest], jobs: Sequence[MapJob | None]) -> float | None:
    """Seconds until the next look: few while something comes that takes seconds at most, None where nothing is to come."""
    running = [job for job in jobs if job is not None and not job.finished]
    loading = any(ask.loading for ask in asks)
    if not running and not loading:
        return None
    return render_slots.poll_interval(session_id(), short_jobs=loading or any(job.quick for job in running))


@render_slots.acquire_slot()
def _render(asks: Sequence[MapRequest], picture: Image.Image, key: str, pace: float | None) -> None:
    jobs = _start_jobs(asks)
    running = [(ask, job) for ask, job in zip(asks, jobs, strict=True) if job is not None and not job.finished]
    now = _choose_poll_interval(asks, jobs)
    if pace is not None and (now is None or now > 2 * pace):
        url_state.rerun()  # the whole page: polling ends or slows down, and what depends on the maps is drawn
    _render_model_progress(asks)
    if len(running) > MAX_PROGRESS_LINES:
        _render_total_progress([job for job in jobs if job is not None])
    else:
        for ask, job in sorted(running, key=lambda pair: pair[0].weight):
            _render_progress(ask, job)
    _render_buttons(asks, jobs, key)
    show_maps(picture, [_build_panel(ask, job) for ask, job in zip(asks, jobs, strict=True)], key=key)


def _sort_requests(
    asks: Sequence[MapRequest], found: Mapping[str, xai_core.Attribution], order: Order | None
) -> list[MapRequest]:
    """Rows as they are, the cards of each sorted: finished ones by `order` if there is one, all others behind them by cost."""
    place: dict[str, float] = {}
    for row in dict.fromkeys(ask.row for ask in asks):
        names = [ask.name for ask in asks if ask.row == row and ask.name in found]
        place |= zip(names, order([found[name] for name in names]), strict=True) if order else {}
    rows = list(dict.fromkeys(ask.row for ask in asks))
    return sorted(asks, key=lambda ask: (rows.index(ask.row), place.get(ask.name, math.inf), ask.weight))


def render_maps(
    asks: Sequence[MapRequest], picture: Image.Image, key: str, order: Order | None = None
) -> dict[str, xai_core.Attribution]:
    """Start what was asked for and show it as it comes, the cheapest first. Returns the maps that are finished now, by ask.

    `order` sorts the cards of a row as soon as nothing is being made any more: they must not jump about meanwhile.
    """
    url_state.update_address()
    jobs = _start_jobs(asks)
    pace = _choose_poll_interval(asks, jobs)
    found = {
        ask.name: job.result for ask, job in zip(asks, jobs, strict=True) if job is not None and job.result is not None
    }
    st.fragment(_render, run_every=pace)(
        _sort_requests(asks, found, order if pace is None else None), picture, key, pace
    )
    return found
