"""`make fuzz` in short: every eighth bomb, one of every kind of damage, tables and zips; planted faults."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.fuzz import run
from benchmarks.fuzz.cases import BOMB_LIMITS, PLAN, Case, build_case, find_faults, read_with_pillow, try_case
from benchmarks.fuzz.damage import KINDS
from benchmarks.fuzz.guarded_reader import Outcome, Reader, read_in_child
from benchmarks.fuzz.sources import encode_photograph, encode_picture
from benchmarks.fuzz.suites import SUITES
from tests.benchmarks import fault_injecting_readers as faulty
from xai_core.images import read_image

pytestmark = pytest.mark.long

SEED = 7
FIRST_BOMB = next(number for number, slot in enumerate(PLAN) if slot.kind == "bomb")
"""The plan begins with one of each kind in each format; then come the bombs."""
BOMBS = [number for number, slot in enumerate(PLAN) if slot.kind == "bomb"]


def case_numbers(kind: str) -> list[int]:
    return [number for number, slot in enumerate(PLAN) if slot.kind == kind]


def describe_faults(number: int, read: Reader) -> str:
    """Describe all faults of the outcome of this case."""
    return " / ".join(try_case(build_case(SEED, number), read)[1])


# --- the reader -------------------------------------------------------------------------------------------------------


def test_one_of_each_kind_and_every_eighth_bomb(capsys: pytest.CaptureFixture[str]) -> None:
    report = run.fuzz(SEED, [*(case_numbers(kind)[0] for kind in KINDS), *BOMBS[::8]])
    assert report.breaches == []
    assert {kind for kind, _ in report.tallies} == {*KINDS, "bomb"} and len(KINDS) > 10
    assert sum(tally.read for tally in report.tallies.values()) > 5, "not all is refused"
    assert sum(tally.refused for tally in report.tallies.values()) > 5, "not all is read"
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_files_of_very_many_pieces_end_soon() -> None:
    assert run.fuzz(SEED, case_numbers("drip")[:4]).breaches == []


@pytest.mark.parametrize("suite", ["tables", "zips"])
def test_one_of_each_kind_of_tables_and_zips(suite: str) -> None:
    kinds = [slot.kind for slot in SUITES[suite].plan]
    report = run.fuzz(SEED, [kinds.index(kind) for kind in dict.fromkeys(kinds)], suite=suite)
    assert report.breaches == [] and {kind for kind, _ in report.tallies} == set(kinds) and len(set(kinds)) > 9
    assert all(sum(getattr(tally, ending) for tally in report.tallies.values()) for ending in ("read", "refused"))


@pytest.mark.parametrize(
    ("suite", "read", "expected"),
    [
        ("tables", faulty.raise_value_error, "raised: ValueError"),
        ("tables", faulty.read_no_numbers, "was read with 0 numbers"),
        ("tables", faulty.read_other_numbers, "was read with other numbers"),
        ("zips", faulty.lose_a_picture, "are in the set or named as left out"),
        ("zips", faulty.refuse_all, "was to be read, but was refused"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_in_a_reader_of_tables_or_zips_is_found(suite: str, read: Reader, expected: str) -> None:
    assert any(expected in breach for breach in run.fuzz(SEED, [0], read, suite=suite).breaches)


# --- the program finds faults -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "read", "expected"),
    [
        ("bits flipped", faulty.raise_value_error, "raised: ValueError: not enough image data"),
        ("bomb", faulty.raise_value_error, "was to be refused, but was raised"),
        ("bomb", faulty.take_memory, "MB, 50 are allowed"),
        ("bomb", faulty.take_time, "0.1 are allowed"),
        ("bomb", faulty.accept_all, "was to be refused, but was read"),
        ("undamaged", faulty.refuse_all, "was to be read, but was refused: No."),
        ("undamaged", faulty.emit_warning, "wrote on stderr: "),
        ("undamaged", faulty.print_remark, "a library's remark"),
        ("undamaged", faulty.read_grey, "was read as L"),
        ("undamaged", faulty.keep_metadata, "['gps']"),
        ("undamaged", faulty.read_upside_down, "differs from a plain reading by"),
        ("undamaged", faulty.read_one_pixel_less, "a plain reading of the whole file is"),
        ("cut off", faulty.kill_itself, "died: the process ended with exit code -9"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_found(kind: str, read: Reader, expected: str) -> None:
    assert expected in describe_faults(case_numbers(kind)[0], read)
    if kind != "bomb":
        assert describe_faults(case_numbers(kind)[0], read_image) == ""


def test_one_that_never_ends_is_ended() -> None:
    outcome = read_in_child(faulty.hang, b"x", timeout=0.5)
    assert outcome.ending == "died" and "still reading" in outcome.text


def test_memory_is_told_and_nothing_hides_it() -> None:
    assert 90 < read_in_child(faulty.take_memory, b"x").extra_mb < 120
    assert read_in_child(faulty.refuse_all, bytes(20_000_000)).extra_mb < 5, "the file itself is not counted"


def test_a_breach_names_what_repeats_it_and_is_saved_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number, folder = case_numbers("undamaged")[1], tmp_path / "kept"
    report = run.fuzz(SEED, [number], faulty.raise_value_error)
    assert (
        all(f"--suite pictures --seed {SEED} --only {number}" in breach for breach in report.breaches)
        and not folder.exists()
    )
    once = ["--seed", str(SEED), "--only", str(number)]
    assert run.main(once, faulty.raise_value_error) == 1 and "BREACH: raised: ValueError" in capsys.readouterr().out
    assert run.main([*once, "--save", str(folder)]) == 0 and "Nothing is wrong" in capsys.readouterr().out
    assert [path.read_bytes() for path in folder.iterdir()] == [build_case(SEED, number).data]


def test_the_exit_code_tells(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run.main(["--suite", "pictures", "--count", "3", "--seed", "1"]) == 0
    table = capsys.readouterr().out
    assert "| undamaged | JPEG | 1 | 0 | 1 |" in table and "0 breaches" in table
    assert (
        run.main(
            ["--suite", "pictures", "--count", "2", "--seed", "1", "--save", str(tmp_path)], faulty.raise_value_error
        )
        == 1
    )
    assert len(list(tmp_path.iterdir())) == 2 and "4 breaches" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run.main(["--count", "0"])


# --- the cases --------------------------------------------------------------------------------------------------------


def test_a_case_is_made_from_seed_and_number_alone() -> None:
    numbers = [*range(0, FIRST_BOMB, 5), *case_numbers("bad profile")]
    forwards = [build_case(3, number).data for number in numbers]
    encode_photograph.cache_clear()
    # Some formats know the time to the second.
    time.sleep(1.1)
    backwards = [build_case(3, number).data for number in reversed(numbers)]
    assert forwards == backwards[::-1]
    assert (
        sum(a != b for a, b in zip(forwards, [build_case(4, number).data for number in numbers], strict=True))
        > len(numbers) / 2
    )


def test_the_plan_covers_what_it_should() -> None:
    assert {slot.format for slot in PLAN} == {"JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "HEIC", "AVIF"}
    assert {"PNG", "GIF", "TIFF", "WEBP"} <= {slot.format for slot in PLAN if slot.kind == "bomb"}
    assert all((slot.limits == BOMB_LIMITS) == (slot.kind == "bomb") for slot in PLAN)
    assert len(PLAN) < 500, "a thousand cases try every bomb twice"


def test_the_plain_reading_turns_lays_on_white_and_shrinks() -> None:
    assert read_with_pillow(build_case(SEED, 0).data).mode == "RGB"
    half = Image.new("LA", (2000, 1000), (0, 128))
    saved = encode_png(half, exif=build_exif(6))
    assert (
        read_with_pillow(saved).size == (512, 1024) and abs(int(np.asarray(read_with_pillow(saved)).mean()) - 127) <= 1
    )


def encode_png(picture: Image.Image, **options: object) -> bytes:
    return encode_picture(picture, "PNG", **options)


def build_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def test_pixels_a_shade_apart_are_the_same_picture() -> None:
    data = encode_photograph("PNG", 0, "coffee", 0)
    right = np.asarray(read_with_pillow(data))

    def find_differences(by: int) -> list[str]:
        shown = np.clip(right.astype(int) + by, 0, 255).astype(np.uint8)
        outcome = Outcome("read", mode="RGB", size=(right.shape[1], right.shape[0]), pixels=shown.tobytes())
        return find_faults(Case(0, PLAN[0], data, "read", data), outcome)

    assert find_differences(0) == find_differences(2) == [] and "differs" in find_differences(3)[0]
