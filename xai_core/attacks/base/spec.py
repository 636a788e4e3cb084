"""The declaration of an attack (`AttackSpec`), the registry of all attacks, and what an attack returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch

from xai_core.attacks.base.request import AttackRequest
from xai_core.models.classifier import Classifier
from xai_core.params import Param, Value
from xai_core.registry import Registry

Search = Literal["scan", "bisect"]


@dataclass
class Outcome:
    """The attacked picture in whole levels, (1, C, H, W), and numbers that the attack itself reports."""

    levels: torch.Tensor
    details: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AttackSpec:
    """One attack: words for the page, its parameters and its `run`."""

    name: str
    title: str
    """In plain words, for the page."""
    technical: str
    """The name in the literature."""
    sentence: str
    """Its way, in one sentence for a visitor."""
    limits: str
    """Limit of what its success or failure shows, in one sentence."""
    paper: str
    run: Callable[[AttackRequest], Outcome]
    cost: Callable[[Mapping[str, Value], int], int]
    """Pictures asked about for these parameters and this input side: an estimate for progress."""
    usual: int = 0
    """Place in lists."""
    epsilon: int | None = None
    """Usual strength in grey levels; None for an attack that has no such limit."""
    search: Search | None = None
    """Way to the smallest strength: level by level where success is not monotone, else by halving."""
    takes_target: bool = True
    needs_target: bool = False
    """True if it aims at one class; without a wish that is the likeliest other one."""
    gradient: bool = True
    random: bool = False
    previews: bool = False
    """True if its job shows what it has so far, as a picture (H, W, C) of bytes."""
    params: tuple[Param, ...] = ()
    quick_params: Callable[[int], Mapping[str, Value]] = lambda _side: {}
    """Parameters of a cheap run at this input side, for tests."""
    max_pictures: int = 16
    """Pictures of the input's size that a call may hold at once, for the memory budget."""
    refusal: Callable[[Classifier], str | None] = lambda _model: None
    version: int = 1

    @property
    def full_title(self) -> str:
        """Known name, then the plain one: "PGD · many small steps"."""
        return f"{self.technical} · {self.title[0].lower()}{self.title[1:]}"

    def weight(self, params: Mapping[str, Value], side: int) -> float:
        """Work in forward passes."""
        return self.cost(params, side) * (4.0 if self.gradient else 1.0)


ATTACKS: Registry[AttackSpec] = Registry("attack", order=lambda spec: spec.usual)
