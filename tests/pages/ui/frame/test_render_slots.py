"""Turns: a few pages at once, nobody shut out for long, and no place lost."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pages.ui.frame import render_slots


def test_only_a_few_draw_at_once_and_all_get_their_turn() -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def draw(_: int) -> None:
        nonlocal inside, most
        with render_slots.acquire_slot():
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.02)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(12) as pages:
        list(pages.map(draw, range(24)))
    assert most == render_slots.MAX_SLOTS


def test_a_turn_in_a_turn_is_one_turn() -> None:
    with render_slots.acquire_slot():
        for _ in range(2 * render_slots.MAX_SLOTS):
            with render_slots.acquire_slot():
                pass
        others = [threading.Thread(target=_take) for _ in range(render_slots.MAX_SLOTS - 1)]
        start = time.perf_counter()
        for thread in others:
            thread.start()
        for thread in others:
            thread.join()
    assert time.perf_counter() - start < render_slots.SLOT_TIMEOUT_S / 2, (
        "the inner turns have given back nothing, and taken nothing"
    )


def _take() -> None:
    with render_slots.acquire_slot():
        pass


def _hold(ready: threading.Barrier, gate: threading.Event, waiting: bool) -> None:
    with render_slots.acquire_slot():
        if waiting:
            with render_slots.release_slot():
                ready.wait(5)
                gate.wait(5)
        else:
            ready.wait(5)
            gate.wait(5)


@pytest.mark.parametrize("waiting", [False, True], ids=["drawing", "waiting"])
def test_slow_pages_hold_up_the_others_for_a_moment_only_and_waiting_ones_not_at_all(waiting: bool) -> None:
    ready, gate = threading.Barrier(render_slots.MAX_SLOTS + 1), threading.Event()
    slow = [threading.Thread(target=_hold, args=(ready, gate, waiting)) for _ in range(render_slots.MAX_SLOTS)]
    for page in slow:
        page.start()
    ready.wait(5)
    start = time.perf_counter()
    _take()
    took = time.perf_counter() - start
    gate.set()
    for page in slow:
        page.join()
    assert (
        took < render_slots.SLOT_TIMEOUT_S / 2
        if waiting
        else render_slots.SLOT_TIMEOUT_S * 0.9 < took < render_slots.SLOT_TIMEOUT_S + 1
    )


def test_a_place_comes_back_when_drawing_ends_early() -> None:
    for _ in range(2 * render_slots.MAX_SLOTS):
        with pytest.raises(KeyError), render_slots.acquire_slot(), render_slots.release_slot():
            raise KeyError
    start = time.perf_counter()
    _take()
    assert time.perf_counter() - start < render_slots.SLOT_TIMEOUT_S / 2


def test_the_more_pages_look_the_less_often_each_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(render_slots.time, "monotonic", lambda: now)
    monkeypatch.setattr(render_slots, "_last_polls", {})
    alone = render_slots.poll_interval("me"), render_slots.poll_interval("me", short_jobs=False)
    assert alone == (render_slots.MIN_POLL_S, render_slots.MIN_POLL_S)
    for number in range(29):
        render_slots.poll_interval(f"pupil {number}")
    soon, later = render_slots.poll_interval("me"), render_slots.poll_interval("me", short_jobs=False)
    assert 30 / soon <= 20 and 30 / later <= 7, "looks a second of all together"
    assert render_slots.MIN_POLL_S < soon < later <= render_slots.MAX_POLL_S
    for number in range(970):
        render_slots.poll_interval(f"somebody {number}")
    assert render_slots.poll_interval("me") == render_slots.MAX_POLL_S
    now += 2 * render_slots.MAX_POLL_S + 1
    assert render_slots.poll_interval("me") == render_slots.MIN_POLL_S, "who looks no more does not count"
