"""How long do the four methods of the comparison page take, cold, against Captum's four calls one after another?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import xai_core
from benchmarks.harness.contest import Bench, Floats, Peer, Question, Target
from benchmarks.harness.limits import Limit
from benchmarks.methods import grad_cam, integrated_gradients, lime, occlusion

FOUR = ("occlusion", "grad_cam", "lime", "integrated_gradients")
TARGETS = (Target("ratio", most=0.33, peer="Captum"),)


@dataclass(frozen=True)
class _Sum:
    """Several limits one after another."""

    parts: Sequence[Limit]

    @property
    def words(self) -> str:
        return " and ".join(part.words for part in self.parts)

    def seconds(self) -> float:
        return sum(part.seconds() for part in self.parts)


def question(bench: Bench, samples: int = 500, window: int = 32, stride: int = 16, steps: int = 512) -> Question:
    """The correlation is that of the occlusion maps, which take no chance; those of the others stand in rows of their
    own.
    """
    asked = (
        occlusion.question(bench, window, stride),
        grad_cam.question(bench),
        lime.question(bench, samples),
        integrated_gradients.question(bench, steps),
    )
    theirs = [next(peer for peer in each.peers if peer.name == "Captum") for each in asked]
    params: dict[str, dict[str, object]] = {
        "occlusion": {"window": window, "stride": stride},
        "lime": {"samples": samples},
        "integrated_gradients": {"steps": steps},
    }

    def ours() -> xai_core.Attribution:
        maps = xai_core.compare(bench.model, bench.image, FOUR, layer=grad_cam.LAYER, params=params)
        return replace(maps[0], evaluations=sum(found.evaluations for found in maps))

    def captum(batch: int) -> Floats:
        maps = [peer.run(batch) for peer in theirs]
        return maps[0]

    def limit(found: xai_core.Attribution) -> Limit:
        points = int(bench.explain("integrated_gradients", steps=steps).details["steps"])
        return _Sum((bench.forward_limit(found.evaluations - points - 1), bench.gradient_limit(points + 1)))

    return Question("Four methods side by side", ours, limit, (Peer("Captum", captum),), TARGETS)
