"""One run over a set: equal to plain torch, found again, continued after a stop and a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax

from tests.imageset.counting_set import Pictures
from tests.zoo_networks import zoo_model
from xai_core.engine import jobs
from xai_core.engine.backends import forward as engine
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, InvalidSet, UnknownName, XaiError
from xai_core.imageset.analysis.extremes import class_extremes
from xai_core.imageset.analysis.scores import score_set
from xai_core.imageset.prefetch import prefetch
from xai_core.imageset.runs import disk, inference as run
from xai_core.imageset.runs.corruptions import parse_corruption
from xai_core.imageset.runs.disk import find_run
from xai_core.imageset.runs.inference import run_model
from xai_core.imageset.runs.model_input import read_model_input
from xai_core.models.isolation import isolate

ROOT = Path(__file__).parents[3]
MODEL = zoo_model("small_cnn")


class Other(Pictures):
    """The same pictures as a set of another id, of which nothing is known."""

    def __init__(self, count: int = 40):
        super().__init__(count)
        self.id = "fedcba9876543210fedcba98"


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path, monkeypatch):
    """Plain torch: the compiled engine is tested with the engine, and compiling takes a second."""
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path))
    monkeypatch.setattr(engine, "build_openvino_run", engine.build_eager_run)
    return tmp_path


def one_by_one(pictures, layer: str, change: str = ""):
    """Logits and maps of each picture by itself, in plain torch with a hook of our own."""
    private, seen, changed = isolate(MODEL.module), [], parse_corruption(change)
    private.get_submodule(layer).register_forward_hook(lambda _m, _i, output: seen.append(output.numpy()[0]))
    logits, steps = [], MODEL.preprocessing
    for index in range(len(pictures)):
        look = steps.model_input(pictures.open(index))
        with torch.no_grad():
            logits.append(
                private(steps.to_tensor(steps.to_pixels(changed(look, index) if changed else look)))[0].numpy()
            )
    return np.array(logits), np.array(seen)


def arrays(outputs) -> dict[str, np.ndarray]:
    return {name: np.array(getattr(outputs, name)) for name in ("logits", "mean", "max", "argmax", "valid")}


def same(actual, expected_run) -> None:
    """Batches may be cut elsewhere, which moves the last bits; a tie of two places is then open."""
    for name, expected in arrays(actual).items():
        if name == "argmax":
            assert (arrays(expected_run)[name] == expected).mean() > 0.98
        else:
            np.testing.assert_allclose(arrays(expected_run)[name], expected, atol=1e-5)


@pytest.mark.parametrize(("layer", "change"), [("conv3", ""), ("conv2", "gaussian_noise:2")])
def test_a_pass_equals_plain_torch_picture_by_picture(layer, change):
    outputs = run_model(Pictures(), MODEL, layer, change)
    logits, maps = one_by_one(Pictures(), layer, change)
    assert logits.std() > 1 and outputs.grid == maps.shape[2:] and len(outputs) == 40
    np.testing.assert_allclose(outputs.logits, logits, atol=1e-3)
    np.testing.assert_allclose(outputs.mean, maps.mean((2, 3)), atol=1e-4)
    np.testing.assert_allclose(outputs.max, maps.max((2, 3)), atol=1e-4)
    assert (outputs.argmax == maps.reshape(*maps.shape[:2], -1).argmax(2)).mean() > 0.98
    np.testing.assert_allclose(outputs.probabilities(), softmax(logits, axis=1), atol=1e-4)
    np.testing.assert_allclose(outputs.probabilities([7, 3]), softmax(logits, axis=1)[[7, 3]], atol=1e-4)
    assert (outputs.predictions == logits.argmax(1)).all() and len(set(outputs.predictions)) > 1
    np.testing.assert_allclose(outputs.confidence, softmax(logits, axis=1).max(1), atol=1e-4)
    assert (
        not outputs.logits.flags.writeable
        and outputs.valid.all()
        and (outputs.layer, outputs.corruption) == (layer, change)
    )


@pytest.mark.parametrize("change", ["", "gaussian_noise:2"])
def test_a_picture_is_shown_as_the_model_saw_it(change):
    outputs, look = run_model(Pictures(), MODEL, "conv3", change), MODEL.preprocessing.model_input(Pictures().open(7))
    expected = parse_corruption(change)(look, 7) if change else look
    assert read_model_input(outputs, 7, Pictures(), MODEL).tobytes() == expected.convert("L").tobytes()
    with pytest.raises(InvalidParam, match="0 to 39"):
        read_model_input(outputs, 40, Pictures(), MODEL)


def test_no_layer_means_the_recommended_one():
    assert run_model(Pictures(3), MODEL).layer == MODEL.recommended_layer.name


def test_a_second_time_nothing_is_opened_and_what_differs_has_another_id():
    first = run_model(Pictures(), MODEL, "conv3")
    disk._RECENT.pop(str(disk.cache().root / first.id))  # as after a restart
    again = Pictures()
    outputs = run_model(again, MODEL, "conv3")
    assert not again.opened and outputs.id == first.id and outputs is not first
    same(outputs, first)
    others = [run_model(Pictures(), MODEL, "conv2").id, run_model(Pictures(), MODEL, "conv3", "mirror").id]
    assert len({first.id, *others}) == 3
    assert run_model(Pictures(), MODEL, "conv3", "mirror:3").id == others[1], "there is only one way to mirror"


def test_a_stop_is_obeyed_soon_and_the_next_run_goes_on():
    whole = arrays(run_model(Pictures(200), MODEL, "conv3"))
    job: Job[None] = Job()
    stopped = Pictures(200, on_open=lambda index: job.cancel() if index == 120 else None)
    stopped.id = "another set of the same pictures"
    with pytest.raises(Cancelled):
        run_model(stopped, MODEL, "conv3", job=job)
    assert 0 < job.done < 130 and job.total == 200
    rest, after = Pictures(200), Job[None]()
    rest.id = stopped.id
    outputs = run_model(rest, MODEL, "conv3", job=after)
    assert sorted(rest.opened) == list(range(job.done, 200)) and after.done == after.total == 200 - job.done
    for name, values in arrays(outputs).items():
        np.testing.assert_allclose(values, whole[name], atol=1e-5)


KILLED = """
import sys, time
from tests.imageset.counting_set import Pictures
from xai_core.engine.backends import forward
from xai_core.imageset.runs import inference
from xai_core.models import load_model
inference.SAVE_S, forward.build_openvino_run = 0.0, forward.build_eager_run
pictures = Pictures(160, on_open=lambda index: time.sleep(0.05 if index > 40 else 0))
inference.run_model(pictures, load_model("small_cnn"), "conv3")
"""


def test_a_kill_costs_seconds_and_the_next_run_gives_the_same_arrays(own_data_folder):
    process = subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT)
    progress, end = None, time.monotonic() + 60
    while progress is None and process.poll() is None and time.monotonic() < end:
        progress = next(own_data_folder.rglob("progress.json"), None)
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert progress is not None and process.returncode == -signal.SIGKILL, "it was killed while it worked"
    done = json.loads(progress.read_text())["done"]
    rest = Pictures(160)
    outputs = run_model(rest, MODEL, "conv3")
    assert 0 < done < 160 and sorted(rest.opened) == list(range(done, 160))
    logits, maps = one_by_one(Pictures(160), "conv3")
    np.testing.assert_allclose(outputs.logits, logits, atol=1e-3)
    np.testing.assert_allclose(outputs.mean, maps.mean((2, 3)), atol=1e-4)


def test_a_picture_that_does_not_open_is_told_and_harms_no_other():
    outputs, logits = (
        run_model(Pictures(broken=(0, 7, *range(16, 32))), MODEL, "conv3"),
        one_by_one(Pictures(), "conv3")[0],
    )
    failed = np.isin(np.arange(40), [0, 7, *range(16, 32)])
    np.testing.assert_array_equal((~outputs.valid), failed)
    np.testing.assert_allclose(outputs.logits[~failed], logits[~failed], atol=1e-3)
    assert (
        np.isnan(outputs.logits[failed]).all()
        and np.isnan(outputs.mean[failed]).all()
        and np.isnan(outputs.max[failed]).all()
    )
    assert (outputs.predictions[failed] == -1).all() and np.isnan(outputs.confidence[failed]).all()
    assert (outputs.predictions[~failed] >= 0).all() and np.isfinite(outputs.confidence[~failed]).all()


def test_a_set_of_which_nothing_opens_is_refused_and_leaves_nothing(own_data_folder):
    with pytest.raises(InvalidSet, match="Upload it again"):
        run_model(Pictures(9, broken=tuple(range(9))), MODEL, "conv3")
    assert not list((own_data_folder / "imagesets" / "passes").glob("*/"))


@pytest.mark.parametrize("spoil", ["short", "gone", "nonsense"])
def test_a_damaged_pass_is_made_anew(spoil):
    first = arrays(run_model(Pictures(), MODEL, "conv3"))
    key = run_model(Pictures(), MODEL, "conv3").id
    folder = disk.cache().root / key
    disk._RECENT.pop(str(folder))
    if spoil == "short":
        os.truncate(folder / "pooled.npy", 300)
    elif spoil == "gone":
        (folder / "where.npy").unlink()
    else:
        (folder / "about.json").write_text('{"set_id": 3}')
    assert find_run(key) is None
    outputs = run_model(again := Pictures(), MODEL, "conv3")
    assert len(again.opened) == 40 and outputs.id == key
    for name, values in arrays(outputs).items():
        np.testing.assert_allclose(values, first[name], atol=1e-5)


def test_progress_that_promises_more_than_is_there_is_not_believed():
    key = run_model(Pictures(), MODEL, "conv3").id
    folder, part = disk.cache().root / key, disk.cache().resumable(key)
    disk._RECENT.pop(str(folder))
    folder.rename(part)
    os.truncate(part / "logits.npy", 200)
    run_model(again := Pictures(), MODEL, "conv3")
    assert sorted(again.opened) == list(range(40))


def test_two_at_once_do_it_once():
    pictures, gate = Pictures(60), threading.Barrier(3)

    def visit(_: int) -> str:
        gate.wait()
        return run_model(pictures, MODEL, "conv3").id

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(visit, range(3)))) == 1
    assert sorted(pictures.opened) == list(range(60))


def test_what_was_used_longest_ago_makes_room(monkeypatch):
    first = run_model(Pictures(), MODEL, "conv3").id
    monkeypatch.setenv("WHYBOX_PASSES_MB", "0")
    second = run_model(Pictures(), MODEL, "conv2").id
    assert [folder.name for folder in disk.cache().root.iterdir() if folder.is_dir()] == [second] != [first]


def test_a_full_disk_is_said_before_anything_is_opened(monkeypatch):
    monkeypatch.setattr("xai_core.imageset.row_arrays.SPARE_BYTES", 2**60)
    pictures = Pictures()
    with pytest.raises(XaiError, match=r"MB are free\. Make room"):
        run_model(pictures, MODEL, "conv3")
    assert not pictures.opened


def test_a_disk_that_takes_nothing_is_said(tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path / "a file"))
    with pytest.raises(XaiError, match="could not be written"):
        run_model(Pictures(), MODEL, "conv3")


def test_a_set_that_goes_during_a_pass_is_no_damaged_picture():
    """Finished rows are kept, and the same set brought again is continued."""

    class Leaving(Pictures):
        def open(self, index):
            if index >= 80:
                raise InvalidSet("This picture set is no longer kept.")
            return super().open(index)

    with pytest.raises(InvalidSet, match="no longer kept"):
        run_model(Leaving(100), MODEL, "conv3")
    pictures = Pictures(100)
    outputs = run_model(pictures, MODEL, "conv3")
    assert outputs.valid.all() and len(pictures.opened) < 100
    same(outputs, run_model(Other(100), MODEL, "conv3"))


@pytest.mark.parametrize("column", ["logits", "peak"])
def test_a_disk_that_is_full_for_a_moment_shifts_no_row(column, monkeypatch):
    """The first write of an array stops in its middle; then what was not written is written once more."""
    whole, failed = run.ResumableArrays.append, []

    def append(self, rows):
        if not failed:
            failed.append(True)
            for name, columns in self._specs.items():
                data = np.ascontiguousarray(rows[name], dtype=columns.dtype).tobytes()
                if name == column:
                    self._files[name].write(data[: len(data) // 2])
                    raise OSError(28, "No space left on device")
                self._files[name].write(data)
        whole(self, rows)

    monkeypatch.setattr(run, "_WRITTEN_TOGETHER", 1)
    monkeypatch.setattr(run.ResumableArrays, "append", append)
    with pytest.raises(XaiError, match="could not be written"):
        run_model(Pictures(), MODEL, "conv3")
    assert failed
    same(run_model(Pictures(), MODEL, "conv3"), run_model(Other(), MODEL, "conv3"))


def test_a_picture_that_was_away_is_looked_at_once_it_is_back():
    away, back = Pictures(broken=(7,)), Pictures()
    first = run_model(away, MODEL, "conv3")
    assert (~first.valid).tolist() == [row == 7 for row in range(40)]
    assert run_model(away, MODEL, "conv3") is first and away.opened.count(7) == 2, "tried once more, and still away"
    again = run_model(back, MODEL, "conv3")
    assert again.id == first.id and again.valid.all()
    same(again, run_model(Other(), MODEL, "conv3"))
    assert run_model(back, MODEL, "conv3") is again


def test_a_network_that_gives_no_numbers_for_a_picture():
    """It is left out everywhere, and the others keep their answers."""
    outputs = run_model(Pictures(), MODEL, "conv3")
    for value in (np.nan, np.inf, -np.inf):
        logits = np.array(outputs.logits)
        logits[4, 2] = value
        odd = replace(outputs, logits=logits)
        assert (
            (~odd.valid).tolist() == [row == 4 for row in range(40)]
            and odd.predictions[4] == -1
            and np.isnan(odd.confidence[4])
        )
        assert (np.delete(odd.predictions, 4) == np.delete(outputs.predictions, 4)).all()
        scores = score_set(odd, np.zeros(40, dtype=np.int64), MODEL.labels)
        assert scores.count == 39 and scores.left_out == 1
        assert 4 not in class_extremes(odd, 2, 40).top and len(class_extremes(odd, 2, 40).top) == 39


def test_a_deleted_pass_is_not_found_in_memory(monkeypatch):
    outputs = run_model(Pictures(), MODEL, "conv3")
    monkeypatch.setenv("WHYBOX_PASSES_MB", "0")
    run_model(Pictures(), MODEL, "conv2")
    assert find_run(outputs.id) is None


def test_what_is_begun_counts_too(monkeypatch):
    first = run_model(Pictures(), MODEL, "conv3")
    begun = disk.cache().resumable("f" * 32)
    begun.mkdir()
    (begun / "logits.npy").write_bytes(bytes(2**20))
    monkeypatch.setenv("WHYBOX_PASSES_MB", "1")
    second = run_model(Pictures(), MODEL, "conv2")
    assert begun.exists() and find_run(first.id) is None and find_run(second.id) is not None


@pytest.mark.parametrize("text", ["", "x" * 32, "../../etc", "0" * 32, None])
def test_a_link_may_say_anything(text):
    assert find_run(text) is None


def test_pictures_are_read_ahead_but_not_far():
    computed: list[int] = []
    parts = prefetch(lambda part: computed.append(part) or part * 2, range(100), ahead=3, workers=2)
    assert next(parts) == 0
    time.sleep(0.05)
    assert max(computed) <= 4
    parts.close()
    assert max(computed) <= 4


def test_start_watch_and_leave(monkeypatch):
    pictures = Pictures()
    monkeypatch.setattr(run, "find_set", lambda set_id: pictures if set_id == pictures.id else None)
    job = run.start_run(pictures.id, "small_cnn", "conv3", "blur:1", session_id="me")
    outputs = job.wait(30)
    assert jobs.watch(job.key, "me") is job and outputs.id == job.key and outputs.corruption == "blur:1"
    assert run.start_run(pictures.id, "small_cnn", "conv3", "blur:1", session_id="you").result is outputs
    assert len(pictures.opened) == 40
    jobs.leave("me")
    with pytest.raises(UnknownName, match="upload it again"):
        run.start_run("gone", "small_cnn")
    with pytest.raises(InvalidParam, match="from 1 to 3"):
        run.start_run(pictures.id, "small_cnn", corruption="blur:4")
