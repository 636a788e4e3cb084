"""`make fuzz` in short: every eighth bomb and one of every kind of damage; and each fault that is planted in a reader
is found.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.fuzz import run
from benchmarks.fuzz.cases import BOMB, PLAN, Case, case, faults, plain, tried
from benchmarks.fuzz.damage import KINDS
from benchmarks.fuzz.guarded_reader import Outcome, Reader, watched
from benchmarks.fuzz.sources import encoded, written
from tests.benchmarks import fault_injecting_readers as faulty
from xai_core.images import read_image

pytestmark = pytest.mark.long

SEED = 7
FIRST = next(number for number, slot in enumerate(PLAN) if slot.kind == "bomb")
"""The plan begins with one of each kind in each format; then come the bombs."""
BOMBS = [number for number, slot in enumerate(PLAN) if slot.kind == "bomb"]


def numbers(kind: str) -> list[int]:
    return [number for number, slot in enumerate(PLAN) if slot.kind == kind]


def found(number: int, read: Reader) -> str:
    """Everything that is wrong with what became of this case."""
    return " / ".join(tried(case(SEED, number), read)[1])


# --- the reader -------------------------------------------------------------------------------------------------------


def test_one_of_each_kind_and_every_eighth_bomb(capsys: pytest.CaptureFixture[str]) -> None:
    report = run.fuzz(SEED, [*(numbers(kind)[0] for kind in KINDS), *BOMBS[::8]])
    assert report.breaches == []
    assert {kind for kind, _ in report.tallies} == {*KINDS, "bomb"} and len(KINDS) > 10
    assert sum(tally.read for tally in report.tallies.values()) > 5, "not all is refused"
    assert sum(tally.refused for tally in report.tallies.values()) > 5, "not all is read"
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_files_of_very_many_pieces_end_soon() -> None:
    assert run.fuzz(SEED, numbers("drip")[:4]).breaches == []


# --- the program finds faults -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "read", "said"),
    [
        ("bits flipped", faulty.raises, "raised: ValueError: not enough image data"),
        ("bomb", faulty.raises, "was to be refused, but was raised"),
        ("bomb", faulty.takes_memory, "MB, 50 are allowed"),
        ("bomb", faulty.takes_time, "0.1 are allowed"),
        ("bomb", faulty.accepts_all, "was to be refused, but was read"),
        ("undamaged", faulty.refuses_all, "was to be read, but was refused: No."),
        ("undamaged", faulty.warns, "wrote on stderr: "),
        ("undamaged", faulty.prints, "a library's remark"),
        ("undamaged", faulty.reads_grey, "was read as L"),
        ("undamaged", faulty.keeps_metadata, "['gps']"),
        ("undamaged", faulty.reads_upside_down, "differs from a plain reading by"),
        ("undamaged", faulty.reads_one_pixel_less, "a plain reading of the whole file is"),
        ("cut off", faulty.dies, "died: the process ended with exit code -9"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_found(kind: str, read: Reader, said: str) -> None:
    assert said in found(numbers(kind)[0], read)
    if kind != "bomb":
        assert found(numbers(kind)[0], read_image) == ""


def test_one_that_never_ends_is_ended() -> None:
    outcome = watched(faulty.never_ends, b"x", give_up=0.5)
    assert outcome.ending == "died" and "still reading" in outcome.text


def test_memory_is_told_and_nothing_hides_it() -> None:
    assert 90 < watched(faulty.takes_memory, b"x").extra_mb < 120
    assert watched(faulty.refuses_all, bytes(20_000_000)).extra_mb < 5, "the file itself is not counted"


def test_a_breach_names_what_repeats_it_and_is_saved_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number, folder = numbers("undamaged")[1], tmp_path / "kept"
    report = run.fuzz(SEED, [number], faulty.raises)
    assert all(f"--seed {SEED} --only {number}" in breach for breach in report.breaches) and not folder.exists()
    once = ["--seed", str(SEED), "--only", str(number)]
    assert run.main(once, faulty.raises) == 1 and "BREACH: raised: ValueError" in capsys.readouterr().out
    assert run.main([*once, "--save", str(folder)]) == 0 and "Nothing is wrong" in capsys.readouterr().out
    assert [path.read_bytes() for path in folder.iterdir()] == [case(SEED, number).data]


def test_the_exit_code_tells(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run.main(["--count", "3", "--seed", "1"]) == 0
    table = capsys.readouterr().out
    assert "| undamaged | JPEG | 1 | 0 | 1 |" in table and "0 breaches" in table
    assert run.main(["--count", "2", "--seed", "1", "--save", str(tmp_path)], faulty.raises) == 1
    assert len(list(tmp_path.iterdir())) == 2 and "4 breaches" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run.main(["--count", "0"])


# --- the cases --------------------------------------------------------------------------------------------------------


def test_a_case_is_made_from_seed_and_number_alone() -> None:
    some = [*range(0, FIRST, 5), *numbers("bad profile")]
    forwards = [case(3, number).data for number in some]
    encoded.cache_clear()
    time.sleep(1.1)  # some formats know the time to the second
    backwards = [case(3, number).data for number in reversed(some)]
    assert forwards == backwards[::-1]
    assert sum(a != b for a, b in zip(forwards, [case(4, number).data for number in some], strict=True)) > len(some) / 2


def test_the_plan_covers_what_it_should() -> None:
    assert {slot.format for slot in PLAN} == {"JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"}
    assert {"PNG", "GIF", "TIFF", "WEBP"} <= {slot.format for slot in PLAN if slot.kind == "bomb"}
    assert all((slot.limits == BOMB) == (slot.kind == "bomb") for slot in PLAN)
    assert len(PLAN) < 500, "a thousand cases try every bomb twice"


def test_the_plain_reading_turns_lays_on_white_and_shrinks() -> None:
    assert plain(case(SEED, 0).data).mode == "RGB"
    half = Image.new("LA", (2000, 1000), (0, 128))
    saved = as_png(half, exif=turned(6))
    assert plain(saved).size == (512, 1024) and abs(int(np.asarray(plain(saved)).mean()) - 127) <= 1


def as_png(picture: Image.Image, **options: object) -> bytes:
    return written(picture, "PNG", **options)


def turned(way: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = way
    return exif


def test_pixels_a_shade_apart_are_the_same_picture() -> None:
    data = encoded("PNG", 0, "coffee", 0)
    right = np.asarray(plain(data))

    def differing(by: int) -> list[str]:
        shown = np.clip(right.astype(int) + by, 0, 255).astype(np.uint8)
        outcome = Outcome("read", mode="RGB", size=(right.shape[1], right.shape[0]), pixels=shown.tobytes())
        return faults(Case(0, PLAN[0], data, "read", data), outcome)

    assert differing(0) == differing(2) == [] and "differs" in differing(3)[0]
