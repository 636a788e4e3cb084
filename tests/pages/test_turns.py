"""Turns: a few pages at once, nobody shut out for long, and no place lost."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pages.ui import turns


def test_only_a_few_draw_at_once_and_all_get_their_turn() -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def draw(_: int) -> None:
        nonlocal inside, most
        with turns.turn():
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.02)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(12) as pages:
        list(pages.map(draw, range(24)))
    assert most == turns.AT_ONCE


def test_a_turn_in_a_turn_is_one_turn() -> None:
    with turns.turn():
        for _ in range(2 * turns.AT_ONCE):
            with turns.turn():
                pass
        others = [threading.Thread(target=_take) for _ in range(turns.AT_ONCE - 1)]
        start = time.perf_counter()
        for other in others:
            other.start()
        for other in others:
            other.join()
    assert time.perf_counter() - start < turns.PATIENCE_S / 2, "the inner turns have given back nothing, and taken nothing"


def _take() -> None:
    with turns.turn():
        pass


def _hold(ready: threading.Barrier, gate: threading.Event, waiting: bool) -> None:
    with turns.turn():
        if waiting:
            with turns.aside():
                ready.wait(5)
                gate.wait(5)
        else:
            ready.wait(5)
            gate.wait(5)


@pytest.mark.parametrize("waiting", [False, True], ids=["drawing", "waiting"])
def test_slow_pages_hold_up_the_others_for_a_moment_only_and_waiting_ones_not_at_all(waiting: bool) -> None:
    ready, gate = threading.Barrier(turns.AT_ONCE + 1), threading.Event()
    slow = [threading.Thread(target=_hold, args=(ready, gate, waiting)) for _ in range(turns.AT_ONCE)]
    for page in slow:
        page.start()
    ready.wait(5)
    start = time.perf_counter()
    _take()
    took = time.perf_counter() - start
    gate.set()
    for page in slow:
        page.join()
    assert took < turns.PATIENCE_S / 2 if waiting else turns.PATIENCE_S * 0.9 < took < turns.PATIENCE_S + 1


def test_a_place_comes_back_when_drawing_ends_early() -> None:
    for _ in range(2 * turns.AT_ONCE):
        with pytest.raises(KeyError), turns.turn(), turns.aside():
            raise KeyError
    start = time.perf_counter()
    _take()
    assert time.perf_counter() - start < turns.PATIENCE_S / 2


def test_the_more_pages_look_the_less_often_each_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(turns.time, "monotonic", lambda: now)
    monkeypatch.setattr(turns, "_looked", {})
    alone = turns.pace("me"), turns.pace("me", soon=False)
    assert alone == (turns.QUICKEST_S, turns.QUICKEST_S)
    for number in range(29):
        turns.pace(f"pupil {number}")
    soon, later = turns.pace("me"), turns.pace("me", soon=False)
    assert 30 / soon <= 20 and 30 / later <= 7, "looks a second of all together"
    assert turns.QUICKEST_S < soon < later <= turns.SLOWEST_S
    for number in range(970):
        turns.pace(f"somebody {number}")
    assert turns.pace("me") == turns.SLOWEST_S
    now += 2 * turns.SLOWEST_S + 1
    assert turns.pace("me") == turns.QUICKEST_S, "who looks no more does not count"
