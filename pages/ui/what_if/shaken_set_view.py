"""A whole set under shakes: which of them changes the answers to which class."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.frame import link_readers, url_state
from pages.ui.imageset import page_context
from pages.ui.model import navigation
from pages.ui.widgets import background, forms, show
from xai_core import imageset
from xai_core.formatting import percent
from xai_core.imageset import ImageSet, ShakenSet
from xai_core.render import tables
from xai_core.shakes import SHAKES

COUNTS = {"24": "24", "60": "60", "120": "120", "240": "240"}
# The severities of corruptions repeat what other shakes do, so they are left out unless chosen.
USUAL = [shake.name for shake in SHAKES.specs() if shake.group != "severity"]


def _render_shakes() -> list[str]:
    usual, nothing = "All but damage from 1 to 5", list[str]()
    key = url_state.restore(
        "set_shakes",
        nothing,
        link_readers.names_reader("shake", SHAKES),
        ",".join,
        title=lambda names: ", ".join(SHAKES.get(name).title for name in names) or usual,
    )
    chosen = st.multiselect(
        "Shakes",
        list(SHAKES),
        url_state.value_of(key),
        format_func=lambda name: f"{SHAKES.get(name).title}: {SHAKES.get(name).describe(SHAKES.get(name).strong)}",
        key=key,
        placeholder=usual,
    )
    return chosen or USUAL


def render(model: xai_core.Classifier) -> None:
    """Render the share of changed answers by class and shake, over pictures of the set in use."""
    dataset = page_context.require_set()
    page_context.render_set_link(dataset)
    navigation.render_set_hint(model, dataset.name)
    chosen = _render_shakes()
    limit = int(forms.render_segments("shaken", "Pictures, at most", COUNTS, "60"))
    seed = forms.restore_seed()
    result = background.compute(
        ("shaken set", dataset.id, model.name, model.weights_sha256, tuple(chosen), limit, seed),
        lambda job: imageset.shake_set(dataset, model, _list_labels(dataset), chosen, limit, seed, job),
        "Shaking the pictures of the set",
        cost=float(min(limit, len(dataset)) * (1 + len(chosen))),
    )
    if result is not None:
        _render_result(result)


def _list_labels(dataset: ImageSet) -> list[str] | None:
    """Return the label of each picture, None where the set has none."""
    return [page_context.label_of(dataset, row) for row in range(len(dataset))] if dataset.classes else None


def _render_result(result: ShakenSet) -> None:
    show.write_strong(imageset.describe_shaken_set(result))
    count = int(result.counts.sum())
    grouped = "their labels" if result.by_label else "the model's answers"
    show.write(
        f"{count:,} of {result.selected:,} pictures, evenly spread over the set and grouped by {grouped}. Each shake "
        "has one strength here. An answer counts as changed if it is not the one to the picture as it is, right or "
        "wrong.",
        quiet=True,
    )
    names = [name or page_context.NO_LABEL for name in result.classes]
    figure = tables.draw_broken_classes(result.shakes, names, result.counts, result.broken, show.is_dark())
    show.draw_figure(figure, "broken_classes")
    with st.expander("Every class"):
        columns = {"Class": names, "Pictures": result.counts.tolist()}
        shares = {
            title: [percent(share) for share in column]
            for title, column in zip(result.shakes, result.broken.T.tolist(), strict=True)
        }
        st.dataframe(columns | shares, hide_index=True, width="stretch")
