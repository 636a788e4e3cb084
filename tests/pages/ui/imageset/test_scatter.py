"""The map of pictures on the server: it checks messages of the browser, sends each part once, and has a text."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.imageset import scatter
from pages.ui.imageset.scatter import Event, pack_bits, unpack_bits
from xai_core.render.points import color_by_correctness, color_by_group, color_by_number

IDS = np.array([5, 8, 13, 21, 34, 55, 89, 144, 233, 377])


@pytest.mark.parametrize("count", [1, 7, 8, 9, 1000])
def test_a_choice_survives_the_way(count: int) -> None:
    chosen = np.random.default_rng(count).random(count) < 0.5
    points = unpack_bits(pack_bits(chosen), count)
    assert points is not None
    np.testing.assert_array_equal(points, np.flatnonzero(chosen))


def build_message(*points: int, kind: str = "lasso", version: str = "v", **more: Any) -> dict[str, Any]:
    chosen = np.zeros(len(IDS), dtype=bool)
    chosen[list(points)] = True
    return {"kind": kind, "version": version, "serial": 1, "chosen": pack_bits(chosen), **more}


def test_what_was_done_comes_as_ids() -> None:
    assert scatter._parse_event(build_message(1, 3, 9), "v", IDS) == Event("lasso", (8, 21, 377))
    assert scatter._parse_event(build_message(2, kind="click"), "v", IDS) == Event("click", (13,))
    assert scatter._parse_event(build_message(kind="lasso"), "v", IDS) == Event("lasso", ())
    assert scatter._parse_event(build_message(1, kind="clear"), "v", IDS) == Event("clear", ())
    event = scatter._parse_event(build_message(0), "v", IDS)
    assert event and all(type(point_id) is int for point_id in event.ids), "fit for a session and for a link"


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        7,
        "lasso",
        [],
        {},
        build_message(1, version="of another map"),
        build_message(1, kind="drop table"),
        build_message(1, kind=["click"]),  # type: ignore[arg-type]
        build_message(1, 2, kind="click"),
        build_message(kind="click"),
        build_message() | {"chosen": None},
        build_message() | {"chosen": "not base64!"},
        build_message() | {"chosen": "é"},
        build_message() | {"chosen": ""},
        build_message() | {"chosen": base64.b64encode(bytes(3)).decode()},
        build_message() | {"chosen": base64.b64encode(bytes(10**6)).decode()},
    ],
    ids=str,
)
def test_nonsense_is_nothing(nonsense: object) -> None:
    assert scatter._parse_event(nonsense, "v", IDS) is None


def script(count: int, dimensions: int, thumbs: bool) -> None:
    import numpy as np
    import streamlit as st

    from pages.ui.imageset.scatter import show_scatter

    points = np.random.default_rng(0).normal(size=(count, dimensions)).astype(np.float32)
    pictures = np.zeros((count, 48, 48, 3), dtype=np.uint8)
    event = show_scatter(
        points,
        np.zeros((count, 3), dtype=np.uint8),
        ids=np.arange(count),
        thumbs=pictures if thumbs else None,
        words=["a"] * count,
        selected=(1, 3, 999),
        mark=None,
        key="map",
    )
    st.write(f"event: {event}")


@pytest.mark.parametrize(("count", "dimensions", "thumbs"), [(0, 2, False), (300, 3, True)])
def test_any_map_can_be_shown(count: int, dimensions: int, thumbs: bool) -> None:
    app = AppTest.from_function(script, args=(count, dimensions, thumbs)).run()
    assert not app.exception
    assert app.markdown[0].value == "event: None"
    assert bool(app.info) == (count == 0)


def test_the_alternative_text_names_the_groups_and_not_too_many() -> None:
    few = color_by_group(np.array([0, 0, 1, -1]), ["cat", "dog"], "Label")
    assert scatter._text_alternative(4, few) == "Map of 4 pictures. Label: cat (2), dog (1), No label (1)."
    many = color_by_group(np.arange(40), [f"class {at}" for at in range(40)], "Label")
    assert scatter._text_alternative(40, many).endswith("and 28 more.")
    assert scatter._text_alternative(3, color_by_number(np.array([0.0, 0.5, 1.0]), "Confidence", percent=True)) == (
        "Map of 3 pictures. Colours: Confidence, 0 % to 100 %."
    )
    assert "Right (1), Wrong (1)" in scatter._text_alternative(
        2, color_by_correctness(np.array([1, 2]), np.array([1, 1]))
    )
    assert scatter._text_alternative(1234, None) == "Map of 1,234 pictures."
