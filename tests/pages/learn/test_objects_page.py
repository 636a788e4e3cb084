"""The page "One object decides": a scene, its removals, and methods in order."""

from __future__ import annotations

from typing import Any

import pytest

from pages.ui.learn import objects_view
from tests.pages.conftest import Open
from tests.pages.page_reader import check_page, run_until
from tests.pages.tables.page_reader import read_text
from xai_core import Job, labs


@pytest.fixture(scope="module")
def networks() -> tuple[labs.SceneNetwork, ...]:
    return labs.train_scene_networks(1, scenes=32, epochs=1, test_scenes=8)


@pytest.fixture(autouse=True)
def small_lab(monkeypatch: pytest.MonkeyPatch, networks: tuple[labs.SceneNetwork, ...]) -> None:
    def start(seed: int, session_id: str = "") -> Job[Any]:
        return Job.from_result(("small scenes", seed), networks)

    monkeypatch.setattr(labs, "start_scene_networks", start)
    monkeypatch.setattr(objects_view, "METHODS", ("grad_cam",))
    monkeypatch.setattr(objects_view, "RANKED", ("grad_cam", "saliency"))
    monkeypatch.setattr(objects_view, "RANKED_SCENES", 5)


def test_page_shows_removals_and_the_order_of_the_methods(
    open_app: Open, networks: tuple[labs.SceneNetwork, ...]
) -> None:
    at = check_page(open_app("pages/learn/objects.py", lab_network="helped"))
    run_until(at, lambda page: bool(page.table) and len(page.table[0].value.columns) == 3)
    table = at.table[0].value
    assert list(table.columns) == ["Method", *(network.model.title for network in networks)]
    assert len(table) == 2
    assert f"It names {round(networks[1].accuracy * 8)} of 8 new scenes right." in read_text(at)
