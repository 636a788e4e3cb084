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
        with render_slots.turn():
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.02)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(12) as pages:
        list(pages.map(draw, range(24)))
    assert most == render_slots.AT_ONCE


def test_a_turn_in_a_turn_is_one_turn() -> None:
    with render_slots.turn():
        for _ in range(2 * render_slots.AT_ONCE):
            with render_slots.turn():
                pass
        others = [threading.Thread(target=_take) for _ in range(render_slots.AT_ONCE - 1)]
        start = time.perf_counter()
        for other in others:
            other.start()
        for other in others:
            other.join()
    assert time.perf_counter() - start < render_slots.PATIENCE_S / 2, (
        "the inner turns have given back nothing, and taken nothing"
    )


def _take() -> None:
    with render_slots.turn():
        pass


def _hold(ready: threading.Barrier, gate: threading.Event, waiting: bool) -> None:
    with render_slots.turn():
        if waiting:
            with render_slots.aside():
                ready.wait(5)
                gate.wait(5)
        else:
            ready.wait(5)
            gate.wait(5)


@pytest.mark.parametrize("waiting", [False, True], ids=["drawing", "waiting"])
def test_slow_pages_hold_up_the_others_for_a_moment_only_and_waiting_ones_not_at_all(waiting: bool) -> None:
    ready, gate = threading.Barrier(render_slots.AT_ONCE + 1), threading.Event()
    slow = [threading.Thread(target=_hold, args=(ready, gate, waiting)) for _ in range(render_slots.AT_ONCE)]
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
        took < render_slots.PATIENCE_S / 2
        if waiting
        else render_slots.PATIENCE_S * 0.9 < took < render_slots.PATIENCE_S + 1
    )


def test_a_place_comes_back_when_drawing_ends_early() -> None:
    for _ in range(2 * render_slots.AT_ONCE):
        with pytest.raises(KeyError), render_slots.turn(), render_slots.aside():
            raise KeyError
    start = time.perf_counter()
    _take()
    assert time.perf_counter() - start < render_slots.PATIENCE_S / 2


def test_the_more_pages_look_the_less_often_each_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(render_slots.time, "monotonic", lambda: now)
    monkeypatch.setattr(render_slots, "_looked", {})
    alone = render_slots.pace("me"), render_slots.pace("me", soon=False)
    assert alone == (render_slots.QUICKEST_S, render_slots.QUICKEST_S)
    for number in range(29):
        render_slots.pace(f"pupil {number}")
    soon, later = render_slots.pace("me"), render_slots.pace("me", soon=False)
    assert 30 / soon <= 20 and 30 / later <= 7, "looks a second of all together"
    assert render_slots.QUICKEST_S < soon < later <= render_slots.SLOWEST_S
    for number in range(970):
        render_slots.pace(f"somebody {number}")
    assert render_slots.pace("me") == render_slots.SLOWEST_S
    now += 2 * render_slots.SLOWEST_S + 1
    assert render_slots.pace("me") == render_slots.QUICKEST_S, "who looks no more does not count"
