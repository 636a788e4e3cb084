"""Damaged zips of pictures: each is refused in words, or every picture is in the set or named among those left out."""

from __future__ import annotations

import io
import json
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from PIL import Image

from benchmarks.fuzz.cases import Case, Limits, Slot, find_common_faults
from benchmarks.fuzz.damage import DamagedFile, Rng
from benchmarks.fuzz.guarded_reader import Outcome
from xai_core.imageset import read_zip

LIMITS = Limits(5.0, 500.0)
_ENTRY, _LOCAL, _END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
_FIELDS = {
    "flags": (8, "<H"),
    "method": (10, "<H"),
    "crc": (16, "<I"),
    "packed": (20, "<I"),
    "size": (24, "<I"),
    "offset": (42, "<I"),
}
"""Place and format of fields in a member's entry (PKWARE, APPNOTE 4.3.12)."""
_FOLDERS = ("cats", "dogs", "猫", "кошки", "train/sea", "a b/c")


def encode_noise(rng: Rng, form: str = "PNG") -> bytes:
    """Encode a small picture of noise."""
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).save(out, form)
    return out.getvalue()


def build_files(rng: Rng) -> dict[str, bytes]:
    """Return 3 to 8 pictures by their name."""
    return {
        f"{rng.choice(_FOLDERS)}/{number}.{form.lower()}": encode_noise(rng, form)
        for number in range(int(rng.integers(3, 9)))
        for form in [str(rng.choice(["PNG", "JPEG", "BMP"]))]
    }


def pack(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack files; the time of each is that of the format's epoch, so that equal files give equal zips."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def _expect(names: Mapping[str, bytes] | list[str]) -> bytes:
    return json.dumps(len(list(names))).encode()


def build_whole(rng: Rng) -> DamagedFile:
    """A sound zip."""
    files = build_files(rng)
    return DamagedFile(pack(files, int(rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))), "read", _expect(files))


def cut_end(rng: Rng) -> DamagedFile:
    """Cut off the end."""
    data = pack(build_files(rng))
    return DamagedFile(data[: int(len(data) * rng.random())])


def flip_bits(rng: Rng) -> DamagedFile:
    """Flip one to eight bits anywhere."""
    data = bytearray(pack(build_files(rng)))
    for _ in range(rng.integers(1, 9)):
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    return DamagedFile(bytes(data))


def damage_pictures(rng: Rng) -> DamagedFile:
    """Pack pictures of which some are cut, empty or text: none disappears, and the sound ones are read."""
    files = {"cats/sound.png": encode_noise(rng)} | build_files(rng)
    for name in list(files)[1:]:
        if rng.random() < 0.5:
            data = files[name]
            files[name] = [data[: len(data) // 3], b"", b"no picture", rng.bytes(200)][int(rng.integers(4))]
    return DamagedFile(pack(files), "read", _expect(files))


def falsify_entry(rng: Rng) -> DamagedFile:
    """Change a field of a member's entry in the directory."""
    files = build_files(rng)
    data = bytearray(pack(files))
    at = data.index(_ENTRY)
    place, form = _FIELDS[str(rng.choice(list(_FIELDS)))]
    struct.pack_into(form, data, at + place, int(rng.integers(1 << (8 * struct.calcsize(form)))))
    return DamagedFile(bytes(data))


def write_odd_names(rng: Rng) -> DamagedFile:
    """Write names as other systems do, in their own encoding and without the flag of UTF-8: no picture is lost."""
    encoding, words = [
        ("cp932", ["表", "ソ", "猫", "能面"]),
        ("gb18030", ["北京", "上海", "猫"]),
        ("cp866", ["Кошка", "Собака"]),
        ("utf-8", ["Ærø", "Łódź"]),
        ("cp437", ["Müller", "façade"]),
    ][int(rng.integers(5))]
    names = [f"{rng.choice(words)}/{number}{rng.choice(words)}.png" for number in range(int(rng.integers(2, 7)))]
    return DamagedFile(_pack_raw({name.encode(encoding): encode_noise(rng) for name in names}), "read", _expect(names))


def _pack_raw(files: Mapping[bytes, bytes]) -> bytes:
    """Pack files, stored, under names of raw bytes without a flag."""
    body, directory = b"", b""
    for name, data in files.items():
        common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(name), 0)
        entry = _ENTRY + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += _LOCAL + common + name + data
        directory += entry
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return body + directory + _END + end


def write_hostile_names(rng: Rng) -> DamagedFile:
    """Name places outside of the zip, devices, or nothing at all."""
    name = str(
        rng.choice(["../../x.png", "/etc/x.png", "C:\\x.png", "a/../../x.png", "", "\x00.png", "x" * 60_000, "con.png"])
    )
    files = {name: encode_noise(rng), "cats/1.png": encode_noise(rng)}
    return DamagedFile(_pack_raw({key.encode(): data for key, data in files.items()}))


def build_bomb(rng: Rng) -> DamagedFile:
    """A member of zeros far larger than the zip, or members that share their bytes."""
    if rng.random() < 0.5:
        return DamagedFile(pack({"cats/1.png": encode_noise(rng), "cats/2.png": bytes(300_000_000)}))
    data = pack({"cats/1.png": bytes(30_000_000)})
    at = data.index(_ENTRY)
    end = data.index(_END)
    entries = data[at:end] * 200
    tail = struct.pack("<HHHHIIH", 0, 0, 200, 200, len(entries), at, 0)
    return DamagedFile(data[:at] + entries + _END + tail, "refuse")


def pack_litter(rng: Rng) -> DamagedFile:
    """Mix pictures with what other systems leave behind, with zips in zips, and tables of labels that are broken."""
    files = build_files(rng)
    litter = {
        "__MACOSX/cats/._1.png": rng.bytes(50),
        "cats/.DS_Store": rng.bytes(50),
        "Thumbs.db": rng.bytes(50),
        "inner.zip": pack({"a.png": encode_noise(rng)}),
        "labels.csv": [b"\xff\xfe\x00", b"a,b\n1", b'"', b"filename,label\n" * 5, rng.bytes(300)][int(rng.integers(5))],
    }
    return DamagedFile(pack(files | litter), "read", _expect(files))


def write_no_zip(rng: Rng) -> DamagedFile:
    """Random bytes behind the first bytes of a zip, or another file."""
    return DamagedFile(
        [b"", _LOCAL, _END, encode_noise(rng)][int(rng.integers(4))] + rng.bytes(int(rng.integers(400))), "refuse"
    )


_KINDS: Mapping[str, Callable[[Rng], DamagedFile]] = {
    "undamaged": build_whole,
    "cut off": cut_end,
    "bits flipped": flip_bits,
    "damaged pictures": damage_pictures,
    "false entry": falsify_entry,
    "odd names": write_odd_names,
    "hostile names": write_hostile_names,
    "litter": pack_litter,
    "no zip": write_no_zip,
}


def _plan() -> Iterator[Slot]:
    for turn in range(6):
        for kind, make in _KINDS.items():
            yield Slot(kind, "zip", make, limits=LIMITS)
        if turn == 0:
            yield Slot("bomb", "zip", build_bomb, limits=LIMITS)


PLAN = tuple(_plan())


def read(data: bytes) -> int:
    """Read a zip as a set in a data folder of its own; return how many files are pictures or named as left out."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WHYBOX_DATA"] = folder
        dataset = read_zip(io.BytesIO(data), "set.zip")
        return len(dataset.names) + len([name for name, _ in dataset.skipped_files if not name.endswith(".zip")])


def find_faults(case: Case, outcome: Outcome) -> list[str]:
    """List every fault of an outcome in words."""
    faults = find_common_faults(case, outcome)
    if outcome.ending == "read" and case.reference is not None:
        expected = json.loads(case.reference)
        if outcome.value != expected:
            faults.append(f"holds {expected} pictures, {outcome.value} are in the set or named as left out")
    return faults
