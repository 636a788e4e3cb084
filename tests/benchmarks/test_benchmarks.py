"""The benchmark program on tiny sizes: measurement and missed targets, not the figures."""

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
from benchmarks.harness.contest import (
    COLUMNS,
    Answer,
    Row,
    Target,
    Workload,
    format_table,
    measure,
    peak_memory,
    pearson,
)
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
def workload() -> Workload:
    model = half_size_model(programme.MODEL)
    image = xai_core.SAMPLES.get(programme.SAMPLE).load()
    return Workload(
        model, image, repeats=1, batches=(8,), forward_batches=(4,), gradient_batches=(2,), log=lambda _text: None
    )


@pytest.fixture(scope="module")
def digits(workload: Workload) -> Workload:
    """The small network: maps that need many samples are cheap there."""
    return replace(workload, model=xai_core.load_model("small_cnn"), image=xai_core.SAMPLES.get("digit_3").load())


def check(answer: Answer, peers: list[str], evaluations: int) -> None:
    assert [row.peer for row in answer.rows] == peers
    for row in answer.rows:
        assert row.evaluations == evaluations
        assert all(value > 0 for value in (row.ours_s, row.peer_s, row.ratio, row.to_limit))
        assert min(row.ours_mb, row.peer_mb) >= 0
    assert len(answer.notes) == 1
    assert "the limit is " in answer.notes[0]


@pytest.mark.slow
def test_occlusion_gives_the_map_of_captum(workload: Workload) -> None:
    choosing = replace(workload, repeats=2, batches=(4, 8), forward_batches=(2, 4))
    answer = measure(choosing, occlusion.build_question(choosing, window=56, stride=28))
    check(answer, ["Captum"], 9 + 1 + 1)
    assert answer.rows[0].batch in {"4", "8"}
    assert answer.rows[0].pearson > 0.9999


@pytest.mark.slow
def test_lime_agrees_with_both_peers(digits: Workload) -> None:
    answer = measure(digits, lime.build_question(digits, samples=60, segments=6))
    check(answer, ["Captum", "lime"], 61)
    assert all(row.pearson > 0.98 for row in answer.rows), "maps of other classes have up to 0.96"
    assert "two seeds of ours" in answer.notes[0]


@pytest.mark.slow
def test_rise_agrees_with_the_recipe(workload: Workload) -> None:
    answer = measure(workload, rise.build_question(workload, masks=100))
    check(answer, ["plain torch"], 101)
    assert answer.rows[0].pearson > 0.2, "so few masks leave much to chance"


@pytest.mark.slow
def test_kernel_shap_agrees_with_captum(workload: Workload) -> None:
    answer = measure(workload, kernel_shap.build_question(workload, samples=60, segments=5))
    check(answer, ["Captum"], answer.rows[0].evaluations)
    assert answer.rows[0].pearson > 0.5, "Captum's are drawn, ours are exact with so few patches"


@pytest.mark.slow
def test_smooth_grad_agrees_with_captum(digits: Workload) -> None:
    answer = measure(digits, smooth_grad.build_question(digits, samples=80))
    check(answer, ["Captum"], 81)
    assert answer.rows[0].pearson > 0.85, "maps of other classes have 0.51 to 0.76"


@pytest.mark.slow
def test_score_cam_agrees_with_its_peer(workload: Workload) -> None:
    answer = measure(workload, score_cam.build_question(workload, "_blocks.0"))
    check(answer, ["pytorch-grad-cam"], 18)
    assert answer.rows[0].pearson > 0.95


@pytest.mark.slow
def test_integrated_gradients_says_both_gaps(workload: Workload) -> None:
    answer = measure(workload, integrated_gradients.build_question(workload, steps=4))
    check(answer, ["Captum"], 5)
    assert "4 points each; completeness gap of ours " in answer.notes[0]
    assert "of Captum's " in answer.notes[0]


@pytest.mark.slow
def test_four_methods_are_measured_as_one(workload: Workload) -> None:
    answer = measure(workload, four_methods.build_question(workload, samples=20, window=56, stride=28, steps=4))
    check(answer, ["Captum"], 11 + 2 + 21 + 5)
    assert answer.rows[0].pearson > 0.9999
    assert re.search(
        r" forward passes in batches of 4(, \d at a time)? and 5 forward-and-backward passes", answer.notes[0]
    )


@pytest.mark.slow
def test_grad_cam_gives_the_map_of_both_peers(workload: Workload) -> None:
    answer = measure(workload, grad_cam.build_question(workload))
    check(answer, ["Captum", "pytorch-grad-cam"], 2)
    assert all(row.pearson > 0.9999 for row in answer.rows)
    assert {row.batch for row in answer.rows} == {"–"}


def test_the_table_has_a_cell_for_every_column() -> None:
    lines = format_table([ROW, replace(ROW, pearson=float("nan"))]).splitlines()
    assert [field.name for field in fields(Row)] == list(COLUMNS)
    assert lines[0] == f"| {' | '.join(COLUMNS.values())} |"
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 1}
    assert lines[2] == "| Occlusion | Captum | 8 | 1.000 | 4.000 | 0.25 | 730 | 1.10 | 12 | 346 | 1.0000 |"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target("ratio", maximum=0.25), ""),
        (Target("ratio", maximum=0.2), "Occlusion against Captum: ours / peer is 0.25, to reach: at most 0.2"),
        (Target("ratio", maximum=0.2, peer="lime"), ""),
        (Target("pearson", minimum=0.999), ""),
        (Target("to_limit", minimum=2), "Occlusion against Captum: ours / limit is 1.1, to reach: at least 2"),
    ],
)
def test_a_target_tells_what_was_missed(target: Target, words: str) -> None:
    assert target.describe_miss(ROW) == words


def test_no_number_reaches_no_target() -> None:
    flat = replace(ROW, pearson=float("nan"))
    assert "Pearson is nan" in Target("pearson", minimum=0.999).describe_miss(flat)


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
        monkeypatch.setattr(contest, "_reset_peak_rss", lambda: False)
    with peak_memory() as nothing:
        pass
    with peak_memory() as some:
        block = np.ones(48 * 2**20, dtype=np.uint8)
        for _ in range(20):
            block += 1
        del block
    assert nothing.extra_mb < 24
    assert 44 < some.extra_mb < 96


@pytest.mark.parametrize(("misses", "code"), [([], 0), (["Occlusion is slow"], 1)])
def test_the_programme_prints_writes_and_ends_with_its_verdict(
    misses: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(programme, "run_first", lambda _workload, _question: None)
    monkeypatch.setattr(programme, "prepare_gradients", lambda _model: "Gradients as usual.")
    monkeypatch.setattr(
        programme, "measure", lambda _workload, _question, _first: Answer([ROW], ["Occlusion: a note."], misses)
    )
    assert programme.main(["--repeats", "1", "--only", "occlusion", "--out", str(tmp_path / "table.md")]) == code
    output = capsys.readouterr().out
    assert output.startswith(format_table([ROW]))
    assert "- Machine: " in output
    assert "- Occlusion: a note." in output
    assert ("MISSED: Occlusion is slow." in output) == bool(misses)
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == output.removesuffix("\n")


@pytest.mark.parametrize("argv", [["--repeats", "0"], ["--only", "nothing"]])
def test_a_wrong_option_shows_the_usage(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        programme.main(argv)
    assert stopped.value.code == 2
