"""The layers found, their axes and the recommended one: on small networks made for it and on torchvision's."""

from __future__ import annotations

import copy
import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import SwinTransformer, VisionTransformer, get_model

from xai_core.models import Layer, list_layers
from xai_core.models.families.torchvision_zoo import ROWS


@pytest.fixture(autouse=True)
def _own_random_numbers():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def by_name(layers: tuple[Layer, ...]) -> dict[str, Layer]:
    return {layer.name: layer for layer in layers}


def recommended_name(layers: tuple[Layer, ...]) -> str | None:
    names = [layer.name for layer in layers if layer.recommended]
    assert len(names) <= 1
    return names[0] if names else None


class Convolutional(nn.Module):
    """One ReLU for everything, in-place sums, dropout and pooling at the end: what real networks do to hooks."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.body = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4))
        self.off = nn.Dropout(0.5)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(4 * 16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.stem(x))
        y = self.body(x)
        y += x
        return self.head(self.pool(self.off(self.relu(y))).flatten(1))


def test_convolutional_network():
    layers = list_layers(Convolutional(), torch.randn(2, 3, 8, 8))
    assert [layer.name for layer in layers] == ["stem", "body.0", "body.1", "body", "relu", "off", "pool"]
    assert [layer.depth for layer in layers] == [1, 2, 3, 4, 5, 6, 7]
    assert {layer.layout for layer in layers} == {"channels_first"}
    named = by_name(layers)
    assert named["body.1"].alias_of == "body" and named["body"].alias_of is None
    assert named["relu"].shape == (4, 8, 8) and named["relu"].grid == (8, 8) and named["relu"].kind == "ReLU"
    assert named["off"].alias_of == "relu"  # in eval mode dropout returns what it got, so it made nothing
    assert named["body"].alias_of is None and named["relu"].alias_of is None
    assert recommended_name(layers) == "relu"  # neither the pooling after it nor the dropout


class AddsInPlace(nn.Module):
    """The block returns the very object its convolution returned, but with other values in it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        y.add_(x)
        return y


def test_a_tensor_changed_in_place_is_not_an_alias():
    layers = list_layers(nn.Sequential(AddsInPlace(), nn.Flatten()), torch.randn(1, 3, 4, 4))
    assert [(layer.name, layer.alias_of) for layer in layers] == [("0.conv", None), ("0", None)]


class ToLast(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 2, 3, 1)


class ToFirst(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.transpose(3, 2).transpose(1, 2)


class Doubled(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.gelu(x + x.roll(1, dims=1))


def test_axes_are_followed_where_sizes_say_nothing():
    side = 6  # six channels on a grid of six by six: no axis can be told from another by its length
    net = nn.Sequential(
        nn.Conv2d(3, side, 1), ToLast(), nn.LayerNorm(side), Doubled(), nn.Linear(side, side), ToFirst(), Doubled()
    )
    layers = list_layers(net, torch.randn(1, 3, side, side))
    assert [layer.layout for layer in layers] == [
        "channels_first",
        *["channels_last"] * 4,
        "channels_first",
        "channels_first",
    ]


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend = nn.MultiheadAttention(width, 2, batch_first=True)
        self.mlp = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm1(x)
        x = x + self.attend(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Tokens(nn.Module):
    """A vision transformer; `patches` by `patches` tokens and a class token the head reads alone."""

    def __init__(self, patches: int = 4, width: int = 8) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, width, 2, 2)
        self.first = nn.Parameter(torch.randn(1, 1, width))
        self.place = nn.Parameter(torch.randn(1, patches**2 + 1, width))
        self.blocks = nn.Sequential(Block(width), Block(width))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(len(x), -1, -1), x], dim=1) + self.place
        return self.head(self.norm(self.blocks(x))[:, 0])


def gradient_on_patches(net: nn.Module, name: str, example: torch.Tensor) -> float:
    """Largest gradient of the outputs' sum on the patch tokens of a layer, by plain autograd."""
    seen = []
    handle = net.get_submodule(name).register_forward_hook(lambda _, __, out: seen.append(out))
    out = net(example.requires_grad_(True))
    handle.remove()
    return torch.autograd.grad(out.square().sum(), seen[-1])[0][:, 1:].abs().max().item()


@pytest.mark.parametrize(
    ("net", "prefer", "best", "dead"),
    [
        (Tokens, None, "blocks.1.norm1", "blocks"),
        (
            lambda: VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5),
            next(row.prefer for row in ROWS if row.name == "vit_b_16"),
            "encoder.layers.encoder_layer_1.ln_1",
            "encoder.layers",
        ),
    ],
    ids=["no hint", "torchvision"],
)
def test_transformer_over_tokens(net, prefer, best, dead):
    module = net().eval()
    if isinstance(module, VisionTransformer):
        nn.init.normal_(module.heads.head.weight)  # torchvision starts it at zero: every gradient would vanish
    example = torch.randn(1, 3, 32, 32) if isinstance(module, VisionTransformer) else torch.randn(1, 3, 8, 8)
    layers = list_layers(module, example, prefer)
    assert recommended_name(layers) == best
    layer = by_name(layers)[best]
    assert (layer.layout, layer.prefix_tokens, layer.grid) == ("tokens", 1, (4, 4))
    assert layer.shape[0] == 17
    assert gradient_on_patches(module, best, example) > 1e-6
    assert gradient_on_patches(module, dead, example) == 0.0  # which is why the last block's output is not recommended


def test_attention_weights_and_odd_token_counts_are_no_maps():
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.soft = nn.Softmax(dim=-1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            heads = x.view(len(x), x.shape[1], 2, -1).transpose(1, 2)
            return (self.soft(heads @ heads.transpose(-2, -1)) @ heads).transpose(1, 2).flatten(2)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.attention, self.pooled = nn.Conv2d(3, 8, 2, 2), Attention(), nn.AdaptiveAvgPool1d(8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tokens = self.attention(self.embed(x).flatten(2).transpose(1, 2))
            return self.pooled(tokens.transpose(1, 2)).transpose(1, 2)[:, :6].mean(1)

    names = [layer.name for layer in list_layers(Net(), torch.randn(1, 3, 6, 6))]
    assert names == ["embed", "attention"]  # not the (1, 2, 9, 9) of the softmax, not the (1, 8, 8) with 8 tokens


def test_a_network_without_maps_has_no_layers():
    assert list_layers(nn.Sequential(nn.Flatten(), nn.Linear(48, 3)), torch.randn(1, 3, 4, 4)) == ()
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert list_layers(pooled, torch.randn(1, 3, 4, 4)) == ()


def test_the_network_is_left_as_found_also_after_a_failure():
    net = Convolutional()
    before = copy.deepcopy(net.state_dict())
    example = torch.randn(1, 3, 8, 8)
    given, generator = example.clone(), torch.get_rng_state()
    list_layers(net, example)
    with pytest.raises(RuntimeError):
        list_layers(net, torch.randn(1, 3, 9, 20))
    assert all(part.training and not part._forward_hooks and not part._forward_pre_hooks for part in net.modules())
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in before.items())
    assert torch.equal(example, given) and net.relu.inplace
    torch.randn(0)
    assert list_layers(net, example) == list_layers(net, example)
    assert not hasattr(example, "_channel_axis")
    assert generator.shape == torch.get_rng_state().shape


def test_maps_and_back():
    rows, columns = torch.meshgrid(torch.arange(3.0), torch.arange(3.0), indexing="ij")
    maps = torch.stack([rows, columns])[None]  # channel 0 knows its row, channel 1 its column
    tokens = torch.tensor([[[-1.0, -1.0]] + [[r, c] for r in range(3) for c in range(3)]])
    layer = Layer("t", "T", (10, 2), 1, "tokens", 1, (3, 3))
    assert torch.equal(layer.to_maps(tokens), maps)
    assert torch.equal(layer.from_maps(maps, tokens), tokens)
    assert torch.equal(layer.from_maps(maps * 2, tokens)[:, 0], tokens[:, 0])
    last = Layer("l", "L", (3, 3, 2), 1, "channels_last", 0, (3, 3))
    assert torch.equal(last.to_maps(maps.movedim(1, 3)), maps)
    assert torch.equal(last.from_maps(maps, tokens), maps.movedim(1, 3))
    first = Layer("f", "F", (2, 3, 3), 1, "channels_first", 0, (3, 3))
    assert first.to_maps(maps) is maps and first.from_maps(maps, tokens) is maps


RECOMMENDED = {
    "alexnet": ("features.11", (13, 13)),
    "vgg16": ("features.29", (14, 14)),
    "resnet18": ("layer4", (7, 7)),
    "resnet50": ("layer4", (7, 7)),
    "densenet121": ("features", (7, 7)),
    "googlenet": ("inception5b", (7, 7)),
    "mobilenet_v3_large": ("features", (7, 7)),
    "efficientnet_b0": ("features", (7, 7)),
    "convnext_tiny": ("features", (7, 7)),
    "vit_b_16": ("encoder.layers.encoder_layer_11.ln_1", (14, 14)),
    "swin_t": ("features.7.1.norm2", (7, 7)),
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_zoo_layers(row):
    with torch.device("meta"):  # shapes are all that is looked at, and 138 million weights take a while to draw
        module = get_model(row.name, weights=None, **row.options).eval()
        layers = list_layers(module, torch.zeros(1, 3, 224, 224), row.prefer)
    named = by_name(layers)
    assert (recommended_name(layers), named[recommended_name(layers)].grid) == RECOMMENDED[row.name]
    assert named[recommended_name(layers)].alias_of is None
    assert [layer.depth for layer in layers] == list(range(1, len(layers) + 1))
    for layer in layers:
        assert min(layer.grid) >= 2
        assert layer.alias_of is None or named[layer.alias_of].alias_of is None
        sizes = Counter(layer.shape)
        # Square grids: the axis whose size is unlike the two others is the channels'.
        if len(layer.shape) == 3 and len(sizes) == 2:
            odd = layer.shape.index(min(sizes, key=sizes.__getitem__))
            assert layer.layout == {0: "channels_first", 2: "channels_last"}[odd], layer
        else:
            assert layer.layout == "tokens" or layer.shape[0] == layer.grid[0], layer
        assert math.prod(layer.grid) + layer.prefix_tokens in {math.prod(layer.shape) // c for c in layer.shape}


def test_swin_attention_and_norms_are_channels_last():
    module = SwinTransformer([4, 4], 16, [1, 1], [2, 2], [4, 4], num_classes=5).eval()
    layers = by_name(list_layers(module, torch.randn(1, 3, 32, 32), r"\.norm2$"))
    assert layers["features.0.0"].layout == "channels_first"
    for name in (
        "features.0.1",
        "features.1.0.norm1",
        "features.1.0.attn",
        "features.1.0",
        "features.2.reduction",
        "norm",
    ):
        assert layers[name].layout == "channels_last", name
    assert layers["permute"].layout == "channels_first"
    assert layers["features.3.0.norm2"].recommended
