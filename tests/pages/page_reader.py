"""Readers of a page under test."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from html import unescape
from typing import Any, cast

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

import xai_core

WAIT_S = 120


def check_page(at: AppTest) -> AppTest:
    """Return the page after checking that nothing on it failed."""
    assert [box.value for box in at.exception] == []
    return at


def list_errors(at: AppTest) -> list[str]:
    return [box.value for box in at.error]


def list_upload_problems(at: AppTest) -> list[str]:
    """Return the sentences below uploaders that say why a file cannot be used, in all parts of the page."""
    elements = [cast(Any, element) for part in (at.sidebar, at.main) for element in part.get("html")]
    matches = [re.search(r'class="upload-problem"[^>]*>(.*?)</p>', element.proto.body) for element in elements]
    return [unescape(match[1]) for match in matches if match]


def explained_class(at: AppTest) -> str:
    """The class the page explains."""
    return (
        next(title.value for title in at.subheader if title.value.startswith("Why"))
        .removeprefix("Why “")
        .removesuffix("”?")
    )


def list_guesses(at: AppTest) -> list[str]:
    """The model's first guesses, with their chance."""
    return list(at.pills(key="guess").options)


def find_search(at: AppTest) -> Selectbox:
    """The search over all classes."""
    return next(box for box in at.selectbox if box.label == "Or ask about another class")


def picture_title(at: AppTest) -> str:
    """The title of the picture in use."""
    return str(at.sidebar.image[0].proto.imgs[0].caption)


def read_panels(at: AppTest) -> list[dict[str, Any]]:
    """Return the panels of the viewer; none while the page waits for its model."""
    return list(read_viewer(at)["panels"]) if read_components(at, "panels") else []


def read_viewer(at: AppTest) -> dict[str, Any]:
    """Return the data of the viewer."""
    (viewer,) = read_components(at, "panels")
    return viewer


def read_components(at: AppTest, entry: str) -> list[dict[str, Any]]:
    """Return the data of the components outside the sidebar that have this entry."""
    # AppTest knows no components.
    texts = [component.proto.json for component in at.main.get("bidi_component")]  # type: ignore[attr-defined]
    return [data for text in texts if entry in (data := json.loads(text))]


def panel_states(at: AppTest) -> dict[str, str]:
    return {panel["id"]: panel["state"] for panel in read_panels(at)}


def watch_jobs(at: AppTest) -> list[xai_core.Job[xai_core.Attribution]]:
    """Return the map jobs of this visitor."""
    jobs = [xai_core.jobs.watch(name, at.session_state["session_id"]) for name in at.session_state["asked"]]
    return [job for job in jobs if job is not None]


def finished_results(at: AppTest) -> list[xai_core.Attribution]:
    """Return the finished maps of this visitor."""
    return [job.result for job in watch_jobs(at) if job.result is not None]


def run_until(at: AppTest, done: Callable[[AppTest], bool]) -> AppTest:
    """Run the page again and again, as its polling would, until `done`."""
    end, drawing = time.monotonic() + WAIT_S, 0.0
    while not done(at):
        assert time.monotonic() < end, f"still not after {WAIT_S} s"
        # On a busy machine a poll takes longer, and would keep the job from the processor that it waits for.
        time.sleep(max(0.1, 2 * drawing))
        began = time.monotonic()
        at.run()
        drawing = time.monotonic() - began
    return at
