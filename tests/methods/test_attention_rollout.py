"""Attention rollout against weights computed by hand, head by head; refused without attention of a class token."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import xai_core
from tests.toy_networks import CLASSES, SIDE, Channels, Conv, Tokens, is_close, toy_model, upsample_to_picture
from tests.zoo_networks import make_picture, zoo_model
from xai_core import NotApplicable
from xai_core.models.isolation import isolate

WIDTH, HEADS = 8, 2
MEAN = {"heads": "mean"}


class Layer(nn.Module):
    """Attention and a small network after it, each with a short cut, attention by one of several kinds of call."""

    def __init__(self, attention_call: str) -> None:
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(WIDTH), nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.after, self.attention_call = nn.Linear(WIDTH, WIDTH), attention_call

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        if self.attention_call in ("module", "weights wanted"):
            return self.attention(x, x, x, need_weights=self.attention_call != "module")[0]
        mixed = F.linear(x, self.attention.in_proj_weight, self.attention.in_proj_bias)
        query, key, value = mixed.view(*x.shape[:2], 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        if self.attention_call == "function":
            out = F.scaled_dot_product_attention(query, key, value)
        else:
            out = F.softmax(query @ key.transpose(-2, -1) / (WIDTH // HEADS) ** 0.5, dim=-1) @ value
        return self.attention.out_proj(out.transpose(1, 2).reshape(x.shape))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attend(self.norm(x))
        return x + F.gelu(self.after(x))


class TwoLayers(nn.Module):
    """A class token before 16 patches and two layers of attention."""

    def __init__(self, attention_call: str = "module") -> None:
        super().__init__()
        self.patches, self.head = nn.Conv2d(3, WIDTH, 4, 4), nn.Linear(WIDTH, CLASSES)
        self.layer_one, self.layer_two, self.first = (
            Layer(attention_call),
            Layer(attention_call),
            nn.Parameter(torch.empty(1, 1, WIDTH)),
        )

    def tokens(self, x: torch.Tensor) -> torch.Tensor:
        patches = self.patches(x).flatten(2).transpose(1, 2)
        return torch.cat([self.first.expand(len(x), -1, -1), patches], dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer_two(self.layer_one(self.tokens(x)))[:, 0])


def attend_by_hand(attention: nn.MultiheadAttention, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Output (tokens, width) of self-attention and softmax(Q Kᵀ / √d) of each head, one head at a time."""
    (wq, wk, wv), (bq, bk, bv) = attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)
    width, weights, mixed = WIDTH // HEADS, [], []
    for head in range(HEADS):
        rows = slice(head * width, (head + 1) * width)
        query, key, value = x @ wq[rows].T + bq[rows], x @ wk[rows].T + bk[rows], x @ wv[rows].T + bv[rows]
        scores = torch.exp(query @ key.T / width**0.5)
        weights.append(scores / scores.sum(1, keepdim=True))
        mixed.append(weights[-1] @ value)
    return torch.cat(mixed, dim=1) @ attention.out_proj.weight.T + attention.out_proj.bias, weights


def run_by_hand(model, image, target: int) -> tuple[list[list[torch.Tensor]], torch.Tensor]:
    """Weights of each layer and head of `TwoLayers`, and the target's logit, in double precision."""
    net = isolate(model.module).double()
    x, layers = net.tokens(model.prepare(image).double().requires_grad_(True))[0], []
    for layer in (net.layer_one, net.layer_two):
        out, weights = attend_by_hand(layer.attention, layer.norm(x))
        x = x + out
        x = x + F.gelu(layer.after(x))
        layers.append(weights)
    return layers, net.head(x[0])[target]


def upsample_class_row(layers: list[np.ndarray]) -> np.ndarray:
    """Row 0 of the product, last layer first, on the patches' grid."""
    total = np.eye(17)
    for layer in layers:
        total = layer @ total
    return upsample_to_picture(total[0, 1:].reshape(4, 4))


def test_plain_rollout_on_one_layer_is_the_class_tokens_attention():
    model, image = toy_model(Tokens()), make_picture(SIDE)
    net = isolate(model.module)
    patches = net.patches(model.prepare(image)).flatten(2).transpose(1, 2)
    x = net.norm(torch.cat([net.first, patches], dim=1))[0]
    _, weights = attend_by_hand(net.attention, x)
    mean = torch.stack(weights).mean(0).detach().numpy()
    attribution = xai_core.explain(model, image, "attention_rollout", 2, params=MEAN)
    assert np.ptp(mean[0]) > 0.01 and is_close(attribution.values, upsample_to_picture(mean[0, 1:].reshape(4, 4) / 2))
    assert (
        attribution.unit == "share of attention"
        and attribution.details["layers"] == 1
        and attribution.details["heads"] == HEADS
    )


def test_plain_rollout_multiplies_the_layers():
    model, image = toy_model(TwoLayers()), make_picture(SIDE)
    layers, _ = run_by_hand(model, image, 2)
    means = [torch.stack(weights).mean(0).detach().numpy() for weights in layers]
    expected = upsample_class_row([(mean + np.eye(17)) / 2 for mean in means])
    assert not is_close(means[1][0, 1:], expected[0, :16]), "the case is trivial if one layer says it all"
    attribution = xai_core.explain(model, image, "attention_rollout", 2, params=MEAN)
    another_class = xai_core.explain(model, image, "attention_rollout", 0, params=MEAN)
    assert is_close(attribution.values, expected) and np.array_equal(attribution.values, another_class.values)


@pytest.mark.parametrize("attention_call", ["module", "weights wanted", "function", "by hand"])
@pytest.mark.parametrize("target", [0, 3])
def test_by_class_it_weighs_each_head_by_its_gradient(target, attention_call):
    model, image = toy_model(TwoLayers(attention_call)), make_picture(SIDE)
    layers, logit = run_by_hand(model, image, target)
    useful = []
    for weights in layers:
        gradients = torch.autograd.grad(logit, weights, retain_graph=True)
        heads = [(w * g).clamp_min(0).detach().numpy() for w, g in zip(weights, gradients, strict=True)]
        useful.append(np.mean(heads, axis=0) + np.eye(17))
    attribution = xai_core.explain(model, image, "attention_rollout", target)
    assert (
        is_close(attribution.values, upsample_class_row(useful))
        and attribution.values.min() >= 0
        and attribution.unit == "relevance"
    )
    assert attribution.evaluations == 2 and attribution.details["layers"] == 2


def test_the_gradient_by_the_weights_is_the_change_of_the_logit():
    """The oracle's own gradients, by moving one weight of one head a little."""
    model, image = toy_model(TwoLayers()), make_picture(SIDE)
    layers, logit = run_by_hand(model, image, 1)
    (gradient,) = torch.autograd.grad(logit, layers[1][0])
    net = isolate(model.module).double()
    _, (first, _) = attend_by_hand(
        net.layer_two.attention, net.layer_two.norm(net.layer_one(net.tokens(model.prepare(image).double())))[0]
    )
    assert torch.allclose(first, layers[1][0]) and gradient[0].abs().max() > 0 and not gradient[1:].any()


class Averaged(TwoLayers):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer_two(self.layer_one(self.tokens(x))).mean(1))


class WithoutToken(TwoLayers):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer_two(self.layer_one(self.tokens(x)[:, 1:]))[:, 0])


class Masked(TwoLayers):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.tokens(x)
        mask = torch.ones(17, 17, dtype=torch.bool).triu(1)
        return self.head(self.layer_two.attention(x, x, x, attn_mask=mask)[0][:, 0])


class Across(TwoLayers):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.tokens(x)
        return self.head(self.layer_two.attention(x[:, :1], x, x)[0][:, 0])


REFUSED = [
    (Conv, "no attention"),
    (Channels, "no attention"),
    (Averaged, "one class token"),
    (WithoutToken, "no class token"),
]


@pytest.mark.parametrize(("net", "reason"), [*REFUSED, (Masked, "some places"), (Across, "some places")])
def test_what_cannot_be_followed_is_refused_with_the_reason(net, reason):
    with pytest.raises(NotApplicable, match=reason) as refusal:
        xai_core.explain(toy_model(net()), make_picture(SIDE), "attention_rollout")
    assert "grad_cam" in str(refusal.value)


@pytest.mark.parametrize(("name", "reason"), [("efficientnet_lite0", "no attention"), ("swin_t", "small windows")])
def test_the_zoo_is_judged_by_what_it_does(name, reason):
    with pytest.raises(NotApplicable, match=reason):
        xai_core.explain(zoo_model(name), make_picture(), "attention_rollout")


def test_a_vision_transformer_is_followed_through_all_layers():
    model = zoo_model("vit_b_16")
    attribution = xai_core.explain(model, make_picture(), "attention_rollout", 3)
    assert attribution.details["layers"] == len(model.module.encoder.layers) > 2
    assert attribution.details["heads"] == 12 and attribution.details["grid_rows"] == 7
    assert np.ptp(attribution.values) > 0 and attribution.values.min() >= 0
