"""The declaration of a method (`MethodSpec`), the registry of all methods, and the raw map that a method returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch

from xai_core.arrays import Float32
from xai_core.methods.base.request import Request
from xai_core.models.classifier import Classifier
from xai_core.params import Param, Value
from xai_core.registry import Registry

Family = Literal["activation", "gradient", "path", "relevance", "perturbation", "surrogate"]
Need = Literal["gradient", "layer", "answers"]
Verdict = Literal["passes", "fails", "mixed", "unknown"]


@dataclass
class RawMap:
    """A method's own numbers: signed values (H, W) or (C, H, W) on the input grid, and what it reports about itself."""

    values: torch.Tensor | Float32
    details: dict[str, float] = field(default_factory=dict)
    unit: str = ""
    """Unit of the values, where a parameter makes it another than the spec's."""


@dataclass(frozen=True, kw_only=True)
class MethodSpec:
    """One method: words for the page, facts for the engine, its parameters and its `run`."""

    name: str
    title: str
    """In plain words, for the page."""
    technical: str
    """The name in the literature."""
    usual: int = 0
    """Place among the few methods that lists begin with; 0 for all others."""
    question: str
    """The question the map answers, in plain words."""
    sentence: str
    """Reading instructions for the map, in one sentence: a template for `render.describe_reading`."""
    variants: tuple[tuple[Mapping[str, Value], str], ...] = ()
    """Other templates, each with the parameters and details that call for it; the first that fits takes its place."""
    caution: str
    """Limits of the map, in one sentence."""
    family: Family
    paper: str
    run: Callable[[Request], RawMap]
    cost: Callable[[Mapping[str, Value], int], int]
    """Evaluations for these parameters and this input side: an estimate for progress and the order of panels."""
    max_pictures: Callable[[Mapping[str, Value]], int] = lambda _params: 8
    """Pictures of the input's size that a call may hold at once, for the memory budget."""
    unit: str = "logit"
    """Unit of the map's values."""
    gradient: bool = False
    """True if an evaluation is a forward and a backward pass."""
    params: tuple[Param, ...] = ()
    quick_params: Callable[[int], Mapping[str, Value]] = lambda _side: {}
    """Parameters of a coarse map that is cheap at this input side, for tests; needed where the defaults are dear."""
    grows: bool = False
    """True if it offers previews while it runs."""
    uses_layer: bool = False
    class_specific: bool = True
    """False if the map is the same for every target."""
    random: bool = False
    """True if the map depends on the seed."""
    verdict: Verdict = "unknown"
    """Result of the sanity check that `sanity` tells of."""
    sanity: str = ""
    """Effect of randomizing the network's weights on such maps, in one sentence that begins with the verdict.

    Names its source; empty if nobody published it.
    """
    local: bool = True
    """True if a map speaks about one picture; False for what holds for the model on all pictures."""
    post_hoc: bool = True
    """True if it explains a finished network from outside; False where its own last sum is the explanation."""
    version: int = 1
    """Raised when the same request gives another map: part of every key."""
    refusal: Callable[[Classifier], str | None] = lambda _model: None
    """Reason that the method cannot be right on this model, decided from its structure; None where it can."""

    @property
    def full_title(self) -> str:
        """Known name, then the plain one: "Grad-CAM · region map"."""
        return f"{self.technical} · {self.plain_title}"

    @property
    def plain_title(self) -> str:
        """The plain title as it stands behind the known name."""
        return f"{self.title[0].lower()}{self.title[1:]}"

    def weight(self, params: Mapping[str, Value], side: int) -> float:
        """Work in forward passes, to run the cheapest first."""
        return self.cost(params, side) * (4.0 if self.gradient else 1.0)

    def passes(self, params: Mapping[str, Value], side: int) -> tuple[int, int]:
        """Return about how many forward passes and at most how many backward passes a map takes.

        With a gradient, every evaluation but that of the picture itself may include a backward pass.
        """
        forward = self.cost(params, side)
        return forward, forward - 1 if self.gradient else 0

    @property
    def model_agnostic(self) -> bool:
        """True if it only shows pictures and reads scores, so that it works with any model."""
        return self.family in ("perturbation", "surrogate") and not self.gradient and not self.uses_layer

    @property
    def needs(self) -> tuple[Need, ...]:
        """Access to the model that the method takes: gradients, layers, or nothing but its answers."""
        if self.model_agnostic:
            return ("answers",)
        uses_inside = self.uses_layer or self.family == "activation" or not self.gradient
        needs: dict[Need, bool] = {"gradient": self.gradient, "layer": uses_inside}
        return tuple(need for need, needed in needs.items() if needed)


def _list_key(spec: MethodSpec) -> tuple[bool, int, int]:
    """Return the place in lists: the usual ones first, then family by family."""
    return not spec.usual, spec.usual, get_args(Family).index(spec.family)


METHODS: Registry[MethodSpec] = Registry("method", order=_list_key)
