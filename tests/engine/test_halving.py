"""Memory of a device that is too small: batches are halved, every job ends with the same numbers, and it is told."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import xai_core
from tests.engine.sum_backend import SumBackend, make_job, make_rows, read_sums
from tests.toy_networks import SIDE, Conv, toy_model
from tests.zoo_networks import make_picture
from xai_core.engine import halving
from xai_core.engine.backends.eager import move_batch
from xai_core.engine.backends.forward import SHORT_OF_MEMORY, forward_for
from xai_core.engine.halving import run_in_halves
from xai_core.engine.scheduler import Scheduler


class SmallMemory:
    """Doubles rows as long as they are few; `fits` is their largest number, after `refusals` refusals of any."""

    def __init__(self, fits: int, refusals: int = 0) -> None:
        self.fits, self.refusals, self.sizes = fits, refusals, list[int]()

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(batch))
        if len(batch) > self.fits or self.refusals > 0:
            self.refusals -= 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        return batch * 2


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halving, "WAITS_S", (0.0, 0.0, 0.0))


@pytest.mark.parametrize("fits", [1, 2, 3, 7, 11])
def test_halves_give_the_same_rows_in_order(fits: int) -> None:
    batch, shorts, run = torch.arange(11.0)[:, None], list[int](), SmallMemory(fits)
    assert torch.equal(run_in_halves(run, batch, torch.cat, shorts.append), batch * 2)
    assert shorts == [size for size in run.sizes if size > fits] and max(run.sizes) == 11
    assert bool(shorts) == (fits < 11)


def test_one_picture_is_tried_again_and_then_given_up() -> None:
    picture = torch.ones(1, 1)
    assert torch.equal(run_in_halves(SmallMemory(4, refusals=3), picture, torch.cat, lambda _size: None), picture * 2)
    with pytest.raises(torch.OutOfMemoryError):
        run_in_halves(SmallMemory(4, refusals=4), picture, torch.cat, lambda _size: None)


def test_other_errors_are_not_taken_for_short_memory() -> None:
    def fail(_batch: torch.Tensor) -> torch.Tensor:
        raise ValueError("another error")

    with pytest.raises(ValueError, match="another"):
        run_in_halves(fail, torch.ones(4, 1), torch.cat, lambda _size: None)


def test_jobs_that_share_a_batch_all_get_their_rows() -> None:
    scheduler, backend, memory = Scheduler(workers=1), SumBackend(pause=0, micro_batch=8), SmallMemory(2)
    plain = backend.run
    backend.run = lambda batch: plain(memory(batch) / 2)  # type: ignore[method-assign]
    backend.gate.clear()
    first = scheduler.submit(backend, make_rows(9), make_job())
    tasks = [scheduler.submit(backend, make_rows(number, number + 1, number + 2), make_job()) for number in (1, 5)]
    backend.gate.set()
    assert read_sums(first.wait()) == [109]
    assert [read_sums(task.wait()) for task in tasks] == [[101, 102, 103], [105, 106, 107]]
    assert backend.reduced and backend.rebuilt == 0, "a full memory is no broken engine"


class Greedy(Conv):
    """A network that takes at most `fits` pictures at once."""

    fits = 1000

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > Greedy.fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().forward(x)


@pytest.mark.parametrize("method", ["rise", "integrated_gradients", "smooth_grad"])
def test_a_map_on_a_device_that_is_too_small_is_the_same_and_says_so(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = {"rise": {"masks": 40}, "smooth_grad": {"samples": 10}}.get(method)
    model, image = toy_model(Greedy()), make_picture(SIDE)
    expected = xai_core.explain(model, image, method, 2, params=params)
    assert xai_core.engine_note(model) == ""
    forward = forward_for(model)
    assert min(forward.micro_batch, forward.gradient_batch) > 1, "else nothing is too large"
    monkeypatch.setattr(Greedy, "fits", 1)
    result = xai_core.explain(model, image, method, 2, params=params)
    np.testing.assert_allclose(result.values, expected.values, atol=1e-5 * np.abs(expected.values).max())
    assert xai_core.engine_note(model) == SHORT_OF_MEMORY
    assert min(forward.micro_batch, forward.gradient_batch) == 1, "later batches are small from the start"


@pytest.mark.parametrize("method", ["rise", "smooth_grad"])
def test_what_never_fits_is_refused_in_words(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = toy_model(Greedy())
    xai_core.predict(model, make_picture(SIDE), 1)
    monkeypatch.setattr(Greedy, "fits", 0)
    with pytest.raises(xai_core.XaiError) as refusal:
        xai_core.explain(model, make_picture(SIDE), method, 2)
    assert "does not fit into the memory" in str(refusal.value)


class Batch:
    """Stands for a batch on a device, and records where it goes."""

    def __init__(self, device: str) -> None:
        self.device, self.moves = torch.device(device), list[object]()

    def pin_memory(self) -> Batch:
        self.moves.append("pinned")
        return self

    def to(self, device: torch.device, *, memory_format: torch.memory_format, non_blocking: bool) -> Batch:
        self.moves.append((device.type, memory_format, non_blocking))
        return self


@pytest.mark.parametrize(
    ("start", "end", "pins"), [("cpu", "cuda", True), ("cuda", "cuda", False), ("cpu", "cpu", False)]
)
def test_only_what_goes_to_a_graphics_card_is_pinned(start: str, end: str, pins: bool) -> None:
    batch = Batch(start)
    move_batch(batch, torch.device(end), torch.channels_last)  # type: ignore[arg-type]
    assert batch.moves == ["pinned"] * pins + [(end, torch.channels_last, pins)]
