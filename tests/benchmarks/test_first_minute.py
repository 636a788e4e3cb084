"""The measurement of the first minute: stages are counted once, and a start is taken apart completely."""

from __future__ import annotations

import types

import pytest

from benchmarks.first_minute import StageClock, format_table, run_start


def test_a_stage_inside_another_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    clocks = types.SimpleNamespace(perf_counter=lambda: now[0], process_time=lambda: now[0] / 2)
    monkeypatch.setattr("benchmarks.first_minute.time", clocks)
    clock = StageClock()
    with clock.measure("outer"):
        now[0] += 5
        with clock.measure("inner"):
            now[0] += 10
    with clock.measure("inner"):
        now[0] += 4
    assert clock.seconds == {"inner": (14.0, 7.0), "outer": (5.0, 2.5)}


def test_wrapped_functions_are_counted_also_when_they_fail() -> None:
    module, clock = types.ModuleType("module"), StageClock()

    def fail() -> None:
        raise ValueError("no")

    module.fail = fail  # type: ignore[attr-defined]
    clock.wrap(module, "fail", "failing")
    with pytest.raises(ValueError, match="no"):
        module.fail()  # type: ignore[attr-defined]
    assert "failing" in clock.seconds


def test_a_start_is_taken_apart_and_the_table_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # What `wrap` replaces is put back afterwards.
    from xai_core.engine.backends import forward, openvino
    from xai_core.engine.split import split_network
    from xai_core.methods.run import service

    for module, names in (
        (openvino, ("translate_network", "compile_graph")),
        (split_network, ("translate_network", "compile_graph")),
        (forward, ("measure_error", "measure_micro_batch", "measure_seconds")),
        (service, ("split_network_for",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))
    start = run_start("small_cnn", "digit_3")
    stages = start["seconds"]
    assert {"imports", "load the weights", "draw and encode", "map: LIME"} <= set(stages)
    assert start["maps"] == 4 and start["bytes"] > 1000
    lines = format_table({"first start": {"seconds": {"a": (1.0, 2.0), "map: x": (5.0, 6.0), "b": (0.5, 0.25)}}})
    assert "| **all but the maps** | 1.50 | 2.25 |" in lines
