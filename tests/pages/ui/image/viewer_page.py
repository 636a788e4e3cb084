"""The page with the viewer alone in a real browser, and readers of it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page

from tests.browser_tools import READY


class ViewerPage:
    """A page that counts what it sends to the server and notes what goes wrong in it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address, self.frames, self.faults = page, address, 0, list[str]()
        page.on("websocket", lambda socket: socket.on("framesent", self.count))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)

    def count(self, _: object) -> None:
        self.frames += 1

    def open(self, query: str = "") -> Page:
        self.page.goto(f"{self.address}/?{query}")
        self.ready()
        return self.page

    def ready(self) -> None:
        self.page.wait_for_selector(READY, timeout=60_000)
        self.page.wait_for_selector(".card canvas", timeout=60_000)
        self.page.wait_for_timeout(300)

    def unfold(self) -> None:
        """Open the settings of how maps are shown."""
        self.page.get_by_role("button", name="More settings of how the maps are shown").click()

    def silent(self, act: Callable[[], object]) -> None:
        """Runs `act` and checks that it sent nothing."""
        before = self.frames
        act()
        self.page.wait_for_timeout(400)
        assert self.frames == before


def read_box(place: Locator) -> dict[str, float]:
    box = place.bounding_box()
    assert box
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def read_canvases(page: Page) -> list[str]:
    urls: list[str] = page.locator(".frame canvas").evaluate_all("all => all.map(canvas => canvas.toDataURL())")
    return urls


def read_pixels(page: Page, at: int) -> np.ndarray:
    address = page.locator(".frame canvas").nth(at).evaluate("canvas => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB"), dtype=float)
