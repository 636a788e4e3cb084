"""Everything on a page that may take long: there at once if it can be, else a progress line with a Stop, polled from a fragment."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import streamlit as st

from pages.ui.frame import render_slots, url_state
from pages.ui.frame.session import session_id
from pages.ui.widgets import show
from xai_core import Job, XaiError
from xai_core.engine.jobs import CLOSED_TAB_S, Jobs

T = TypeVar("T")
Make = Callable[[Job[T]], T]
Start = Callable[[], Job[T]]
Watch = Callable[[Any, str], Job[T] | None]
"""The job of a key, asked for by a visitor who so shows to be still there."""
Leave = Callable[[str, Container[Hashable]], None]
"""Ends everything a visitor waits for among some jobs, but for the keys to keep."""
AT_ONCE_S = 0.4
KEPT = 48

_JOBS = Jobs(workers=3, quick_workers=3, keep=KEPT, grace=CLOSED_TAB_S)


@dataclass
class _Wishes:
    """What this visitor wants on the page in front of them, what they have stopped, and what they have begun: its job's key.

    `waited`: the keys of the jobs that they wait for, by how to leave them.
    """

    asked: set[Hashable] = field(default_factory=set)
    stopped: set[Hashable] = field(default_factory=set)
    started: dict[Hashable, Hashable] = field(default_factory=dict)
    waited: dict[Leave, set[Hashable]] = field(default_factory=dict)


def _wishes() -> _Wishes:
    wishes: _Wishes = st.session_state.setdefault("work", _Wishes())
    return wishes


def begin() -> None:
    """First thing in a run of a page that asks for work."""
    wishes = _wishes()
    wishes.asked = set()
    wishes.waited = {leave: set() for leave in wishes.waited}


def end() -> None:
    """Last thing in a run: what was asked for before and is not any more stops, unless others wait for it too."""
    wishes = _wishes()
    for leave, keys in wishes.waited.items():
        leave(session_id(), keys)
    wishes.waited = {leave: keys for leave, keys in wishes.waited.items() if keys}
    wishes.started = {key: job for key, job in wishes.started.items() if key in wishes.asked}


def finish() -> NoReturn:
    """End a run before its time: there is nothing to show yet."""
    end()
    url_state.write()
    st.stop()


def stop() -> None:
    """All of it, for a process that is about to end."""
    _JOBS.stop()


def _again(key: Hashable) -> None:
    _wishes().stopped.discard(key)
    _wishes().started.pop(key, None)


def place(job: Job[Any]) -> str:
    """What there is to say of a job before its speed is known: where it stands in the queue, or that it begins."""
    number = job.place
    return "starting" if number is None else "next in the queue" if number == 1 else f"number {number} in the queue"


@render_slots.turn()
def _progress(key: Hashable, job: Job[Any], watch: Watch[Any], words: str) -> None:
    watch(job.key, session_id())  # still here
    if job.finished:
        url_state.rerun()
    line, button = st.columns([5, 1], vertical_alignment="center")
    left = job.seconds_left
    line.progress(job.fraction, f"{words} … {place(job) if left is None else f'about {max(left, 1):.0f} s left'}")
    if button.button("Stop", key=f"stop {key}", width="stretch", help=f"Stop: {words}"):
        _wishes().stopped.add(key)  # the next run does not ask for it, and so leaves it
        st.rerun()


def _job(key: Hashable, start: Start[T], watch: Watch[T], leave: Leave) -> Job[T]:
    """The job of this key; one that failed is not begun again by itself, or it would fail at every look."""
    wishes = _wishes()
    job = watch(wishes.started[key], session_id()) if key in wishes.started else None
    if job is None or job.stopping:
        job = start()
        wishes.started[key] = job.key
    wishes.waited.setdefault(leave, set()).add(job.key)
    return job


def follow(
    key: tuple[Hashable, ...], start: Start[T], watch: Watch[T], leave: Leave, words: str, *, again: bool = True
) -> T | None:
    """The result of a job if it is there in a moment, else None: then the page says how far it is, why it failed, or that it was stopped.

    `start` begins or joins it for this visitor; `words` say on the page what is being done. `again`: whether to offer a second try.
    """
    wishes = _wishes()
    wishes.asked.add(key)
    if key in wishes.stopped:
        st.info(f"Stopped: {words}.", icon=":material/stop_circle:")
        st.button("Go on", key=f"go on {key}", on_click=_again, args=(key,), icon=":material/play_circle:")
        return None
    try:
        job = _job(key, start, watch, leave)
        with render_slots.aside():
            return job.wait(AT_ONCE_S)
    except TimeoutError:
        st.fragment(_progress, run_every=render_slots.pace(session_id()))(key, job, watch, words)
    except XaiError as problem:
        with st.container(border=True):
            show.say(problem)
            if again:
                st.button("Try again", key=f"again {key}", on_click=_again, args=(key,), icon=":material/refresh:")
    return None


def ask(key: tuple[Hashable, ...], make: Make[T], words: str, *, cost: float = 1.0, again: bool = True) -> T | None:
    """`follow` for anything that pages compute: `key` names the request for everybody, `make` is called in a worker."""
    me = session_id()
    return follow(key, lambda: _JOBS.submit(key, make, cost, me), _JOBS.find, _JOBS.leave, words, again=again)


def soon(key: tuple[Hashable, ...], make: Make[T], *, cost: float = 1.0) -> None:
    """Begin what the page will `ask` for by the same key further down, so that several things are made side by side."""
    wishes, me = _wishes(), session_id()
    wishes.asked.add(key)
    if key not in wishes.stopped:
        _job(key, lambda: _JOBS.submit(key, make, cost, me), _JOBS.find, _JOBS.leave)
