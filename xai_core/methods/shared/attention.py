"""Attention weights of a network, recorded while it runs by a torch-function mode that sees every attention call.

Attention reaches torch as one call (`nn.MultiheadAttention`, or scaled dot-product attention), which does not return
its weights, or as a softmax over a square matrix. The first two are computed step by step instead, so that the weights
are part of the graph and have a gradient. Nothing is hooked and nothing of the network is changed.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

_MHA = inspect.signature(F.multi_head_attention_forward)
# Arguments of `multi_head_attention_forward` with the value that masks no token.
_PLAIN_ARGUMENTS: dict[str, Any] = {
    "bias_k": None,
    "bias_v": None,
    "add_zero_attn": False,
    "key_padding_mask": None,
    "attn_mask": None,
    "static_k": None,
    "static_v": None,
    "use_separate_proj_weight": False,
    "is_causal": False,
}


class AttentionRecorder(TorchFunctionMode):
    """Record the weights of each attention call, in order: (N, heads, tokens, tokens), as part of the graph.

    `unsupported` is true after a call that masks tokens or attends to others than its own; its weights are missing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[torch.Tensor] = []
        self.unsupported = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "multi_head_attention_forward":
            return self._run_multi_head(func, _MHA.bind(*args, **kwargs))
        if name == "scaled_dot_product_attention":
            return self._run_dot_product(func, args, kwargs)
        result = func(*args, **kwargs)
        if name in ("softmax", "_softmax") and isinstance(result, torch.Tensor) and result.ndim > 2:
            self._record(result)
        # Never reached inside a mode, but its weights would be lost.
        self.unsupported |= name == "_native_multi_head_attention"
        return result

    def _record(self, weights: torch.Tensor) -> None:
        if weights.ndim == 4 and weights.shape[-1] == weights.shape[-2]:
            self.weights.append(weights)
        else:
            self.unsupported = True

    def _attend(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float | None) -> torch.Tensor:
        """Compute scaled dot-product attention of (N, heads, tokens, width) each."""
        factor = query.shape[-1] ** -0.5 if scale is None else scale
        weights = (query @ key.transpose(-2, -1) * factor).softmax(-1)
        self._record(weights)
        return weights @ value

    def _run_dot_product(self, func: Any, args: Any, kwargs: Any) -> Any:
        names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
        arguments = dict(zip(names, args, strict=False)) | kwargs
        query, key = arguments["query"], arguments["key"]
        masked = arguments.get("attn_mask") is not None or arguments.get("is_causal")
        if masked or arguments.get("enable_gqa") or query.shape != key.shape:
            self.unsupported = True
            return func(*args, **kwargs)
        return self._attend(query, key, arguments["value"], arguments.get("scale"))

    def _run_multi_head(self, func: Any, bound: inspect.BoundArguments) -> Any:
        bound.apply_defaults()
        arguments = bound.arguments
        query, heads = arguments["query"], arguments["num_heads"]
        masked = any(arguments[name] is not value for name, value in _PLAIN_ARGUMENTS.items())
        if query.ndim != 3 or query.shape != arguments["key"].shape or masked:
            self.unsupported = True
            return func(*bound.args, **bound.kwargs)
        # Project into queries, keys and values, and split these into heads.
        bias = arguments["in_proj_bias"]
        biases = (None, None, None) if bias is None else bias.chunk(3)
        inputs = (query, arguments["key"], arguments["value"])
        projections = zip(inputs, arguments["in_proj_weight"].chunk(3), biases, strict=True)
        tokens, batch, width = query.shape
        q, k, v = (
            F.linear(x, weight, b).view(tokens, batch, heads, width // heads).permute(1, 2, 0, 3)
            for x, weight, b in projections
        )
        # Attend, join the heads and project out.
        mixed = self._attend(q, k, v, None).permute(2, 0, 1, 3).reshape(tokens, batch, width)
        output = F.linear(mixed, arguments["out_proj_weight"], arguments["out_proj_bias"])
        weights = self.weights[-1].mean(1) if arguments["average_attn_weights"] else self.weights[-1]
        return output, weights if arguments["need_weights"] else None
