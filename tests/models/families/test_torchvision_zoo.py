"""The zoo's builders against torchvision's own, on files that stand in for the downloads."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model, get_model_weights

from xai_core.errors import ModelUnavailable
from xai_core.models import MODELS
from xai_core.models.cache import ModelCache
from xai_core.models.families.torchvision_zoo import ROWS, Row

CPU = torch.device("cpu")
LIGHT = [row for row in ROWS if row.name in {"resnet18", "googlenet", "densenet121", "mobilenet_v3_large"}]


@pytest.fixture(autouse=True)
def checkpoints(monkeypatch, tmp_path) -> Path:
    """An empty torch cache and no way out to the internet."""

    def no_network(*args: object, **kwargs: object) -> None:
        raise urllib.error.URLError("no network in this test")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def old_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """DenseNet's published file is older than today's names: denselayer1.norm.1.weight, no counters in norms."""
    known = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    return {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", name): tensor for name, tensor in known.items()
    }


def stand_in(row: Row, folder: Path) -> Path:
    """Random weights under the name of the published ones."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = get_model(row.name, weights=None, **row.options)
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_()
    path = folder / get_model_weights(row.name)[row.weights].url.rsplit("/", 1)[-1]
    state = module.state_dict()
    torch.save(old_names(state) if row.rename else state, path)
    return path


@pytest.mark.parametrize("row", LIGHT, ids=lambda row: row.name)
def test_the_network_is_the_one_torchvision_builds(row, checkpoints):
    path = stand_in(row, checkpoints)
    if row.rename:
        assert any(".norm.1." in name for name in torch.load(path, weights_only=True))
    with torch.random.fork_rng():
        theirs = get_model(row.name, weights=get_model_weights(row.name)[row.weights]).eval()
    before = torch.get_rng_state()
    ours = ModelCache().get(MODELS.get(row.name), CPU)
    assert torch.equal(torch.get_rng_state(), before)
    assert ours.module.state_dict().keys() == theirs.state_dict().keys()
    example = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(example)
        assert expected.std() > 0
        assert torch.equal(ours.module(example), expected)
    assert not any(tensor.is_meta for tensor in ours.module.state_dict().values())
    assert not ours.module.training and not any(p.requires_grad for p in ours.module.parameters())
    assert len(ours.labels) == 1000 and ours.labels[504] == "coffee mug"
    assert "not the published ones" in ours.note  # used because it fits, but never silently


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_without_a_network_the_sentence_says_which_file_goes_where(row, checkpoints):
    url = get_model_weights(row.name)[row.weights].url
    with pytest.raises(ModelUnavailable) as caught:
        MODELS.get(row.name).build(None)
    assert url in str(caught.value) and str(checkpoints / url.rsplit("/", 1)[-1]) in str(caught.value)
    assert "no network in this test" in str(caught.value)
    assert list(checkpoints.iterdir()) == []


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100_000])


def _text(path: Path) -> None:
    path.write_text("<html>404</html>")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _other_network(path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, path)


def _other_shape(path: Path) -> None:
    state = torch.load(path, weights_only=True)
    torch.save(state | {"fc.bias": torch.zeros(10)}, path)


def _no_tensors(path: Path) -> None:
    torch.save([1, 2, 3], path)


def _code(path: Path) -> None:
    torch.save({"weight": _Spy()}, path)


class _Spy:
    """Unpickling this would leave a trace."""

    ran = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return setattr, (_Spy, "ran", True)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [_truncate, _text, _empty, _other_network, _other_shape, _no_tensors, _code, _folder],
    ids=lambda f: f.__name__,
)
def test_a_wrong_file_is_refused_with_the_remedy(spoil, checkpoints):
    row = next(row for row in ROWS if row.name == "resnet18")
    path = stand_in(row, checkpoints)
    spoil(path)
    with pytest.raises(ModelUnavailable) as caught:
        MODELS.get("resnet18").build(None)
    assert str(path) in str(caught.value) and "Delete it" in str(caught.value)
    assert not _Spy.ran


def test_every_row_tells_the_visitor_what_it_is():
    names = (
        "alexnet vgg16 resnet18 resnet50 densenet121 googlenet mobilenet_v3_large efficientnet_b0 convnext_tiny "
        "vit_b_16 swin_t"
    )
    assert set(names.split()) <= {row.name for row in ROWS}
    for name in MODELS:
        spec = MODELS.get(name)
        assert (
            spec.title
            and spec.sentence.endswith(".")
            and spec.paper
            and spec.licence
            and spec.source
            and spec.size_mb > 0
        )
        assert spec.bundled == (spec.weights_file is None)
    assert next(iter(MODELS)) == "efficientnet_lite0"
