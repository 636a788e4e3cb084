"""The ranking by the truth: a run that ends early goes on where it was, and its text takes the place of the last."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import truth
from tests.labs.test_objects import make_red_network
from xai_core import labs


def test_a_run_goes_on_where_it_ended(tmp_path: Path) -> None:
    model, scenes = make_red_network(), labs.draw_scenes(5, (5,))
    settings = [labs.Setting("gradient_x_input"), labs.Setting("saliency")]
    file = tmp_path / "scores.json"
    for _ in range(9):
        with pytest.raises(truth.OutOfTimeError):
            truth.Scores(file, 0).rank("drawn", model, scenes, settings)
    rows = truth.Scores(file, 1e9).rank("drawn", model, scenes, settings)
    assert rows == list(labs.rank_settings(model, scenes, settings))
    assert truth.Scores(file, -1).rank("drawn", model, scenes, settings) == rows, "nothing is measured twice"


def test_a_text_takes_the_place_of_the_last(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    file.write_text(f"before\n{truth.BEGIN}{truth.END}after\n", encoding="utf-8")
    for text in ("first\n", "second\n"):
        truth.write_results(text, file)
    assert file.read_text(encoding="utf-8") == f"before\n{truth.BEGIN}second\n{truth.END}after\n"
    assert truth.RESULTS.read_text(encoding="utf-8").count(truth.BEGIN) == 1
