"""Fuzzing cases, each a function of seed and number alone; the plan of pictures and the check of their outcomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

from benchmarks.fuzz.bombs import BOMBS, DRIPS
from benchmarks.fuzz.damage import KINDS, DamagedFile, Expectation, Maker, Rng
from benchmarks.fuzz.guarded_reader import Outcome, Reader, read_in_child
from xai_core.images.formats.headers import find_format

MAX_SIDE = 1024
_LIBTIFF = re.compile(r"[\w.]+: [^/]*\.$")
_MAX_DIFFERENCE, _MAX_MEAN_DIFFERENCE = 2, 5
"""Levels of 255 by which a pixel may differ from the plain reading: rounding of colour profiles and of half-transparent
pixels; and on average where a picture was made smaller: before or after it was turned is 3.7 apart on a fine pattern of
black and white dots.
"""


@dataclass(frozen=True)
class Limits:
    """Seconds and megabytes (resident, beyond what the process held) that one reading may take."""

    seconds: float
    extra_mb: float


ORDINARY_LIMITS, BOMB_LIMITS = Limits(2.0, 400.0), Limits(0.1, 50.0)
"""50 million pixels may be read and take 200 MB as RGB, also for an ordinary file that happens to state them."""


@dataclass(frozen=True)
class Slot:
    """One entry of the plan, which is repeated. `name` distinguishes bombs of one format."""

    kind: str
    format: str
    make: Callable[[Rng], DamagedFile]
    name: str = ""
    limits: Limits = ORDINARY_LIMITS


def _plan() -> Iterator[Slot]:
    for turn in range(3):
        for kind, (maker, formats) in KINDS.items():
            for form in formats * (6 if len(formats) == 1 else 1):
                yield Slot(kind, form, partial(_build_file, maker, form))
        if turn == 0:
            yield from (Slot("bomb", form, make, name, BOMB_LIMITS) for (form, name), make in BOMBS.items())
    yield from (Slot("drip", form, make, name) for (form, name), make in DRIPS.items())


def _build_file(damage: Maker, kind: str, rng: Rng) -> DamagedFile:
    return damage(rng, kind)


PLAN = tuple(_plan())


@dataclass(frozen=True)
class Case:
    """One file with its expected outcome."""

    number: int
    slot: Slot
    data: bytes
    expected: Expectation
    reference: bytes | None

    @property
    def words(self) -> str:
        named = f" ({self.slot.name})" if self.slot.name else ""
        return f"{self.slot.kind}{named}, {self.slot.format}, {len(self.data):,} bytes"


FaultFinder = Callable[[Case, Outcome], list[str]]


def build_case(seed: int, number: int, plan: Sequence[Slot] = PLAN) -> Case:
    """Build the case of this number, independently of all others."""
    slot = plan[number % len(plan)]
    file = slot.make(np.random.default_rng([seed, number]))
    return Case(number, slot, file.data, file.expected, file.reference)


def try_case(case: Case, read: Reader, find: FaultFinder | None = None) -> tuple[Outcome, list[str]]:
    """Read the file of a case in a child process; return the outcome and its faults. `find`: None for pictures.

    A missed limit is measured twice more, because the machine is shared.
    """
    outcome = read_in_child(read, case.data)
    for _ in range(2):
        if outcome.ending == "died" or not find_excesses(case.slot.limits, outcome):
            break
        again = read_in_child(read, case.data)
        outcome = replace(
            again, seconds=min(outcome.seconds, again.seconds), extra_mb=min(outcome.extra_mb, again.extra_mb)
        )
    return outcome, (find or find_faults)(case, outcome)


def find_common_faults(case: Case, outcome: Outcome) -> list[str]:
    """List the faults that a file of any kind can have: limits, exceptions, remarks, another ending than expected."""
    wrong = find_excesses(case.slot.limits, outcome)
    if outcome.ending in ("raised", "died"):
        wrong.append(f"{outcome.ending}: {outcome.text}")
    if case.expected != "either" and outcome.ending != {"read": "read", "refuse": "refused"}[case.expected]:
        wrong.append(
            f"was to be {'read' if case.expected == 'read' else 'refused'}, but was {outcome.ending}: {outcome.text}"
        )
    if remarks := _find_remarks(case, outcome.output):
        wrong.append(f"wrote on stderr: {remarks[:300]!r}")
    return wrong


def find_faults(case: Case, outcome: Outcome) -> list[str]:
    """List every fault in the outcome of a picture in words."""
    wrong = find_common_faults(case, outcome)
    if outcome.ending == "read":
        wrong += [
            *_check_shape(outcome),
            *(_compare_pixels(outcome, case.reference) if case.reference is not None else []),
        ]
    return wrong


def _find_remarks(case: Case, output: str) -> str:
    """Strip libtiff's own one-line errors ("Fax4Decode: Bad code word ...") from the output.

    Pillow gives no means to catch them, and only the server's log shows them. Python's warnings and log lines look
    different.
    """
    is_tiff = case.data[:2] in (b"II", b"MM")
    return "\n".join(line for line in output.splitlines() if not (is_tiff and _LIBTIFF.match(line))).strip()


def find_excesses(limits: Limits, outcome: Outcome) -> list[str]:
    """List the limits of time and memory that an outcome exceeds."""
    wrong = []
    if outcome.seconds > limits.seconds:
        wrong.append(f"took {outcome.seconds:.2f} s, {limits.seconds:g} are allowed")
    if outcome.extra_mb > limits.extra_mb:
        wrong.append(f"took {outcome.extra_mb:.0f} MB, {limits.extra_mb:g} are allowed")
    return wrong


def _check_shape(outcome: Outcome) -> list[str]:
    sound = outcome.mode == "RGB" and min(outcome.size) >= 1 and max(outcome.size) <= MAX_SIDE and not outcome.info_keys
    return [] if sound else [f"was read as {outcome.mode} of {outcome.size} with {list(outcome.info_keys)}"]


def _compare_pixels(outcome: Outcome, reference: bytes) -> list[str]:
    expected = read_with_pillow(reference)
    if outcome.size != expected.size:
        return [f"was read as {outcome.size}, a plain reading of the whole file is {expected.size}"]
    pixels = np.frombuffer(outcome.pixels, dtype=np.uint8).reshape(outcome.size[1], outcome.size[0], -1)
    differences = np.abs(pixels.astype(np.int16) - np.asarray(expected))
    with _open(reference) as image:
        difference, allowed = (
            (differences.max(), _MAX_DIFFERENCE)
            if max(image.size) <= MAX_SIDE
            else (differences.mean(), _MAX_MEAN_DIFFERENCE)
        )
    return [f"differs from a plain reading by {difference:.1f} of 255 levels"] if difference > allowed else []


def _open(data: bytes) -> Image.Image:
    stream = BytesIO(data)
    if find_format(data) != "HEIC":
        return Image.open(stream)
    picture: Image.Image = pillow_heif.HeifImageFile(stream)  # type: ignore[no-untyped-call]
    return picture


def read_with_pillow(data: bytes) -> Image.Image:
    """Read a picture with Pillow alone: upright, on white, RGB, at most 1024 pixels a side."""
    with _open(data) as opened:
        opened.load()
        picture = ImageOps.exif_transpose(opened)
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    picture = picture.convert("RGB")
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return picture
