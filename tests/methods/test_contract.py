"""The contract of every method on every model, looped over both registries."""

from __future__ import annotations

import copy
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import xai_core
from tests.engine.impatient_job import ImpatientJob
from tests.toy_networks import Tokens, seed_weights
from tests.zoo_networks import ZOO, half_size_model, make_classifier, make_picture, use_plain_torch, zoo_model
from xai_core import METHODS, MODELS, Cancelled, InvalidParam, Job, NotApplicable, UnknownName, XaiError
from xai_core.engine.backends.forward import forward_for
from xai_core.models.classifier import Classifier
from xai_core.params import Choice, Flag, Number, resolve

pytestmark = pytest.mark.long

METHOD_NAMES = list(METHODS)
MODEL_NAMES = list(MODELS)
QUICK = ["efficientnet_lite0", "small_cnn"]
SIBLINGS = {"efficientnet_lite1", "efficientnet_lite2", "resnet50", "vgg16"}
"""Larger siblings of efficientnet_lite0, resnet18 and alexnet: one method of each kind is tried on them."""
OF_EACH_KIND = list({METHODS.get(name).family: name for name in METHOD_NAMES}.values())
MAX_COST = 100
"""Evaluations of a map that a test of every method can afford."""


def quick_params(method: str, side: int) -> dict[str, object]:
    """Return parameters of a cheap map that is not empty: with random weights nothing may speak for the class."""
    spec = METHODS.get(method)
    signed = {"relu": False} if any(param.name == "relu" for param in spec.params) else {}
    return {**spec.quick_params(side), **signed}


def take_snapshot(model: Classifier) -> dict[str, object]:
    """Return everything about the shared module and the process that an explanation must leave as it was."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "modes": [part.training for part in model.module.modules()],
        "inplace": [getattr(part, "inplace", None) for part in model.module.modules()],
        "hooks": [len(getattr(part, kind)) for part in model.module.modules() for kind in hooks],
        "gradients": [(p.requires_grad, p.grad is None) for p in model.module.parameters()],
        # Torch counts every write.
        "weights": [tensor._version for tensor in model.module.state_dict().values()],
        "torch generator": torch.get_rng_state().tolist(),
        "numpy generator": repr(np.random.get_state()),
        "python generator": hash(random.getstate()),
    }


def explain(model: Classifier, method: str, image: Image.Image | None = None, **more: object) -> xai_core.Attribution:
    more.setdefault("params", quick_params(method, model.side))
    return xai_core.explain(model, image or make_picture(), method, **more)


def find_supported_model(method: str) -> Classifier:
    """Return the bundled model, or a transformer for the methods that need attention."""
    names = ("efficientnet_lite0", "vit_b_16")
    return next(model for name in names if METHODS.get(method).refusal(model := half_size_model(name)) is None)


def list_applicable(model: Classifier) -> list[str]:
    """List the methods that are right on this model."""
    return [method for method in METHOD_NAMES if METHODS.get(method).refusal(model) is None]


def is_same(values: np.ndarray, others: np.ndarray) -> bool:
    """Compare up to the order in which torch's threads add up: last bits of a backward pass differ from run to run."""
    return values.shape == others.shape and float(np.abs(values - others).max()) <= 1e-5 * max(
        float(np.abs(values).max()), 1e-12
    )


@pytest.mark.parametrize("model_name", MODEL_NAMES)
def test_every_method_on_every_model_gives_a_checked_map_or_the_reason(model_name):
    model = half_size_model(model_name)
    image = make_picture()
    before, pixels, reasons = take_snapshot(model), image.tobytes(), []
    methods = OF_EACH_KIND if model_name in SIBLINGS else METHOD_NAMES
    for method in methods:
        try:
            attribution = explain(model, method, image, seed=3)
        except NotApplicable as reason:
            reasons.append(str(reason))
            continue
        finally:
            assert take_snapshot(model) == before, f"{method} changed the shared module or a global generator"
            assert image.tobytes() == pixels
        assert attribution.values.dtype == np.float32 and not attribution.values.flags.writeable
        assert attribution.heatmap.shape == (model.side, model.side)
        assert np.isfinite(attribution.values).all() and np.ptp(attribution.heatmap) > 0, (
            f"{method} is flat on {model_name}"
        )
        assert (
            attribution.label == model.labels[attribution.target]
            and attribution.evaluations > 0
            and attribution.seconds > 0
        )
        # Nothing about a seed depends on the architecture.
        if model_name in QUICK:
            assert is_same(explain(model, method, image, seed=3).values, attribution.values), (
                f"{method}: same seed, another map"
            )
    assert all(len(reason) > 20 for reason in reasons) and len(reasons) < len(methods)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_another_target_gives_another_map_and_a_pair_the_difference(method):
    model = find_supported_model(method)
    first, second = (explain(model, method, target=index) for index in (5, 967))
    if not METHODS.get(method).class_specific:
        assert np.array_equal(first.values, second.values)
        return
    assert not np.allclose(first.values, second.values)
    pair = explain(model, method, target=(5, 967))
    assert (
        pair.target == (5, 967)
        and pair.quantity == "difference of two logits"
        and not np.allclose(pair.values, first.values)
    )
    assert is_same(explain(model, method, target=model.labels[967]).values, second.values)


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize(
    "target", [1000, -1, 2**70, "no such thing", (1, 2, 3), (4, 4), 1.5, True, [], (1, "no such thing"), b"x", {}]
)
def test_a_wrong_target_is_refused_in_words(method, target):
    with pytest.raises((InvalidParam, UnknownName)) as refusal:
        explain(zoo_model("efficientnet_lite0"), method, target=target)
    assert len(str(refusal.value)) > 20 and "\n" not in str(refusal.value)


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("layer", ["", "no.such.layer", "_fc", "_dropout", 7, "__class__"])
def test_a_wrong_layer_is_refused_in_words(method, layer):
    with pytest.raises((InvalidParam, UnknownName)):
        explain(zoo_model("efficientnet_lite0"), method, layer=layer)


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "0", None, True])
def test_a_wrong_seed_is_refused(method, seed):
    with pytest.raises(InvalidParam, match="seed"):
        explain(zoo_model("small_cnn"), method, seed=seed)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_every_wrong_parameter_is_refused_with_what_is_allowed(method):
    model, spec = zoo_model("small_cnn"), METHODS.get(method)
    with pytest.raises(UnknownName):
        explain(model, method, params={"no_such_parameter": 1})
    for param in spec.params:
        wrong: list[object] = [None, [], "nonsense", float("nan")]
        if isinstance(param, Number):
            low, high = param.bounds(model.side)
            wrong += [low - 1, high + 1, float("inf"), 10**400]
        if isinstance(param, (Choice, Number)):
            wrong.append(True)
        if isinstance(param, Flag):
            wrong += [0, 2]
        for value in wrong:
            with pytest.raises(InvalidParam, match=param.name):
                explain(model, method, params={param.name: value})


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(UnknownName, match="grad_cam"):
        explain(zoo_model("small_cnn"), "gradcam")
    with pytest.raises(UnknownName, match="occlusion"):
        xai_core.compare(zoo_model("small_cnn"), make_picture(), ["grad_cam", "oclusion"])
    with pytest.raises(xai_core.InvalidImage):
        xai_core.explain(zoo_model("small_cnn"), "not a picture", "grad_cam")


@pytest.mark.parametrize("model_name", QUICK)
@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_flat_picture_gives_a_finite_map(model_name, method, shade):
    model = half_size_model(model_name)
    if METHODS.get(method).refusal(model) is not None:
        pytest.skip(f"{method} is refused on {model_name}")
    attribution = explain(model, method, Image.new("RGB", (64, 48), (shade,) * 3))
    assert attribution.heatmap.shape == (model.side, model.side) and np.isfinite(attribution.values).all()


class Fragile(nn.Module):
    """A network that breaks down from the n-th forward pass on: a small convolution, or another one given."""

    def __init__(self, body: nn.Module | None, after: int) -> None:
        super().__init__()
        self.body = body
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(4, 10)
        self.calls, self.after, self.lock = [0], after, [threading.Lock]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # A list: copies made for isolation count on their own.
        self.calls[0] += 1
        if self.calls[0] > self.after:
            raise RuntimeError("out of memory")
        if self.body is not None:
            return self.body(x)
        return self.head(self.relu(self.conv(x)).mean((2, 3)))


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_a_failing_network_leaves_everything_as_it_was(method):
    fragile = (
        use_plain_torch(make_classifier(Fragile(body, after=10**9), 16)) for body in (None, seed_weights(Tokens()))
    )
    model = next(model for model in fragile if METHODS.get(method).refusal(model) is None)
    model.layers()
    before = take_snapshot(model)
    # It works as long as the network does.
    explain(model, method)
    model.module.after = 0
    model = copy.copy(model)
    use_plain_torch(model)
    with pytest.raises((RuntimeError, XaiError)) as failure:
        explain(model, method)
    assert "out of memory" in f"{failure.value} {failure.value.__cause__}"
    assert take_snapshot(model) == before


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_a_cancelled_explanation_stops_within_a_batch_and_leaves_everything_as_it_was(method):
    model = find_supported_model(method)
    before = take_snapshot(model)

    job = ImpatientJob()
    with pytest.raises(Cancelled):
        explain(model, method, params={}, job=job)
    assert job.done <= 1 + 64, "more than the batch in hand was computed after the cancel"
    assert take_snapshot(model) == before


def test_eight_threads_mixing_all_methods_equal_the_serial_maps():
    model, images = zoo_model("resnet18"), [make_picture(seed=seed) for seed in range(2)]
    assert any(getattr(part, "inplace", False) for part in model.module.modules()), (
        "where threads could meet in one tensor"
    )
    requests = [(method, number) for number in range(len(images)) for method in list_applicable(model)]
    serial = {
        (method, number): explain(model, method, images[number], seed=number).values for method, number in requests
    }
    distinct = {values.tobytes() for values in serial.values()}
    # XGrad-CAM is Grad-CAM behind a linear head.
    assert len(distinct) > 0.8 * len(serial), "the case is trivial if maps agree anyway"
    before = take_snapshot(model)
    with ThreadPoolExecutor(8) as pool:
        parallel = list(
            pool.map(
                lambda request: explain(model, request[0], images[request[1]], seed=request[1]).values, requests[::-1]
            )
        )
    for request, values in zip(requests[::-1], parallel, strict=True):
        # Jobs share batches, so last bits differ, which an optimizer carries on.
        # Another thread's map is off by its whole size.
        assert np.abs(values - serial[request]).max() <= 1e-4 * max(1.0, float(np.abs(serial[request]).max())), request
    assert take_snapshot(model) == before


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_no_map_depends_on_the_size_of_a_batch(method, monkeypatch):
    """The size is measured anew in every process, and differs from machine to machine: the map must not."""
    model = (
        zoo_model("small_cnn")
        if METHODS.get(method).refusal(zoo_model("small_cnn")) is None
        else find_supported_model(method)
    )
    spec = METHODS.get(method)
    # The defaults where they are cheap: with few steps Integrated Gradients has one round only.
    default_cost = spec.cost({param.name: param.default_for(model.side) for param in spec.params}, model.side)
    params = {} if default_cost <= MAX_COST else quick_params(method, model.side)
    usual, forward = explain(model, method, params=params), forward_for(model)
    monkeypatch.setattr(forward, "micro_batch", 3)
    monkeypatch.setattr(forward, "gradient_batch", 1)
    batched = explain(model, method, params=params)
    assert batched.evaluations == usual.evaluations
    assert np.abs(batched.values - usual.values).max() <= 1e-4 * float(np.abs(usual.values).max())


def test_compare_gives_the_maps_of_explain_in_the_order_asked_for():
    model = zoo_model("small_cnn")
    methods = list_applicable(model)[::-1]
    params = {method: quick_params(method, model.side) for method in methods}
    job: Job[object] = Job()
    maps = xai_core.compare(
        model, make_picture(), methods, target=3, layer=model.recommended_layer.name, params=params, seed=5, job=job
    )
    assert [attribution.method for attribution in maps] == methods
    for attribution in maps:
        layer = model.recommended_layer.name if METHODS.get(attribution.method).uses_layer else None
        alone = xai_core.explain(model, make_picture(), attribution.method, 3, layer, params[attribution.method], 5)
        assert (
            is_same(alone.values, attribution.values)
            and alone.params == attribution.params
            and alone.image_sha256 == attribution.image_sha256
        )


def test_the_plan_names_the_map_by_content():
    model, image = zoo_model("small_cnn"), make_picture()
    plan_id = xai_core.plan(model, image, "lime", 3, params={"samples": 50}, seed=1).id
    assert plan_id == xai_core.plan(model, image.copy(), "lime", "3", params={"samples": "50"}, seed=1).id
    others = [
        xai_core.plan(model, image, "lime", 4, params={"samples": 50}, seed=1),
        xai_core.plan(model, image, "lime", 3, params={"samples": 60}, seed=1),
        xai_core.plan(model, image, "lime", 3, params={"samples": 50}, seed=2),
        xai_core.plan(model, make_picture(seed=9), "lime", 3, params={"samples": 50}, seed=1),
        xai_core.plan(model, image, "occlusion", 3),
        xai_core.plan(zoo_model("efficientnet_lite0"), image, "lime", 3, params={"samples": 50}, seed=1),
    ]
    assert len({plan_id, *(changed.id for changed in others)}) == 7


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("side", [28, 224, 260])
def test_quick_parameters_are_valid_and_cheap(method, side):
    spec = METHODS.get(method)
    assert spec.cost(resolve(spec.params, spec.quick_params(side), side), side) <= MAX_COST


def test_every_method_says_what_it_is():
    for spec in METHODS.specs():
        words = (spec.title, spec.technical, spec.question, spec.sentence, spec.caution, spec.paper)
        assert (
            all(words)
            and spec.sentence.rstrip("]>").endswith(".")
            and spec.caution.endswith(".")
            and spec.question.endswith("?")
        )
        assert any(char.isdigit() for char in spec.paper), "a paper has a year"
        for param in spec.params:
            assert param.title and param.help.endswith(".")
            for side in (28, 224, 260):
                assert param.check(param.default_for(side), side) == param.default_for(side)


def test_the_zoo_is_all_here():
    networks = (
        "alexnet vgg16 resnet18 resnet50 densenet121 googlenet mobilenet_v3_large efficientnet_b0 convnext_tiny "
        "vit_b_16 swin_t"
    ).split()
    assert set(networks) <= set(ZOO) <= set(MODEL_NAMES)
