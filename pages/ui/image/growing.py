"""Maps that still grow: the latest preview of each running job, and the last one of a job that was stopped."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import streamlit as st

import xai_core
from xai_core.formatting import percent
from xai_core.render import WireMap, wire_preview

MapJob = xai_core.Job[xai_core.Attribution]


@dataclass(frozen=True)
class GrowingMap:
    """A map as far as it is known, encoded for the browser, and the share of the work done."""

    map: WireMap
    number: int
    fraction: float

    @property
    def words(self) -> str:
        return f"Still getting clearer, {percent(self.fraction)}"

    @property
    def stop_words(self) -> str:
        return f"Stopped at {percent(self.fraction)}: this map is unfinished and unchecked."


def _maps() -> dict[str, GrowingMap]:
    """Return this session's unfinished maps by the id of their plan."""
    maps: dict[str, GrowingMap] = st.session_state.setdefault("growing", {})
    return maps


def update(map_id: str, job: MapJob) -> GrowingMap | None:
    """Ask a running job for a newer preview, and return the latest one; None before the first."""
    preview: xai_core.Preview | None = job.request_preview()
    last = _maps().get(map_id)
    if preview is not None and (last is None or preview.number != last.number):
        scale, signed = (last.map["scale"], last.map["signed"]) if last else (0.0, False)
        _maps()[map_id] = GrowingMap(wire_preview(preview, scale, signed), preview.number, preview.fraction)
    return _maps().get(map_id)


def find_last(map_id: str) -> GrowingMap | None:
    """Return the picture that stood on the card when its job was stopped."""
    return _maps().get(map_id)


def keep(map_ids: Collection[str]) -> None:
    """Drop the unfinished maps of all ids but these: they are ready, or no longer on the page."""
    forget([map_id for map_id in _maps() if map_id not in map_ids])


def forget(map_ids: Iterable[str]) -> None:
    """Drop the unfinished maps of these ids."""
    for map_id in map_ids:
        _maps().pop(map_id, None)
