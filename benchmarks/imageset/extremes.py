"""How long does it take to find the extreme pictures of all channels of a layer, in one go against channel by channel?
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.harness.array_contest import TableQuestion
from benchmarks.harness.contest import Bench, Floats
from xai_core.imageset.analysis.extremes import all_channel_extremes

MOST = 0.8
K = 12
ROWS_A_BLOCK = 4_096


def question(_bench: Bench, pictures: int = 20_000, channels: int = 1_280) -> TableQuestion:
    """Both find the same rows; the peer partly sorts one channel after the other, NumPy's quickest way to the few
    largest.
    """
    values = np.random.default_rng(0).standard_normal((pictures, channels), dtype=np.float32)

    def ours() -> Floats:
        starts = range(0, pictures, ROWS_A_BLOCK)
        blocks = [np.arange(start, min(start + ROWS_A_BLOCK, pictures)) for start in starts]
        return np.hstack(all_channel_extremes(((rows, values[rows[0] : rows[-1] + 1]) for rows in blocks), K)).astype(
            float
        )

    def theirs() -> Floats:
        return np.array(
            [np.hstack([_largest(values[:, channel]), _largest(-values[:, channel])]) for channel in range(channels)],
            float,
        )

    return TableQuestion(
        title=f"Top and bottom {K} of every channel",
        size=f"{pictures:,} pictures × {channels:,} channels",
        ours=ours,
        peer="NumPy, a channel at a time",
        theirs=theirs,
        most_ratio=MOST,
        most_difference=0.0,
    )


def _largest(column: Floats) -> npt.NDArray[np.intp]:
    some = np.argpartition(column, -K)[-K:]
    return some[np.argsort(-column[some])]
