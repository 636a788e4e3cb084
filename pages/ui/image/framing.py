"""Choice of the part of the picture that the model sees: a frame that can be moved, or all of it between bars."""

from __future__ import annotations

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.widgets.component import create_component
from xai_core.formatting import percent
from xai_core.render import wire_picture

MAX_SIDE = 480
MODES = {"crop": "A square of it", "fit": "All of it, with bars"}
_crop = create_component("crop", "crop.js")


def restore() -> xai_core.Framing:
    """Return the framing of the picture in use, which the link keeps; by default the middle."""
    key = url_state.restore(
        "crop",
        xai_core.Framing().code(),
        lambda text: xai_core.Framing.parse(text).code(),
        title=lambda _code: "the usual part of the picture",
    )
    return xai_core.Framing.parse(st.session_state[key])


def frame(model: xai_core.Classifier, image: Image.Image) -> Image.Image:
    """Return the picture in use, framed as chosen, as this model gets it."""
    return xai_core.frame_picture(model, image, restore())


def _set(framing: xai_core.Framing) -> None:
    url_state.set_value("crop", framing.code())


def _take_mode() -> None:
    _set(xai_core.Framing(fit=st.session_state["crop_mode"] == "fit"))


def _take_place() -> None:
    place = st.session_state["crop_frame"].get("moved")
    if place is not None:
        x, y = (min(max(float(part), 0.0), 1.0) for part in place)
        _set(xai_core.Framing(x, y))


def _describe(framing: xai_core.Framing, share: float) -> str:
    if framing.fit:
        return "The model sees the whole picture, smaller, with bars in an average colour beside it."
    if share > 0.99:
        return "The model sees the whole picture."
    seen = f"The model sees only the square in the frame, {percent(share)} of the picture"
    return f"{seen}. Move the frame to what the model should look at."


def _frame_size(model: xai_core.Classifier, image: Image.Image, framing: xai_core.Framing) -> tuple[float, float]:
    """Return width and height of the frame as shares of the picture's."""
    left, top, right, bottom = xai_core.visible_box(model, image.size, framing)
    return min(1.0, (right - left) / image.width), min(1.0, (bottom - top) / image.height)


def _draw_frame(image: Image.Image, title: str, framing: xai_core.Framing, size: tuple[float, float]) -> None:
    """Draw the original picture with the frame on it."""
    small = image.copy()
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    _crop(
        key="crop_frame",
        data={
            "picture": wire_picture(small),
            "alt": f"{title}, the whole picture",
            "size": None if framing.fit else size,
            "place": (framing.x, framing.y),
        },
        on_moved_change=_take_place,
    )


def render_choice(model: xai_core.Classifier, image: Image.Image, title: str) -> None:
    """Render the original picture with its frame, folded, and the choice to fit all of it."""
    framing = restore()
    url_state.set_value("crop_mode", "fit" if framing.fit else "crop")
    size = _frame_size(model, image, framing)
    share = size[0] * size[1]
    with st.popover(f"Crop: {percent(share)}", help="The part of your picture that the model sees"):
        st.segmented_control(
            "What the model gets of the picture",
            list(MODES),
            default=url_state.value_of("crop_mode"),
            key="crop_mode",
            format_func=MODES.__getitem__,
            on_change=_take_mode,
            required=True,
        )
        _draw_frame(image, title, framing, size)
        st.caption(_describe(framing, share))
        if framing not in (xai_core.Framing(), xai_core.Framing(fit=True)):
            st.button("Back to the middle", on_click=_set, args=(xai_core.Framing(),), icon=":material/undo:")


def remember(framed: Image.Image) -> None:
    """Remember the framed picture, which a link to its maps has to keep."""
    session.set_framed_picture(None if restore() == xai_core.Framing() else framed)
