"""The benchmark programme on sizes so small that its numbers mean nothing: does it measure what it says, and does it
tell a miss?
"""

from __future__ import annotations

import math
import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import xai_core
from benchmarks import __main__ as programme
from benchmarks.harness import contest
from benchmarks.harness.contest import COLUMNS, Answer, Bench, Row, Target, measure, peak_memory, pearson, table
from benchmarks.methods import (
    four_methods,
    grad_cam,
    integrated_gradients,
    kernel_shap,
    lime,
    occlusion,
    rise,
    score_cam,
    smooth_grad,
)
from tests.zoo_networks import half_size_model

pytestmark = pytest.mark.long

ROW = Row("Occlusion", "Captum", "8", 1.0, 4.0, 0.25, 730, 1.1, 12.0, 345.6, 0.99999)


@pytest.fixture(scope="module")
def bench() -> Bench:
    model = half_size_model(programme.MODEL)
    image = xai_core.SAMPLES.get(programme.SAMPLE).load()
    return Bench(
        model, image, repeats=1, batches=(8,), forward_batches=(4,), gradient_batches=(2,), say=lambda _text: None
    )


def check(answer: Answer, peers: list[str], evaluations: int) -> None:
    assert [row.peer for row in answer.rows] == peers
    for row in answer.rows:
        assert row.evaluations == evaluations
        assert all(value > 0 for value in (row.ours_s, row.peer_s, row.ratio, row.to_limit))
        assert min(row.ours_mb, row.peer_mb) >= 0
    assert len(answer.notes) == 1
    assert "the limit is " in answer.notes[0]


@pytest.mark.slow
def test_occlusion_gives_the_map_of_captum(bench: Bench) -> None:
    choosing = replace(bench, repeats=2, batches=(4, 8), forward_batches=(2, 4))
    answer = measure(choosing, occlusion.question(choosing, window=56, stride=28))
    check(answer, ["Captum"], 10)
    assert answer.rows[0].batch in {"4", "8"}
    assert answer.rows[0].pearson > 0.9999


@pytest.mark.slow
def test_lime_agrees_with_both_peers(bench: Bench) -> None:
    answer = measure(bench, lime.question(bench, samples=60, segments=6))
    check(answer, ["Captum", "lime"], 61)
    assert all(row.pearson > 0.9 for row in answer.rows)
    assert "two seeds of ours" in answer.notes[0]


@pytest.mark.slow
def test_rise_agrees_with_the_recipe(bench: Bench) -> None:
    answer = measure(bench, rise.question(bench, masks=100))
    check(answer, ["plain torch"], 101)
    assert answer.rows[0].pearson > 0.2, "so few masks leave much to chance"


@pytest.mark.slow
def test_kernel_shap_agrees_with_captum(bench: Bench) -> None:
    answer = measure(bench, kernel_shap.question(bench, samples=60, segments=5))
    check(answer, ["Captum"], answer.rows[0].evaluations)
    assert answer.rows[0].pearson > 0.5, "Captum's are drawn, ours are exact with so few patches"


@pytest.mark.slow
def test_smooth_grad_agrees_with_captum(bench: Bench) -> None:
    answer = measure(bench, smooth_grad.question(bench, samples=80))
    check(answer, ["Captum"], 81)
    assert answer.rows[0].pearson > 0.6, "maps of four other classes have 0.34 to 0.45"


@pytest.mark.slow
def test_score_cam_agrees_with_its_peer(bench: Bench) -> None:
    answer = measure(bench, score_cam.question(bench, "_blocks.0"))
    check(answer, ["pytorch-grad-cam"], 18)
    assert answer.rows[0].pearson > 0.95


@pytest.mark.slow
def test_integrated_gradients_says_both_gaps(bench: Bench) -> None:
    answer = measure(bench, integrated_gradients.question(bench, steps=4))
    check(answer, ["Captum"], 5)
    assert "4 points each; completeness gap of ours " in answer.notes[0]
    assert "of Captum's " in answer.notes[0]


@pytest.mark.slow
def test_four_methods_are_measured_as_one(bench: Bench) -> None:
    answer = measure(bench, four_methods.question(bench, samples=20, window=56, stride=28, steps=4))
    check(answer, ["Captum"], 10 + 2 + 21 + 5)
    assert answer.rows[0].pearson > 0.9999
    assert re.search(
        r" forward passes in batches of 4(, \d at a time)? and 5 forward-and-backward passes", answer.notes[0]
    )


@pytest.mark.slow
def test_grad_cam_gives_the_map_of_both_peers(bench: Bench) -> None:
    answer = measure(bench, grad_cam.question(bench))
    check(answer, ["Captum", "pytorch-grad-cam"], 2)
    assert all(row.pearson > 0.9999 for row in answer.rows)
    assert {row.batch for row in answer.rows} == {"–"}


def test_the_table_has_a_cell_for_every_column() -> None:
    lines = table([ROW, replace(ROW, pearson=float("nan"))]).splitlines()
    assert [field.name for field in fields(Row)] == list(COLUMNS)
    assert lines[0] == f"| {' | '.join(COLUMNS.values())} |"
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 1}
    assert lines[2] == "| Occlusion | Captum | 8 | 1.000 | 4.000 | 0.25 | 730 | 1.10 | 12 | 346 | 1.0000 |"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target("ratio", most=0.25), ""),
        (Target("ratio", most=0.2), "Occlusion against Captum: ours / peer is 0.25, to reach: at most 0.2"),
        (Target("ratio", most=0.2, peer="lime"), ""),
        (Target("pearson", least=0.999), ""),
        (Target("to_limit", least=2), "Occlusion against Captum: ours / limit is 1.1, to reach: at least 2"),
    ],
)
def test_a_target_tells_what_was_missed(target: Target, words: str) -> None:
    assert target.missed(ROW) == words


def test_no_number_reaches_no_target() -> None:
    flat = replace(ROW, pearson=float("nan"))
    assert "Pearson is nan" in Target("pearson", least=0.999).missed(flat)


def test_every_target_speaks_of_a_number_in_the_table() -> None:
    for module in (occlusion, lime, integrated_gradients, grad_cam):
        assert all(isinstance(getattr(ROW, target.column), float) for target in module.TARGETS)


def test_pearson_is_numpys() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 5, 7))
    assert pearson(a, a + b) == pytest.approx(float(np.corrcoef(a.ravel(), (a + b).ravel())[0, 1]), abs=1e-12)
    assert math.isnan(pearson(a, np.ones_like(a)))


@pytest.mark.parametrize("sampled", [False, True], ids=["kernel's own", "sampled"])
def test_memory_taken_and_given_back_is_seen(sampled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if sampled:
        monkeypatch.setattr(contest, "_reset_high_water", lambda: False)
    with peak_memory() as nothing:
        pass
    with peak_memory() as some:
        block = np.ones(48 * 2**20, dtype=np.uint8)
        for _ in range(20):
            block += 1
        del block
    assert nothing.extra_mb < 24
    assert 44 < some.extra_mb < 96


@pytest.mark.parametrize(("missed", "code"), [([], 0), (["Occlusion is slow"], 1)])
def test_the_programme_prints_writes_and_ends_with_its_verdict(
    missed: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(programme, "first_run", lambda _bench, _question: None)
    monkeypatch.setattr(
        programme, "measure", lambda _bench, _question, _first: Answer([ROW], ["Occlusion: a note."], missed)
    )
    assert programme.main(["--repeats", "1", "--only", "occlusion", "--out", str(tmp_path / "table.md")]) == code
    said = capsys.readouterr().out
    assert said.startswith(table([ROW]))
    assert "- Machine: " in said
    assert "- Occlusion: a note." in said
    assert ("MISSED: Occlusion is slow." in said) == bool(missed)
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == said.removesuffix("\n")


@pytest.mark.parametrize("argv", [["--repeats", "0"], ["--only", "nothing"]])
def test_a_wrong_option_shows_the_usage(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        programme.main(argv)
    assert stopped.value.code == 2
