"""The shared forward: equal to plain torch, built once, and honest where the fast backend fails."""

from __future__ import annotations

import functools
import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.zoo_networks import make_classifier, zoo_model
from xai_core.engine.backends import calibration, forward as engine, openvino as openvino_backend
from xai_core.engine.backends.forward import Forward, build_forward, forward_for
from xai_core.errors import XaiError

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path))
    return tmp_path


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3, stride=2), nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(x).relu().mean((2, 3)))


def toy(name: str = "small", module: nn.Module | None = None):
    return make_classifier(module or Small(), 32, name=name)


def batch(count: int, side: int = 32) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(5)) * 2 - 1


@pytest.mark.parametrize("name", ["efficientnet_lite0", "small_cnn"])
def test_bundled_models_run_on_the_fast_engine_and_equal_torch(name):
    model = zoo_model(name)
    forward = forward_for(model)
    x = (
        torch.rand(5, model.preprocessing.channels, model.side, model.side, generator=torch.Generator().manual_seed(5))
        * 3
        - 1
    )
    with torch.no_grad():
        expected = model.module(x)
    assert forward.backend == "openvino" and not forward.note
    assert (forward(x) - expected).abs().max() <= 1e-3 and expected.abs().max() > 1
    assert (
        forward.micro_batch in calibration.BATCH_SIZES
        and forward.seconds_per_picture > 0
        and 1 <= forward.gradient_batch <= 8
    )


def test_results_do_not_share_memory_between_calls():
    run = build_forward(toy())
    first = run(batch(2))
    before = first.clone()
    run(batch(2) + 1)
    assert torch.equal(first, before)


def test_it_is_built_once_for_thirty_visitors(monkeypatch):
    model, built = toy(), []
    original = engine.build_forward
    monkeypatch.setattr(engine, "build_forward", lambda m: built.append(m) or original(m))
    gate = threading.Barrier(30)

    def visit(_: int) -> Forward:
        gate.wait()
        return forward_for(model)

    with ThreadPoolExecutor(30) as pool:
        forward = set(map(id, pool.map(visit, range(30))))
    assert len(built) == 1 and len(forward) == 1


def test_a_backend_that_computes_something_else_is_dropped_with_a_note(monkeypatch):
    original = engine.build_openvino_run

    def wrong(model, layer=None):
        run = original(model, layer)
        return lambda x: run(x) + 0.01

    monkeypatch.setattr(engine, "build_openvino_run", wrong)
    model = toy()
    forward = build_forward(model)
    assert forward.backend == "torch" and "0.01" in forward.note
    assert torch.allclose(forward(batch(3)), model.module(batch(3)), atol=1e-5)


def compiled_shapes(monkeypatch, spoil: float = 0.0) -> tuple[list[str], list[int]]:
    """Shapes networks are compiled for, and the batches that one of known size ran.

    `spoil` is added to what such a one answers.
    """
    original, shapes, ran = openvino_backend.compile_graph, [], []

    def compile_graph(graph):
        shape = str(graph.inputs[0].partial_shape)
        shapes.append(shape)
        run = original(graph)
        return run if "?" in shape else lambda x: ran.append(len(x)) or run(x) + spoil

    monkeypatch.setattr(openvino_backend, "compile_graph", compile_graph)
    return shapes, ran


def test_full_batches_run_on_a_network_of_known_shapes(monkeypatch):
    shapes, ran = compiled_shapes(monkeypatch)
    model = toy()
    forward, x = build_forward(model), batch(20)
    assert shapes[-1] == f"[{forward.micro_batch},3,32,32]" and all("?" in shape for shape in shapes[:-1])
    for count in (forward.micro_batch, 1, forward.micro_batch - 1, forward.micro_batch + 1):
        ran.clear()
        assert torch.allclose(forward(x[:count]), model.module(x[:count]), atol=1e-5)
        assert ran == [forward.micro_batch] * (count == forward.micro_batch)
    shapes.clear()
    forward.rebuild()
    assert len(shapes) == 2 and shapes[1] == f"[{forward.micro_batch},3,32,32]", "both are made anew"
    assert torch.allclose(forward(x[: forward.micro_batch]), model.module(x[: forward.micro_batch]), atol=1e-5)


def test_a_network_of_known_shapes_that_is_wrong_is_not_used(monkeypatch):
    shapes, ran = compiled_shapes(monkeypatch, spoil=0.01)
    model = toy()
    forward = build_forward(model)
    assert forward.backend == "openvino" and not forward.note and ran and "?" not in shapes[-1]
    ran.clear()
    x = batch(forward.micro_batch)
    assert torch.allclose(forward(x), model.module(x), atol=1e-5) and not ran


def test_a_large_network_is_compiled_once(monkeypatch):
    shapes, _ = compiled_shapes(monkeypatch)
    monkeypatch.setattr(engine, "MAX_FIXED_BYTES", 1000)
    forward = build_forward(toy())
    assert len(shapes) == 1 and forward.backend == "openvino"


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_backend_that_gives_no_numbers_is_dropped(monkeypatch, bad):
    monkeypatch.setattr(engine, "build_openvino_run", lambda model, layer: lambda x: torch.full((len(x), 10), bad))
    assert build_forward(toy()).backend == "torch"


class Untraceable(Small):
    """Its shape of computation depends on the data in a way no tracer accepts."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch.jit.is_tracing():
            raise RuntimeError("cannot be traced")
        return super().forward(x)


def test_a_network_the_fast_engine_cannot_take_runs_in_torch_with_a_note():
    model = toy("untraceable", Untraceable())
    forward = build_forward(model)
    assert forward.backend == "torch" and "plain torch" in forward.note
    assert torch.allclose(forward(batch(3)), model.module(batch(3)), atol=1e-6)


def test_the_translated_network_is_kept_and_read_again(own_data_folder, monkeypatch):
    model = toy()
    expected = build_forward(model)(batch(4))
    (folder,) = (own_data_folder / "openvino").iterdir()
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["about.json", "network.bin", "network.xml"], "nothing half-written stays"

    def forbidden(*_args: object, **_more: object) -> None:
        raise AssertionError("traced again")

    monkeypatch.setattr(torch.jit, "trace", forbidden)
    again = build_forward(model)
    assert again.backend == "openvino" and torch.equal(again(batch(4)), expected)


@pytest.mark.parametrize("spoilt", [(".xml", ".bin"), (".xml",), (".bin",)], ids=" ".join)
@pytest.mark.parametrize("rest", [0.5, 0.0], ids=["half", "empty"])
def test_a_spoilt_kept_file_is_made_anew(own_data_folder, caplog, spoilt, rest):
    model = toy()
    build_forward(model)
    whole = {path: path.read_bytes() for path in (own_data_folder / "openvino").glob("*/network.*")}
    for path, data in whole.items():
        if path.suffix in spoilt:
            path.write_bytes(data[: int(rest * len(data))])
    forward = build_forward(model)
    assert forward.backend == "openvino" and not forward.note and "damaged" in caplog.text
    assert torch.allclose(forward(batch(3)), model.module(batch(3)), atol=1e-3)
    assert {path for path in whole if path.stat().st_size < 0.9 * len(whole[path])} == set()
    caplog.clear()
    assert build_forward(model).backend == "openvino" and "damaged" not in caplog.text, "once is enough"


def test_a_kept_network_that_has_become_another_is_made_anew(own_data_folder, caplog):
    model = toy()
    expected = build_forward(model)(batch(3))
    (weights,) = (own_data_folder / "openvino").glob("*/network.bin")
    weights.write_bytes(bytes(weights.stat().st_size))
    forward = build_forward(model)
    assert forward.backend == "openvino" and not forward.note and "differs" in caplog.text
    assert torch.equal(forward(batch(3)), expected)


def test_a_network_that_is_no_good_is_not_kept_nor_called_damaged(own_data_folder, monkeypatch, caplog):
    original, traced, trace = engine.build_openvino_run, [], torch.jit.trace
    monkeypatch.setattr(engine, "build_openvino_run", lambda model, layer: lambda x: original(model, layer)(x) + 0.01)
    monkeypatch.setattr(torch.jit, "trace", lambda *given, **more: traced.append(1) or trace(*given, **more))
    for start in (1, 2):
        assert build_forward(toy()).backend == "torch" and len(traced) == start and "damaged" not in caplog.text
    assert list((own_data_folder / "openvino").iterdir()) == []


def test_a_full_disk_costs_nothing_else_and_nothing_half_written_stays(own_data_folder, monkeypatch, caplog):
    import openvino

    def full(_graph: object, path: Path, **_more: object) -> None:
        for file in (path, path.with_suffix(".bin")):
            file.write_bytes(b"half")
        raise RuntimeError("No space left on device")

    monkeypatch.setattr(openvino, "save_model", full)
    assert build_forward(toy()).backend == "openvino" and "could not be kept" in caplog.text
    assert list((own_data_folder / "openvino").iterdir()) == []


def test_translated_networks_have_a_limit_and_loose_ones_of_before_go(own_data_folder, monkeypatch):
    (own_data_folder / "openvino").mkdir()
    (own_data_folder / "openvino" / "toy-0123456789abcdef.xml").write_text("of an earlier version")
    monkeypatch.setenv("WHYBOX_NETWORKS_MB", "0")
    build_forward(toy())
    (first,) = (own_data_folder / "openvino").iterdir()
    build_forward(toy("another", Small()))
    (second,) = (own_data_folder / "openvino").iterdir()
    assert first.suffix == "" and second != first


def test_a_disk_that_takes_nothing_costs_nothing_else(tmp_path, monkeypatch):
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("")
    monkeypatch.setenv("WHYBOX_DATA", str(blocked))
    assert build_forward(toy()).backend == "openvino"


def test_a_dropped_model_takes_its_forward_along():
    model = toy()
    forward_for(model)
    before = len(engine.forward_for)
    del model
    gc.collect()
    assert len(engine.forward_for) == before - 1


def test_a_fixed_cost_a_batch_favours_large_ones():
    def slow(x: torch.Tensor) -> torch.Tensor:
        time.sleep(0.001 * len(x) + 0.05)
        return torch.zeros(len(x), 3)

    size, seconds = engine.measure_micro_batch(slow, torch.zeros(1, 3, 4, 4))
    assert size == max(calibration.BATCH_SIZES) and seconds < 0.01


def test_no_larger_batch_is_tried_once_one_takes_over_a_second():
    seen: list[int] = []

    def slower(x: torch.Tensor) -> torch.Tensor:
        seen.append(len(x))
        time.sleep(0.15 * len(x))
        return torch.zeros(len(x), 3)

    size, _ = engine.measure_micro_batch(slower, torch.zeros(1, 3, 4, 4))
    assert size in (4, 8) and max(seen) == 8


def test_an_engine_that_dies_is_built_anew_from_the_model(monkeypatch):
    """The compiled network raises from now on, as after a lost device: one new one is compiled, and nobody notices but
    the log.
    """
    model = toy()
    forward, built = build_forward(model), []
    expected = forward(batch(3))
    original = engine.build_openvino_run
    monkeypatch.setattr(engine, "build_openvino_run", lambda model: built.append(model) or original(model))

    def dead(_x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("the device was lost")

    forward.run, forward.make = (
        dead,
        functools.partial(engine._build_again, weakref.ref(model), engine.build_openvino_run),
    )
    assert torch.equal(forward(batch(3)), expected) and built == [model]
    forward.run = dead
    with pytest.raises(XaiError, match="Try again"):
        forward(batch(3))
    assert built == [model], "not again and again: the batch is to blame"
