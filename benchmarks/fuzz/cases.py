"""The cases, each a function of seed and number alone, and what is wrong with what became of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

from benchmarks.fuzz.bombs import BOMBS, DRIPS
from benchmarks.fuzz.damage import KINDS, Damaged, Maker, Must, Rng
from benchmarks.fuzz.guarded_reader import Outcome, Reader, watched

KEEP_SIDE = 1024
_LIBTIFF = re.compile(r"[\w.]+: [^/]*\.$")
_WORST, _MEAN = 2, 5
"""Levels of 255 by which a pixel may differ from the plain reading: rounding of colour profiles and of half-transparent
pixels; and on average where a picture was made smaller: before or after it was turned is 3.7 apart on a fine pattern of
black and white dots.
"""


@dataclass(frozen=True)
class Limits:
    """Seconds and megabytes (resident, beyond what the process held) that one reading may take."""

    seconds: float
    extra_mb: float


ORDINARY, BOMB = Limits(2.0, 400.0), Limits(0.1, 50.0)
"""What has 50 million pixels may be read, and takes 200 MB as RGB: an ordinary file that happens to say so is no bomb.
"""


@dataclass(frozen=True)
class Slot:
    """One line of the plan that is gone through again and again. `name` tells bombs of one format apart."""

    kind: str
    format: str
    make: Callable[[Rng], Damaged]
    name: str = ""
    limits: Limits = ORDINARY


def _plan() -> Iterator[Slot]:
    for turn in range(3):
        for kind, (maker, formats) in KINDS.items():
            for each in formats * (6 if len(formats) == 1 else 1):
                yield Slot(kind, each, partial(_made, maker, each))
        if turn == 0:
            yield from (Slot("bomb", each, make, name, BOMB) for (each, name), make in BOMBS.items())
    yield from (Slot("drip", each, make, name) for (each, name), make in DRIPS.items())


def _made(maker: Maker, kind: str, rng: Rng) -> Damaged:
    return maker(rng, kind)


PLAN = tuple(_plan())


@dataclass(frozen=True)
class Case:
    """One file with what is asked of it."""

    number: int
    slot: Slot
    data: bytes
    must: Must
    like: bytes | None

    @property
    def words(self) -> str:
        named = f" ({self.slot.name})" if self.slot.name else ""
        return f"{self.slot.kind}{named}, {self.slot.format}, {len(self.data):,} bytes"


def case(seed: int, number: int) -> Case:
    """The case of this number; nothing of the others is needed to make it."""
    slot = PLAN[number % len(PLAN)]
    made = slot.make(np.random.default_rng([seed, number]))
    return Case(number, slot, made.data, made.must, made.like)


def tried(each: Case, read: Reader) -> tuple[Outcome, list[str]]:
    """What became of it and what is wrong with that.

    A limit that is missed is measured twice more, because others use the machine.
    """
    found = watched(read, each.data)
    for _ in range(2):
        if found.ending == "died" or not over_limits(each.slot.limits, found):
            break
        again = watched(read, each.data)
        found = replace(again, seconds=min(found.seconds, again.seconds), extra_mb=min(found.extra_mb, again.extra_mb))
    return found, faults(each, found)


def faults(each: Case, found: Outcome) -> list[str]:
    """Every breach, in words."""
    wrong = over_limits(each.slot.limits, found)
    if found.ending in ("raised", "died"):
        wrong.append(f"{found.ending}: {found.text}")
    if each.must != "either" and found.ending != {"read": "read", "refuse": "refused"}[each.must]:
        wrong.append(f"was to be {'read' if each.must == 'read' else 'refused'}, but was {found.ending}: {found.text}")
    if said := _remarks(each, found.said):
        wrong.append(f"wrote on stderr: {said[:300]!r}")
    if found.ending == "read":
        wrong += [*_misshapen(found), *(_unlike(found, each.like) if each.like is not None else [])]
    return wrong


def _remarks(each: Case, said: str) -> str:
    """Without libtiff's own one-line errors ("Fax4Decode: Bad code word ..."): Pillow lets nobody catch them, and they
    end in the server's log, where no visitor sees them. Python's warnings and log lines do not look like that.
    """
    tiff = each.data[:2] in (b"II", b"MM")
    return "\n".join(line for line in said.splitlines() if not (tiff and _LIBTIFF.match(line))).strip()


def over_limits(limits: Limits, found: Outcome) -> list[str]:
    """What took too long or too much."""
    wrong = []
    if found.seconds > limits.seconds:
        wrong.append(f"took {found.seconds:.2f} s, {limits.seconds:g} are allowed")
    if found.extra_mb > limits.extra_mb:
        wrong.append(f"took {found.extra_mb:.0f} MB, {limits.extra_mb:g} are allowed")
    return wrong


def _misshapen(found: Outcome) -> list[str]:
    sound = found.mode == "RGB" and min(found.size) >= 1 and max(found.size) <= KEEP_SIDE and not found.left_over
    return [] if sound else [f"was read as {found.mode} of {found.size} with {list(found.left_over)}"]


def _unlike(found: Outcome, like: bytes) -> list[str]:
    right = plain(like)
    if found.size != right.size:
        return [f"was read as {found.size}, a plain reading of the whole file is {right.size}"]
    shown = np.frombuffer(found.pixels, dtype=np.uint8).reshape(found.size[1], found.size[0], -1)
    apart = np.abs(shown.astype(np.int16) - np.asarray(right))
    with Image.open(BytesIO(like)) as whole:
        far, most = (apart.max(), _WORST) if max(whole.size) <= KEEP_SIDE else (apart.mean(), _MEAN)
    return [f"differs from a plain reading by {far:.1f} of 255 levels"] if far > most else []


def plain(data: bytes) -> Image.Image:
    """What Pillow alone shows: upright, on white, RGB, at most 1024 pixels a side."""
    with Image.open(BytesIO(data)) as opened:
        opened.load()
        picture = ImageOps.exif_transpose(opened)
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    picture = picture.convert("RGB")
    picture.thumbnail((KEEP_SIDE, KEEP_SIDE), Image.Resampling.LANCZOS)
    return picture
