"""Example pictures of the methods: `python -m tests.pages.learn.method_pictures` draws those that assets/ lacks.

To draw one anew, delete its file first. Each is the map of the sample Coffee by the default model and settings, or the
bars of one row of the table of loans.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

import xai_core
from tests.browser_tools import browser
from xai_core.methods.base.cards import CARDS
from xai_core.render import overlay, scales
from xai_core.render.tables import Drawing, draw_signed_bars, draw_waterfall
from xai_core.tabular import TABULAR_METHODS, Contributions, explain_row, load_table, train
from xai_core.tabular.row.examples import EXAMPLES

SAMPLE, MODEL = "coffee", "efficientnet_lite0"
SIDE = 192
"""Pixels; pages show it smaller."""
QUALITY = 80
TABLE, ROW = "loan", 3
LEARNERS = ("gradient_boosting", "torch_network")
"""The first that a method can explain is taken."""
WIDTH, GREY = 420, "#7f8a92"


def draw_map(method: str) -> Image.Image | None:
    """Return a method's map over what the model sees of the sample, (SIDE, SIDE); None where it refuses the model."""
    model, picture = xai_core.load_model(MODEL), xai_core.SAMPLES.get(SAMPLE).load()
    if xai_core.METHODS.get(method).refusal(model) is not None:
        return None
    result = xai_core.explain(model, picture, method, seed=0)
    (scale,) = scales([result], shared=False)
    seen = model.preprocessing.model_input(picture)
    drawn = overlay(seen, result.heatmap, scale=scale, signed=bool((result.heatmap < 0).any()))
    return drawn.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def explain_example(method: str) -> Contributions:
    """Return a method's bars for the row of the example."""
    spec, table = TABULAR_METHODS.get(method), load_table(TABLE)
    models = (train(table, learner, seed=0) for learner in LEARNERS)
    model = next(model for model in models if spec.refusal(model) is None)
    return explain_row(model, table.take([ROW]), method, outcome=1, seed=0)


def _draw_bars(bars: Contributions) -> Drawing:
    words = f"{bars.unit} of {load_table(TABLE).classes[1]}"
    if TABULAR_METHODS.get(bars.method).additive:
        return draw_waterfall(bars.conditions, bars.values, bars.base, words)
    return draw_signed_bars(bars.conditions, bars.values, words)


def draw_row(method: str) -> Image.Image:
    """Return the figure of a method's bars, drawn by a browser on a clear background."""
    figure = _draw_bars(explain_example(method)).figure
    clear = "rgba(0,0,0,0)"
    figure.update_layout(width=WIDTH, paper_bgcolor=clear, plot_bgcolor=clear, font={"color": GREY, "size": 13})
    with browser() as chromium:
        page = chromium.new_page(device_scale_factor=2, viewport={"width": WIDTH, "height": 700})
        page.set_content(figure.to_html(include_plotlyjs=True, config={"displayModeBar": False}))
        plot = page.locator(".plotly-graph-div .main-svg").first
        plot.wait_for()
        return Image.open(io.BytesIO(page.locator(".plotly-graph-div").screenshot(omit_background=True)))


def _save(picture: Image.Image, file: Path) -> None:
    picture.save(file, quality=QUALITY)
    print(file.name, file.stat().st_size, flush=True)


def main() -> None:
    """Draw what is missing."""
    EXAMPLES.mkdir(exist_ok=True)
    for method in TABULAR_METHODS:
        file = EXAMPLES / f"{method}.webp"
        if not file.exists():
            _save(draw_row(method), file)
    for method in xai_core.METHODS:
        file = CARDS / f"{method}.webp"
        if not file.exists() and (picture := draw_map(method)) is not None:
            _save(picture, file)


if __name__ == "__main__":
    main()
