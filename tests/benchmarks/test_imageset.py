"""The benchmarks over sets on tiny sizes: both sides agree."""

from __future__ import annotations

import os

from benchmarks.harness.array_contest import measure_table
from benchmarks.harness.contest import Workload
from benchmarks.imageset import extremes, model_run
from tests.imageset.counting_set import Pictures
from tests.zoo_networks import zoo_model

WORKLOAD = Workload(zoo_model("small_cnn"), Pictures().open(0), repeats=1, forward_batches=(4,), log=lambda _text: None)


def test_a_pass_gives_the_logits_of_the_plain_forward() -> None:
    before = os.environ["WHYBOX_DATA"]
    answer = measure_table(WORKLOAD, model_run.build_question(WORKLOAD, Pictures(7), count=11))
    assert (
        answer.row.difference < 1e-3
        and answer.row.size == "11 pictures"
        and min(answer.row.ours_s, answer.row.peer_s) > 0
    )
    assert os.environ["WHYBOX_DATA"] == before


def test_one_go_over_all_channels_finds_what_a_go_for_each_finds() -> None:
    assert measure_table(WORKLOAD, extremes.build_question(WORKLOAD, pictures=90, channels=5)).row.difference == 0
