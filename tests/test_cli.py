"""The command line in this process (`main`) and once as a process, on the digit network and the bundled default."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import xai_core
from xai_core import __main__ as cli
from xai_core.report import read_npz

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[1]
DIGIT = ["--model", "small_cnn", "--sample", "digit_3"]
QUICK = ["--method", "occlusion", "--param", "window=14", "--param", "stride=14"]


def list_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_explain_writes_a_picture_and_the_numbers_of_the_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "folder"
    assert cli.main(["explain", *DIGIT, *QUICK, "--target", "8", "--seed", "7", "--out", str(out)]) == 0
    assert list_files(out) == ["digit_3-occlusion.npz", "digit_3-occlusion.png"]
    arrays, about = read_npz((out / "digit_3-occlusion.npz").read_bytes())
    model = xai_core.load_model("small_cnn")
    image = xai_core.SAMPLES.get("digit_3").load()
    expected = xai_core.explain(model, image, "occlusion", target=8, params={"window": 14, "stride": 14}, seed=7)
    assert np.ptp(expected.values) > 0
    np.testing.assert_array_equal(arrays["0_occlusion"], expected.values)
    assert about["maps"][0]["target"] == 8
    assert about["maps"][0]["seed"] == 7
    with Image.open(out / "digit_3-occlusion.png") as png:
        assert png.size[0] >= 448
    text = capsys.readouterr()
    assert text.out.startswith(f"occlusion, why {model.labels[8]}? ")
    assert expected.checks
    assert all(f"  {check.level}: {check.sentence}\n" in text.out for check in expected.checks)
    assert text.err == ""


def test_a_picture_file_gives_its_name_to_the_results(tmp_path: Path) -> None:
    xai_core.SAMPLES.get("digit_3").load().save(tmp_path / "my photo.old.png")
    assert (
        cli.main(
            ["explain", str(tmp_path / "my photo.old.png"), "--model", "small_cnn", "--out", str(tmp_path / "out")]
        )
        == 0
    )
    assert list_files(tmp_path / "out") == ["my photo.old-grad_cam.npz", "my photo.old-grad_cam.png"]


def test_what_was_guessed_of_a_picture_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clear = Image.new("RGBA", (64, 64), (200, 30, 30, 0))
    clear.paste((10, 20, 30, 0), (10, 10, 40, 40))
    clear.save(tmp_path / "clear.png")
    assert cli.main(["explain", str(tmp_path / "clear.png"), *DIGIT[:2], *QUICK, "--out", str(tmp_path)]) == 0
    assert "Note: Its transparency hides every pixel, so it was ignored.\n" in capsys.readouterr().err


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    for target in ("3", "8"):
        assert cli.main(["explain", *DIGIT, *QUICK, "--target", target, "--out", str(tmp_path)]) == 0
    _, about = read_npz((tmp_path / "digit_3-occlusion.npz").read_bytes())
    assert about["maps"][0]["target"] == 8
    assert len(list_files(tmp_path)) == 2


def test_a_pair_of_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", *DIGIT, *QUICK, "--target", "3, 8", "--out", str(tmp_path)]) == 0
    _, about = read_npz((tmp_path / "digit_3-occlusion.npz").read_bytes())
    assert about["maps"][0]["target"] == [3, 8]
    assert ", not " in capsys.readouterr().out


def test_several_methods_one_after_another(tmp_path: Path) -> None:
    layer = xai_core.load_model("small_cnn").layers()[0].name
    requested = [
        "explain",
        *DIGIT,
        *QUICK[:2],
        "--method",
        "grad_cam",
        "--param",
        "occlusion.window=14",
        "--layer",
        layer,
    ]
    assert cli.main([*requested, "--out", str(tmp_path)]) == 0
    assert list_files(tmp_path) == [
        f"digit_3-{method}.{kind}" for method in ("grad_cam", "occlusion") for kind in ("npz", "png")
    ]
    _, grad_cam = read_npz((tmp_path / "digit_3-grad_cam.npz").read_bytes())
    _, occlusion = read_npz((tmp_path / "digit_3-occlusion.npz").read_bytes())
    assert grad_cam["maps"][0]["layer"] == layer
    assert occlusion["maps"][0]["layer"] is None
    assert occlusion["maps"][0]["params"]["window"] == 14


def list_applicable() -> list[str]:
    """List the methods that apply to the digit network: it has no average pooling before its head, and no attention."""
    model = xai_core.load_model("small_cnn")
    methods = [spec.name for spec in xai_core.METHODS.specs() if spec.refusal(model) is None]
    assert not {"cam", "attention_rollout"} & set(methods)
    return methods


def test_all_methods_each_to_its_own_files(tmp_path: Path) -> None:
    assert cli.main(["explain", *DIGIT, "--all", "--out", str(tmp_path)]) == 0
    assert list_files(tmp_path) == sorted(
        f"digit_3-{method}.{kind}" for method in list_applicable() for kind in ("npz", "png")
    )


def test_compare_puts_all_methods_on_one_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", *DIGIT, "--out", str(tmp_path)]) == 0
    assert list_files(tmp_path) == ["digit_3-compare.npz", "digit_3-compare.png"]
    arrays, about = read_npz((tmp_path / "digit_3-compare.npz").read_bytes())
    assert [item["method"] for item in about["maps"]] == list_applicable()
    assert all(values.shape[-2:] == (28, 28) for values in arrays.values())
    text = capsys.readouterr().out
    assert all(f"{method}, why " in text for method in list_applicable())


WRONG = [
    (["explain", "nowhere.jpg"], "no picture file called 'nowhere.jpg'"),
    (["explain", "--sample", "cofee"], "Did you mean coffee"),
    (["explain", *DIGIT, "--model", "smal_cnn"], "Did you mean small_cnn"),
    (["explain", *DIGIT, "--method", "grad_can"], "Did you mean grad_cam"),
    (["explain", *DIGIT, "--target", "10"], "0 to 9"),
    (["explain", *DIGIT, "--target", "-1"], "no class called '-1'"),
    (["explain", *DIGIT, "--target", "3,3"], "two different classes"),
    (["explain", *DIGIT, "--target", "1,2,3"], "no class called '1,2,3'"),
    (["explain", *DIGIT, "--layer", "nothing"], "no layer called 'nothing'"),
    (["explain", *DIGIT, "--method", "occlusion", "--layer", "conv1"], "does not look at one layer"),
    (["explain", *DIGIT, "--method", "occlusion", "--param", "window=1000"], "Got '1000'"),
    (["explain", *DIGIT, "--method", "occlusion", "--param", "wind=4"], "Did you mean window"),
    (["explain", *DIGIT, "--all", "--param", "window=4"], "say whose parameter it is"),
    (["explain", *DIGIT, "--param", "lime.samples=10"], "no method in this run called 'lime'"),
    (["explain", *DIGIT, "--seed", "-1"], "Got '-1'"),
    (["compare", *DIGIT, "--method", "grad_cam", "--method", "lime", "--param", "lime.samples=1"], "Got '1'"),
    (["predict", *DIGIT, "--top", "11"], "from 1 to 10"),
    (["methods", "--model", "none"], "no model called 'none'"),
    (["layers", "--model", "none"], "no model called 'none'"),
]


@pytest.mark.parametrize(("argv", "words"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_is_wrong_is_one_sentence_and_writes_nothing(
    argv: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(argv) == 2
    text = capsys.readouterr()
    assert words in text.err
    assert text.err.count("\n") == 1
    assert text.out == ""
    assert list_files(tmp_path) == []


@pytest.mark.parametrize(
    "argv", [[], ["explain"], ["explain", "a.png", "--sample", "coffee"], ["explain", "a.png", "--param", "window"]]
)
def test_a_malformed_line_shows_the_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(argv)
    assert stopped.value.code == 2
    assert "usage: python -m xai_core" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("a file")
    assert cli.main(["explain", *DIGIT, "--out", str(tmp_path / "out")]) == 2
    assert "Choose another folder with --out." in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "a file"


def test_a_disk_that_fills_up_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "digit_3-grad_cam.png"
    old.write_bytes(b"old")

    def fill_disk(path: Path, data: bytes) -> int:
        with path.open("wb") as stream:
            stream.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill_disk)
    assert cli.main(["explain", *DIGIT, "--out", str(tmp_path)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert list_files(tmp_path) == [old.name]
    assert old.read_bytes() == b"old"


def test_ctrl_c_stops_without_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(xai_core, "explain", stop)
    assert cli.main(["explain", *DIGIT, "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "Stopped.\n"
    assert list_files(tmp_path) == []


def test_progress_is_drawn_on_a_terminal_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "REDRAW_S", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert cli.main(["explain", *DIGIT, *QUICK, "--out", str(tmp_path)]) == 0
    output = capsys.readouterr().err
    assert "occlusion: 100 %, 6 of 6 evaluations" in output
    assert output.endswith("\r\x1b[K")
    assert "\n" not in output


def test_predict_lists_the_likeliest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["predict", "--sample", "coffee", "--top", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "espresso (967)" in lines[0]


def test_lists_name_everything_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    for command, registry in (("methods", xai_core.METHODS), ("models", xai_core.MODELS)):
        assert cli.main([command]) == 0
        text = capsys.readouterr().out
        assert [name for name in registry if f"{name}: " not in text] == []
    assert cli.main(["layers", "--model", "small_cnn"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {layer.name}  " in text for layer in xai_core.load_model("small_cnn").layers())
    assert text.count("recommended") == 1


def test_methods_shows_the_defaults_of_the_model_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["methods", "--model", "small_cnn"]) == 0
    assert "--param window=4  (2 to 28 pixels)" in capsys.readouterr().out


def test_as_a_process_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xai_core", "explain", *DIGIT, *QUICK, "--out", str(tmp_path)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith("occlusion, why ")
    assert list_files(tmp_path) == ["digit_3-occlusion.npz", "digit_3-occlusion.png"]


@pytest.mark.filterwarnings("ignore:.*found in sys.modules.*:RuntimeWarning")
def test_what_is_wrong_ends_the_process_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["xai_core", "explain", "nowhere.png"])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("xai_core", run_name="__main__")
    assert stopped.value.code == 2
    assert "no picture file" in capsys.readouterr().err
