"""The encoding that is sent to the browser holds the same numbers, pictures and palettes."""

from __future__ import annotations

import base64
import gc
import io
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.render.test_overlay import attribution
from xai_core.render import PALETTES, wire, wire_map, wire_palettes, wire_picture


def unpack(packed: wire.WireMap) -> np.ndarray:
    steps = np.frombuffer(zlib.decompress(base64.b64decode(packed["values"])), dtype="<i2").reshape(
        packed["grid"][::-1]
    )
    return np.where(steps == wire.NO_NUMBER, np.nan, steps / 32767 * packed["peak"])


def test_numbers_survive_with_holes_and_a_wide_range() -> None:
    heat = np.random.default_rng(0).standard_cauchy((20, 30)).astype(np.float32)
    heat[3, 4], heat[5, 6] = np.nan, np.inf
    packed = wire_map(attribution(heat))
    assert packed["grid"] == (30, 20)
    known = np.isfinite(heat)
    peak = np.abs(heat[known]).max()
    np.testing.assert_allclose(unpack(packed)[known], heat[known], atol=peak / 65000)
    assert np.isnan(unpack(packed)[~known]).all()
    assert packed["scale"] < packed["peak"]
    assert "a few places go beyond" in packed["caption_own"]


@pytest.mark.parametrize("level", [0.0, 1e-30, 3.0, np.nan])
def test_flat_maps(level: float) -> None:
    packed = wire_map(attribution(np.full((5, 5), level)))
    np.testing.assert_allclose(unpack(packed), np.full((5, 5), level, dtype=np.float32), rtol=1e-6)
    assert packed["odd"]


def test_sign_is_taken_from_the_numbers_and_the_shared_scale_is_told() -> None:
    packed = wire_map(attribution(np.full((5, 5), 2.0)), 4.0)
    assert not packed["signed"]
    assert packed["scale"] == 2.0
    assert packed["shared_scale"] == 4.0
    assert packed["caption_shared"] == "Full colour: 4 (one scale for all maps beside it in this unit)."
    assert wire_map(attribution(-np.eye(5)))["signed"]


def test_packed_maps_are_kept_only_as_long_as_the_attribution() -> None:
    gc.collect()
    before = len(wire.wire_own_scale)
    result = attribution(np.eye(5))
    assert wire_map(result)["values"] is wire_map(result, 9.0)["values"]
    assert len(wire.wire_own_scale) == before + 1
    del result
    gc.collect()
    assert len(wire.wire_own_scale) == before


@pytest.mark.parametrize(("size", "kind"), [(28, "PNG"), (224, "JPEG")])
def test_picture(size: int, kind: str) -> None:
    address = wire_picture(Image.new("L", (size, size), 77))
    opened = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    assert (opened.format, opened.size, opened.mode) == (kind, (size, size), "RGB")
    assert address.startswith(f"data:image/{kind.lower()};base64,")


def test_palettes() -> None:
    for name, packed in wire_palettes().items():
        for text, table in ((packed["signed"], PALETTES[name].signed), (packed["unsigned"], PALETTES[name].unsigned)):
            assert base64.b64decode(text) == table.tobytes()


def test_a_picture_is_packed_once_as_long_as_it_lives() -> None:
    first, second = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue")
    assert wire_picture(first) is wire_picture(first) != wire_picture(second)
    before = len(wire_picture)
    del first
    gc.collect()
    assert len(wire_picture) == before - 1
