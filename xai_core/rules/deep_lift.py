"""DeepLIFT: every function passes back its derivative averaged between its inputs for the baseline and for the picture.

Shrikumar et al. 2017, arXiv:1704.02685. For a function of single values that average is the paper's rescale rule,
change of output over change of input. It is taken here of every other function as well, along the straight line between
its two inputs, for max-pooling exactly and else by Gauss-Legendre points: then what a function passes back adds up to
the change of its output, and so does the whole network.

The baseline goes through first, and the inputs of each such function are kept; the picture follows and is compared
there. Two passes, and not one batch of both, because no function then has to know which dimension holds the pictures
(attention permutes them), and because the backward pass, which is the longer one, runs for the picture alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

from xai_core.errors import NotApplicable
from xai_core.rules.base import Arguments
from xai_core.rules.max_pool import Windows

# Functions of one value at a time, by name without the underscores of in-place and operator forms.
_ELEMENTWISE = frozenset(
    "relu relu6 hardtanh clamp clip clamp_min clamp_max threshold leaky_relu prelu rrelu elu selu celu gelu silu "
    "mish sigmoid logsigmoid hardsigmoid hardswish hardshrink softshrink tanhshrink softplus softsign tanh exp "
    "exp2 expm1 log log1p log2 log10 sqrt rsqrt square reciprocal pow rpow float_power abs absolute sign round "
    "floor ceil trunc frac fmod remainder nan_to_num sin cos tan asin acos atan sinh cosh asinh acosh atanh erf "
    "erfc expit logit div rdiv".split()
)
# Linear in each argument: an average is needed only where two of them come from the picture, and one point gives it
# exactly.
_PRODUCTS = frozenset(
    "mul multiply rmul matmul rmatmul bmm mm mv dot vdot inner outer ger kron einsum tensordot bilinear linear "
    "conv1d conv2d conv3d addmm addbmm baddbmm addmv addr addcmul lerp cross".split()
)
# Functions of many values at once.
_JOINT = frozenset(
    "softmax log_softmax softmin layer_norm group_norm instance_norm rms_norm local_response_norm normalize "
    "cosine_similarity glu max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices "
    "max_pool3d_with_indices lp_pool1d lp_pool2d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d amax "
    "amin max min maximum minimum fmax fmin topk sort median kthvalue logsumexp logaddexp norm vector_norm "
    "linalg_norm linalg_vector_norm std var std_mean var_mean prod cumprod atan2 hypot addcdiv cdist "
    "scaled_dot_product_attention multi_head_attention_forward".split()
)
_POOLS = frozenset({"max_pool2d", "max_pool2d_with_indices"})
_ALIASES = {
    "divide": "div", "true_divide": "div", "truediv": "div", "idiv": "div", "itruediv": "div", "rtruediv": "rdiv",
    "imul": "mul",
    "ipow": "pow", "imatmul": "matmul",
}  # fmt: skip
_IN_PLACE = frozenset({"__idiv__", "__itruediv__", "__imul__", "__ipow__", "__imatmul__"})
_FIRST_POINTS = 4

Tensors = Sequence[torch.Tensor]
_Back = Callable[..., Tensors]


def _is_number(leaf: object) -> bool:
    return isinstance(leaf, torch.Tensor) and leaf.is_floating_point()


def _dot(first: Tensors, second: Tensors) -> torch.Tensor:
    products = [(a * b).sum(dtype=torch.float64) for a, b in zip(first, second, strict=True)]
    return sum(products)  # type: ignore[return-value]


class _Call:
    """One torch call as a function of those tensors in it that depend on the picture; the same tensor given twice
    counts once.
    """

    def __init__(self, func: Any, args: Any, kwargs: Any) -> None:
        raw = getattr(func, "__name__", "")
        self.func, self.name = func, _name(func)
        self.in_place = raw in _IN_PLACE or (raw.endswith("_") and not raw.endswith("__"))
        self.leaves, self.tree = tree_flatten((args, kwargs | {"inplace": False} if kwargs.get("inplace") else kwargs))
        self.data: list[torch.Tensor] = []
        self.places: dict[int, int] = {}
        numbers: dict[int, int] = {}
        for place, leaf in enumerate(self.leaves):
            if isinstance(leaf, torch.Tensor) and leaf.requires_grad:
                if id(leaf) not in numbers:
                    self.data.append(leaf)
                self.places[place] = numbers.setdefault(id(leaf), len(numbers))

    @property
    def linear(self) -> bool:
        """True if the output is linear in the arguments that depend on the picture."""
        # The picture divided by a constant.
        if self.name == "div":
            return all(place != 1 for place in self.places)
        return self.name in _PRODUCTS and len(self.places) < 2

    def __call__(self, *data: torch.Tensor) -> Any:
        """Return the function's result for other data, which is not changed."""
        args, kwargs = self.arguments(*data)
        return self.func(*args, **kwargs)

    def arguments(self, *data: torch.Tensor) -> Any:
        """Return positional and named arguments with other data."""
        leaves = [data[self.places[place]] if place in self.places else leaf for place, leaf in enumerate(self.leaves)]
        if self.in_place:
            # Let an in-place function write into a copy.
            leaves[0] = leaves[0].clone()
        return tree_unflatten(leaves, self.tree)

    def values(self, *data: torch.Tensor) -> list[torch.Tensor]:
        """Return the floating point tensors in the output."""
        return [leaf for leaf in tree_leaves(self(*data)) if _is_number(leaf)]

    def release(self) -> None:
        """Drop the network's own tensors: they keep the graph alive, and the network may overwrite them."""
        self.data = []
        self.leaves = [None if place in self.places else leaf for place, leaf in enumerate(self.leaves)]


def _name(func: Any) -> str:
    bare = getattr(func, "__name__", "").strip("_")
    return _ALIASES.get(bare, bare)


def _find_nonlinear_call(func: Any, args: Any, kwargs: Any) -> _Call | None:
    """Return the call if it is known not to be linear in the arguments that depend on the picture."""
    name = _name(func)
    if not (name in _ELEMENTWISE or name in _PRODUCTS or name in _JOINT) or not torch.is_grad_enabled():
        return None
    call = _Call(func, args, kwargs)
    return None if call.linear or not call.data else call


def _rescale(call: _Call, start: torch.Tensor, end: torch.Tensor, change: torch.Tensor, output: torch.Tensor) -> _Back:
    """Return the rescale rule: change of output over change of input, elementwise; the derivative where the input
    hardly changes.
    """
    own = end.clone().requires_grad_(True)
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(call.values(own)[0].sum(), own)
    path = end - start
    # There, rounding would dominate.
    tiny = path.abs() <= torch.finfo(path.dtype).eps ** 0.5 * (end.abs() + output.abs())
    multiplier = torch.where(tiny, slope, change / torch.where(tiny, 1, path))
    return lambda gradient: (gradient * multiplier,)


def _max_pool(call: _Call, start: torch.Tensor, end: torch.Tensor, output: torch.Tensor) -> _Back:
    """Return the exact mean Jacobian of max-pooling: each value of a window counts for the part of the path on which it
    is the largest.
    """
    given = Arguments(*call.arguments(end))
    kernel, stride, padding, dilation = (
        given(place, name) for place, name in enumerate(("kernel_size", "stride", "padding", "dilation"), 1)
    )
    sizes = [
        [size] * 2 if isinstance(size, int) else list(size)
        for size in (kernel, stride or kernel, padding or 0, dilation or 1)
    ]
    windows, path = Windows(end, output, *sizes), end - start
    return lambda gradient: (windows.backpropagate(start, path, gradient),)


@lru_cache(maxsize=16)
def _gauss_legendre(points: int) -> list[tuple[float, float]]:
    """Return Gauss-Legendre points and weights on 0 to 1."""
    places, weights = np.polynomial.legendre.leggauss(points)
    return list(zip(((places + 1) / 2).tolist(), (weights / 2).tolist(), strict=True))


class _MeanJacobian:
    """The backward pass of a function of many values: its mean Jacobian on the line from start to end, by as many
    points as needed.
    """

    def __init__(self, rule: DeepLift, call: _Call, start: Tensors, end: Tensors, change: Tensors) -> None:
        self.rule, self.call, self.start, self.change = rule, call, start, change
        self.path = [b - a for a, b in zip(start, end, strict=True)]

    def __call__(self, *gradients: torch.Tensor) -> Tensors:
        expected = _dot(gradients, self.change)
        rounding = torch.finfo(self.path[0].dtype).eps * sum(
            float((a * b).abs().sum()) for a, b in zip(gradients, self.change, strict=True)
        )
        # Double the points until the sum over inputs meets the change of the output.
        points = min(1 if self.call.name in _PRODUCTS else _FIRST_POINTS, self.rule.limit)
        while True:
            means = self._mean(gradients, points)
            gap = abs(float(expected - _dot(means, self.path)))
            if gap <= max(self.rule.allowed, rounding) or points >= self.rule.limit:
                break
            points = min(2 * points, self.rule.limit)
        self.rule.points = max(self.rule.points, points)
        return means

    def _mean(self, gradients: Tensors, points: int) -> list[torch.Tensor]:
        total = [torch.zeros_like(part) for part in self.path]
        for place, weight in _gauss_legendre(points):
            self.rule.tick()
            here = [(a + place * path).requires_grad_(True) for a, path in zip(self.start, self.path, strict=True)]
            with torch.enable_grad():
                outputs = self.call.values(*here)
                pairs = [(y, g) for y, g in zip(outputs, gradients, strict=True) if y.requires_grad]
                parts = torch.autograd.grad([y for y, _ in pairs], here, [g for _, g in pairs], allow_unused=True)
            for sum_, part in zip(total, parts, strict=True):
                if part is not None:
                    sum_.add_(part, alpha=weight)
        return total


class _WithBackward(torch.autograd.Function):
    """Values that are known already, with a backward pass of their own."""

    @staticmethod
    def forward(ctx: Any, back: _Back, values: Tensors, *data: torch.Tensor) -> Any:
        ctx.back = back
        return tuple(values)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        return None, None, *ctx.back(*gradients)


@dataclass(frozen=True)
class Lift:
    """DeepLIFT of one batch: multipliers (N, C, H, W), scores (N,) of pictures and baselines, and the most points any
    function needed.
    """

    multipliers: torch.Tensor
    scores: torch.Tensor
    baseline_scores: torch.Tensor
    points: int


class DeepLift(TorchFunctionMode):
    """The rule for one batch: `DeepLift().lift(score, pictures, baselines)`.

    Functions of many values take more points, doubled up to `limit`, until all of them together miss the change of the
    score by under `tolerance` of it. `tick` is called between points and may raise. Functions not known here keep their
    plain derivative; if one of them is not linear, multipliers times differences do not add up to the change of the
    score: callers should compare them.
    """

    def __init__(self, tolerance: float = 0.01, limit: int = 64, tick: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.limit, self.tick, self.allowed, self.points = limit, tick, 0.0, 1
        self._tolerance, self._mean_jacobians, self._recording = tolerance, 0, True
        self._baseline_calls: deque[tuple[str, list[torch.Tensor]]] = deque()

    def lift(
        self, score: Callable[[torch.Tensor], torch.Tensor], pictures: torch.Tensor, baselines: torch.Tensor
    ) -> Lift:
        """Return the multipliers (N, C, H, W) of `score`, which maps pictures to (N,), against as many baselines.

        Raises NotApplicable where picture and baseline take different paths through the network.
        """
        own = pictures.detach().clone().requires_grad_(True)
        with torch.enable_grad():
            with self:
                before = score(baselines.detach().clone().requires_grad_(True).clone()).detach()
            self.tick()
            self._recording = False
            with self:
                # A clone, because a network may write into its input.
                after = score(own.clone())
            if self._baseline_calls:
                raise _different_paths()
            # Divide the allowed gap among the functions that are only approximated.
            self.allowed = self._tolerance * abs(float((after - before).detach().sum())) / max(self._mean_jacobians, 1)
            (multipliers,) = torch.autograd.grad(after.sum(), own)
        return Lift(multipliers, after.detach(), before, self.points)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        call = _find_nonlinear_call(func, args, kwargs)
        if call is None:
            return func(*args, **kwargs)
        if self._recording:
            self._baseline_calls.append((call.name, [tensor.detach().clone() for tensor in call.data]))
            result = call(*call.data)
        else:
            result = self._run_with_rule(call)
        # Write the result where the in-place call would have put it.
        return args[0].copy_(result) if call.in_place else result

    def _run_with_rule(self, call: _Call) -> Any:
        """Return the call's output for the picture, whose backward pass is the rule's instead of the derivative."""
        data, end = call.data, [tensor.detach().clone() for tensor in call.data]
        start = self._baseline_inputs(call, end)
        with torch.no_grad():
            outputs, tree = tree_flatten(call(*end))
            values = [leaf for leaf in outputs if _is_number(leaf)]
            change = [y - before for y, before in zip(values, call.values(*start), strict=True)]
        call.release()
        outputs_of_rule = iter(_WithBackward.apply(self._back(call, start, end, change, values), values, *data))
        return tree_unflatten([next(outputs_of_rule) if _is_number(leaf) else leaf for leaf in outputs], tree)

    def _back(self, call: _Call, start: Tensors, end: Tensors, change: Tensors, values: Tensors) -> _Back:
        if call.name in _ELEMENTWISE and len(end) == 1 and values[0].shape == end[0].shape:
            return _rescale(call, start[0], end[0], change[0], values[0])
        if call.name in _POOLS and end[0].dim() == 4:
            return _max_pool(call, start[0], end[0], values[0])
        # Products are exact with one point and take no share of the allowed gap.
        self._mean_jacobians += call.name not in _PRODUCTS
        return _MeanJacobian(self, call, start, end, change)

    def _baseline_inputs(self, call: _Call, end: Tensors) -> list[torch.Tensor]:
        """Return the baseline's inputs of the same call."""
        name, start = self._baseline_calls.popleft() if self._baseline_calls else ("", [])
        if name != call.name or [tensor.shape for tensor in start] != [tensor.shape for tensor in end]:
            raise _different_paths()
        return start


def _different_paths() -> NotApplicable:
    return NotApplicable(
        "This network does other steps for this picture than for the empty one, "
        "so the two cannot be compared step by step. "
        "Use integrated_gradients instead."
    )
