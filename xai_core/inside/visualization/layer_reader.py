"""A network up to some of its layers: their maps at their last call, and what entered a rectifier at their end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from xai_core.engine.backends.folding import folded_network_for
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import fold_norms, isolate, out_of_place
from xai_core.object_cache import cache_per_object
from xai_core.rules.base import Arguments, rectifier_ceiling

# Sides of a view are a multiple of it: networks halve them up to five times.
SIDE_STEP = 32
# Share of the network's own side at which it is shown views, where it takes other sides: 160 of 224 pixels.
VIEW_SHARE = 5 / 7


class _AllRead(Exception):  # no error: it ends a forward pass
    """Every layer has been read; the rest of the network need not run."""


class _LastRectifier(TorchFunctionMode):
    """Input and output of the last rectifier that was called."""

    def __init__(self) -> None:
        super().__init__()
        self.input: torch.Tensor | None = None
        self.output: torch.Tensor | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        arguments = Arguments(args, kwargs)
        result = func(*args, **kwargs)
        if rectifier_ceiling(getattr(func, "__name__", ""), arguments) is not None:
            self.input, self.output = arguments(0, "input"), result
        return result

    def before(self, output: torch.Tensor) -> torch.Tensor:
        """Return what went into the rectifier if this is its output, else the tensor itself."""
        return self.input if output is self.output and self.input is not None else output


class LayerOutput(NamedTuple):
    """A layer's output, and what entered the rectifier that it ends with: without one, the same."""

    after: torch.Tensor
    before: torch.Tensor


class LayerReader:
    """A private copy of the network whose hooks read layers at their last call. For one thread at a time."""

    def __init__(self, module: nn.Module, calls: Counter[str], needs_logits: bool) -> None:
        self._module, self._calls, self._needs_logits = isolate(module), calls, needs_logits
        self._seen: Counter[str] = Counter()
        self._rectifier = _LastRectifier()
        self._maps: dict[str, LayerOutput] = {}
        for name in calls:
            self._module.get_submodule(name).register_forward_hook(self._make_hook(name))

    def _make_hook(self, name: str) -> Callable[[nn.Module, Any, torch.Tensor], torch.Tensor]:
        def read(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
            self._seen[name] += 1
            if self._seen[name] == self._calls[name]:
                self._maps[name] = LayerOutput(output, self._rectifier.before(output))
                if len(self._maps) == len(self._calls) and not self._needs_logits:
                    raise _AllRead
            # The network may add to what it gets.
            return output.clone()

        return read

    def read(self, inputs: torch.Tensor) -> tuple[torch.Tensor | None, dict[str, LayerOutput]]:
        """Return the logits, if they are needed, and what each layer gives for prepared pictures (N, C, H, W)."""
        self._seen.clear()
        self._maps, self._rectifier = {}, _LastRectifier()
        logits = None
        try:
            with self._rectifier:
                logits = self._module(inputs)
        except _AllRead:
            pass
        maps, self._maps, self._rectifier = self._maps, {}, _LastRectifier()
        return logits, maps


def network_for(model: Classifier, names: Iterable[str]) -> nn.Module:
    """Return the quickest network whose layers of these names give what they give in the model.

    A convolution that a norm was folded into gives something else.
    """
    modules = dict(model.module.named_modules())
    if any(isinstance(modules[name], nn.Conv2d) for name in names):
        return fold_norms(isolate(model.module))
    return folded_network_for(model)


def count_calls(network: nn.Module, names: Iterable[str], example: torch.Tensor) -> Counter[str]:
    """Return how often each layer is called in one pass."""
    private, calls = isolate(network), Counter[str]()
    for name in names:
        private.get_submodule(name).register_forward_hook(lambda _m, _i, _o, name=name: calls.update([name]))
    with torch.no_grad(), out_of_place():
        private(example)
    return calls


def view_side(model: Classifier) -> int:
    """Return the side at which the network is shown views of pictures made from noise."""
    if model.side <= SIDE_STEP or not takes_other_sizes(model):
        return model.side
    return round(model.side * VIEW_SHARE / SIDE_STEP) * SIDE_STEP


@cache_per_object
def takes_other_sizes(model: Classifier) -> bool:
    """Return True if the network takes pictures of other sides than its own; transformers with fixed places do not."""
    side = max(model.side * 5 // 7 // SIDE_STEP, 1) * SIDE_STEP
    try:
        with torch.no_grad(), out_of_place():
            isolate(model.module)(F.interpolate(model.zero_input, (side, side)))
    # torch's own checks of sizes raise either.
    except (RuntimeError, AssertionError, ValueError):
        return False
    return True
