"""A page with the viewer alone, for the tests of its browser part; `?mode=` chooses its cards."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from pages.ui.image.viewer import Panel, show_maps
from xai_core.arrays import Float32
from xai_core.render import PALETTES
from xai_core.results import Attribution, Check

SIDE = 28
EVIL = "<img src=x onerror='window.hacked=1'><b>bold</b>"


def build_panel(panel_id: str, title: str, name: str, sentence: str, *values: Any, **fields: Any) -> Panel:
    """Return a card with the same sentence in every palette."""
    return Panel(panel_id, title, name, dict.fromkeys(PALETTES, sentence), *values, **fields)


def build_attribution(values: Float32, method: str, unit: str = "logit", **more: Any) -> Attribution:
    more.setdefault("details", {"probability": 0.73})
    return Attribution(
        values=values,
        method=method,
        model="toy",
        layer=None,
        target=0,
        label="espresso",
        quantity="logit",
        unit=unit,
        params={},
        seed=0,
        evaluations=1234,
        seconds=0.5,
        image_sha256="",
        versions={},
        **more,
    )


def draw_photo(side: int) -> Image.Image:
    ramp = np.tile(np.linspace(0, 255, side).astype(np.uint8), (side, 1))
    return Image.fromarray(np.stack([ramp, ramp.T, np.full_like(ramp, 90)], axis=2))


def draw_heat(side: int) -> Float32:
    """Return a map with a positive and a weaker negative peak, (side, side)."""
    y, x = np.mgrid[:side, :side] / side
    positive = np.exp(-((x - 0.3) ** 2 + (y - 0.4) ** 2) / 0.02)
    negative = np.exp(-((x - 0.8) ** 2 + (y - 0.2) ** 2) / 0.01)
    return (positive - 0.6 * negative).astype(np.float32)


def build_flat_panels(side: int) -> list[Panel]:
    """Return cards of maps without a peak: zero, constant, no numbers, and half of a map."""
    holes = np.where(np.arange(side)[:, None] < 14, np.nan, draw_heat(side))
    maps = (np.zeros((side, side)), np.full((side, side), 0.5), np.full((side, side), np.nan), holes)
    return [
        build_panel(str(at), "Flat", "F", "s", "done", build_attribution(values, "flat"))
        for at, values in enumerate(maps)
    ]


def build_rows(side: int) -> list[Panel]:
    """Return cards in two rows, the second one about another picture."""
    cards = (("a", 1, "First", None), ("b", 2, "First", None), ("c", 9, "Second", draw_photo(side).rotate(90)))
    return [
        build_panel(a, a.upper(), "N", "How.", "done", build_attribution(k * draw_heat(side), a), row=b, picture=c)
        for a, k, b, c in cards
    ]


def build_verdicts(side: int) -> list[Panel]:
    """Return a card in each state of the verdict; each answers a question of its own."""
    adds_up = Check("completeness", "green", "The shares add up.")
    cards = (("deep_lift", (adds_up,)), ("saliency", (Check("fit", "amber", "It fits badly."),)),
             ("guided_backprop", (adds_up,)), ("grad_cam", ()))  # fmt: skip
    return [
        build_panel(method, method, "N", "How.", "done", dataclasses.replace(
            build_attribution(draw_heat(side), method, checks=checks), target=place))
        for place, (method, checks) in enumerate(cards)
    ]  # fmt: skip


def build_panels(mode: str, side: int) -> tuple[list[Panel], list[Panel]]:
    """Return the cards with a map and those without one."""
    checks = (Check("flat", "green", "The map is not flat."), Check("fit", "amber", "The simple model explains 61 %."))
    done = [
        build_panel(
            "one",
            "Where it looked",
            "Grad-CAM",
            "How to read one.",
            "done",
            build_attribution(np.clip(draw_heat(side), 0, None), "grad_cam", checks=checks),
        ),
        build_panel(
            "two",
            "What covering changes",
            "Occlusion",
            "Two.",
            "done",
            build_attribution(3 * draw_heat(side), "occlusion"),
            caption="Window: 4 px",
        ),
    ]
    rest = [
        build_panel("three", "Which pieces matter", "LIME", "How to read three.", "working"),
        build_panel(
            "four",
            "Which pixels add up",
            "Integrated Gradients",
            "How to read four.",
            "waiting",
            message="Place 2 in the queue.",
        ),
    ]
    if mode == "states":
        rest.append(build_panel("five", "Five", "Five", "How.", "failed", message="The window is too large. Got 900."))
        rest.append(build_panel("six", "Six", "Six", "How.", "cancelled"))
    if mode == "evil":
        text = EVIL
        bad = Check("x", "red", text)
        done = [
            build_panel(
                text,
                text,
                text,
                text,
                "done",
                build_attribution(draw_heat(side), text, unit=text, checks=(bad,)),
                caption=text,
            )
        ]
        rest = [build_panel("f", "Failed", "F", "s", "failed", message=text)]
    if mode == "flat":
        return build_flat_panels(side), []
    if mode == "verdicts":
        return build_verdicts(side), []
    if mode == "rows":
        return build_rows(side), []
    return done, rest


def main() -> None:
    st.set_page_config(layout="wide")
    mode = st.query_params.get("mode", "four")
    side = 64 if mode == "big" else 28
    done, rest = build_panels(mode, side)
    if st.button("Finish") or mode == "ended":
        rest[0] = dataclasses.replace(
            rest[0], state="done", attribution=build_attribution(draw_heat(side)[::-1], "lime")
        )
    st.write("Python saw", str(dict(st.query_params)))
    show_maps(draw_photo(side), done + rest, key="viewer")


if __name__ == "__main__":
    main()
