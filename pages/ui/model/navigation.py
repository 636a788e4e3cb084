"""Ways between the pages about the inside of a model: the open unit, and clicks that lead to another page."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.frame import url_state
from pages.ui.image import layers
from pages.ui.imageset import set_choice
from pages.ui.widgets import background, show
from xai_core.imageset import IMAGE_SETS

NETWORK, LAYER, ANSWER, UNIT, CONCEPTS = (
    f"pages/model/{name}.py" for name in ("network", "layer", "answer", "unit", "concepts")
)
MAX_UNIT_LETTERS = 200
_NEXT_PAGE = "inside_next_page"


def begin_page() -> None:
    """Begin a run of a page: go where a click leads, and restore what the page itself does not show."""
    show.write_style()
    background.begin()
    set_choice.restore()
    restore_unit()
    if page := st.session_state.pop(_NEXT_PAGE, None):
        st.switch_page(page, query_params=url_state.query())


def restore_unit() -> str:
    """Restore the name of the open unit and return its widget key; it may be empty, or name none of this model."""
    key = f"unit_{st.session_state['model']}"
    return url_state.restore("unit", "", lambda text: text.strip()[:MAX_UNIT_LETTERS], key=key)


def use_unit(name: str) -> None:
    """Callback: open a unit on this page."""
    url_state.set_value(restore_unit(), name)


def open_unit(name: str) -> None:
    """Callback: open a unit on its own page."""
    use_unit(name)
    st.session_state[_NEXT_PAGE] = UNIT


def open_layer(model: xai_core.Classifier, layer: str) -> None:
    """Callback: open a layer on its own page."""
    url_state.set_value(layers.restore(model), layer)
    st.session_state[_NEXT_PAGE] = LAYER


def open_concepts(model: xai_core.Classifier, layer: str) -> None:
    """Callback: open the page of the concepts of a layer's units."""
    url_state.set_value(layers.restore(model), layer)
    st.session_state[_NEXT_PAGE] = CONCEPTS


def render_set_hint(model: xai_core.Classifier, current: str) -> None:
    """Offer the bundled picture set that is made for this model, where another one is in use."""
    specs = [spec for spec in IMAGE_SETS.specs() if spec.model == model.name and spec.available()]
    if specs and current not in {spec.name for spec in specs} and current in IMAGE_SETS:
        st.button(
            f"Use “{specs[0].title}”, which is made for this model",
            on_click=url_state.set_value,
            args=("set", specs[0].name),
            icon=":material/swap_horiz:",
        )
