"""One model a process and device, however many ask, however they stop."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from xai_core.errors import Cancelled, InvalidParam, ModelUnavailable, UnknownName
from xai_core.models import ModelSpec, Preprocessing, load_model
from xai_core.models.cache import ModelCache, choose_device, max_models
from xai_core.models.spec import Built
from xai_core.models.weights import Progress

CPU = torch.device("cpu")


class Counted:
    """A spec whose builds are counted; `during` runs inside each build."""

    def __init__(self, name: str = "toy", during: Callable[[Progress], None] = lambda progress: None) -> None:
        self.builds = 0
        self.during = during
        facts = dict.fromkeys(("title", "sentence", "family", "licence", "paper", "source"), name)
        self.spec = ModelSpec(name=name, input_side=4, channels=1, bundled=True, size_mb=1, build=self._build, **facts)

    def _build(self, progress: Progress | None) -> Built:
        self.builds += 1
        assert progress is not None
        self.during(progress)
        module = nn.Flatten()  # left in training mode on purpose
        return module, Preprocessing(4, 4, (0.0,), (1.0,)), ("a", "b")


def together(count: int, work: Callable[[], object]) -> list[object]:
    """Results, or errors, of `count` threads that start at the same moment."""
    start = threading.Barrier(count)

    def one(_: int) -> object:
        start.wait(5)
        try:
            return work()
        except (ModelUnavailable, Cancelled) as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_thirty_at_once_get_one_build():
    cache, wait = ModelCache(), threading.Event()
    toy = Counted(during=lambda progress: (wait.wait(0.2), None)[1])
    models = together(30, lambda: cache.get(toy.spec, CPU))
    assert toy.builds == 1 and len(set(map(id, models))) == 1
    assert not models[0].module.training and models[0].name == "toy"


def test_different_models_load_side_by_side():
    meet = threading.Barrier(2)
    cache, first, second = (
        ModelCache(),
        Counted("a", lambda p: (meet.wait(5), None)[1]),
        Counted("b", lambda p: (meet.wait(5), None)[1]),
    )
    with ThreadPoolExecutor(
        2
    ) as pool:  # each waits inside its build for the other: one after the other would break the barrier
        assert [model.name for model in pool.map(lambda c: cache.get(c.spec, CPU), (first, second))] == ["a", "b"]


def test_a_failed_build_is_told_to_all_who_waited_and_not_remembered():
    cache, waiting = ModelCache(), threading.Event()

    def fail(progress: Progress) -> None:
        waiting.wait(0.3)
        raise ModelUnavailable("the file is missing")

    toy = Counted(during=fail)
    results = together(8, lambda: cache.get(toy.spec, CPU))
    assert all(isinstance(error, ModelUnavailable) for error in results) and toy.builds == 1
    toy.during = lambda progress: None
    assert cache.get(toy.spec, CPU).name == "toy" and toy.builds == 2


def test_a_visitor_who_stops_does_not_stop_the_others():
    cache, building, others = ModelCache(), threading.Event(), threading.Event()

    def first_build(progress: Progress) -> None:
        building.set()
        others.wait(5)
        progress(1, 2)

    toy = Counted(during=first_build)

    def stop(done: int, total: int) -> None:
        raise Cancelled("stopped")

    with ThreadPoolExecutor(4) as pool:
        stopped = pool.submit(cache.get, toy.spec, CPU, stop)
        assert building.wait(5)
        patient = [pool.submit(cache.get, toy.spec, CPU) for _ in range(3)]
        threading.Timer(0.2, others.set).start()
        assert isinstance(stopped.exception(10), Cancelled)
        assert len({id(future.result(10)) for future in patient}) == 1
    assert toy.builds == 2


def test_who_waits_sees_the_progress_and_can_stop_alone():
    cache, building, release, seen = ModelCache(), threading.Event(), threading.Event(), []

    def slow(progress: Progress) -> None:
        progress(3, 10)
        building.set()
        release.wait(10)

    toy = Counted(during=slow)

    def stop(done: int, total: int) -> None:
        seen.append((done, total, threading.get_ident()))
        raise Cancelled("stopped")

    with ThreadPoolExecutor(2) as pool:
        builder = pool.submit(cache.get, toy.spec, CPU)
        assert building.wait(5)
        with pytest.raises(Cancelled):
            cache.get(toy.spec, CPU, stop)
        release.set()
        assert builder.result(10).name == "toy"
    assert seen == [(3, 10, threading.get_ident())] and toy.builds == 1


def test_only_so_many_are_kept_and_the_least_recently_used_goes(monkeypatch):
    monkeypatch.setenv("WHYBOX_MAX_MODELS", "2")
    cache = ModelCache()
    toys = {name: Counted(name) for name in "abc"}
    for name in "abac":  # b is the least recently used when c comes
        cache.get(toys[name].spec, CPU)
    assert [name for name, _ in cache.list_keys()] == ["a", "c"]
    gc.collect()
    cache.get(toys["b"].spec, CPU)
    assert toys["b"].builds == 2 and toys["a"].builds == 1


def test_a_dropped_model_still_in_use_is_not_built_twice(monkeypatch):
    monkeypatch.setenv("WHYBOX_MAX_MODELS", "1")
    cache, first, second = ModelCache(), Counted("a"), Counted("b")
    used = cache.get(first.spec, CPU)
    cache.get(second.spec, CPU)
    assert cache.get(first.spec, CPU) is used and first.builds == 1


@pytest.mark.parametrize(("text", "expected"), [("", 3), ("5", 5), ("0", 1), ("many", 3), ("-2", 3), (" 4 ", 4)])
def test_the_limit_is_read_from_the_environment(text, expected, monkeypatch):
    monkeypatch.setenv("WHYBOX_MAX_MODELS", text)
    assert max_models() == expected


def test_devices(monkeypatch):
    assert choose_device("cpu") == CPU == choose_device(CPU)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device(None) == CPU
    for wrong in ("cuda", "cuda:1", "mps", "meta", "toaster", ""):
        with pytest.raises(InvalidParam, match="cpu"):
            choose_device(wrong)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device(None).type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device(None) == choose_device("cuda") == torch.device("cuda", 0)
    with pytest.raises(InvalidParam):
        choose_device("cuda:1")


def test_load_model_shares_and_names():
    assert load_model("small_cnn", "cpu") is load_model("small_cnn", torch.device("cpu"))
    with pytest.raises(UnknownName, match="efficientnet_lite0"):
        load_model("efficientnet_lite")
