"""Attention weights of a network, taken while it runs: a torch-function mode that sees every attention, whoever wrote it.

Attention reaches torch as one call (`nn.MultiheadAttention`, or scaled dot-product attention), which does not give its weights away, or
as a softmax over a square matrix. The first two are computed in the open instead, so that weights lie on the way to the scores and have a
gradient. Nothing is hooked and nothing of the network is changed.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

_MHA = inspect.signature(F.multi_head_attention_forward)
_PLAIN: dict[str, Any] = {
    "bias_k": None,
    "bias_v": None,
    "add_zero_attn": False,
    "key_padding_mask": None,
    "attn_mask": None,
}
_PLAIN |= {"static_k": None, "static_v": None, "use_separate_proj_weight": False, "is_causal": False}
"""Arguments of `multi_head_attention_forward` and the value with which nobody is left out of the attention."""


class Attentions(TorchFunctionMode):
    """Collects the weights of each attention met inside, in order: (N, heads, tokens, tokens), on the way to the scores.

    `odd` is true if one was met that lets tokens look at some places only, or at others than themselves; its weights are missing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[torch.Tensor] = []
        self.odd = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "multi_head_attention_forward":
            return self._multi_head(func, _MHA.bind(*args, **kwargs))
        if name == "scaled_dot_product_attention":
            return self._dot_product(func, args, kwargs)
        result = func(*args, **kwargs)
        if name in ("softmax", "_softmax") and isinstance(result, torch.Tensor) and result.ndim > 2:
            self._keep(result)
        self.odd |= name == "_native_multi_head_attention"  # never reached inside a mode, but its weights would be lost
        return result

    def _keep(self, weights: torch.Tensor) -> None:
        if weights.ndim == 4 and weights.shape[-1] == weights.shape[-2]:
            self.weights.append(weights)
        else:
            self.odd = True

    def _attend(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float | None) -> torch.Tensor:
        """Scaled dot-product attention of (N, heads, tokens, width) each."""
        factor = query.shape[-1] ** -0.5 if scale is None else scale
        weights = (query @ key.transpose(-2, -1) * factor).softmax(-1)
        self._keep(weights)
        return weights @ value

    def _dot_product(self, func: Any, args: Any, kwargs: Any) -> Any:
        given = dict(zip(("query", "key", "value", "attn_mask", "dropout_p", "is_causal"), args, strict=False)) | kwargs
        query, key = given["query"], given["key"]
        if (
            given.get("attn_mask") is not None
            or given.get("is_causal")
            or given.get("enable_gqa")
            or query.shape != key.shape
        ):
            self.odd = True
            return func(*args, **kwargs)
        return self._attend(query, key, given["value"], given.get("scale"))

    def _multi_head(self, func: Any, bound: inspect.BoundArguments) -> Any:
        bound.apply_defaults()
        given = bound.arguments
        query, heads = given["query"], given["num_heads"]
        if (
            query.ndim != 3
            or query.shape != given["key"].shape
            or any(given[name] is not value for name, value in _PLAIN.items())
        ):
            self.odd = True
            return func(*bound.args, **bound.kwargs)
        bias = given["in_proj_bias"]
        biases = (None, None, None) if bias is None else bias.chunk(3)
        parts = zip((query, given["key"], given["value"]), given["in_proj_weight"].chunk(3), biases, strict=True)
        tokens, batch, width = query.shape
        split = [F.linear(x, w, b).view(tokens, batch, heads, width // heads).permute(1, 2, 0, 3) for x, w, b in parts]
        mixed = self._attend(split[0], split[1], split[2], None).permute(2, 0, 1, 3).reshape(tokens, batch, width)
        out = F.linear(mixed, given["out_proj_weight"], given["out_proj_bias"])
        shown = self.weights[-1].mean(1) if given["average_attn_weights"] else self.weights[-1]
        return out, shown if given["need_weights"] else None
