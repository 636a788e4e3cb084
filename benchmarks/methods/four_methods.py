"""Time of the four methods of the comparison page, cold, against Captum's four calls in sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import xai_core
from benchmarks.harness.contest import Peer, Question, Target, Workload
from benchmarks.harness.limits import Limit
from benchmarks.methods import grad_cam, integrated_gradients, lime, occlusion
from xai_core.arrays import Float

FOUR = ("occlusion", "grad_cam", "lime", "integrated_gradients")
TARGETS = (Target("ratio", maximum=0.25, peer="Captum"),)


@dataclass(frozen=True)
class _Sum:
    """Several limits in sequence."""

    parts: Sequence[Limit]

    @property
    def words(self) -> str:
        return " and ".join(part.words for part in self.parts)

    def seconds(self) -> float:
        return sum(part.seconds() for part in self.parts)


def build_question(
    workload: Workload, samples: int = 500, window: int = 32, stride: int = 16, steps: int = 512
) -> Question:
    """Build the contest; the correlation is that of the occlusion maps, which are deterministic."""
    questions = (
        occlusion.build_question(workload, window, stride),
        grad_cam.build_question(workload),
        lime.build_question(workload, samples),
        integrated_gradients.build_question(workload, steps),
    )
    theirs = [next(peer for peer in peer_question.peers if peer.name == "Captum") for peer_question in questions]
    params: dict[str, dict[str, object]] = {
        "occlusion": {"window": window, "stride": stride},
        "lime": {"samples": samples},
        "integrated_gradients": {"steps": steps},
    }

    def ours() -> xai_core.Attribution:
        maps = xai_core.compare(workload.model, workload.image, FOUR, layer=grad_cam.LAYER, params=params)
        return replace(maps[0], evaluations=sum(attribution.evaluations for attribution in maps))

    def captum(batch: int) -> Float:
        maps = [peer.run(batch) for peer in theirs]
        return maps[0]

    def limit(attribution: xai_core.Attribution) -> Limit:
        points = int(workload.explain("integrated_gradients", steps=steps).details["steps"])
        return _Sum((workload.forward_limit(attribution.evaluations - points - 1), workload.gradient_limit(points + 1)))

    return Question("Four methods side by side", ours, limit, (Peer("Captum", captum),), TARGETS)
