"""The declaration of a method (`MethodSpec`), the registry of all methods, and the raw map that a method returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

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
    """What the values are measured in, where a parameter makes it another than the spec's."""


@dataclass(frozen=True, kw_only=True)
class MethodSpec:
    """One method: words for the page, facts for the engine, its parameters and its `run`."""

    name: str
    title: str
    """In plain words, for the page."""
    technical: str
    """The name in the literature."""
    question: str
    """The question the map answers, in plain words."""
    sentence: str
    """How to read the map, in one sentence."""
    caution: str
    """What the map cannot tell, in one sentence."""
    family: Family
    paper: str
    run: Callable[[Request], RawMap]
    cost: Callable[[Mapping[str, Value], int], int]
    """Evaluations for these parameters and this input side: an estimate for progress and the order of panels."""
    holds: Callable[[Mapping[str, Value]], int] = lambda _params: 8
    """Pictures of the input's size that a call may hold at once, for the memory budget."""
    unit: str = "logit"
    """What the map's values are measured in."""
    gradient: bool = False
    """True if an evaluation is a forward and a backward pass."""
    params: tuple[Param, ...] = ()
    uses_layer: bool = False
    class_specific: bool = True
    """False if the map is the same for every target."""
    random: bool = False
    """True if the map depends on the seed."""
    sanity: str = ""
    """What randomizing the network's weights did to such maps, in one sentence with its source; empty where nobody
    published it.

    What stands before its first colon is the verdict, with "pass", "fail" or "mixed" in it: "Fails: the map stayed the
    same (…)."
    """
    local: bool = True
    """True if a map speaks about one picture; False for what holds for the model on all pictures."""
    post_hoc: bool = True
    """True if it explains a finished network from outside; False where its own last sum is the explanation."""
    version: int = 1
    """Raised when the same request gives another map: part of every key."""
    refusal: Callable[[Classifier], str | None] = lambda _classifier: None
    """Why the method cannot be right on this model, decided from its structure; None where it can."""

    def weight(self, params: Mapping[str, Value], side: int) -> float:
        """Work in forward passes, to run the cheapest first."""
        return self.cost(params, side) * (4.0 if self.gradient else 1.0)

    def passes(self, params: Mapping[str, Value], side: int) -> tuple[int, int]:
        """Forward passes, about, and backward ones at most: with a gradient every evaluation may go back but that of
        the picture itself.
        """
        forward = self.cost(params, side)
        return forward, forward - 1 if self.gradient else 0

    @property
    def model_agnostic(self) -> bool:
        """True if it only shows pictures and reads scores, so that it works with any model."""
        return self.family in ("perturbation", "surrogate") and not self.gradient and not self.uses_layer

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it must get from the model: its slopes, a look inside at its layers, or nothing but answers."""
        if self.model_agnostic:
            return ("answers",)
        inside = self.uses_layer or self.family == "activation" or not self.gradient
        needed: dict[Need, bool] = {"gradient": self.gradient, "layer": inside}
        return tuple(need for need, so in needed.items() if so)

    @property
    def verdict(self) -> Verdict:
        """What the sanity check said, from the beginning of `sanity`."""
        beginning = self.sanity.partition(":")[0].lower()
        words: dict[str, Verdict] = {"pass": "passes", "fail": "fails", "mixed": "mixed"}
        return next((verdict for word, verdict in words.items() if word in beginning), "unknown")


METHODS: Registry[MethodSpec] = Registry("method")
