"""The load programs: a small class on a real server, and the parts that check its maps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from PIL import Image
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

import xai_core
from benchmarks import __main__ as programme
from benchmarks.load import soak, thirty_visitors
from benchmarks.load.page import VIEWER, Page
from benchmarks.load.pictures import make_pictures
from benchmarks.load.serial import Verdict, check_maps, compute_difference, unpack_map
from xai_core.render.wire import pack

pytestmark = pytest.mark.long

MODEL = "small_cnn"
VISITORS = 3


@dataclass(frozen=True)
class Class:
    """Observations of a small class and everything needed to check them."""

    model: xai_core.Classifier
    lesson: thirty_visitors.Lesson
    images: Sequence[Image.Image]
    verdicts: tuple[Verdict, Verdict]
    leftovers: Sequence[list[str]]
    """Commands of its servers that still run."""


def find_servers() -> dict[int, list[str]]:
    """Find the command of each server below this process by its id; browser tests may run one too."""
    commands = {child.pid: child.cmdline() for child in psutil.Process().children(recursive=True)}
    return {pid: command for pid, command in commands.items() if "pages.ui.frame.server" in command}


@pytest.fixture(scope="module")
def small_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """Run three visitors at once, then Grad-CAM beside two long jobs.

    Serial maps use a data folder of their own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHYBOX_DATA", str(tmp_path_factory.mktemp("serial")))
        model, before = xai_core.load_model(MODEL), find_servers()
        lesson, files = thirty_visitors.run(model, VISITORS, asks=3, jobs=2)
        leftovers = [command for pid, command in find_servers().items() if pid not in before]
        yield Class(
            model,
            lesson,
            [xai_core.read_image(data) for data in files],
            thirty_visitors.check(model, lesson, files),
            leftovers,
        )


@pytest.mark.slow
def test_no_session_fails_and_every_map_is_the_serial_one(small_class: Class) -> None:
    main_part, others = small_class.verdicts
    assert small_class.lesson.problems == []
    assert main_part.wrong == others.wrong == []
    assert main_part.maps == VISITORS * 4 * 2
    assert main_part.forwards > main_part.gradients > 0
    assert 0 < main_part.worst < 1e-3


@pytest.mark.slow
def test_each_part_of_the_lesson_was_seen(small_class: Class) -> None:
    lesson = small_class.lesson
    assert len(lesson.first_round.all_s) == len(lesson.second_round.all_s) == VISITORS
    assert len(lesson.quick.shown) == 3
    assert {shown.request.method for shown in lesson.long.shown} <= {"lime"}
    assert len({shown.request.picture for shown in lesson.first_round.shown}) == VISITORS
    assert lesson.health.checks > 20 and lesson.health.peak > 100e6 and 0 < lesson.health.worst_s < 30
    assert 0 < lesson.cpu_s < lesson.first_round.wall_s + 60


@pytest.mark.slow
def test_a_map_of_another_picture_is_found(small_class: Class) -> None:
    first, *rest = small_class.lesson.first_round.shown
    another = next(
        shown
        for shown in rest
        if shown.request.picture != first.request.picture and shown.request.method == first.request.method
    )
    verdict = check_maps(small_class.model, small_class.images, [replace(first, card=another.card), another])
    assert verdict.maps == 2
    assert len(verdict.wrong) == 1 and first.request.words in verdict.wrong[0]


@pytest.mark.slow
def test_a_map_of_another_class_and_a_missing_one_are_found(small_class: Class) -> None:
    first_round, second_round = small_class.lesson.first_round.shown[0], small_class.lesson.second_round.shown
    another = next(
        shown
        for shown in second_round
        if shown.request.picture == first_round.request.picture and shown.request.method == first_round.request.method
    )
    gone = replace(first_round, card={**first_round.card, "map": None, "state": "failed", "message": "It broke."})
    verdict = check_maps(small_class.model, small_class.images, [replace(first_round, card=another.card), gone])
    assert len(verdict.wrong) == 2 and "It broke." in verdict.wrong[1]


@pytest.mark.slow
def test_nothing_is_left_running(small_class: Class) -> None:
    # It ran, and its server.
    assert small_class.lesson.health.checks
    assert small_class.leftovers == []


@pytest.mark.slow
def test_the_report_names_what_was_missed(small_class: Class) -> None:
    lines = {
        line.title: line
        for line in thirty_visitors.report_lines(
            small_class.lesson, thirty_visitors.Limits(1e-9, 1e-9), *small_class.verdicts
        )
    }
    assert "MISSED" in lines["throughput against the ideal"].words
    assert lines["wrong maps"].words.endswith(": ok")


def test_a_map_is_read_as_the_browser_reads_it() -> None:
    values = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    values[2, 3] = np.nan
    text, peak = pack(values)
    result = unpack_map({"values": text, "peak": peak, "grid": (7, 5)})
    assert np.isnan(result[2, 3]) and np.isfinite(result).sum() == 34
    assert compute_difference(result, values) < 2e-5


@pytest.mark.parametrize(
    "values",
    [np.zeros((2, 3)), np.array([[1.0, np.nan], [0.0, 0.0]]), np.array([[1.0, 0.01], [0.0, 0.0]])],
    ids=["another shape", "a hole", "one pixel"],
)
def test_a_difference_is_seen(values: np.ndarray) -> None:
    expected = np.array([[1.0, 0.0], [0.0, 0.0]])
    assert compute_difference(expected, expected) == 0
    assert compute_difference(values, expected) >= 0.01


def test_no_two_visitors_have_the_same_picture() -> None:
    files = make_pictures(30, seed=1)
    assert len({xai_core.image_sha256(xai_core.read_image(data)) for data in files}) == 30
    assert make_pictures(30, seed=1) == files and make_pictures(30, seed=2) != files


def begin_run(page: Page, run: str, *fragments: str) -> None:
    message = ForwardMsg()
    message.new_session.initialize.session_id = "me"
    message.metadata.run.script_run_id = run
    message.metadata.run.fragment_ids.extend(fragments)
    page.merge(message)


def end_run(page: Page, run: str, *fragments: str) -> None:
    message = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
    message.metadata.run.script_run_id = run
    message.metadata.run.fragment_ids.extend(fragments)
    page.merge(message)


def build_alert(path: int, body: str, fragment: str = "", name: str = "") -> ForwardMsg:
    message = ForwardMsg(hash=name)
    message.delta.new_element.alert.body = body
    message.delta.new_element.alert.format = 1
    message.delta.fragment_id = fragment
    message.metadata.delta_path.extend([0, path])
    message.metadata.cacheable = bool(name)
    return message


def test_what_a_run_has_not_drawn_again_is_gone() -> None:
    page = Page()
    begin_run(page, "a")
    page.merge(build_alert(0, "first"))
    page.merge(build_alert(1, "second", fragment="f"))
    end_run(page, "a")
    assert page.errors == ["first", "second"] and page.full_runs == 1 and not page.running
    begin_run(page, "b", "f")
    page.merge(build_alert(2, "third", fragment="f"))
    end_run(page, "b", "f")
    assert page.errors == ["first", "third"] and page.full_runs == 1
    begin_run(page, "c")
    end_run(page, "c")
    assert page.errors == []


def test_a_message_named_again_is_the_one_that_was_kept() -> None:
    page = Page()
    begin_run(page, "a")
    page.merge(build_alert(0, "large", name="x"))
    again = ForwardMsg(ref_hash="x")
    again.metadata.delta_path.extend([0, 5])
    page.merge(again)
    assert page.cached_hashes == ["x"] and page.errors == ["large", "large"]
    with pytest.raises(KeyError):
        page.merge(ForwardMsg(ref_hash="never sent"))


def test_a_poll_ends_with_the_next_full_run() -> None:
    page, message = Page(), ForwardMsg()
    message.auto_rerun.fragment_id, message.auto_rerun.interval = "f", 0.4
    begin_run(page, "a")
    page.merge(message)
    begin_run(page, "b", "f")
    assert page.polls == pytest.approx({"f": 0.4})
    begin_run(page, "c")
    assert page.polls == {}


def test_cards_belong_to_the_run_that_drew_them() -> None:
    page, message = Page(), ForwardMsg(hash="x")
    viewer = message.delta.new_element.bidi_component
    viewer.component_name, viewer.json = VIEWER, json.dumps({"panels": [{"id": "lime", "state": "done", "map": None}]})
    begin_run(page, "a")
    page.merge(message)
    begin_run(page, "b")
    assert page.cards[0]["id"] == "lime" and (page.cards_run, page.full_runs) == (1, 2)
    page.merge(message)
    assert page.cards_run == 2


@pytest.mark.parametrize(("last", "well"), [(1040.0, True), (1060.0, False), (900.0, True)])
def test_memory_that_grows_is_a_leak(last: float, well: bool) -> None:
    soak_run = soak.SoakRun(memory=[500.0] * 300 + [1000.0] * 60 + [last] * 840)
    assert soak.judge_run(soak_run, minutes=20)[0] is well
    soak_run.problems.append("a visit failed")
    assert not soak.judge_run(soak_run, minutes=20)[0]


def test_the_programme_runs_where_the_system_tells_no_cores(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on macOS."""
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    # Main sets it: it is put back after the test.
    monkeypatch.setenv("WHYBOX_DATA", "")
    lesson = SimpleNamespace(cpu_s=1.0, problems=[], health=SimpleNamespace(own_cpu_s=1.0))
    for name, result in {
        "exit_on_sigterm": None,
        "measure": None,
        "run": (lesson, []),
        "check": (),
        "report_lines": [],
    }.items():
        monkeypatch.setattr(thirty_visitors, name, lambda *_args, result=result: result)
    monkeypatch.setattr(xai_core, "warm", lambda name: name)
    assert thirty_visitors.main(["--model", MODEL]) == 0
    assert f"30 visitors, {MODEL}, {os.cpu_count()} cores" in capsys.readouterr().out
    assert f" {os.cpu_count()} cores, " in programme.describe_machine()


@pytest.mark.parametrize("argv", [["--visitors", "0"], ["--asks", "0"], ["--model", "none"]])
def test_a_load_of_nothing_is_refused(argv: list[str]) -> None:
    with pytest.raises(SystemExit):
        thirty_visitors.main(argv)
