"""Reading a page about a picture set under test: its grids, its map, its tables, and waiting until all is there."""

from __future__ import annotations

import json
from typing import Any, cast

import pandas as pd
from streamlit.testing.v1 import AppTest

from pages.ui.imageset.selection import Selection
from tests.pages.tables.page_reader import finish_work, is_working, press, read_text

__all__ = [
    "DIGITS",
    "EXTREMES",
    "MAP",
    "SCORES",
    "SET",
    "finish_work",
    "is_working",
    "list_tiles",
    "press",
    "read_component",
    "read_table",
    "read_text",
    "select",
]

SET, MAP, EXTREMES, SCORES = (f"pages/imageset/{name}.py" for name in ("set", "map", "extremes", "set_scores"))
DIGITS = {"set": "digits", "model": "small_cnn"}


def read_component(at: AppTest, key: str) -> dict[str, Any] | None:
    """Return the data of the component under this key; None if there is none."""
    for element in at.main.get("bidi_component"):
        proto = cast(Any, element).proto
        if proto.id.endswith(f"-{key}"):
            return dict(json.loads(proto.json))
    return None


def list_tiles(at: AppTest, key: str = "set_grid") -> list[int]:
    """The rows whose pictures a grid shows."""
    shown = read_component(at, key)
    return [item["row"] for item in shown["items"]] if shown else []


def read_table(at: AppTest, key: str) -> pd.DataFrame:
    """The table whose key begins so."""
    for element in at.main.dataframe:
        if str(element.key or "").startswith(key):
            return cast(pd.DataFrame, element.value)
    raise AssertionError(f"no table {key!r}")


def select(at: AppTest, set_id: str, rows: list[int], words: str = "some") -> AppTest:
    """Select pictures as a click in a table does."""
    at.session_state["set_selection"] = Selection(set_id, tuple(rows), words)
    at.session_state["set_place"] = 0
    return finish_work(at.run())
