"""Background work on a page: its result at once if possible, else a progress bar with a Stop in a polling fragment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, TypeVar

import streamlit as st

from pages.ui.frame import render_slots, url_state
from pages.ui.frame.session import session_id
from pages.ui.widgets import show
from xai_core import Job, XaiError, jobs

T = TypeVar("T")
Work = Callable[[Job[T]], T]
Start = Callable[[], Job[T]]
WriteFailure = Callable[[XaiError], None]
DrawPreview = Callable[[Any], None]
AT_ONCE_S = 0.4
MAX_FINISHED = 48

_POOL = jobs.JobPool("page", workers=3, quick_workers=3, keep=MAX_FINISHED, timeout=jobs.CLOSED_TAB_S)


@dataclass
class _Requests:
    """Requests of a session's current page, by the keys of `follow`."""

    current: set[Hashable] = field(default_factory=set)
    """Requests of the current run."""
    stopped: set[Hashable] = field(default_factory=set)
    job_keys: dict[Hashable, Hashable] = field(default_factory=dict)
    """Key of the job of each request that was started."""
    watched: defaultdict[str, set[Hashable]] = field(default_factory=lambda: defaultdict(set))
    """Keys of the jobs that the session waits for, by the name of their pool."""


def _requests() -> _Requests:
    requests: _Requests = st.session_state.setdefault("work", _Requests())
    return requests


def begin() -> None:
    """Open a run of a page that follows jobs: call it first."""
    requests = _requests()
    requests.current = set()
    for keys in requests.watched.values():
        keys.clear()


def end() -> None:
    """Close a run: call it last. Jobs that the run has not followed again stop, unless other sessions wait for them."""
    requests = _requests()
    for pool, keys in list(requests.watched.items()):
        jobs.leave(session_id(), keys, pool)
        if not keys:
            del requests.watched[pool]
    requests.job_keys = {key: job_key for key, job_key in requests.job_keys.items() if key in requests.current}


def finish() -> NoReturn:
    """End a run early: there is nothing to show yet."""
    end()
    url_state.update_address()
    st.stop()


def _restart(key: Hashable) -> None:
    requests = _requests()
    requests.stopped.discard(key)
    requests.job_keys.pop(key, None)


def describe_place(job: Job[Any]) -> str:
    """Return where a job stands in its queue, in words, or that it starts."""
    place = job.place
    if place is None:
        return "starting"
    return "next in the queue" if place == 1 else f"number {place} in the queue"


def format_seconds(seconds: float | None) -> str:
    """Return how long a job will take, in words: "a moment left", "about 40 s left", "about 3 min left".

    "working" before that is known.
    """
    if seconds is None:
        return "working"
    if seconds < 1.5:
        return "a moment left"
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"


@render_slots.acquire_slot()
def _draw_progress(key: Hashable, job: Job[Any], words: str, draw: DrawPreview | None = None) -> None:
    # Shows that the page is still open.
    jobs.watch(job.key, session_id())
    if job.is_finished:
        url_state.rerun()
    state = format_seconds(job.seconds_left) if job.state == "working" else describe_place(job)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(job.fraction, f"{words} … {state}")
        if st.button("Stop", key=f"stop {key}", help=f"Stop: {words}"):
            # The next run does not follow the request, and so leaves its job.
            _requests().stopped.add(key)
            st.rerun()
    if draw is not None and (preview := job.request_preview()) is not None:
        draw(preview)


def _find_or_start(key: Hashable, start: Start[T]) -> Job[T]:
    """Return the job of a request. A failed one is not started again, or it would fail at every run."""
    requests = _requests()
    job = jobs.watch(requests.job_keys[key], session_id()) if key in requests.job_keys else None
    if job is None or job.is_stopping:
        job = start()
        requests.job_keys[key] = job.key
    if job.pool is not None:
        requests.watched[job.pool.name].add(job.key)
    return job


def follow(
    key: tuple[Hashable, ...],
    start: Start[T],
    words: str,
    *,
    again: bool = True,
    write_failure: WriteFailure | None = None,
    draw: DrawPreview | None = None,
) -> T | None:
    """Return a job's result if it comes within a moment; else draw its progress, its failure or that it was stopped.

    `key` names the request, `start` starts or joins the job for this session, `words` say on the page what is being
    done. `again`: offer a second try after a failure. `write_failure` writes the failure in its own style,
    `draw` draws the latest preview of a running job.
    """
    requests = _requests()
    requests.current.add(key)
    if key in requests.stopped:
        st.info(f"Stopped: {words}.", icon=":material/stop_circle:")
        st.button("Go on", key=f"go on {key}", on_click=_restart, args=(key,), icon=":material/play_circle:")
        return None
    try:
        job = _find_or_start(key, start)
        with render_slots.release_slot():
            return job.wait(AT_ONCE_S)
    except TimeoutError:
        st.fragment(_draw_progress, run_every=render_slots.poll_interval(session_id()))(key, job, words, draw)
    except XaiError as problem:
        if write_failure is not None:
            write_failure(problem)
            return None
        with st.container(border=True):
            show.write(problem)
            if again:
                st.button("Try again", key=f"again {key}", on_click=_restart, args=(key,), icon=":material/refresh:")
    return None


def compute(
    key: tuple[Hashable, ...],
    work: Work[T],
    words: str,
    *,
    cost: float = 1.0,
    again: bool = True,
    write_failure: WriteFailure | None = None,
    draw: DrawPreview | None = None,
) -> T | None:
    """`follow` work of the page itself: `key` names the request for all sessions, `work` is called in a worker."""
    start = partial(_POOL.start, key, work, cost, session_id())
    return follow(key, start, words, again=again, write_failure=write_failure, draw=draw)


def prefetch(key: tuple[Hashable, ...], work: Work[T], *, cost: float = 1.0) -> None:
    """Start what the page will `compute` by the same key further down, so that several results are made in parallel."""
    requests = _requests()
    requests.current.add(key)
    if key not in requests.stopped:
        _find_or_start(key, lambda: _POOL.start(key, work, cost, session_id()))
