"""Private copies share weights and nothing else; out_of_place keeps hooked activations whole."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.zoo_networks import zoo_model
from xai_core.models.isolation import fold_norms, isolate, out_of_place


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "swin_t", "efficientnet_lite0"])
def test_a_copy_computes_the_same_over_the_same_memory(name):
    module = zoo_model(name).module
    copy = isolate(module)
    x = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(copy(x), module(x))
        with out_of_place():
            assert torch.equal(isolate(module)(x), module(x))
    ours = {tensor.data_ptr() for tensor in [*copy.parameters(), *copy.buffers()]}
    theirs = {tensor.data_ptr() for tensor in [*module.parameters(), *module.buffers()]}
    assert ours == theirs
    assert not {id(part) for part in copy.modules()} & {id(part) for part in module.modules()}
    assert not any(parameter.requires_grad for parameter in copy.parameters())
    assert not any(getattr(part, "inplace", False) for part in copy.modules())


def test_hooks_modes_and_gradients_do_not_cross():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.BatchNorm2d(4)).train()
    seen: list[str] = []
    module[0].register_forward_hook(lambda *_: seen.append("original"))
    copy = isolate(module)
    copy[1].register_forward_hook(lambda *_: seen.append("copy"))
    x = torch.rand(2, 3, 8, 8, requires_grad=True)
    statistics = module[3].running_mean.clone()
    copy(x).sum().backward()
    assert seen == ["copy"] and x.grad is not None
    assert all(part.training for part in module.modules()) and not any(part.training for part in copy.modules())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in module.parameters())
    assert torch.equal(statistics, module[3].running_mean)
    assert module[1].inplace


class InPlace(nn.Module):
    """Overwrites what its layers return by functional activations."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.first(x), inplace=True)
        return F.hardtanh(self.second(y), -0.1, 0.1, inplace=True)


def test_out_of_place_leaves_hooked_outputs_whole():
    net, outputs = InPlace(), {}
    for name in ("first", "second"):
        getattr(net, name).register_forward_hook(
            lambda _m, _i, out, name=name: outputs.__setitem__(name, (out, out.clone()))
        )
    x = torch.randn(1, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = net(x)
        assert not torch.equal(*outputs["first"]) and not torch.equal(*outputs["second"]), (
            "the case must be one where it matters"
        )
        with out_of_place():
            again = net(x)
    assert torch.equal(*outputs["first"]) and torch.equal(*outputs["second"])
    assert torch.allclose(plain, again)


def test_out_of_place_ends_with_its_block_also_after_an_error():
    x = torch.ones(3)
    with pytest.raises(ZeroDivisionError), out_of_place():
        raise ZeroDivisionError
    assert F.relu(x - 2, inplace=True) is not x
    y = x - 2
    assert F.relu(y, inplace=True) is y and not y.any()


def test_attributes_that_point_at_parts_point_at_the_copys_parts():
    """Lists, dicts and plain attributes may hold modules, parameters or their own state."""

    class Knotted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(2, 2)
            self.again = self.first
            self.outside = [self.first]
            self.by_name = {"first": self.first, "weight": self.first.weight}
            self.state = {"calls": [0]}
            object.__setattr__(self, "hidden", self.first)

    module = Knotted()
    copied = isolate(module)
    assert copied.first is copied.again is copied.outside[0] is copied.by_name["first"] is copied.hidden
    assert copied.first is not module.first and copied.by_name["weight"] is copied.first.weight
    copied.state["calls"][0] = 5
    assert module.state["calls"] == [0]


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "efficientnet_lite0"])
def test_folded_norms_compute_the_same_gradients(name):
    module = zoo_model(name).module
    results = []
    # in double precision: in single, a rounding error at a kink may choose the other slope
    for private in (isolate(module).double(), fold_norms(isolate(module).double())):
        x = torch.rand(
            1, 3, 224, 224, dtype=torch.double, generator=torch.Generator().manual_seed(0), requires_grad=True
        )
        score = private(x)[0, 7]
        results.append((score.detach(), *torch.autograd.grad(score, x)))
    (score, gradient), (folded_score, folded_gradient) = results
    assert any(isinstance(part, nn.BatchNorm2d) for part in module.modules()), "nothing to fold"
    assert (score - folded_score).abs() <= 1e-9 * score.abs()
    assert (gradient - folded_gradient).norm() <= 1e-9 * gradient.norm()
    assert next(module.parameters()).dtype is torch.float32
