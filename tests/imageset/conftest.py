"""Fixtures for tests of sets: a data folder of their own, and a process that has nothing in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from xai_core.engine.lru_cache import LRUCache
from xai_core.imageset.sets import library


@pytest.fixture
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def restart(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that forgets everything in memory."""

    def forget() -> None:
        monkeypatch.setattr(library, "_RECENT", LRUCache(2**20))
        monkeypatch.setattr(library, "_BUILT_IN", {})

    return forget
