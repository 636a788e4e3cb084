"""The proof of the path through a graphics card: the program itself, tried on the CPU."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import xai_core
from benchmarks.gpu import __main__ as gpu, agreement, sessions
from xai_core.models.cache import use_full_precision


def test_without_a_card_it_says_so_and_ends_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(["--out", str(tmp_path / "gpu.json")]) == 0
    assert "no CUDA device" in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_the_program_runs_on_the_cpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gpu.json"
    assert gpu.main(["--device", "cpu", "--quick", "--out", str(out)]) == 0
    report, text = json.loads(out.read_text()), capsys.readouterr().out
    small = xai_core.load_model("small_cnn")
    applicable = [spec.name for spec in xai_core.METHODS.specs() if spec.refusal(small) is None]
    maps = report["tables"]["Maps against the CPU's"]
    assert [row["method"] for row in maps] == applicable and all(row["correlation"] > 0.999 for row in maps)
    assert {row["method"] for row in report["tables"]["Against Captum on the same device"]} == {
        "occlusion",
        "lime",
        "integrated_gradients",
    }
    assert report["tables"]["Sessions at once"][0]["wrong"] == []
    assert all(title in text for title in report["tables"]) and report["about"]["failures"] == []


def test_failures_are_named_and_set_the_exit_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tables = {
        "Maps against the CPU's": [
            {"network": "a", "method": "rise", "passed": False},
            {"network": "b", "passed": True},
        ],
        "Ways to run a network": [{"network": "a", "way": "autocast", "passed": False}],
        "Four methods side by side": [{"seconds": 9.0, "passed": None}],
    }
    assert gpu.list_failures(tables) == ["Maps against the CPU's: a, rise"]
    monkeypatch.setattr(gpu, "measure", lambda *_: (tables, ["maps of c"]))
    out = tmp_path / "gpu.json"
    assert gpu.main(["--device", "cpu", "--out", str(out)]) == 1
    assert json.loads(out.read_text())["about"]["left out"] == ["maps of c"]


def test_time_that_is_over_leaves_out_the_rest() -> None:
    pair = next(iter(gpu.load_pairs(torch.device("cpu"), quick=True)))
    image = xai_core.SAMPLES.get("digit_3").load()
    assert list(agreement.compare_methods(pair, image, lambda: True)) == []


def test_a_wrong_map_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    ramp = np.linspace(-1, 1, 400).reshape(20, 20)
    assert agreement.correlate(ramp, 3 * ramp) == pytest.approx(1)
    assert agreement.correlate(ramp, 0 * ramp) == 0 and agreement.correlate(0 * ramp, 0 * ramp) == 1
    model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    make, calls = sessions.carry_out, list[int]()

    def swap_seeds(planned: xai_core.Plan, job: xai_core.Job[xai_core.Attribution]) -> xai_core.Attribution:
        calls.append(1)
        swapped = xai_core.plan(model, image, planned.spec.name, target=8, params=planned.params, seed=planned.seed)
        return make(swapped if len(calls) > 2 else planned, job)

    monkeypatch.setattr(sessions, "carry_out", swap_seeds)
    row = sessions.run_sessions(model, [image], 2)
    assert len(row["wrong"]) == 2 and row["passed"] is False


def test_a_card_keeps_full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    use_full_precision(torch.device("cpu"))
    assert torch.backends.cudnn.allow_tf32
    use_full_precision(torch.device("cuda"))
    assert not torch.backends.cudnn.allow_tf32
