"""Everything on a table page that may take long: there at once if it can be, else a progress line with a Stop, polled from a fragment."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from pages.ui import link
from pages.ui.tables import show
from pages.ui.visitor import waiter
from xai_core import Job, XaiError, tabular
from xai_core.engine.jobs import CLOSED_TAB_S, Jobs

T = TypeVar("T")
Make = Callable[[Job[T]], T]
Start = Callable[[], Job[T]]
Watch = Callable[[], Job[T] | None]
AT_ONCE_S = 0.25
POLL_S = 0.4
KEPT = 48

_JOBS = Jobs(workers=3, quick_workers=3, keep=KEPT, grace=CLOSED_TAB_S)


@dataclass
class _Wishes:
    """What this visitor wants on the page in front of them, and what they have stopped."""

    asked: set[Hashable]
    stopped: set[Hashable]
    started: set[Hashable]


def _wishes() -> _Wishes:
    wishes: _Wishes = st.session_state.setdefault("table_work", _Wishes(set(), set(), set()))
    return wishes


def begin() -> None:
    """First thing in a run of a table page."""
    _wishes().asked = set()


def end() -> None:
    """Last thing in a run: what was asked for before and is not any more stops, unless others wait for it too."""
    wishes = _wishes()
    _JOBS.leave(waiter(), wishes.asked)
    wishes.started &= wishes.asked


def stop() -> None:
    """All of it, for a process that is about to end."""
    _JOBS.stop()
    tabular.stop_training()


def _again(key: Hashable) -> None:
    _wishes().stopped.discard(key)
    _wishes().started.discard(key)


def _halt(key: Hashable, job: Job[T]) -> None:
    _wishes().stopped.add(key)
    job.waiters.pop(waiter(), None)
    if not job.waiters:  # another visitor may wait for the same
        job.cancel()


@st.fragment(run_every=POLL_S)
def _progress(key: Hashable, job: Job[T], words: str) -> None:
    job.waiters[waiter()] = time.monotonic()  # still here
    if job.finished:
        link.rerun()
    line, button = st.columns([5, 1], vertical_alignment="center")
    left = job.seconds_left
    line.progress(job.fraction, f"{words} … {'starting' if left is None else f'about {max(left, 1):.0f} s left'}")
    if button.button("Stop", key=f"stop {key}", width="stretch", help=f"Stop: {words}"):
        _halt(key, job)
        st.rerun()


def _job(key: Hashable, start: Start[T], watch: Watch[T]) -> Job[T]:
    """The job of this key; one that failed is not begun again by itself, or it would fail at every look."""
    started = _wishes().started
    job = watch() if key in started else None
    if job is not None and not job.stopping:
        return job
    started.add(key)
    return start()


def follow(key: tuple[Hashable, ...], start: Start[T], watch: Watch[T], words: str, *, again: bool = True) -> T | None:
    """The result of a job if it is there in a moment, else None: then the page says how far it is, why it failed, or that it was stopped.

    `start` begins or joins it, `watch` finds it again; `words` say on the page what is being done. `again`: whether to offer a second try.
    """
    wishes = _wishes()
    wishes.asked.add(key)
    if key in wishes.stopped:
        st.info(f"Stopped: {words}.", icon=":material/stop_circle:")
        st.button("Go on", key=f"go on {key}", on_click=_again, args=(key,), icon=":material/play_circle:")
        return None
    try:
        job = _job(key, start, watch)
        return job.wait(AT_ONCE_S)
    except TimeoutError:
        _progress(key, job, words)
    except XaiError as problem:
        with st.container(border=True):
            show.say(problem)
            if again:
                st.button("Try again", key=f"again {key}", on_click=_again, args=(key,), icon=":material/refresh:")
    return None


def ask(key: tuple[Hashable, ...], make: Make[T], words: str, *, cost: float = 1.0, again: bool = True) -> T | None:
    """`follow` for anything that pages compute: `key` names the request for everybody, `make` is called in a worker."""
    me = waiter()
    return follow(key, lambda: _JOBS.submit(key, make, cost, me), lambda: _JOBS.find(key, me), words, again=again)
