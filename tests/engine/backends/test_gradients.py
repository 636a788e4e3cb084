"""Compiled input gradients: equal to autograd in double precision, used only where right, never a reason to fail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import xai_core
from tests.toy_networks import CLASSES, SIDE, Conv, seed_weights
from tests.zoo_networks import make_classifier, make_picture
from xai_core.engine.backends import gradient_runs, gradients as engine
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.backends.graph_files import cache
from xai_core.engine.evaluator import Evaluator
from xai_core.engine.jobs import Job
from xai_core.engine.objective_gradients import ObjectiveGradients
from xai_core.errors import Cancelled
from xai_core.methods.base.spec import METHODS
from xai_core.models.isolation import isolate

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path))


class Residual(nn.Module):
    """As many channels in as out: the transposed convolution and the convolution share a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, 1, 1)
        self.depthwise, self.head = nn.Conv2d(8, 8, 3, 2, groups=8), nn.Linear(8, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.first(x))
        x = F.relu(self.second(x) + x)
        # Asymmetric padding, whose backward pass crops.
        x = F.hardswish(self.depthwise(F.pad(x, (0, 1, 0, 1))))
        return self.head(F.adaptive_avg_pool2d(x, 4).mean((2, 3)))


class UnevenCells(Residual):
    """An average over cells of several sizes, whose backward pass is not translated."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(F.adaptive_avg_pool2d(F.relu(self.first(x)), 3).mean((2, 3)))


def make_model(module: nn.Module, name: str = "toy"):
    model = make_classifier(seed_weights(module), SIDE, classes=CLASSES, name=name)
    assert forward_for(model).backend == "openvino"
    return model


def draw_pictures(count: int) -> torch.Tensor:
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3)) * 2 - 1


def compute(model, pictures, target=2, job=None) -> tuple[torch.Tensor, torch.Tensor, set[str]]:
    evaluator = Evaluator(model, forward_for(model), pictures[:1], target, job or Job())
    parts = list(evaluator.gradients(pictures))
    scores, gradients = (torch.cat(part) for part in zip(*parts, strict=True))
    return scores, gradients, evaluator.input_gradients.backends


def differentiate_in_double(model, pictures, target) -> torch.Tensor:
    own = pictures.double().requires_grad_(True)
    logits = isolate(model.module).double()(own)
    score = logits[:, target[0]] - logits[:, target[1]] if isinstance(target, tuple) else logits[:, target]
    return torch.autograd.grad(score.sum(), own)[0]


def relative_error(values, expected) -> float:
    return float((values.double() - expected).norm() / expected.norm())


@pytest.mark.parametrize("module", [Residual, Conv])
def test_gradients_equal_autograd_for_classes_and_pairs_in_any_number(module):
    model = make_model(module())
    assert engine.prepare_gradients(model) == engine.READY == engine.gradient_note(model)
    for count, target in ((1, 2), (2, (4, 1)), (7, 0)):
        pictures = draw_pictures(count)
        scores, gradients, backends = compute(model, pictures, target)
        assert gradients.shape == pictures.shape and len(scores) == count and backends == {"openvino"}
        assert relative_error(gradients, differentiate_in_double(model, pictures, target)) <= 1e-4


def test_a_picture_gives_the_same_bits_alone_in_a_batch_and_beside_others():
    model = make_model(Residual())
    engine.prepare_gradients(model)
    pictures = draw_pictures(8)
    together = compute(model, pictures)[1]
    with ThreadPoolExecutor(8) as pool:
        alone = list(pool.map(lambda number: compute(model, pictures[number : number + 1])[1], range(8)))
    assert torch.equal(torch.cat(alone), together)


@pytest.mark.parametrize("method", [spec.name for spec in METHODS.specs() if spec.gradient])
def test_every_gradient_method_gives_the_same_map_with_either_engine(method, small_models):
    eager, compiled = small_models
    spec = METHODS.get(method)
    if spec.refusal(eager) is not None:
        pytest.skip("not for this network")
    params = spec.quick_params(eager.side)
    maps = [xai_core.explain(model, make_picture(), method, 3, params=params) for model in (eager, compiled)]
    expected, values = (attribution.values.astype(np.float64) for attribution in maps)
    assert np.linalg.norm(values - expected) <= 1e-3 * np.linalg.norm(expected)
    backend = maps[1].versions.get("gradients")
    assert maps[0].versions.get("gradients") in (None, "torch") and backend in (
        None,
        "openvino",
        "torch",
        "openvino and torch",
    )
    if method in ("saliency", "integrated_gradients", "smooth_grad", "gradient_shap", "gradient_x_input"):
        assert backend == "openvino" and expected.any()


@pytest.fixture(scope="module")
def small_models(tmp_path_factory):
    """The bundled small network twice: in plain torch, and compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHYBOX_DATA", str(tmp_path_factory.mktemp("small")))
        bundled = xai_core.load_model("small_cnn")
        models = [make_classifier(isolate(bundled.module), bundled.side, 1, name=f"small {n}") for n in range(2)]
        for model in models:
            forward_for(model)
        assert engine.prepare_gradients(models[1]) == engine.READY
        yield models


def test_a_request_keeps_the_engine_it_began_with():
    model = make_model(Conv())
    pictures = draw_pictures(4)
    evaluator = Evaluator(model, forward_for(model), pictures[:1], 2, Job())
    first = list(evaluator.gradients(pictures))
    engine.prepare_gradients(model)
    second = list(evaluator.gradients(pictures))
    assert evaluator.input_gradients.backends == {"torch"} and torch.equal(first[0][1], second[0][1])


class Twice(Residual):
    """One rectifier called twice: the last call's maps count."""

    def __init__(self) -> None:
        super().__init__()
        self.rectifier = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.first(self.rectifier(x)))
        return self.head(self.rectifier(self.second(x)).mean((2, 3)))


def differentiate_layer_in_double(model, layer, x, target) -> list[torch.Tensor]:
    network, calls = isolate(model.module).double(), []
    network.get_submodule(layer).register_forward_hook(lambda _part, _inputs, output: calls.append(output))
    logits = network(x.double().requires_grad_(True))
    score = logits[0, target[0]] - logits[0, target[1]] if isinstance(target, tuple) else logits[0, target]
    return [calls[-1][0].detach(), torch.autograd.grad(score, calls[-1])[0][0]]


@pytest.mark.parametrize(
    ("module", "layer"), [(Residual, "first"), (Residual, "norm"), (Residual, "depthwise"), (Twice, "rectifier")]
)
@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_by_a_layer_equal_autograd(module, layer, compiled):
    model, x = make_model(module()), draw_pictures(1)
    place = model.layer(layer)
    if compiled:
        assert engine.prepare_layer_gradients(model, place) == engine.READY
    for target in (2, (4, 1)):
        evaluator = Evaluator(model, forward_for(model), x, target, Job())
        answers = evaluator.layer_gradients(place)
        for answer, expected in zip(answers, differentiate_layer_in_double(model, layer, x, target), strict=True):
            assert answer.shape == expected.shape and relative_error(answer, expected) <= 1e-4
        assert evaluator.input_gradients.backends == {"openvino" if compiled else "torch"}
        assert evaluator.evaluations == 2


def test_gradients_by_a_layer_are_compiled_where_they_become_many(monkeypatch):
    monkeypatch.setenv("WHYBOX_COMPILED_GRADIENTS", "1")
    model = make_model(Conv())
    layers = [layer for layer in model.layers() if layer.alias_of is None][: engine.MAX_LAYERS + 1]
    for layer in layers:
        for _ in range(engine.START_LAYER_AFTER):
            engine.count_layer_gradients(model, layer)
    notes = [engine.prepare_layer_gradients(model, layer) for layer in layers]
    assert notes == [engine.READY] * len(layers[: engine.MAX_LAYERS]) + [""] * len(layers[engine.MAX_LAYERS :])


def test_an_engine_of_a_layer_that_fails_later_is_given_up(monkeypatch):
    model, x = make_model(Conv()), draw_pictures(1)
    place = model.recommended_layer
    expected = Evaluator(model, forward_for(model), x, 1, Job()).layer_gradients(place)
    engine.prepare_layer_gradients(model, place)

    def fail(*_args):
        raise RuntimeError("out of luck")

    single = engine.ready_layer_gradients(model, place).single
    single.run, single.make = fail, fail
    evaluator = Evaluator(model, forward_for(model), x, 1, Job())
    assert all(map(torch.equal, evaluator.layer_gradients(place), expected))
    assert evaluator.input_gradients.backends == {"torch"} and engine.ready_layer_gradients(model, place) is None


@pytest.mark.parametrize("prepare", [False, True])
def test_gradients_of_any_objective_equal_autograd(prepare):
    def margin(logits):
        return logits[:, 1] - logits[:, 2:].max(1).values

    def log_probability(logits):
        return logits.log_softmax(1)[:, 3]

    model, pictures = make_model(Residual()), draw_pictures(5)
    if prepare:
        assert engine.prepare_gradients(model) == engine.READY
    objectives = [margin, log_probability, margin, margin, log_probability]
    values, gradients = ObjectiveGradients(model, forward_for(model), Job()).compute(pictures, objectives)
    own = pictures.double().requires_grad_(True)
    logits = isolate(model.module).double()(own)
    expected = torch.cat([objective(row) for objective, row in zip(objectives, logits.split(1), strict=True)])
    assert torch.allclose(values.double(), expected.detach(), atol=1e-5)
    assert relative_error(gradients, torch.autograd.grad(expected.sum(), own)[0]) <= 1e-4


def test_parts_are_drawn_while_others_run_and_come_with_their_pictures():
    model, pictures = make_model(Conv()), draw_pictures(23)
    expected = compute(model, pictures)[1]
    for prepare in (False, True):
        if prepare:
            engine.prepare_gradients(model)
        evaluator = Evaluator(model, forward_for(model), pictures[:1], 2, Job())
        drawn, seen = [], []
        parts = (drawn.append(len(part)) or part for part in pictures.split(4))
        for copies, _, gradients in evaluator.stream_gradients(parts):
            seen.append((copies, gradients, sum(drawn)))
        assert torch.equal(torch.cat([copies for copies, _, _ in seen]), pictures)
        assert relative_error(torch.cat([gradients for _, gradients, _ in seen]), expected) <= 1e-4
        assert seen[0][2] < len(pictures)


def break_compiler(_graph):
    raise RuntimeError("no such instruction")


def spoil_compiler(graph):
    run = ORIGINAL_COMPILER(graph)
    return lambda inputs: [run(inputs)[0], run(inputs)[1] * 1.05 + 0.001]


ORIGINAL_COMPILER = gradient_runs.compile_inputs


@pytest.mark.parametrize(
    ("module", "compiler", "memory_budget", "words"),
    [
        (Conv, break_compiler, None, "cannot compute them"),
        (Conv, spoil_compiler, None, "differ from plain torch"),
        (UnevenCells, None, None, "cannot compute them"),
        (Conv, None, 0, "MB of memory"),
    ],
)
def test_where_compiling_fails_plain_torch_goes_on_and_the_note_says_why(
    module, compiler, memory_budget, words, monkeypatch
):
    model = make_model(module())
    pictures = draw_pictures(3)
    before = compute(model, pictures)
    if compiler is not None:
        monkeypatch.setattr(gradient_runs, "compile_inputs", compiler)
    if memory_budget is not None:
        monkeypatch.setattr(engine.memory, "budget", lambda: memory_budget)
    note = engine.prepare_gradients(model)
    after = compute(model, pictures)
    assert words in note and engine.ready_gradients(model) is None
    assert after[2] == {"torch"} and torch.equal(before[1], after[1])


def test_a_damaged_file_is_made_anew(caplog):
    first = make_model(Residual())
    engine.prepare_gradients(first)
    expected = compute(first, draw_pictures(5))[1]
    entries = [entry for entry in cache().entries() if (entry.folder / "network.bin").is_file()]
    assert len(entries) >= 2
    for entry in entries:
        weights = entry.folder / "network.bin"
        weights.write_bytes(bytes(len(weights.read_bytes())))
    second = make_model(Residual())
    assert engine.prepare_gradients(second) == engine.READY
    assert torch.equal(compute(second, draw_pictures(5))[1], expected)


def test_an_engine_that_fails_later_is_given_up_and_the_map_is_finished(monkeypatch):
    model = make_model(Conv())
    pictures = draw_pictures(5)
    expected = compute(model, pictures)[1]
    engine.prepare_gradients(model)

    def fail(*_args):
        raise RuntimeError("out of luck")

    compiled = engine.ready_gradients(model)
    for forward in (compiled.single, compiled.batch):
        forward.run, forward.make = fail, fail
    scores, gradients, backends = compute(model, pictures)
    assert backends == {"torch"} and torch.allclose(gradients, expected, atol=1e-6) and len(scores) == 5
    assert engine.ready_gradients(model) is None and "failed" in engine.gradient_note(model)


def test_a_cancelled_job_stops():
    model, job = make_model(Conv()), Job()
    engine.prepare_gradients(model)
    job.cancel()
    with pytest.raises(Cancelled):
        compute(model, draw_pictures(9), job=job)
