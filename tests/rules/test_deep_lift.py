"""DeepLIFT's rule against the rescale rule by hand, brute-force integrals, Captum where it is right, and
double-precision sums.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from captum.attr import DeepLift as CaptumDeepLift
from torch import nn
from torchvision import models
from torchvision.models.convnext import CNBlockConfig

from tests.zoo_networks import _warm
from xai_core import NotApplicable
from xai_core.models.isolation import isolate, out_of_place
from xai_core.rules.deep_lift import DeepLift, Lift

END = torch.tensor([[-3.5, -2.0, -0.4, 0.3, 0.9, 2.0, 7.0]], dtype=torch.float64)
START = torch.tensor([[1.0, -0.5, -0.9, 0.2, -2.0, 3.5, 0.1]], dtype=torch.float64)
WEIGHT = torch.tensor([[3.0, -1.0, 2.0, -2.0, 1.0, 0.5, -0.3]], dtype=torch.float64)

WAYS = {
    "relu": lambda x: F.relu(x),
    "relu in place by keyword": lambda x: F.relu(x, inplace=True),
    "relu module": lambda x: nn.ReLU()(x),
    "relu module in place": lambda x: nn.ReLU(inplace=True)(x),
    "torch.relu": lambda x: torch.relu(input=x),
    "torch.relu_": lambda x: torch.relu_(x),
    "relu method": lambda x: x.relu(),
    "relu method in place": lambda x: x.relu_(),
    "relu6": lambda x: F.relu6(x),
    "hardtanh": lambda x: F.hardtanh(x, -1.0, 2.0),
    "hardtanh in place": lambda x: F.hardtanh_(x, -1.0, 2.0),
    "clamp": lambda x: x.clamp(min=0),
    "clamp in place": lambda x: x.clamp_(0, 6),
    "leaky": lambda x: F.leaky_relu(x, 0.1),
    "prelu": lambda x: F.prelu(x, torch.tensor([0.2], dtype=torch.float64)),
    "elu": lambda x: F.elu(x),
    "selu module in place": lambda x: nn.SELU(inplace=True)(x),
    "gelu": lambda x: F.gelu(x),
    "gelu of transformers": lambda x: F.gelu(x, approximate="tanh"),
    "silu": lambda x: F.silu(x),
    "silu in place": lambda x: F.silu(x, inplace=True),
    "mish": lambda x: F.mish(x),
    "sigmoid": lambda x: torch.sigmoid(x),
    "hardsigmoid": lambda x: nn.Hardsigmoid(inplace=True)(x),
    "hardswish": lambda x: nn.Hardswish()(x),
    "softplus": lambda x: F.softplus(x),
    "tanh in place": lambda x: x.tanh_(),
    "square": lambda x: x**2,
    "power of two": lambda x: 2**x,
    "below a constant": lambda x: 1 / (5 + x),
    "divides a constant": lambda x: torch.div(torch.full_like(x, 2.0), 5 + x),
    "exponential": lambda x: torch.exp(x),
    "root": lambda x: torch.sqrt(x + 4),
    "absolute": lambda x: abs(x),
    "steps": lambda x: torch.round(x),
    "itself by itself": lambda x: x * x,
    "gated by itself": lambda x: x * torch.sigmoid(x * 1.0),
}


def plain(way):
    """The function by itself, on data of its own."""
    return lambda x: way(x.clone())


@pytest.mark.parametrize("way", [way for way in WAYS if way != "gated by itself"], ids=str)
def test_values_one_at_a_time_follow_the_rescale_rule(way):
    result = DeepLift().lift(lambda x: (WAYS[way](x) * WEIGHT).sum(1), END, START)
    change = plain(WAYS[way])(END) - plain(WAYS[way])(START)
    assert torch.allclose(result.multipliers, WEIGHT * change / (END - START), atol=1e-12) and change.abs().max() > 0.1
    assert torch.allclose(result.scores - result.baseline_scores, (WEIGHT * change).sum(1)) and result.points == 1


def test_a_gate_and_its_values_share_the_product():
    result = DeepLift().lift(lambda x: (WAYS["gated by itself"](x) * WEIGHT).sum(1), END, START)
    slope = (END.sigmoid() - START.sigmoid()) / (END - START)
    by_hand = WEIGHT * ((END.sigmoid() + START.sigmoid()) / 2 + slope * (END + START) / 2)
    assert torch.allclose(result.multipliers, by_hand) and result.points == 1


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_where_nothing_changes_it_is_the_gradient(way):
    x = END.clone().requires_grad_(True)
    expected = torch.autograd.grad((WAYS[way](x * 1) * WEIGHT).sum(), x)[0]
    assert torch.allclose(DeepLift().lift(lambda x: (WAYS[way](x) * WEIGHT).sum(1), END, END).multipliers, expected)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


ATTENTION = nn.MultiheadAttention(8, 2, batch_first=True).double().eval().requires_grad_(False)
with torch.no_grad():
    ATTENTION.in_proj_weight.copy_(draw(24, 8, seed=5))
    ATTENTION.out_proj.weight.copy_(draw(8, 8, seed=6))
JOINT = {
    "softmax": lambda x: x.softmax(-1),
    "log softmax": lambda x: F.log_softmax(x, dim=-1),
    "layer norm": lambda x: F.layer_norm(x, (8,)),
    "group norm": lambda x: F.group_norm(x.transpose(1, 2), 2),
    "normalize": lambda x: F.normalize(x, dim=-1),
    "product": lambda x: x[:, :3] * x[:, 3:],
    "product in place": lambda x: (x[:, :3] * 1).mul_(x[:, 3:]),
    "matmul": lambda x: x @ x.transpose(1, 2),
    "einsum": lambda x: torch.einsum("nij,nkj->nik", x, x),
    "quotient": lambda x: x[:, :3] / (x[:, 3:] + 6),
    "maximum of two": lambda x: torch.maximum(x[:, :3], x[:, 3:]),
    "maximum with its place": lambda x: x.max(dim=1).values,
    "max-pool": lambda x: F.max_pool1d(x, 3),
    "max-pool with places": lambda x: F.max_pool2d(x[:, None], 2, return_indices=True)[0],
    "adaptive max-pool": lambda x: nn.AdaptiveMaxPool1d(2)(x),
    "log-sum-exp": lambda x: x.logsumexp(1),
    "spread": lambda x: x.std(1),
    "gated linear": lambda x: F.glu(x, -1),
    "attention": lambda x: F.scaled_dot_product_attention(x, x * 2, x + 1),
    "attention module": lambda x: ATTENTION(x, x, x, need_weights=False)[0],
    "attention module with weights": lambda x: ATTENTION(x, x, x)[0],
}


def integral(score, end: torch.Tensor, start: torch.Tensor, points: int = 300) -> torch.Tensor:
    """The gradient's mean on the straight line from start to end, by the midpoint rule in plain torch: right for one
    function.
    """
    total = torch.zeros_like(end)
    for place in ((torch.arange(points) + 0.5) / points).tolist():
        here = (start + place * (end - start)).requires_grad_(True)
        total += torch.autograd.grad(score(here).sum(), here)[0]
    return total / points


@pytest.mark.parametrize("way", JOINT, ids=str)
def test_functions_of_many_values_pass_back_their_mean_jacobian(way):
    end, start, up = draw(2, 6, 8), draw(2, 6, 8, seed=1), draw(1000, seed=2)

    def score(x: torch.Tensor) -> torch.Tensor:
        y = JOINT[way](x).flatten(1)
        return y @ up[: y.shape[1]]

    result = DeepLift(tolerance=1e-7, limit=256).lift(score, end, start)
    kinked = "max" in way
    expected, straight = integral(score, end, start, 3000 if kinked else 300), integral(score, end, end, 1)
    assert (expected - straight).norm() > 0.02 * expected.norm(), "the case would be trivial"
    assert (result.multipliers - expected).norm() <= (0.01 if kinked else 1e-4) * expected.norm()
    shares = (result.multipliers * (end - start)).flatten(1).sum(1)
    assert torch.allclose(shares, result.scores - result.baseline_scores, rtol=0.02 if kinked else 1e-5)
    if any(name in way for name in ("product", "matmul", "einsum")):
        assert result.points == 1


def test_more_points_are_taken_only_where_needed_and_up_to_the_limit():
    end, start, up = 8 * draw(1, 4, 8), 8 * draw(1, 4, 8, seed=1), draw(4, 8, seed=2)

    def gap(tolerance: float, limit: int) -> tuple[float, int]:
        result = DeepLift(tolerance, limit).lift(lambda x: (x.softmax(-1) * up).sum((1, 2)), end, start)
        change = float(result.scores - result.baseline_scores)
        return abs(float((result.multipliers * (end - start)).sum()) - change) / abs(change), result.points

    rough, fine, few = gap(0.05, 256), gap(1e-6, 256), gap(1e-6, 5)
    assert rough[0] <= 0.05 and fine[0] <= 1e-6 and few[0] > 1e-4
    assert 4 <= rough[1] < fine[1] <= 256 and few[1] == 5


def seed_module(module: nn.Module, seed: int = 3) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            fan = weight[0].numel() if weight.ndim > 1 else 1
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(noise * (2 / fan) ** 0.5 if weight.ndim > 1 else noise * 0.1 + ("weight" in name))
        for name, buffer in module.named_buffers():
            if "running" in name:
                buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5 * ("var" in name))
    return isolate(module)


def lift(module: nn.Module, x: torch.Tensor, baseline: torch.Tensor, target: int = 1, **more) -> Lift:
    with out_of_place():
        return DeepLift(**more).lift(lambda pictures: module(pictures)[:, target], x, baseline)


def sequential() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(8 * 16, 20), nn.ReLU(),
        nn.Linear(20, 4),
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_is_captums_on_a_plain_stack():
    module, (x, baseline) = seed_module(sequential()), draw(2, 3, 14, 14).float()
    expected = CaptumDeepLift(isolate(module)).attribute(x[None].clone(), baseline[None], target=1)
    result = lift(module, x[None], baseline[None])
    shares = result.multipliers * (x - baseline)
    own = x[None].clone().requires_grad_(True)
    plain_gradient = torch.autograd.grad(module(own)[0, 1], own)[0] * (x - baseline)
    assert (plain_gradient - expected).norm() > 0.1 * expected.norm(), "the case would be trivial"
    assert (shares - expected).norm() <= 1e-4 * expected.norm()


class Reused(nn.Module):
    """One in-place rectifier used three times, a functional one, an in-place method and an addition in place: the traps
    of hooks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
        self.relu, self.head = nn.ReLU(inplace=True), nn.Linear(3, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.relu(self.first(x))
        b = self.second(a)
        b += x
        b = self.relu(b)
        c = self.relu(F.relu(self.third(b), inplace=True) + a - 1)
        d = self.second(c)
        d.relu_()
        return self.head((d * c).mean((2, 3)))


SMALL = {
    "reused": Reused,
    "vgg": lambda: nn.Sequential(
        models.vgg.make_layers([8, "M", 16, 16, "M", 32, 32, "M"]), nn.Flatten(), nn.Linear(2048, 4)
    ),
    "resnet18": lambda: models.resnet18(num_classes=4),
    "densenet": lambda: models.DenseNet(8, (2, 2), 16, num_classes=4),
    "googlenet": lambda: models.GoogLeNet(4, aux_logits=False, transform_input=True, init_weights=False),
    "mobilenet_v3": lambda: models.mobilenet_v3_small(num_classes=4),
    "efficientnet": lambda: models.efficientnet_b0(num_classes=4),
    "convnext": lambda: models.ConvNeXt(
        [CNBlockConfig(12, 24, 2), CNBlockConfig(24, None, 2)], num_classes=4, layer_scale=1.0
    ),
    "vit": lambda: models.VisionTransformer(64, 16, 3, 4, 32, 64, num_classes=4),
    "swin": lambda: models.SwinTransformer([4, 4], 16, [2, 2], [2, 4], [4, 4], num_classes=4),
    "swin_v2": lambda: models.SwinTransformer(
        [4, 4], 16, [2, 2], [2, 4], [4, 4], num_classes=4,
        block=models.swin_transformer.SwinTransformerBlockV2, downsample_layer=models.swin_transformer.PatchMergingV2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_the_shares_add_up_on_every_family_in_double_precision(name):
    with torch.random.fork_rng():
        module = seed_module(SMALL[name]())
    _warm(module, 64)
    module = isolate(module).double()
    x, baseline = draw(2, 3, 64, 64) * 0.5, draw(2, 3, 64, 64, seed=1) * 0.2
    result = lift(module, x, baseline, tolerance=1e-4, limit=256)
    with torch.no_grad():
        assert torch.allclose(result.scores, module(x)[:, 1]) and torch.allclose(
            result.baseline_scores, module(baseline)[:, 1]
        )
    change = result.scores - result.baseline_scores
    own = x.clone().requires_grad_(True)
    slope = torch.autograd.grad(module(own)[:, 1].sum(), own)[0] * (x - baseline)
    assert (slope.sum() - change.sum()).abs() > 0.03 * change.sum().abs(), "the case would be trivial"
    assert abs(float((result.multipliers * (x - baseline)).sum() - change.sum())) <= 1e-4 * abs(float(change.sum()))


class Hidden(torch.autograd.Function):
    """A function torch's modes cannot see."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    def backward(ctx, gradient):
        return 2 * ctx.saved_tensors[0] * gradient


@pytest.mark.parametrize(
    "way", [Hidden.apply, lambda x: torch.where(x > 0, x, 0 * x), lambda x: x * (x > 0)], ids=["own", "where", "mask"]
)
def test_what_it_misses_shows_as_a_gap(way):
    result = DeepLift().lift(lambda x: (way(x) * WEIGHT).sum(1), END, START)
    change = float(result.scores - result.baseline_scores)
    assert abs(float((result.multipliers * (END - START)).sum()) - change) > 0.1 * abs(change)


@pytest.mark.parametrize(
    "first",
    [lambda x: x.relu(), lambda x: x.relu().sigmoid(), lambda x: x[:, :3].relu()],
    ids=["name", "more", "shape"],
)
def test_two_ways_through_the_network_are_refused(first):
    def score(x: torch.Tensor) -> torch.Tensor:
        return first(x).sum(1) if x.sum() > 0 else x.tanh().sum(1) if first(x).shape == x.shape else x.relu().sum(1)

    with pytest.raises(NotApplicable, match="other steps"):
        DeepLift().lift(score, END, -END)
    with pytest.raises(NotApplicable, match="other steps"):
        DeepLift().lift(score, -END, END)


def test_eight_threads_do_not_meet_and_the_network_stays_as_it_was():
    module, pictures = seed_module(Reused()), draw(8, 3, 16, 16).float()
    before = {name: weight.clone() for name, weight in module.state_dict().items()}
    jobs = [(pictures[i : i + 1], pictures[j : j + 1]) for i in range(8) for j in range(8) if i != j]
    serial = [lift(module, *job).multipliers for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        result = list(pool.map(lambda job: lift(module, *job).multipliers, jobs))
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(serial, result, strict=True))
    assert all(torch.equal(weight, before[name]) for name, weight in module.state_dict().items())
    assert not any(part._forward_hooks or part._backward_hooks for part in module.modules())


def test_a_stop_between_two_points_comes_through_the_backward_pass():
    calls = []

    def tick() -> None:
        calls.append(None)
        if len(calls) == 4:
            raise ZeroDivisionError("stopped")

    with pytest.raises(ZeroDivisionError, match="stopped"):
        DeepLift(1e-9, 256, tick).lift(lambda x: (x.softmax(-1) * WEIGHT).sum(1), END, START)
    assert len(calls) == 4


def test_it_leaves_its_inputs_alone():
    end, start = END.clone(), START.clone()
    DeepLift().lift(lambda x: x.relu_().sum(1), end, start)
    assert torch.equal(end, END) and torch.equal(start, START) and not end.requires_grad


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 1}, {"padding": 1}, {"ceil_mode": True}, {"stride": 3, "dilation": 2, "padding": 1}],
    ids=str,
)
def test_max_pooling_is_exact_whatever_its_windows(options):
    end, start = draw(2, 2, 8, 7).relu(), draw(2, 2, 8, 7, seed=1).relu()  # many equal zeros
    up = draw(1000, seed=2)

    def score(x: torch.Tensor) -> torch.Tensor:
        y = F.max_pool2d(x, 3, **options).flatten(1)
        return y @ up[: y.shape[1]]

    result = DeepLift().lift(score, end, start)
    shares = (result.multipliers * (end - start)).flatten(1).sum(1)
    assert torch.allclose(shares, result.scores - result.baseline_scores, rtol=1e-10) and result.points == 1
    # Of equal values that stay equal, either may count: by shares they agree.
    expected = integral(score, end, start, 2000) * (end - start)
    assert (result.multipliers * (end - start) - expected).norm() <= 2e-3 * expected.norm()
