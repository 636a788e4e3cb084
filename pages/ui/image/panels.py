"""Map jobs on a page: progress lines while they run, then their maps in the viewer; polled from a fragment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import render_slots, url_state
from pages.ui.frame.session import session_id
from pages.ui.image import growing, layers
from pages.ui.image.viewer import Panel, show_maps
from pages.ui.widgets import background
from xai_core.formatting import percent
from xai_core.render import Reading, describe_reading

# Jobs with a progress line of their own; more of them share one.
MAX_PROGRESS_LINES = 4

MapJob = xai_core.Job[xai_core.Attribution]
ModelJob = xai_core.Job[None]
# Sort keys of the finished maps of a row, ascending.
Order = Callable[[Sequence[xai_core.Attribution]], Sequence[float]]


@dataclass(frozen=True)
class MapRequest:
    """Request of one map: its plan, the sentence that says why there can be none, or the job of its model.

    `title` replaces the method's title on the card. `id` is unique on a page; cards of one `row` stand together.
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
        """Title of the map where it stands without its card."""
        return " · ".join(filter(None, (self.row, self.title or xai_core.METHODS.get(self.method).technical)))

    @property
    def weight(self) -> float:
        return self.planned.weight if self.planned else 0.0


def _stopped_ids() -> set[str]:
    """Return the ids of the maps this session stopped; other sessions that wait for them still get them."""
    stopped: set[str] = st.session_state.setdefault("stopped", set())
    return stopped


def _started_ids() -> set[str]:
    """Return the ids of the maps this session started; a failed one must not start again at every poll."""
    started: set[str] = st.session_state.setdefault("asked", set())
    return started


def _allow_restart(ids: Sequence[str]) -> None:
    growing.forget(ids)
    _stopped_ids().difference_update(ids)
    _started_ids().difference_update(ids)


def _find_or_start(request: MapRequest) -> MapJob | None:
    """Return the job of a request, started if need be; None for a refused or stopped one."""
    if request.planned is None or request.planned.id in _stopped_ids():
        return None
    if request.planned.id in _started_ids():
        job = xai_core.jobs.watch(request.planned.id, session_id())
        if job is not None and job.state == "failed":
            return job
    _started_ids().add(request.planned.id)
    return xai_core.start(request.planned, session_id())


def _start_jobs(requests: Sequence[MapRequest]) -> list[MapJob | None]:
    """Return the jobs of all requests, and leave every other job of this session."""
    plans = [request.planned for request in requests if request.planned and request.planned.id not in _stopped_ids()]
    keys = {planned.id for planned in plans}
    xai_core.jobs.leave(session_id(), keys, "attributions")
    _started_ids().intersection_update(keys)
    return [_find_or_start(request) for request in requests]


def _describe_reading(request: MapRequest, job: MapJob | None) -> Mapping[str, str]:
    """Return the sentence on how to read the map, by palette, from its settings and what has come of it."""
    spec, planned = xai_core.METHODS.get(request.method), request.planned
    if planned is None:
        return {}
    labels, result = planned.model.labels, job.result if job is not None else None
    target = planned.target if result is None else result.target
    indices = target if isinstance(target, tuple) else () if target is None else (target,)
    classes = tuple(labels[index] for index in indices)
    stage = planned.model.stage(planned.layer) if planned.layer else ""
    if result is None:
        # Region maps have evidence against only where it is not left out.
        return describe_reading(spec, Reading(planned.params, classes, stage, not planned.params.get("relu")))
    return describe_reading(spec, Reading.of(result, classes, stage, labels.__getitem__))


def _describe_class(result: xai_core.Attribution) -> str:
    """Return the explained class, of a pair the first one, with the probability that the model gives it."""
    probability = result.details.get("probability")
    return f"Class: {result.label}" + ("" if probability is None else f" ({percent(probability)})")


def _build_panel(request: MapRequest, job: MapJob | None) -> Panel:
    spec = xai_core.METHODS.get(request.method)
    title, name = (request.title, spec.full_title) if request.title else (spec.technical, spec.plain_title)
    caption = ""
    if (planned := request.planned) and planned.layer:
        caption = f"Layer: {layers.format_place(planned.model, planned.layer.name)} ({planned.layer.name})"
    card = Panel(
        request.name,
        title,
        name,
        _describe_reading(request, job),
        "failed",
        None,
        caption,
        row=request.row,
        picture=request.picture,
    )
    if request.loading is not None:
        return replace(card, state="waiting", message="Waiting for its model")
    if request.planned is None:
        return replace(card, message=request.refusal)
    if job is None:
        last = growing.find_last(request.planned.id)
        words = last.stop_words if last else "Stopped."
        return replace(card, state="cancelled", message=words, growing=last.map if last else None)
    if job.result is not None:
        known = _describe_class(job.result) if request.title or request.row or request.planned.target is None else ""
        card = replace(card, caption=" · ".join(filter(None, (known, caption))))
    message = ""
    if job.error is not None:
        message = str(job.error)
    elif job.state == "waiting":
        message = background.describe_place(job).capitalize()
    elif job.state == "working" and spec.grows and (latest := growing.update(request.planned.id, job)) is not None:
        return replace(card, state=job.state, message=latest.words, growing=latest.map)
    return replace(card, state=job.state, attribution=job.result, message=message)


def _format_progress(job: MapJob) -> str:
    return (
        f"{job.done:,} of {job.total:,} evaluations, {background.format_seconds(job.seconds_left)}"
        if job.state == "working" and job.done
        else background.describe_place(job)
    )


def _render_progress(request: MapRequest, job: MapJob) -> None:
    line, button = st.columns([6, 1], vertical_alignment="center")
    line.progress(job.fraction, f"{request.words}: {_format_progress(job)}")
    if button.button("Stop", key=f"stop_{request.name}", width="stretch", help=f"Stop {request.words}"):
        _stop([request])


def _render_total_progress(requests: Sequence[MapRequest], jobs: Sequence[MapJob | None], key: str) -> None:
    """Render one progress line for all jobs, with the button that stops them."""
    started = [job for job in jobs if job is not None]
    ready = sum(job.is_finished for job in started)
    line, button = st.columns([5, 1], vertical_alignment="center")
    line.progress(sum(job.fraction for job in started) / len(started), f"{ready} of {len(started)} maps are ready")
    if button.button("Stop all", key=f"stop_all_{key}", width="stretch"):
        _stop([request for request, job in zip(requests, jobs, strict=True) if job is not None and not job.is_finished])


def _render_model_progress(requests: Sequence[MapRequest]) -> None:
    """Render a line for each model that is loading; rerun the page when one is there, so that its maps start."""
    loading = {id(request.loading): (request, request.loading) for request in requests if request.loading is not None}
    for request, job in loading.values():
        if job.is_finished:
            url_state.rerun()
        share = f"{job.done / 1e6:.0f} of {job.total / 1e6:.0f} MB" if job.total else background.describe_place(job)
        st.progress(job.fraction, f"Loading the model for {request.words}: {share}")


def _stop(requests: Sequence[MapRequest]) -> None:
    _stopped_ids().update(request.planned.id for request in requests if request.planned)
    url_state.rerun()


def _render_restart(requests: Sequence[MapRequest], jobs: Sequence[MapJob | None], key: str) -> None:
    """Render buttons that start again what was stopped or failed."""
    failed = [
        request.planned.id
        for request, job in zip(requests, jobs, strict=True)
        if request.planned and job is not None and job.state == "failed"
    ]
    stopped = [request.planned.id for request in requests if request.planned and request.planned.id in _stopped_ids()]
    for words, name, ids in (("Resume what was stopped", "go", stopped), ("Retry what failed", "tr", failed)):
        if ids and st.button(words, key=f"{name}_{key}", icon=":material/play_circle:"):
            _allow_restart(ids)
            url_state.rerun()


def _choose_poll_interval(requests: Sequence[MapRequest], jobs: Sequence[MapJob | None]) -> float | None:
    """Return the seconds until the next poll, fewer while a short job runs; None where nothing runs."""
    running = [job for job in jobs if job is not None and not job.is_finished]
    loading = any(request.loading for request in requests)
    if not running and not loading:
        return None
    return render_slots.poll_interval(session_id(), short_jobs=loading or any(job.is_quick for job in running))


@render_slots.acquire_slot()
def _render(requests: Sequence[MapRequest], picture: Image.Image, key: str, pace: float | None) -> None:
    jobs = _start_jobs(requests)
    running = [
        (request, job) for request, job in zip(requests, jobs, strict=True) if job is not None and not job.is_finished
    ]
    now = _choose_poll_interval(requests, jobs)
    if pace is not None and (now is None or now > 2 * pace):
        url_state.rerun()  # the whole page: polling ends or slows down, and what depends on the maps is drawn
    growing.keep(
        {
            request.planned.id
            for request, job in zip(requests, jobs, strict=True)
            if request.planned and (job is None or not job.is_finished)
        }
    )
    # Containers hold the place of the maps, which would be drawn anew if they moved.
    above, maps, below = st.container(), st.container(key=f"maps_{key}"), st.container()
    with maps:
        show_maps(picture, [_build_panel(request, job) for request, job in zip(requests, jobs, strict=True)], key=key)
    with above:
        _render_model_progress(requests)
        if len(running) > 1:
            _render_total_progress(requests, jobs, key)
    with above if len(running) == 1 else below:
        if len(running) <= MAX_PROGRESS_LINES:
            for request, job in sorted(running, key=lambda pair: pair[0].weight):
                _render_progress(request, job)
    with below:
        _render_restart(requests, jobs, key)


def _sort_requests(
    requests: Sequence[MapRequest], results: Mapping[str, xai_core.Attribution], order: Order | None
) -> list[MapRequest]:
    """Return the requests, sorted within each row: finished ones by `order`, the others behind them by cost."""
    place: dict[str, float] = {}
    for row in dict.fromkeys(request.row for request in requests):
        names = [request.name for request in requests if request.row == row and request.name in results]
        place |= zip(names, order([results[name] for name in names]), strict=True) if order else {}
    rows = list(dict.fromkeys(request.row for request in requests))
    return sorted(
        requests, key=lambda request: (rows.index(request.row), place.get(request.name, math.inf), request.weight)
    )


def render_maps(
    requests: Sequence[MapRequest], picture: Image.Image, key: str, order: Order | None = None
) -> dict[str, xai_core.Attribution]:
    """Start the requests, render each map when it is ready, and return the maps that are finished now, by request.

    `order` sorts the cards of a row once all jobs are finished, so that cards do not jump meanwhile.
    """
    url_state.update_address()
    jobs = _start_jobs(requests)
    pace = _choose_poll_interval(requests, jobs)
    results = {
        request.name: job.result
        for request, job in zip(requests, jobs, strict=True)
        if job is not None and job.result is not None
    }
    st.fragment(_render, run_every=pace)(
        _sort_requests(requests, results, order if pace is None else None), picture, key, pace
    )
    return results
