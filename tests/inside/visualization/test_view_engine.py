"""Visualizations of class logits by compiled gradients: the picture of plain torch, used only once ready and right."""

from __future__ import annotations

import numpy as np
import pytest

from tests.toy_networks import CLASSES, Conv, seed_weights
from tests.zoo_networks import make_classifier
from xai_core import Cancelled, Job, inside
from xai_core.engine.backends import gradients as engine
from xai_core.engine.backends.forward import forward_for
from xai_core.inside.visualization import optimize, view_engine
from xai_core.models.classifier import Classifier

pytestmark = pytest.mark.long
SIDE = 64
TERMS = {"class:2": 1.0, "class:4": -0.5}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHYBOX_DATA", str(tmp_path_factory.mktemp("graphs")))
        toy = make_classifier(seed_weights(Conv()), SIDE, classes=CLASSES, name="toy")
        assert forward_for(toy).backend == "openvino"
        plan = inside.plan_visualization(toy, TERMS)
        # Another side than the network's own: the graph is made for the views.
        assert plan.settings.shape[2] == 32 and engine.ready_gradients(toy, 32) is None
        yield toy


def visualize(model: Classifier, **changes) -> inside.Visualization:
    return inside.visualize(model, **({"unit": TERMS, "method": "pixel", "steps": 6, "seed": 3} | changes))


def test_either_engine_makes_the_same_picture(model, monkeypatch):
    monkeypatch.setattr(optimize, "REDIRECTED_STEPS", 2)
    eager = visualize(model)
    assert engine.prepare_gradients(model, 32) == engine.READY
    runs = []
    differentiate = view_engine.ViewEngine.differentiate

    def record(*arguments):
        runs.append(differentiate(*arguments))
        return runs[-1]

    monkeypatch.setattr(view_engine.ViewEngine, "differentiate", record)
    compiled = visualize(model)
    # The first two steps may have to revive rectifiers.
    assert len(runs) == 4 and None not in runs
    assert compiled.curve == pytest.approx(eager.curve, rel=1e-3)
    levels = [np.asarray(result.picture, int) for result in (eager, compiled)]
    assert np.abs(levels[0] - levels[1]).mean() < 0.5 and levels[0].std() > 1
    assert visualize(model).picture.tobytes() == compiled.picture.tobytes()
    opposite = visualize(model, sign=-1)
    assert opposite.curve[-1] < opposite.curve[0] and compiled.curve[-1] > compiled.curve[0]
    runs.clear()
    visualize(model, unit="probability:2")
    visualize(model, unit="channel:third:0")
    visualize(model, count=2, steps=3)
    assert not runs, "no sum of logits, or pictures that have to differ"


def test_a_job_is_stopped_while_the_engine_works(model):
    engine.prepare_gradients(model, 32)
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        visualize(model, job=job)


def test_a_failing_engine_gives_way_to_plain_torch_for_good(model, monkeypatch):
    engine.prepare_gradients(model, 32)
    compiled = engine.ready_gradients(model, 32)

    def fail(_rows):
        raise RuntimeError("broken")

    monkeypatch.setattr(optimize, "REDIRECTED_STEPS", 1)
    monkeypatch.setattr(compiled.batch, "run", fail)
    monkeypatch.setattr(compiled.batch, "make", lambda: fail)
    result = visualize(model)
    assert np.isfinite(result.curve).all() and engine.ready_gradients(model, 32) is None


def test_many_gradients_in_plain_torch_start_the_engine(model, monkeypatch):
    started = []
    monkeypatch.setattr(engine, "start_gradients", lambda of_model, side=None: started.append(side))
    monkeypatch.setattr(engine, "START_AFTER", 12)
    fresh_model = make_classifier(model.module, SIDE, classes=CLASSES, name="other")
    visualize(fresh_model, steps=5)
    assert not started
    visualize(fresh_model, steps=1)
    assert started == [32]
