"""Metrics: each against a formula by hand or a map whose value is known, and over the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import xai_core
from tests.trust.additive_network import SIDE, make_additive_model
from xai_core import InvalidParam, NotApplicable, trust
from xai_core.arrays import Float32, UInt8
from xai_core.images import make_baseline
from xai_core.trust.metrics import agreement, base, energy, infidelity, max_sensitivity, pointing, stability
from xai_core.trust.metrics.complexity import entropy
from xai_core.trust.metrics.sparseness import gini


class Remade(trust.MetricRequest):
    """A request whose method is a function of the values that the model sees."""

    method: Callable[[UInt8], Float32]

    def explain(self, seen: UInt8) -> Float32:
        return self.method(seen)


class Watched(xai_core.Job[trust.MetricTable]):
    """A job that keeps every total that was announced."""

    def __init__(self) -> None:
        super().__init__()
        self.totals: list[int] = []

    def expect(self, total: int) -> None:
        super().expect(total)
        self.totals.append(total)


@pytest.fixture(scope="module")
def request_of() -> Callable[..., Remade]:
    model = make_additive_model()
    smooth = np.random.default_rng(1).integers(0, 256, (7, 7, 3), dtype=np.uint8)
    image = Image.fromarray(smooth).resize((SIDE, SIDE))
    planned = xai_core.plan(model, image, "saliency", 0)
    original = xai_core.explain(model, image, "saliency", 0)

    def make(method: Callable[[UInt8], Float32]) -> Remade:
        heat = method(model.preprocessing.input_bytes(image)).astype(np.float32)
        request = Remade(planned, replace(original, values=heat), [], xai_core.Job())
        request.method = method
        return request

    return make


def darken(seen: UInt8) -> Float32:
    heat: Float32 = -seen.astype(np.float32).sum(2)
    return heat


def test_sparseness_and_complexity_are_their_formulas() -> None:
    values = np.abs(np.random.default_rng(0).normal(size=50))
    pairs = np.abs(values[:, None] - values[None, :]).mean() / (2 * values.mean())
    assert gini(values) == pytest.approx(pairs), "half the mean difference of two, over the mean"
    assert gini(np.eye(1, 100)) == pytest.approx(0.99)
    shares = values / values.sum()
    assert entropy(values) == pytest.approx(-sum(share * np.log(share) for share in shares))
    assert entropy(np.ones((4, 4))) == pytest.approx(np.log(16))


def test_pointing_allows_fifteen_pixels_of_224() -> None:
    mask = np.zeros((224, 224), dtype=bool)
    mask[100:120, 100:120] = True
    for column, is_hit in ((119, True), (134, True), (135, False), (20, False)):
        heat = np.zeros((224, 224))
        heat[110, column] = 1
        assert pointing.hits(heat, mask) == is_hit
    assert pointing.center_hits(mask) and not pointing.center_hits(np.roll(mask, 80, 0))


def test_energy_and_pointing_read_the_known_object(request_of, monkeypatch) -> None:
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[:7] = True
    monkeypatch.setattr(base.request, "thing_masks", lambda _model: {request.result.image_sha256: mask})
    heat = np.full((SIDE, SIDE), 1.0, dtype=np.float32)
    heat[20:], heat[3, 3] = -5, 2
    request = request_of(lambda _seen: heat)
    assert energy.run(request) == pytest.approx((7 * SIDE + 1) / (20 * SIDE + 1)), "evidence against does not count"
    assert pointing.run(request) == 1 and pointing.run(request_of(lambda _seen: -heat)) == 0
    with pytest.raises(NotApplicable, match="no evidence for the class"):
        energy.run(request_of(lambda _seen: heat - 3))


def test_infidelity_is_the_share_that_is_not_forecast(request_of) -> None:
    rng = np.random.default_rng(0)
    fall, noise = rng.normal(size=400), rng.normal(size=400)
    assert infidelity.normalize_error(3 * fall, fall) == pytest.approx(0)
    assert infidelity.normalize_error(-fall, fall) == pytest.approx(1), "the wrong sign forecasts nothing"
    correlation = float(fall @ noise / np.sqrt(fall @ fall * (noise @ noise)))
    assert infidelity.normalize_error(noise, fall) == pytest.approx(1 - max(correlation, 0) ** 2)
    with pytest.raises(NotApplicable, match="does not move"):
        infidelity.normalize_error(noise, np.zeros(400))


def test_the_true_map_of_a_sum_forecasts_every_fall(request_of) -> None:
    model = make_additive_model()
    weight = np.moveaxis(model.module.weight.detach().numpy(), 0, -1)

    def measure_effects(seen: UInt8) -> Float32:
        pixels = model.preprocessing.to_pixels(seen)
        effects: Float32 = ((pixels - make_baseline(pixels, "blur", np.random.default_rng(0))) * weight).sum(2)
        return effects

    assert infidelity.run(request_of(measure_effects)) == pytest.approx(0, abs=1e-4)
    assert infidelity.run(request_of(lambda seen: -measure_effects(seen))) == pytest.approx(1)


def test_stability_is_one_for_a_map_that_moves_with_the_picture(request_of) -> None:
    assert stability.run(request_of(darken)) == pytest.approx(1)
    fixed = darken(np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    assert stability.run(request_of(lambda _seen: fixed)) < 0.95, "it stays where it is"
    calls = iter([1] + 3 * [-1])
    assert stability.run(request_of(lambda seen: next(calls) * darken(seen))) == pytest.approx(-1)
    flat = iter([1] + 3 * [0])
    with pytest.raises(NotApplicable, match="moved picture is the same everywhere"):
        stability.run(request_of(lambda seen: next(flat) * darken(seen)))


def test_sensitivity_is_the_largest_relative_change(request_of) -> None:
    calls, heat = iter([1.0] + 9 * [1.1] + [0.5]), np.eye(SIDE, dtype=np.float32)
    assert max_sensitivity.run(request_of(lambda _seen: next(calls) * heat)) == pytest.approx(0.5)
    seen_values: list[UInt8] = []

    def note(seen: UInt8) -> Float32:
        seen_values.append(seen)
        return heat

    max_sensitivity.run(request_of(note))
    differences = np.abs(np.stack(seen_values[1:]).astype(int) - seen_values[0].astype(int))
    assert len(differences) == 10 and differences.max() == 5 and (differences.max((1, 2, 3)) > 0).all()


def test_agreement_is_the_mean_correlation_with_the_others(request_of) -> None:
    request = request_of(darken)
    same, turned = (replace(request.result, values=sign * request.result.values) for sign in (1, -1))
    for others, expected in (([same], 1), ([turned], -1), ([same, same, turned], 1 / 3)):
        request.others = others
        assert agreement.run(request) == pytest.approx(expected)
    request.others = []
    with pytest.raises(NotApplicable, match="no other map"):
        agreement.run(request)


def test_every_metric_measures_or_says_why_not() -> None:
    small, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    plans = [xai_core.plan(small, image, name, 3) for name in ("grad_cam", "occlusion")]
    job = Watched()
    table = trust.measure_maps(plans, job=job)
    assert list(table.values) == ["grad_cam", "occlusion"]
    for name, values in table.values.items():
        assert {*values, *table.reasons[name]} == set(trust.METRICS) and not {*values} & {*table.reasons[name]}
        for metric, value in values.items():
            assert trust.METRICS.get(metric).low <= value <= trust.METRICS.get(metric).high
        assert table.reasons[name]["pointing"].startswith("Nobody has marked an object")
        expected = trust.faithfulness(small, image, xai_core.explain(small, image, name, 3), shifts=0)
        assert values["gain"] == pytest.approx(expected.gain, abs=1e-4)
        assert values["insertion"] - values["deletion"] == pytest.approx(values["gain"])
    assert table.values["grad_cam"]["agreement"] == table.values["occlusion"]["agreement"]
    assert 0.95 * job.total <= job.done <= job.total
    assert max(job.totals) >= job.done, "the work is known from the start"


def test_a_metric_is_refused_with_its_cost_where_maps_are_slow(request_of) -> None:
    request = request_of(darken)
    metric = trust.METRICS.get("max_sensitivity")
    request.seconds = 0.19
    base.table._check_seconds(request, metric)
    request.seconds = 0.35
    with pytest.raises(NotApplicable, match=r"A map took 0\.35 s, and this test needs 10 more, .* about 3\.5 s\."):
        base.table._check_seconds(request, metric)


def test_flat_and_broken_maps_get_reasons(request_of) -> None:
    flat = request_of(lambda _seen: np.ones((SIDE, SIDE), dtype=np.float32))
    assert trust.METRICS.get("gain").run(flat) == pytest.approx(0)
    broken = request_of(lambda _seen: np.full((SIDE, SIDE), np.nan, dtype=np.float32))
    for name in ("gain", "sparseness", "stability", "infidelity"):
        with pytest.raises(NotApplicable, match="not numbers"):
            trust.METRICS.get(name).run(broken)
    with pytest.raises(NotApplicable, match="same everywhere"):
        trust.METRICS.get("complexity").run(flat)
    with pytest.raises(InvalidParam, match="at least one method"):
        trust.measure_maps([])


def test_metrics_are_described_as_data() -> None:
    for metric in trust.METRICS.specs():
        assert metric.low < metric.high and metric.question.endswith((".", "?")) and metric.source and metric.cost
    directions = {metric.name: metric.direction for metric in trust.METRICS.specs()}
    assert directions["sparseness"] == directions["complexity"] == directions["agreement"] == "none"
    assert directions["deletion"] == "less" and directions["gain"] == "more"
