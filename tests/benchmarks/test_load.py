"""The load programs: a small class on a real server through the same code, and the parts that decide what it says."""

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
from benchmarks.load.pictures import pictures
from benchmarks.load.serial import Verdict, difference, judge, unpack
from xai_core.render.wire import pack

pytestmark = pytest.mark.long

MODEL = "small_cnn"
VISITORS = 3


@dataclass(frozen=True)
class Class:
    """What a small class saw, and everything needed to check it."""

    model: xai_core.Classifier
    seen: thirty_visitors.Lesson
    images: Sequence[Image.Image]
    verdicts: tuple[Verdict, Verdict]
    left: Sequence[list[str]]
    """Commands of servers that were begun for it and still run."""


def servers() -> dict[int, list[str]]:
    """The command of each server below this process, by its id: browser tests may have one of their own."""
    commands = {child.pid: child.cmdline() for child in psutil.Process().children(recursive=True)}
    return {pid: command for pid, command in commands.items() if "pages.ui.frame.server" in command}


@pytest.fixture(scope="module")
def small_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """Three visitors at once, then Grad-CAM beside two long jobs.

    Serial maps are made here, in a data folder of their own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHYBOX_DATA", str(tmp_path_factory.mktemp("serial")))
        model, before = xai_core.load_model(MODEL), servers()
        seen, files = thirty_visitors.run(model, VISITORS, asks=3, jobs=2)
        left = [command for pid, command in servers().items() if pid not in before]
        yield Class(
            model, seen, [xai_core.read_image(data) for data in files], thirty_visitors.check(model, seen, files), left
        )


@pytest.mark.slow
def test_no_session_fails_and_every_map_is_the_serial_one(small_class: Class) -> None:
    lesson, others = small_class.verdicts
    assert small_class.seen.problems == []
    assert lesson.wrong == others.wrong == []
    assert lesson.maps == VISITORS * 4 * 2
    assert lesson.forwards > lesson.gradients > 0
    assert 0 < lesson.worst < 1e-3


@pytest.mark.slow
def test_each_part_of_the_lesson_was_seen(small_class: Class) -> None:
    seen = small_class.seen
    assert len(seen.once.all_s) == len(seen.twice.all_s) == VISITORS
    assert len(seen.quick.shown) == 3
    assert {shown.wanted.method for shown in seen.long.shown} <= {"lime"}
    assert len({shown.wanted.picture for shown in seen.once.shown}) == VISITORS
    assert seen.watched.asked > 20 and seen.watched.peak > 100e6 and 0 < seen.watched.worst_s < 30
    assert 0 < seen.cpu_s < seen.once.wall_s + 60


@pytest.mark.slow
def test_a_map_of_another_picture_is_found(small_class: Class) -> None:
    first, *rest = small_class.seen.once.shown
    other = next(
        shown
        for shown in rest
        if shown.wanted.picture != first.wanted.picture and shown.wanted.method == first.wanted.method
    )
    verdict = judge(small_class.model, small_class.images, [replace(first, card=other.card), other])
    assert verdict.maps == 2
    assert len(verdict.wrong) == 1 and first.wanted.words in verdict.wrong[0]


@pytest.mark.slow
def test_a_map_of_another_class_and_a_missing_one_are_found(small_class: Class) -> None:
    once, twice = small_class.seen.once.shown[0], small_class.seen.twice.shown
    other = next(
        shown
        for shown in twice
        if shown.wanted.picture == once.wanted.picture and shown.wanted.method == once.wanted.method
    )
    gone = replace(once, card={**once.card, "map": None, "state": "failed", "message": "It broke."})
    verdict = judge(small_class.model, small_class.images, [replace(once, card=other.card), gone])
    assert len(verdict.wrong) == 2 and "It broke." in verdict.wrong[1]


@pytest.mark.slow
def test_nothing_is_left_running(small_class: Class) -> None:
    assert small_class.seen.watched.asked  # it ran, and its server
    assert small_class.left == []


@pytest.mark.slow
def test_the_report_names_what_was_missed(small_class: Class) -> None:
    lines = {
        line.title: line
        for line in thirty_visitors.lines(small_class.seen, thirty_visitors.Limits(1e-9, 1e-9), *small_class.verdicts)
    }
    assert "MISSED" in lines["throughput against the ideal"].words
    assert lines["wrong maps"].words.endswith(": ok")


def test_a_map_is_read_as_the_browser_reads_it() -> None:
    values = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    values[2, 3] = np.nan
    text, peak = pack(values)
    found = unpack({"values": text, "peak": peak, "grid": (7, 5)})
    assert np.isnan(found[2, 3]) and np.isfinite(found).sum() == 34
    assert difference(found, values) < 2e-5


@pytest.mark.parametrize(
    "found",
    [np.zeros((2, 3)), np.array([[1.0, np.nan], [0.0, 0.0]]), np.array([[1.0, 0.01], [0.0, 0.0]])],
    ids=["another shape", "a hole", "one pixel"],
)
def test_a_difference_is_seen(found: np.ndarray) -> None:
    expected = np.array([[1.0, 0.0], [0.0, 0.0]])
    assert difference(expected, expected) == 0
    assert difference(found, expected) >= 0.01


def test_no_two_visitors_have_the_same_picture() -> None:
    found = pictures(30, seed=1)
    assert len({xai_core.image_sha256(xai_core.read_image(data)) for data in found}) == 30
    assert pictures(30, seed=1) == found and pictures(30, seed=2) != found


def _begin(page: Page, run: str, *fragments: str) -> None:
    message = ForwardMsg()
    message.new_session.initialize.session_id = "me"
    message.metadata.run.script_run_id = run
    message.metadata.run.fragment_ids.extend(fragments)
    page.take(message)


def _end(page: Page, run: str, *fragments: str) -> None:
    message = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
    message.metadata.run.script_run_id = run
    message.metadata.run.fragment_ids.extend(fragments)
    page.take(message)


def _drawn(path: int, body: str, fragment: str = "", name: str = "") -> ForwardMsg:
    message = ForwardMsg(hash=name)
    message.delta.new_element.alert.body = body
    message.delta.new_element.alert.format = 1
    message.delta.fragment_id = fragment
    message.metadata.delta_path.extend([0, path])
    message.metadata.cacheable = bool(name)
    return message


def test_what_a_run_has_not_drawn_again_is_gone() -> None:
    page = Page()
    _begin(page, "a")
    page.take(_drawn(0, "first"))
    page.take(_drawn(1, "second", fragment="f"))
    _end(page, "a")
    assert page.errors == ["first", "second"] and page.full_runs == 1 and not page.running
    _begin(page, "b", "f")
    page.take(_drawn(2, "third", fragment="f"))
    _end(page, "b", "f")
    assert page.errors == ["first", "third"] and page.full_runs == 1
    _begin(page, "c")
    _end(page, "c")
    assert page.errors == []


def test_a_message_named_again_is_the_one_that_was_kept() -> None:
    page = Page()
    _begin(page, "a")
    page.take(_drawn(0, "large", name="x"))
    again = ForwardMsg(ref_hash="x")
    again.metadata.delta_path.extend([0, 5])
    page.take(again)
    assert page.kept == ["x"] and page.errors == ["large", "large"]
    with pytest.raises(KeyError):
        page.take(ForwardMsg(ref_hash="never sent"))


def test_a_poll_ends_with_the_next_full_run() -> None:
    page, message = Page(), ForwardMsg()
    message.auto_rerun.fragment_id, message.auto_rerun.interval = "f", 0.4
    _begin(page, "a")
    page.take(message)
    _begin(page, "b", "f")
    assert page.polls == pytest.approx({"f": 0.4})
    _begin(page, "c")
    assert page.polls == {}


def test_cards_belong_to_the_run_that_drew_them() -> None:
    page, message = Page(), ForwardMsg(hash="x")
    viewer = message.delta.new_element.bidi_component
    viewer.component_name, viewer.json = VIEWER, json.dumps({"panels": [{"id": "lime", "state": "done", "map": None}]})
    _begin(page, "a")
    page.take(message)
    _begin(page, "b")
    assert page.cards[0]["id"] == "lime" and (page.cards_run, page.full_runs) == (1, 2)
    page.take(message)
    assert page.cards_run == 2


@pytest.mark.parametrize(("last", "well"), [(1040.0, True), (1060.0, False), (900.0, True)])
def test_memory_that_grows_is_a_leak(last: float, well: bool) -> None:
    course = soak.Course(memory=[500.0] * 300 + [1000.0] * 60 + [last] * 840)
    assert soak.verdict(course, minutes=20)[0] is well
    course.problems.append("a visit failed")
    assert not soak.verdict(course, minutes=20)[0]


def test_the_programme_runs_where_the_system_tells_no_cores(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On macOS, for one."""
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setenv("WHYBOX_DATA", "")  # main sets it: it is put back after the test
    seen = SimpleNamespace(cpu_s=1.0, problems=[], watched=SimpleNamespace(own_cpu_s=1.0))
    for name, found in {"tidy_on_sigterm": None, "measure": None, "run": (seen, []), "check": (), "lines": []}.items():
        monkeypatch.setattr(thirty_visitors, name, lambda *_args, found=found: found)
    monkeypatch.setattr(xai_core, "warm", lambda name: name)
    assert thirty_visitors.main(["--model", MODEL]) == 0
    assert f"30 visitors, {MODEL}, {os.cpu_count()} cores" in capsys.readouterr().out
    assert f" {os.cpu_count()} cores, " in programme.machine()


@pytest.mark.parametrize("argv", [["--visitors", "0"], ["--asks", "0"], ["--model", "none"]])
def test_a_load_of_nothing_is_refused(argv: list[str]) -> None:
    with pytest.raises(SystemExit):
        thirty_visitors.main(argv)
