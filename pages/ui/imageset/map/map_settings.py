"""Settings and computation of the map of a picture set, and small maps at several perplexities."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from pages.ui.frame import url_state
from pages.ui.frame.session import session_id
from pages.ui.imageset.map import point_colours
from pages.ui.imageset.page_context import PageContext
from pages.ui.widgets import background, forms, show
from xai_core import imageset
from xai_core.formatting import join_words, score
from xai_core.imageset import MAPS, Map
from xai_core.params import Value
from xai_core.render import draw_points

SOURCES = {"model": "What the model sees", "pixels": "The pixels"}
AXES = {"2": "Flat (2-D)", "3": "In space (3-D)"}
DEFAULT_KIND = "tsne"
STILLS_PER_ROW = 4
STILL_PX = 220
TSNE_TEXT = (Path(__file__).resolve().parents[4] / "assets" / "imagesets" / "tsne.md").read_text(encoding="utf-8")


class Settings(NamedTuple):
    """Settings of a map."""

    kind: str
    axes: int
    source: str
    params: Mapping[str, Value]
    seed: int

    @property
    def key(self) -> tuple[Hashable, ...]:
        return self.kind, self.axes, self.source, tuple(sorted(self.params.items())), self.seed


def _render_kind() -> str:
    """Render the choice among the available kinds of maps, with a hint on how to get the others."""
    missing = {spec.name: reason for spec in MAPS.specs() if (reason := spec.refusal())}
    names = [name for name in MAPS if name not in missing]
    key = url_state.restore(
        "map",
        DEFAULT_KIND if DEFAULT_KIND in names else names[0],
        url_state.option_reader("kind of map", names),
        title=lambda name: MAPS.get(name).title,
    )
    kind = str(
        st.selectbox("Kind of map", names, url_state.index_of(names, key), lambda name: MAPS.get(name).title, key=key)
    )
    st.caption(MAPS.get(kind).about)
    for name, reason in missing.items():
        st.caption(f"{MAPS.get(name).title}: {reason}")
    return kind


def render_settings() -> Settings:
    """Render the settings of the map and return them."""
    with st.expander("Settings of the map", icon=":material/tune:"):
        left, right = st.columns(2, gap="large")
        with left:
            kind = _render_kind()
            source = forms.render_segments("map_of", "Based on *(embedding or raw pixels)*", SOURCES, "model")
            axes = forms.render_segments("map_axes", "Dimensions", AXES, "2")
        with right:
            params = forms.render_params(MAPS.get(kind).params, 0, kind)
            seed = forms.render_seed()
    return Settings(kind, int(axes), source, params, seed)


def write_settings(settings: Settings) -> None:
    """Write what the map shows."""
    words = (text[0].lower() + text[1:] for text in (SOURCES[settings.source], AXES[str(settings.axes)]))
    show.write(f"Shown: {MAPS.get(settings.kind).title}, {', '.join(words)}.", quiet=True)


def request_map(page: PageContext, settings: Settings) -> Map | None:
    """Return the map, or None while the page shows its progress."""
    data = page.seen if settings.source == "model" else page.pictures
    return background.follow(
        ("map", page.seen.id, *settings.key),
        lambda: imageset.start_map(
            data, settings.kind, settings.axes, settings.params, settings.seed, None, session_id()
        ),
        f"Making the map: {MAPS.get(settings.kind).title}",
    )


def _format_perplexity(perplexity: float) -> str:
    """Return a perplexity with one decimal where it is capped to a fraction."""
    return f"{perplexity:.1f}".removesuffix(".0")


def _list_common_notes(projections: list[Map]) -> list[str]:
    """Return the notes that all maps have; the one on a capped perplexity belongs to one of them."""
    return [note for note in projections[0].notes if all(note in projection.notes for projection in projections)]


def _draw_stills(page: PageContext, projections: list[Map], effective: Mapping[float, float]) -> None:
    """Draw the maps; `effective` is the perplexity in force for each requested one."""
    paint = point_colours.restore_colouring(page)
    for start in range(0, len(projections), STILLS_PER_ROW):
        for projection, column in zip(
            projections[start : start + STILLS_PER_ROW], st.columns(STILLS_PER_ROW), strict=False
        ):
            drawn = draw_points(projection.points, paint(projection.rows).colours, STILL_PX)
            perplexity = effective[float(projection.params["perplexity"])]
            title = f"Perplexity {_format_perplexity(perplexity)}, seed {projection.seed}"
            column.image(
                drawn, f"{title}, trust {score(projection.trustworthiness)}", width="stretch", alt=f"Map: {title}"
            )


def render_reading_help(page: PageContext, settings: Settings) -> None:
    """Render a text on how to read t-SNE, and the same pictures at several perplexities."""
    with st.expander("How t-SNE makes a map, and how not to read it", icon=":material/help:"):
        st.markdown(TSNE_TEXT)
    st.subheader("Is it real?")
    show.write(
        "Maps by t-SNE with several settings: what looks the same at every perplexity and every seed may be real. What "
        "changes is not.",
        quiet=True,
    )
    count = int(page.seen.valid.sum()) if settings.source == "model" else len(page.pictures)
    choice = imageset.choose_perplexities(count)
    listed = join_words(list(map(_format_perplexity, choice.effective)))
    requested: set[tuple[str, str]] = st.session_state.setdefault("set_multiples", set())
    key = (page.seen.id, settings.source)
    if key not in requested and not st.button(
        f"Show the map at {'perplexities' if len(choice.effective) > 1 else 'perplexity'} {listed}",
        icon=":material/grid_view:",
    ):
        return
    requested.add(key)
    projections = background.follow(
        ("multiples", *key),
        lambda: imageset.start_multiples(
            page.seen if settings.source == "model" else page.pictures, choice.requested, session_id=session_id()
        ),
        "Making small maps",
    )
    if projections is not None:
        _draw_stills(page, projections, dict(zip(choice.requested, choice.effective, strict=True)))
        show.write_list(filter(None, (choice.note, *_list_common_notes(projections))))
