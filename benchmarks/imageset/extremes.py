"""Time to find the extreme pictures of all channels of a layer, in one pass against channel by channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.harness.array_contest import TableQuestion
from benchmarks.harness.contest import Workload
from xai_core.arrays import Float
from xai_core.imageset.analysis.extremes import all_channel_extremes

MAX_RATIO = 0.8
K = 12
ROWS_A_BLOCK = 4_096


def build_question(_workload: Workload, pictures: int = 20_000, channels: int = 1_280) -> TableQuestion:
    """Build the contest against np.argpartition per channel, NumPy's fastest way to the largest values."""
    values = np.random.default_rng(0).standard_normal((pictures, channels), dtype=np.float32)

    def ours() -> Float:
        starts = range(0, pictures, ROWS_A_BLOCK)
        blocks = [np.arange(start, min(start + ROWS_A_BLOCK, pictures)) for start in starts]
        return np.hstack(all_channel_extremes(((rows, values[rows[0] : rows[-1] + 1]) for rows in blocks), K)).astype(
            float
        )

    def theirs() -> Float:
        return np.array(
            [
                np.hstack([_find_largest_rows(values[:, channel]), _find_largest_rows(-values[:, channel])])
                for channel in range(channels)
            ],
            float,
        )

    return TableQuestion(
        title=f"Top and bottom {K} of every channel",
        size=f"{pictures:,} pictures × {channels:,} channels",
        ours=ours,
        peer="NumPy, a channel at a time",
        theirs=theirs,
        max_ratio=MAX_RATIO,
        max_difference=0.0,
    )


def _find_largest_rows(column: Float) -> npt.NDArray[np.intp]:
    largest = np.argpartition(column, -K)[-K:]
    return largest[np.argsort(-column[largest])]
