"""Readers of a table page under test: its text and figures, and waiting for its jobs."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any, cast

from streamlit.testing.v1 import AppTest

from tests.pages.page_reader import check_page, run_until

DATA, MODEL, GENERAL, ROW, FAIRNESS = (
    f"pages/tables/{name}.py" for name in ("data", "model", "general", "row", "fairness")
)


def is_working(at: AppTest) -> bool:
    return any(button.label == "Stop" for button in at.main.button)


def finish_work(at: AppTest) -> AppTest:
    """Run the page until its jobs are finished."""
    return check_page(run_until(at, lambda at: not is_working(at)))


def read_html(at: AppTest) -> list[str]:
    """Return the raw HTML of each sentence."""
    return [cast(Any, element).proto.body for element in at.main.get("html")]


def read_text(at: AppTest) -> str:
    """Return all sentences as a visitor reads them, a line each."""
    return "\n".join(
        unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", body, flags=re.DOTALL)).strip() for body in read_html(at)
    ).replace("\xa0", " ")


def read_chart(at: AppTest, key: str) -> dict[str, Any]:
    """Return the figure under this key."""
    for element in at.main.get("plotly_chart"):
        proto = cast(Any, element).proto
        if proto.id.endswith(f"-{key}"):
            return dict(json.loads(proto.spec))
    raise AssertionError(f"no figure {key!r}")


def press(at: AppTest, label: str) -> AppTest:
    """Press the button that says this."""
    next(button for button in at.main.button if button.label == label).click()
    return finish_work(at.run())


def open_by_button(at: AppTest, label: str, page: str) -> AppTest:
    """Press the button that leads to this page. AppTest itself would go back at the next run."""
    next(button for button in at.main.button if button.label == label).click()
    before = at.title[0].value
    check_page(at.run())
    assert at.title[0].value != before
    at.switch_page(page)
    return finish_work(at.run())
