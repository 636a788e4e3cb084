"""Previews: made only when wanted, at most twice a second, without changing the finished map by a bit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

import xai_core
from tests.methods.test_occlusion import occlude_by_hand
from tests.toy_networks import SIDE, Conv, toy_model
from tests.zoo_networks import make_picture
from xai_core import METHODS, Job
from xai_core.engine.backends.forward import forward_for
from xai_core.methods.base.previews import FIRST_AFTER_S, INTERVAL_S, MAX_TIME_SHARE, Previews
from xai_core.methods.occlusion import draw_coarse_map, list_window_starts, order_coarse_to_fine
from xai_core.methods.run.explain import carry_out
from xai_core.results import Preview

GROWING = [spec.name for spec in METHODS.specs() if spec.grows]
ASKED_FOR = {
    "occlusion",
    "lime",
    "rise",
    "kernel_shap",
    "score_cam",
    "integrated_gradients",
    "smooth_grad",
    "meaningful_perturbation",
}
PARAMS: dict[str, dict[str, object]] = {
    "occlusion": {"window": 4, "stride": 1},
    "lime": {"samples": 200, "segments": 9, "features": 4},
    "rise": {"masks": 600},
    "kernel_shap": {"samples": 90, "segments": 9},
    "integrated_gradients": {"steps": 40, "tolerance": 0.01},
    "smooth_grad": {"samples": 70},
    "gradient_shap": {"samples": 70},
    "meaningful_perturbation": {"steps": 30},
    "adaptive_occlusion": {"segments": 9, "rounds": 4},
}


class Clock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self, step: float = 1.0) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def plan_map(method: str) -> xai_core.Plan:
    """Return a request on a small network that runs few pictures at once."""
    model = toy_model(Conv())
    forward_for(model).micro_batch = 3
    return xai_core.plan(model, make_picture(SIDE), method, 2, params=PARAMS.get(method), seed=3)


def list_previews(planned: xai_core.Plan) -> tuple[list[Preview], xai_core.Attribution]:
    """Return a preview of every offer, and the finished map."""
    previews: list[Preview] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("FIRST_AFTER_S", 0.0), ("INTERVAL_S", 0.0), ("MAX_TIME_SHARE", np.inf)):
            patch.setattr(f"xai_core.methods.base.previews.{name}", value)
        return previews, carry_out(planned, Job(), Previews(previews.append))


def test_the_slow_methods_grow() -> None:
    assert set(GROWING) >= ASKED_FOR


@pytest.mark.parametrize("method", GROWING)
def test_a_growing_map_is_the_same_to_the_last_bit_and_nears_the_finished_one(method: str) -> None:
    planned = plan_map(method)
    plain = carry_out(planned, Job())
    previews, grown = list_previews(planned)
    assert grown.values.tobytes() == plain.values.tobytes() and np.ptp(plain.heatmap) > 0
    assert dict(grown.details) == dict(plain.details) and grown.evaluations == plain.evaluations
    assert len(previews) >= 2 and [preview.number for preview in previews] == list(range(1, len(previews) + 1))
    fractions = [preview.fraction for preview in previews]
    assert fractions == sorted(fractions) and 0 < fractions[0] < fractions[-1] <= 1
    errors = [float(np.abs(preview.heatmap - plain.heatmap).mean()) for preview in previews]
    assert all(preview.values.shape == plain.values.shape for preview in previews)
    assert errors[-1] < 0.35 * float(np.abs(plain.heatmap).mean()), errors
    assert errors[-1] <= errors[0]


@pytest.mark.parametrize("method", [spec.name for spec in METHODS.specs() if not spec.grows])
def test_other_methods_say_that_they_do_not_grow(method: str) -> None:
    if METHODS.get(method).refusal(toy_model(Conv())) is None:
        previews, _ = list_previews(plan_map(method))
        assert not previews


def test_nothing_is_drawn_that_nobody_waits_for() -> None:
    job, drawn, shown = Job[object](), [], []
    previews = Previews(shown.append, lambda: job.is_preview_wanted, Clock(10.0))

    def draw() -> np.ndarray:
        drawn.append(1)
        return np.ones((2, 2), dtype=np.float32)

    previews.offer(job, draw)
    assert not drawn
    assert job.request_preview() is None
    previews.offer(job, draw)
    assert len(drawn) == len(shown) == 1
    job.show_preview(shown[0])
    previews.offer(job, draw)
    assert len(drawn) == 1, "one poll of a page gets one preview"
    assert job.request_preview() is shown[0] and job.is_preview_wanted


@pytest.mark.parametrize("cost", [0.0, 0.1])
def test_previews_keep_their_distance_and_their_share_of_the_time(cost: float) -> None:
    clock, times = Clock(0.0), []
    previews = Previews(lambda _preview: times.append(clock.now), clock=clock)

    def draw() -> np.ndarray:
        clock.now += cost
        return np.zeros((2, 2), dtype=np.float32)

    while clock.now < 60:
        clock.now += 0.01
        previews.offer(Job(), draw)
    assert FIRST_AFTER_S <= times[0] - cost <= FIRST_AFTER_S + 0.02
    distance = max(INTERVAL_S, cost / MAX_TIME_SHARE)
    assert all(distance <= later - sooner <= 1.1 * distance + cost for sooner, later in pairwise(times))
    assert cost * len(times) <= 0.03 * 60 and len(times) > 5


def test_a_preview_that_fails_ends_the_previews_and_not_the_map(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[Preview] = []
    previews = Previews(calls.append, clock=Clock(10.0))

    def fail() -> np.ndarray:
        raise np.linalg.LinAlgError("did not converge")

    previews.offer(Job(), fail)
    previews.offer(Job(), lambda: np.zeros((2, 2), dtype=np.float32))
    assert not calls and "preview failed" in caplog.text


def test_explain_hands_previews_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xai_core.methods.base.previews.FIRST_AFTER_S", 0.0)
    previews: list[Preview] = []
    model, image = toy_model(Conv()), make_picture(SIDE)
    result = xai_core.explain(model, image, "rise", 2, seed=1, params={"masks": 60}, on_preview=previews.append)
    assert previews and previews[0].values.shape == result.values.shape
    assert not previews[0].values.flags.writeable and isinstance(result, xai_core.Attribution)
    with pytest.raises(ZeroDivisionError):
        xai_core.explain(model, image, "rise", 2, params={"masks": 60}, on_preview=lambda _preview: 1 // 0)


def test_windows_come_coarse_to_fine_and_each_once() -> None:
    order = order_coarse_to_fine(9).tolist()
    assert sorted(order) == list(range(81))
    assert [divmod(number, 9) for number in order[:9]] == [(row, column) for row in (0, 4, 8) for column in (0, 4, 8)]
    assert all(row % 2 == column % 2 == 0 for row, column in (divmod(number, 9) for number in order[:25]))


def test_a_coarse_map_of_all_windows_is_the_definition_and_of_few_takes_the_nearest() -> None:
    side, window, stride = 10, 3, 2
    starts = list_window_starts(side, window, stride)
    rng = np.random.default_rng(0)
    x, weights, fill = rng.random((1, side, side)), rng.random((side, side)), np.zeros((1, side, side))
    expected = occlude_by_hand(lambda picture: float((picture[0] * weights).sum()), x, window, stride, fill)
    cells = [[float((x[0] * weights)[top : top + 3, left : left + 3].sum()) for left in starts] for top in starts]
    drops = torch.tensor(cells, dtype=torch.float64)
    assert np.allclose(draw_coarse_map(drops, side, window, starts), expected)
    few = torch.full_like(drops, torch.nan)
    few[0, 0], few[0, 4], few[4, 0], few[4, 4] = 1.0, 2.0, 3.0, 4.0
    picture = draw_coarse_map(few, side, window, starts)
    assert [float(picture[row, column]) for row, column in ((0, 0), (0, 9), (9, 0), (9, 9))] == [1, 2, 3, 4]
    assert picture.isfinite().all()
