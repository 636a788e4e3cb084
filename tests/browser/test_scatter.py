"""The map of pictures in a real browser: positions and colours of points, and the selection that Python gets."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from skimage.measure import points_in_poly

from tests.browser.scatter_app import COUNT, EVIL, IDS
from tests.browser_tools import READY, ROOT
from xai_core.render.points import CATEGORIES

pytestmark = pytest.mark.long

ALLOW_SOFTWARE = """const { prototype } = WebGL2RenderingContext, own = prototype.getParameter;
prototype.getParameter = function (name) { return name === 37446 ? "" : own.call(this, name); };"""
"""The component uses WebGL on a graphics card only, which no test machine has; this hides the name of the card."""
FLAT = np.random.default_rng(0).uniform(-0.9, 0.9, (COUNT, 2)).astype(np.float32)
FLAT[:2] = [[-1], [1]]


@pytest.fixture
def address(parts_address: str) -> str:
    return parts_address


class Map:
    """A page with the map that counts what it fetches and hears."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page, self.address = context.new_page(), address
        self.fetched: list[str] = []
        self.heard: list[int] = []
        self.faults: list[str] = []
        self.page.on(
            "request",
            lambda request: (
                self.fetched.append(request.url) if "/static/" not in request.url and "/media/" in request.url else None
            ),
        )
        self.page.on(
            "websocket", lambda socket: socket.on("framereceived", lambda frame: self.heard.append(len(frame)))
        )
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)

    def open(self, query: str = "") -> Page:
        self.page.goto(f"{self.address}/?{query}", timeout=60_000)
        self.page.wait_for_selector(".stage[data-painter]", timeout=60_000)
        self.settle()
        return self.page

    def settle(self) -> None:
        self.page.wait_for_selector(READY, timeout=60_000)
        self.page.wait_for_timeout(120)

    def expect_events(self, kinds: str, ids: np.ndarray) -> None:
        """Python has heard these events, and the ids of the last."""
        text = f"Python saw {kinds} of {' '.join(map(str, ids)) if len(ids) else 'none'} end"
        expect(self.page.get_by_text(text, exact=True)).to_be_attached()

    def point_positions(self, zoom: float = 1) -> np.ndarray:
        """Return the window position of each point of FLAT, (n, 2) in pixels; the map leaves a margin of 14 px."""
        left, top, width, height = self.page.locator(".stage").evaluate(
            "node => { const { left, top } = node.getBoundingClientRect();"
            " return [left + 1, top + 1, node.clientWidth, node.clientHeight]; }"
        )
        unit = zoom * (min(width, height) / 2 - 14)
        return np.array([left + width / 2, top + height / 2]) + FLAT * [unit, -unit]

    def picture(self) -> np.ndarray:
        """The window as (height, width, 3)."""
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"), dtype=int)

    def draw_line(self, corners: np.ndarray, key: str | None = None) -> None:
        """Draws a closed line through the corners with the mouse."""
        mouse = self.page.mouse
        if key:
            self.page.keyboard.down(key)
        mouse.move(*corners[0])
        mouse.down()
        for corner in corners[1:]:
            mouse.move(*corner, steps=2)
        mouse.up()
        if key:
            self.page.keyboard.up(key)


@pytest.fixture(params=["webgl", "canvas"])
def painter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def scatter_map(window: BrowserContext, address: str) -> Iterator[Map]:
    scatter_map = Map(window, address)
    scatter_map.page.set_viewport_size({"width": 1000, "height": 900})
    yield scatter_map
    scatter_map.page.close()
    assert scatter_map.faults == []


def test_points_are_where_and_as_they_should_be_and_what_is_chosen_stands_out(scatter_map: Map, painter: str) -> None:
    if painter == "webgl":
        scatter_map.page.add_init_script(ALLOW_SOFTWARE)
    page = scatter_map.open()
    if page.locator(".stage").get_attribute("data-painter") != painter:
        pytest.skip("This Chromium has no WebGL 2.")
    colours = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in CATEGORIES[:3]])
    alone = [
        at
        for at in range(COUNT)
        if np.sort(np.linalg.norm(scatter_map.point_positions() - scatter_map.point_positions()[at], axis=1))[1] > 16
    ]
    assert len(alone) > 20
    before = scatter_map.picture()
    spots = scatter_map.point_positions().round().astype(int)
    for at in alone:
        x, y = spots[at]
        assert np.abs(before[y, x] - colours[at % 3]).max() <= 3, f"point {at}"
    page.get_by_role("button", name="Choose five").click()
    scatter_map.settle()
    expect(page.get_by_text("5 of 120 chosen")).to_be_visible()
    after = scatter_map.picture()
    for at in alone:
        x, y = spots[at]
        dimmed = np.abs(after[y, x] - (0.2 * colours[at % 3] + 0.8 * 255)).max() <= 6
        assert dimmed == (at >= 5), f"point {at}"
    if painter == "webgl":  # browsers take the context away from pages that have too many of them
        page.locator(".stage canvas").evaluate(
            "node => node.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()"
        )
        page.wait_for_timeout(200)
        np.testing.assert_array_equal(scatter_map.picture(), after)


def test_a_click_a_line_and_a_key_reach_python_and_stay(scatter_map: Map) -> None:
    page = scatter_map.open()
    spots = scatter_map.point_positions()
    page.mouse.click(*spots[17])
    scatter_map.expect_events("click", IDS[[17]])
    corners = spots.mean(0) + np.array([[-150, -120], [160, -100], [20, 10], [150, 130], [-140, 110]])
    inside = points_in_poly(spots, corners)
    assert 10 < inside.sum() < COUNT - 10
    scatter_map.draw_line(corners, "Shift")
    scatter_map.expect_events("click lasso", IDS[inside])
    expect(page.get_by_text(f"{inside.sum()} of 120 chosen")).to_be_visible()
    page.get_by_role("radio", name="Lasso").check()
    scatter_map.draw_line(corners[:3])
    scatter_map.expect_events("click lasso lasso", IDS[points_in_poly(spots, corners[:3])])
    page.keyboard.press("Escape")
    page.locator(".stage").focus()
    page.keyboard.press("Escape")
    scatter_map.expect_events("click lasso lasso clear", IDS[:0])
    page.get_by_role("button", name="Choose five").click()
    expect(page.get_by_text("5 of 120 chosen")).to_be_visible()
    page.get_by_role("button", name="Clear selection").click()
    scatter_map.expect_events("click lasso lasso clear clear", IDS[:0])


def test_the_keyboard_goes_from_point_to_point_and_chooses(scatter_map: Map) -> None:
    page = scatter_map.open()
    spots = scatter_map.point_positions()
    start = int(np.linalg.norm(spots - [spots[:2, 0].mean(), spots[:2, 1].mean()], axis=1).argmin())
    page.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".card .words")).to_have_text(f"picture {start}")
    page.keyboard.press("ArrowRight")
    step = spots - spots[start]
    ahead = (step[:, 0] > 0.01) & (np.abs(step[:, 1]) <= 2 * step[:, 0])
    right = int(np.where(ahead, step[:, 0] ** 2 + 4 * step[:, 1] ** 2, np.inf).argmin())
    expect(page.locator(".card .words")).to_have_text(f"picture {right}")
    expect(page.locator(".hidden[role=status]")).to_have_text(f"picture {right}. Point {right + 1} of 120.")
    page.keyboard.press("Enter")
    scatter_map.expect_events("click", IDS[[right]])
    page.keyboard.press(" ")
    nearest = np.sort(np.linalg.norm(spots - spots[right], axis=1).argsort(kind="stable")[:24])
    scatter_map.expect_events("click lasso", IDS[nearest])
    expect(page.locator(".star")).to_be_hidden()
    assert "cat (40), dog (40), bird (40)" in (page.locator(".stage").get_attribute("aria-label") or "")


def test_pointing_shows_the_right_picture_after_a_moment_and_no_message_is_sent(scatter_map: Map) -> None:
    page = scatter_map.open()
    x, y = scatter_map.point_positions()[30]
    heard = len(scatter_map.heard)
    page.mouse.move(x + 2, y + 2)
    expect(page.locator(".card")).to_be_hidden()
    expect(page.locator(".card .words")).to_have_text("picture 30")
    expect(page.locator(".card .thumb img")).to_have_js_property("complete", True)
    box = page.locator(".card .thumb").bounding_box()
    assert box
    thumb = scatter_map.picture()[int(box["y"]) + 8 : int(box["y"]) + 88, int(box["x"]) + 8 : int(box["x"]) + 88]
    np.testing.assert_allclose(thumb, 2 * (COUNT - 1 - 30), atol=2)
    page.mouse.move(5, 5)
    expect(page.locator(".card")).to_be_hidden()
    assert len(scatter_map.heard) == heard


def test_a_rerun_sends_nothing_again_and_new_colours_only_colours(scatter_map: Map) -> None:
    page = scatter_map.open()
    assert len(scatter_map.fetched) == 3, "points, colours and words; no sheet before somebody points"
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Choose five").click()
    expect(page.get_by_text("5 of 120 chosen")).to_be_visible()
    scatter_map.settle()
    assert len(scatter_map.fetched) == 3
    page.get_by_text("Numbers").click()
    expect(page.locator(".legend .title")).to_have_text("Loss")
    scatter_map.settle()
    assert len(scatter_map.fetched) == 4
    x, y = scatter_map.point_positions(zoom=1.5)[30]
    page.mouse.click(x, y)
    scatter_map.expect_events("click", IDS[[30]])  # the view has stayed


def test_wheel_drag_and_show_all(scatter_map: Map) -> None:
    page = scatter_map.open()
    x, y = scatter_map.point_positions()[30]
    page.mouse.move(x, y)
    page.mouse.wheel(0, -100)
    expect(page.get_by_text("Click the map first")).to_be_visible()
    page.mouse.click(x, y)
    scatter_map.expect_events("click", IDS[[30]])
    page.mouse.wheel(0, -200)
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(100)
    page.mouse.move(x + 1, y)
    expect(page.locator(".card .words")).to_have_text("picture 30")  # it stays under the mouse
    factor = np.exp(0.8)
    far = scatter_map.point_positions()[30] + factor * (
        scatter_map.point_positions() - scatter_map.point_positions()[30]
    )
    near = np.linalg.norm(far - far[30], axis=1).argsort()[1]
    page.mouse.click(*far[near])
    scatter_map.expect_events("click click", IDS[[near]])
    page.mouse.move(x + 60, y + 60)
    page.mouse.down()
    page.mouse.move(x + 90, y + 20, steps=4)
    page.mouse.up()
    page.mouse.click(*far[near] + [30, -40])
    scatter_map.expect_events("click click click", IDS[[near]])
    page.get_by_role("button", name="Show all").click()
    page.mouse.click(*scatter_map.point_positions()[11])
    scatter_map.expect_events("click click click click", IDS[[11]])


def test_a_solid_map_turns_and_stays_consistent(scatter_map: Map) -> None:
    page = scatter_map.open("mode=solid")
    before = scatter_map.picture()
    box = page.locator(".stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 40, steps=6)
    page.mouse.up()
    page.mouse.move(5, 5)
    page.wait_for_timeout(150)
    assert (np.abs(scatter_map.picture() - before).max(axis=2) > 30).mean() > 0.01
    page.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 120 chosen")).to_be_visible()
    ring = page.locator(".ring").evaluate("node => [Number(node.getAttribute('cx')), Number(node.getAttribute('cy'))]")
    here = scatter_map.picture()[int(box["y"] + ring[1]) + 1, int(box["x"] + ring[0]) + 1]
    named = page.locator(".card .words").inner_text()
    group = int(named.split()[1]) % 3
    colours = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in CATEGORIES[:3]]
    assert np.abs(here - np.array(colours[group])).max() <= 3, "what the keys chose is drawn under the ring"


def test_text_from_outside_stays_text_and_the_own_picture_has_a_mark(scatter_map: Map) -> None:
    page = scatter_map.open("mode=evil")
    expect(page.locator(".legend li").first).to_contain_text(EVIL)
    page.mouse.move(*scatter_map.point_positions()[30])
    expect(page.locator(".card .words")).to_have_text(EVIL)
    assert page.locator(".wb b").count() == 0
    assert page.evaluate("window.hacked") is None
    box, stage = page.locator(".star path").bounding_box(), page.locator(".stage").bounding_box()
    assert box and stage
    assert abs(box["x"] + box["width"] / 2 - stage["x"] - stage["width"] / 2) < 2
    expect(page.locator(".star text")).to_have_text("Your picture")


def test_a_tap_chooses_on_a_phone_and_two_fingers_zoom(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as context:
        scatter_map = Map(context, address)
        page = scatter_map.open()
        inner = np.flatnonzero(np.abs(FLAT).max(axis=1) < 0.45)  # still in sight after zooming
        alone = int(max(inner, key=lambda at: float(np.sort(np.linalg.norm(FLAT - FLAT[at], axis=1))[1])))
        page.touchscreen.tap(*scatter_map.point_positions()[alone] + [5, 5])
        scatter_map.expect_events("click", IDS[[alone]])
        expect(page.locator(".card .words")).to_have_text(f"picture {alone}")
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")
        page.locator(".stage").evaluate(PINCH)
        page.wait_for_timeout(100)
        page.touchscreen.tap(*scatter_map.point_positions(zoom=2)[alone] + [5, 5])
        scatter_map.expect_events("click click", IDS[[alone]])


PINCH = """stage => {
  const { left, top } = stage.getBoundingClientRect();
            const x = left + 1 + stage.clientWidth / 2, y = top + 1 + stage.clientHeight / 2;
  stage.setPointerCapture = () => {};
  const finger = { pointerType: "touch", clientY: y, bubbles: true };
  const send = (kind, pointerId, clientX) =>
                stage.dispatchEvent(new PointerEvent(kind, { ...finger, pointerId, clientX }));
  send("pointerdown", 11, x - 40);
  send("pointerdown", 12, x + 40);
  for (const step of [50, 60, 70, 80]) { send("pointermove", 11, x - step); send("pointermove", 12, x + step); }
  send("pointerup", 11, x - 80);
  send("pointerup", 12, x + 80);
}"""


def test_geometry_equals_a_plain_one(browser: Browser) -> None:
    """Nearest point, points inside a line and the turn of a solid map, against NumPy and scikit-image."""
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(500, 3)).astype(np.float32)
    line = rng.uniform(50, 350, (9, 2))
    spots = rng.uniform(0, 400, (50, 2))
    code = (ROOT / "assets" / "scatter_view.js").read_text(encoding="utf-8")
    page = browser.new_page()
    projected = page.evaluate(
        f"""([raw, line, spots]) => {{ {code}
        const camera = new Camera(normalizePoints(Float32Array.from(raw), 3));
        camera.resize(400, 300); camera.rotate(70, -30); camera.zoomBy(1.7, 120, 80);
        const nearest = spots.map(([x, y]) => camera.findNearest(x, y, 40));
        const one = camera.projectPoint(camera.cloud.normalizePoint(raw.slice(3, 6)));
        return {{ at: Array.from(camera.projectAll()), inside: camera.findInside(line), nearest, one }}; }}""",
        [raw.ravel().tolist(), line.tolist(), spots.tolist()],
    )
    page.close()
    at = np.array(projected["at"]).reshape(-1, 3)
    np.testing.assert_allclose(at, plain_projection(raw.astype(float)), atol=1e-3)
    np.testing.assert_allclose(projected["one"], at[1], atol=1e-3)
    np.testing.assert_array_equal(projected["inside"], np.flatnonzero(points_in_poly(at[:, :2], line)))
    distances = np.linalg.norm(spots[:, None] - at[None, :, :2], axis=2)
    expected = np.where(distances.min(axis=1) <= 40, distances.argmin(axis=1), -1)
    assert (expected >= 0).any() and (expected < 0).any()
    np.testing.assert_array_equal(projected["nearest"], expected)


def plain_projection(raw: np.ndarray) -> np.ndarray:
    """Screen places of a solid map in a window of 400 × 300, turned and magnified as above."""

    def turn(across: float, up: float) -> np.ndarray:
        sideways = np.array([[np.cos(across), 0, np.sin(across)], [0, 1, 0], [-np.sin(across), 0, np.cos(across)]])
        upward = np.array([[1, 0, 0], [0, np.cos(up), -np.sin(up)], [0, np.sin(up), np.cos(up)]])
        return upward @ sideways

    placed = raw - (raw.min(axis=0) + raw.max(axis=0)) / 2
    placed /= np.linalg.norm(placed, axis=1).max()
    x, y, near = turn(70 / 160, -30 / 160) @ turn(-0.5, 0.35) @ placed.T
    lens, unit = 3 / (3 - near), (150 - 14) / 1.1
    once = np.stack([200 + x * lens * unit, 150 - y * lens * unit], axis=1)
    return np.column_stack([np.array([120, 80]) + 1.7 * (once - [120, 80]), near])
