"""What a method is (`MethodSpec`), what it is given (`Request`) and what it gives back (`RawMap`).

A method file declares its spec as data and a `run` of a few lines; everything else (validation, isolation, batching, progress, cancel,
seeds, checks) happens here and in `_run.py`, once for all methods.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Literal, TypeVar

import numpy as np
import torch
from torch import nn

from xai_core.engine import cores
from xai_core.engine.forward import Forward
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER, Ticket
from xai_core.engine.split.patch_combinations import Compose, Labels, Mosaic
from xai_core.engine.split.split_network import cover, covers_for, patched_for
from xai_core.errors import NotApplicable
from xai_core.images import make_baseline
from xai_core.methods._structure import folded
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.models.layers import Layer
from xai_core.params import Param, Value
from xai_core.registry import Registry
from xai_core.results import Floats, Target
from xai_core.rules import RectifierRule

log = logging.getLogger(__name__)

AHEAD = cores.LANES
"""Batches of one request that are being run while the next one is composed."""
WORTH_CUTTING_S = 0.5
"""Answers take at least so long, or cutting the network in two would take longer than it saves."""
_BROKEN = "A network that was cut in two failed, so the whole one is asked."
T = TypeVar("T")
Logits = Callable[[torch.Tensor], torch.Tensor]
Family = Literal["activation", "gradient", "path", "relevance", "perturbation", "surrogate"]
Need = Literal["gradient", "layer", "answers"]
Verdict = Literal["passes", "fails", "mixed", "unknown"]


@dataclass
class RawMap:
    """A method's own numbers: signed values (H, W) or (C, H, W) on the input grid, and what it reports about itself."""

    values: torch.Tensor | Floats
    details: dict[str, float] = field(default_factory=dict)
    unit: str = ""
    """What the values are measured in, where a parameter makes it another than the spec's."""


@dataclass(eq=False)
class Request:
    """One call's private world: its own input tensor, its own module copy, its own random generator, and the shared forward."""

    classifier: Classifier
    pixels: Floats
    x: torch.Tensor
    logits: torch.Tensor
    target: Target
    layer: Layer | None
    params: Mapping[str, Value]
    forward: Forward
    job: Job[object]
    rng: np.random.Generator
    evaluations: int = 1
    blank: torch.Tensor | None = None
    """The last picture without evidence that the method asked for, so that it can be asked what the model sees in it."""

    @cached_property
    def module(self) -> nn.Module:
        """A private copy of the network: hook it freely, it is thrown away with the request."""
        return isolate(self.classifier.module)

    @cached_property
    def _gradient_module(self) -> nn.Module:
        """A second private copy, for input gradients only: nobody looks at its layers, so its norms are folded."""
        return isolate(folded(self.classifier))

    @property
    def chosen_layer(self) -> Layer:
        """The layer to explain. Raises NotApplicable for a network without one."""
        if self.layer is None:
            raise NotApplicable(
                f"{self.classifier.title} has no layer that still knows where things are in the picture."
            )
        return self.layer

    def number(self, name: str) -> float:
        """A numeric parameter."""
        return float(self.params[name])

    def integer(self, name: str) -> int:
        """A whole-number parameter."""
        return int(self.params[name])

    def choice(self, name: str) -> str:
        """A parameter with named options."""
        return str(self.params[name])

    def select(self, logits: torch.Tensor) -> torch.Tensor:
        """The explained number of each row of logits (N, classes), as (N,): the target's logit, or the difference of a pair's."""
        if isinstance(self.target, tuple):
            return logits[:, self.target[0]] - logits[:, self.target[1]]
        return logits[:, self.target]

    @property
    def score(self) -> float:
        """The explained number for the picture itself."""
        return float(self.select(self.logits)[0])

    def count(self, evaluations: int) -> None:
        """Count evaluations done and stop here if the job was cancelled."""
        self.evaluations += evaluations
        self.job.tick(evaluations)

    def scores(self, rows: torch.Tensor, compose: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """The explained number (N,) of N pictures, made by `compose` from their rows one micro-batch at a time."""
        return torch.cat(
            [
                self.select(logits)
                for logits in self.answers(compose(part) for part in rows.split(self.forward.micro_batch))
            ]
        )

    def covered(self, corners: torch.Tensor, window: int, patch: torch.Tensor) -> torch.Tensor:
        """The explained number (N,) of the picture with a square of `patch` (C, H, W) over it, at each of N corners (top, left), (N, 2).

        Where only the first layers near the square have to be run anew, and there is enough to do, only they are.
        """
        covers = covers_for(self.classifier, self.x, patch, window) if self._worth_cutting(len(corners)) else None
        return self._cut_or_whole(
            corners, covers.logits if covers is not None else None, lambda part: cover(self.x, patch, part, window)
        )

    def hidden(self, rows: torch.Tensor, labels: Labels, compose: Compose) -> torch.Tensor:
        """The explained number (N,) of the pictures that `compose` makes from rows (N, patches): 0 hides a patch of `labels`, 1 shows it.

        Where the first layers see only a few patches at a time, and there is enough to do, they are run for a few choices only.
        """
        network = patched_for(self.classifier) if self._worth_cutting(len(rows)) else None
        mosaic = Mosaic(network, labels, compose) if network is not None else None
        logits = mosaic.logits if mosaic is not None and mosaic.worth(len(rows)) and self._filled(mosaic) else None
        return self._cut_or_whole(rows, logits, compose)

    def _worth_cutting(self, answers: int) -> bool:
        return answers * self.forward.seconds_a_picture >= WORTH_CUTTING_S

    def _filled(self, mosaic: Mosaic) -> bool:
        parts, work = mosaic.rows.split(self.forward.micro_batch), mosaic.network.cut.work
        tickets = (SCHEDULER.submit_work(partial(mosaic.head, part), self.job, len(part), cost=work) for part in parts)
        try:
            return mosaic.keep(self._in_order(tickets, Ticket.wait))
        except RuntimeError:
            log.exception(_BROKEN)
            return False

    def _cut_or_whole(self, rows: torch.Tensor, logits: Logits | None, compose: Compose) -> torch.Tensor:
        """The explained numbers (N,) by `logits` of rows in the lanes, or where there is none, or it fails, by the whole network."""
        if logits is not None:
            parts = rows.split(self.forward.micro_batch)
            tickets = (SCHEDULER.submit_work(partial(logits, part), self.job, len(part), cost=1.0) for part in parts)
            try:
                return torch.cat([self.select(found) for found in self._in_order(tickets, self._answer)])
            except RuntimeError:  # the whole network's engine is built anew where it fails; this one is left alone
                log.exception(_BROKEN)
        return self.scores(rows, compose)

    def answers(self, batches: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """The logits (n, classes) of each batch of prepared pictures (n, C, H, W); the next ones are composed while some are being run."""
        return self._in_order((self.forward.submit(batch, self.job) for batch in batches), self._answer)

    def _in_order(self, tickets: Iterable[Ticket[T]], answer: Callable[[Ticket[T]], T]) -> Iterator[T]:
        """What the tickets give, one after another, each drawn as soon as there is a lane for it; `answer` waits for one."""
        under_way: deque[Ticket[T]] = deque()
        try:
            for ticket in tickets:
                under_way.append(ticket)
                self.job.tick()
                if len(under_way) > AHEAD:
                    yield answer(under_way.popleft())
            while under_way:
                yield answer(under_way.popleft())
        finally:
            for ticket in under_way:
                ticket.withdraw()

    def _answer(self, ticket: Ticket[T]) -> T:
        found = ticket.wait()
        self.count(ticket.evaluations)
        return found

    def turn(self, evaluations: int = 1) -> AbstractContextManager[None]:
        """The cores for this request, for one micro-batch of work on its own module."""
        return SCHEDULER.turn(self.job, evaluations)

    @property
    def together(self) -> int:
        """How many pictures' gradients are made at once, by all lanes. It differs from machine to machine: no map may depend on it."""
        return self.forward.gradient_batch * cores.LANES

    def gradients(
        self, pictures: torch.Tensor, rule: RectifierRule | None = None
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Per micro-batch of pictures (N, C, H, W): the explained numbers (n,) and their gradients (n, C, H, W), on the model's device.

        The backward rule, if one is given, has to be named here: a torch mode around the call does not reach the lanes' threads.
        """
        module = self._gradient_module  # made here, once, before several lanes ask for it

        def slopes(part: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            own = part.detach().clone(memory_format=torch.channels_last).requires_grad_(True)
            with out_of_place(), torch.enable_grad(), rule or nullcontext():
                found = self.select(module(own))
                (gradient,) = torch.autograd.grad(found.sum(), own)
            return found.detach(), gradient

        # Few pictures are spread over all lanes.
        parts = pictures.split(min(self.forward.gradient_batch, -(-len(pictures) // cores.LANES)))
        return self._in_order(
            (SCHEDULER.submit_work(partial(slopes, part), self.job, len(part)) for part in parts), self._answer
        )

    def baseline(self, kind: str) -> torch.Tensor:
        """A picture without the evidence, prepared like the input: (1, C, H, W) on the model's device."""
        picture = make_baseline(self.pixels, kind, self.rng)
        self.blank = self.classifier.preprocessing.tensor(picture).to(self.x.device)
        return self.blank


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
    """Evaluations for these parameters and this input side: a guess for the progress bar and the order of the panels."""
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
    """What randomizing the network's weights did to such maps, in one sentence with its source; empty where nobody published it.

    What stands before its first colon is the verdict, with "pass", "fail" or "mixed" in it: "Fails: the map stayed the same (…)."
    """
    local: bool = True
    """True if a map speaks about one picture; False for what holds for the model on all pictures."""
    post_hoc: bool = True
    """True if it explains a finished network from outside; False where the network's own last sum is the explanation."""
    version: int = 1
    """Raised when the same request gives another map: part of every key."""
    refusal: Callable[[Classifier], str | None] = lambda _classifier: None
    """Why the method cannot be right on this model, decided from its structure; None where it can."""

    def weight(self, params: Mapping[str, Value], side: int) -> float:
        """Work in forward passes, to run the cheapest first."""
        return self.cost(params, side) * (4.0 if self.gradient else 1.0)

    def passes(self, params: Mapping[str, Value], side: int) -> tuple[int, int]:
        """Forward passes, about, and backward ones at most: with a gradient every evaluation may go back but that of the picture itself."""
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
