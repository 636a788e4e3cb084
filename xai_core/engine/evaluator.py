"""The numbers that a method asks of a model: scores and input gradients of many pictures, batched, counted and
cancellable.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import TypeVar

import torch

from xai_core.arrays import Int64
from xai_core.engine import cores
from xai_core.engine.backends.compiled_gradients import weigh_classes
from xai_core.engine.backends.forward import Forward
from xai_core.engine.backends.gradient_trace import differentiate
from xai_core.engine.backends.gradients import count_layer_gradients, drop_layer_gradients, ready_layer_gradients
from xai_core.engine.backends.network import Run
from xai_core.engine.input_gradients import FAILED, Gradients, InputGradients, select_score
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER, Task
from xai_core.engine.split.patch_combinations import Compose, PatchCombinations
from xai_core.engine.split.split_network import occlude, occluded_image_for, split_network_for
from xai_core.errors import Cancelled, XaiError
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate
from xai_core.models.layers import Layer
from xai_core.results import Target
from xai_core.rules import RectifierRule

log = logging.getLogger(__name__)

# Batches of one request that are being run while the next one is composed.
MAX_AHEAD = cores.WORKERS
# Shortest run, in seconds on the whole network, for which building a split network pays off.
MIN_SPLIT_S = 0.5
_SPLIT_FAILED = "A network that was cut in two failed, so the whole one is asked."
T = TypeVar("T")
# Takes the scores that are known so far, in parts (n,), after each batch: the parts are the first rows' in order.
OnScores = Callable[[Sequence[torch.Tensor]], None]


def _ignore(_parts: Sequence[torch.Tensor]) -> None:
    """Do nothing with the scores so far."""


@dataclass(eq=False)
class Evaluator:
    """Scores and gradients of one target for pictures derived from one input (1, C, H, W); `evaluations` counts the
    passes.
    """

    model: Classifier
    forward: Forward
    x: torch.Tensor
    target: Target
    job: Job[object]
    evaluations: int = 1

    @property
    def micro_batch(self) -> int:
        """Pictures in one forward batch. It differs between machines: no map may depend on it."""
        return self.forward.micro_batch

    @property
    def gradient_batch(self) -> int:
        """Pictures in one gradient batch. It differs between machines: no map may depend on it."""
        return self.forward.gradient_batch

    @property
    def gradient_part(self) -> int:
        """Pictures of a part that `stream_gradients` takes best: a task of the engine, or one a worker in plain torch.

        It differs between machines: no map may depend on it.
        """
        compiled = self.input_gradients.engine
        return compiled.batch.micro_batch if compiled is not None else self.gradient_batch * cores.WORKERS

    @cached_property
    def input_gradients(self) -> InputGradients:
        """The engine of this request's input gradients."""
        return InputGradients(self.model, self.forward, self.target)

    def select(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the target's score in each row of logits (N, classes), as (N,)."""
        return select_score(logits, self.target)

    def count(self, evaluations: int) -> None:
        """Count finished evaluations; raises Cancelled if the job was cancelled."""
        self.evaluations += evaluations
        self.job.tick(evaluations)

    def exclusive(self, evaluations: int = 1) -> AbstractContextManager[None]:
        """Reserve the cores for one micro-batch of work in the caller's own thread and on its own module."""
        return SCHEDULER.slot(self.job, evaluations)

    def logits(self, batches: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Yield logits (n, classes) per batch of prepared pictures (n, C, H, W); the next is composed meanwhile."""
        return self._run_in_order((self.forward.submit(batch, self.job) for batch in batches), self._wait)

    def scores(self, rows: torch.Tensor, compose: Compose, on_scores: OnScores = _ignore) -> torch.Tensor:
        """Return the scores (N,) of the N pictures that `compose` makes of rows, one micro-batch at a time."""
        batches = (compose(part) for part in rows.split(self.micro_batch))
        return self._gather_scores(self.logits(batches), on_scores)

    def occluded(
        self, corners: torch.Tensor, window: int, patch: torch.Tensor, on_scores: OnScores = _ignore
    ) -> torch.Tensor:
        """Return the scores (N,) of the input with a square of `patch` (C, H, W) at each of the corners (top, left),
        (N, 2).

        Where there is enough to do, the first layers are run only around each square.
        """
        image = (
            occluded_image_for(self.model, self.x, patch, window) if self._is_worth_splitting(len(corners)) else None
        )
        logits = image.logits if image is not None else None
        return self._split_scores(corners, logits, lambda part: occlude(self.x, patch, part, window), on_scores)

    def hidden(
        self, rows: torch.Tensor, labels: Int64, compose: Compose, on_scores: OnScores = _ignore
    ) -> torch.Tensor:
        """Return the scores (N,) of the pictures that `compose` makes of rows (N, patches): 0 hides a patch of
        `labels`, 1 shows it.

        Where there is enough to do, the first layers are run only for a few combinations of patches.
        """
        network = split_network_for(self.model) if self._is_worth_splitting(len(rows)) else None
        patches = PatchCombinations(network, labels, compose) if network is not None else None
        usable = patches is not None and patches.is_worthwhile(len(rows)) and self._fill(patches)
        return self._split_scores(rows, patches.logits if patches is not None and usable else None, compose, on_scores)

    def gradients(self, pictures: torch.Tensor, rule: RectifierRule | None = None) -> Iterator[Gradients]:
        """Yield scores (n,) and input gradients (n, C, H, W) per micro-batch of pictures (N, C, H, W), on the model's
        device.

        Compiled where that is ready and right, else in plain torch; maps of both differ by rounding.

        A backward rule has to be passed here: a torch mode around the call does not reach the workers' threads.
        """
        return ((scores, gradients) for _, scores, gradients in self.stream_gradients((pictures,), rule))

    def stream_gradients(
        self, parts: Iterable[torch.Tensor], rule: RectifierRule | None = None
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Yield pictures (n, C, H, W), their scores (n,) and their gradients per micro-batch of the parts, as
        `gradients`; the next part is drawn meanwhile.
        """
        source, waiting = iter(parts), deque[torch.Tensor]()

        def remember(pieces: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
            for piece in pieces:
                waiting.append(piece)
                yield piece

        compiled = self.input_gradients.engine if rule is None else None
        if compiled is not None:
            pieces = remember(chain.from_iterable(map(compiled.split, source)))
            tasks = self.input_gradients.submit_to_engine(compiled, pieces, self.job)
            try:
                for rows in self._run_in_order(tasks, self._wait):
                    piece = waiting.popleft()
                    yield piece, *self.input_gradients.unpack(compiled, rows, piece.shape)
                return
            except Cancelled:
                raise
            except XaiError:
                self.input_gradients.drop_engine()
        # What was under way when the engine failed comes first: callers rely on the order.
        lost = list(waiting)
        waiting.clear()
        pieces = remember(chain.from_iterable(map(self.input_gradients.split, chain(lost, source))))
        for scores, gradients in self._run_in_order(
            self.input_gradients.submit_eager(pieces, rule, self.job), self._wait
        ):
            yield waiting.popleft(), scores, gradients

    def layer_gradients(self, layer: Layer) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the layer's maps for the input, and the score's gradients by them, (C, rows, columns) each.

        Compiled where that is ready and right. Of a layer that is used several times the last call counts.
        """
        compiled, backends = ready_layer_gradients(self.model, layer), self.input_gradients.backends
        if compiled is not None:
            try:
                result = compiled.compute(self.x, self.target, self.job)
                backends.add("openvino")
                self.count(1)
                return result
            except Cancelled:
                raise
            except XaiError:
                log.exception(FAILED)
                drop_layer_gradients(self.model, layer)
        backends.add("torch")
        count_layer_gradients(self.model, layer)
        weights = weigh_classes(self.target, len(self.model.labels)).to(self.x.device)
        with self.exclusive():
            _, maps, gradients = differentiate(isolate(self.model.module), self.x, weights, layer)
        self.count(1)
        return maps[0], gradients[0]

    def _is_worth_splitting(self, pictures: int) -> bool:
        return pictures * self.forward.seconds_per_picture >= MIN_SPLIT_S

    def _fill(self, patches: PatchCombinations) -> bool:
        """Run the first layers for all combinations; False where that fails or is not exact."""
        parts, work = patches.combinations.split(self.micro_batch), patches.network.point.work
        tasks = (
            SCHEDULER.submit_work(partial(patches.run_head, part), self.job, len(part), cost=work) for part in parts
        )
        try:
            return patches.fill(self._run_in_order(tasks, Task.wait))
        except RuntimeError:
            log.exception(_SPLIT_FAILED)
            return False

    def _split_scores(
        self, rows: torch.Tensor, logits: Run | None, compose: Compose, on_scores: OnScores
    ) -> torch.Tensor:
        """Return the scores (N,) of rows by `logits` of a split network; by the whole one where there is none, or where
        it fails.
        """
        if logits is not None:
            parts = rows.split(self.micro_batch)
            tasks = (SCHEDULER.submit_work(partial(logits, part), self.job, len(part), cost=1.0) for part in parts)
            try:
                return self._gather_scores(self._run_in_order(tasks, self._wait), on_scores)
            # The whole network's engine is rebuilt where it fails; a split one is given up.
            except RuntimeError:
                log.exception(_SPLIT_FAILED)
        return self.scores(rows, compose, on_scores)

    def _gather_scores(self, batches: Iterable[torch.Tensor], on_scores: OnScores) -> torch.Tensor:
        parts: list[torch.Tensor] = []
        for logits in batches:
            parts.append(self.select(logits))
            on_scores(parts)
        return torch.cat(parts)

    def _run_in_order(self, tasks: Iterable[Task[T]], wait: Callable[[Task[T]], T]) -> Iterator[T]:
        """Yield the tasks' results in order; each task is drawn as soon as a worker is free for it."""
        running: deque[Task[T]] = deque()
        try:
            for task in tasks:
                running.append(task)
                self.job.tick()
                if len(running) > MAX_AHEAD:
                    yield wait(running.popleft())
            while running:
                yield wait(running.popleft())
        finally:
            for task in running:
                task.cancel()

    def _wait(self, task: Task[T]) -> T:
        result = task.wait()
        self.count(task.evaluations)
        return result
