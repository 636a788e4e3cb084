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
from xai_core.render import PALETTES, wire, wire_map, wire_palettes, wire_picture, wire_preview
from xai_core.results import Preview


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


def build_preview(heat: np.ndarray, place: int = 1) -> Preview:
    return Preview(heat.astype(np.float32), 0.4, place)


def test_a_preview_is_small_and_close_to_its_map() -> None:
    rows, columns = np.mgrid[:224, :224] / 224
    heat = np.sin(7 * rows) * np.cos(5 * columns)
    packed = wire_preview(build_preview(heat))
    assert packed["grid"] == (112, 112) and len(packed["values"]) < 16_000 < len(wire_map(attribution(heat))["values"])
    expected = heat.reshape(112, 2, 112, 2).mean((1, 3))
    np.testing.assert_allclose(unpack(packed), expected, atol=0.011 * np.abs(heat).max())
    assert packed["signed"] and packed["alt"]
    tiny = wire_preview(build_preview(heat[::8, ::8]))
    assert tiny["grid"] == (28, 28), "every cell of a small map is kept"


def test_the_scale_of_previews_only_grows_and_stays_signed() -> None:
    heat = np.linspace(0, 1, 400).reshape(20, 20)
    first = wire_preview(build_preview(heat - 0.5))
    paler = wire_preview(build_preview(0.1 * heat), first["scale"], first["signed"])
    assert paler["scale"] == first["scale"] == first["shared_scale"] and paler["signed"]
    stronger = wire_preview(build_preview(9 * heat), first["scale"], first["signed"])
    assert stronger["scale"] > first["scale"] and "only grows" in stronger["caption_own"]
    odd = wire_preview(build_preview(np.full((4, 4), np.nan)))
    assert odd["peak"] == 0 and not unpack(odd).any()
