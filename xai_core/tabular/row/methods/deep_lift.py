"""DeepLIFT for a row of a table (Shrikumar et al. 2017, arXiv:1704.02685), on networks of torch."""

from __future__ import annotations

from xai_core.tabular.row.method import RawContributions, RowRequest
from xai_core.tabular.row.network import TOLERANCE, Network, register_network_method

MAX_STEPS = 64


def run(request: RowRequest) -> RawContributions:
    """Return the share of each feature in score - base, by the multipliers of `xai_core.rules.deep_lift`."""
    from xai_core.rules.deep_lift import DeepLift

    network = Network(request)
    request.job.expect(2 * len(network.x))
    result = DeepLift(TOLERANCE, MAX_STEPS, request.job.tick).lift(network.score, network.x, network.starts)
    request.job.tick(2 * len(network.x))
    contributions = (result.multipliers * (network.x - network.starts)).detach()
    details = {"background_rows": float(len(network.starts))}
    return RawContributions(network.sum_by_feature(contributions), network.base, details=details)


register_network_method(
    "deep_lift",
    run,
    title="Step-by-step shares",
    technical="DeepLIFT",
    rank=40,
    caution="Two networks that give the same answers can get different bars, because it looks at their steps.",
    paper="Shrikumar et al. 2017, arXiv:1704.02685",
)
