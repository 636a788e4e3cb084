"""Rows and columns of a comparison: what varies in each, and the requests that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import link_readers, session, url_state
from pages.ui.image import classes, framing
from pages.ui.image.panels import MapRequest
from pages.ui.widgets import models

MAX_MAPS = 24
DEFAULT_METHODS = ("grad_cam", "occlusion", "integrated_gradients", "lime")
OWN_PICTURE = ""
NOTHING = ""
Options = Mapping[str, str]


@dataclass(frozen=True)
class Subject:
    """Values of everything that does not vary. `chosen_target` is None while the target is the model's first guess."""

    model: xai_core.Classifier
    image: Image.Image
    original: Image.Image
    """The whole picture, of which `image` is the part that is explained."""
    target: classes.Target
    chosen_target: classes.Target | None
    seed: int = 0
    layers_vary: bool = False
    """True while layers vary: only methods that use one make sense then."""
    model_inputs: dict[tuple[str, str], Image.Image] = field(default_factory=dict)

    @cached_property
    def words(self) -> list[str]:
        return classes.number_repeats(self.model.labels)

    def model_input(self, model: xai_core.Classifier, picture: str) -> Image.Image:
        """Return the model input of a picture, one object for all cells that show it."""
        if (model.name, picture) not in self.model_inputs:
            self.model_inputs[model.name, picture] = model.preprocessing.model_input(self.picture(model, picture))
        return self.model_inputs[model.name, picture]

    def picture(self, model: xai_core.Classifier, name: str) -> Image.Image:
        """Return a picture by name; the page's own one framed as chosen, for this model."""
        is_own = name == OWN_PICTURE or (name == st.session_state["sample"] and not session.has_own_picture())
        if not is_own:
            return session.load_sample(name)
        return self.image if model is self.model else framing.frame(model, self.original)


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix, by names; where it has no class or picture, the page's are used."""

    method: str
    model: str
    picture: str = OWN_PICTURE
    layer: str | None = None
    index: int | None = None
    own_guess: bool = False
    """True where each picture is explained for its own first guess."""


def _list_methods(subject: Subject) -> Options:
    specs = (spec for spec in xai_core.METHODS.specs() if spec.uses_layer or not subject.layers_vary)
    return {spec.name: spec.full_title for spec in specs}


def _list_layers(subject: Subject) -> Options:
    model = subject.model
    return {
        layer.name: f"{model.stage(layer)} · {layer.grid[0]} × {layer.grid[1]} places · {layer.name}"
        for layer in model.offered_layers
    }


def _sample_evenly(names: Sequence[str], count: int = 4) -> list[str]:
    """Return a few of the names, evenly spaced from the first to the last."""
    steps = min(count, len(names))
    return [names[round(k * (len(names) - 1) / max(steps - 1, 1))] for k in range(steps)]


def _default_classes(subject: Subject) -> list[str]:
    guesses = xai_core.guess(subject.model, subject.image, min(3, len(subject.words))).classes
    return [str(index) for index, _, _ in guesses]


def _default_models(subject: Subject) -> list[str]:
    family = [spec.name for spec in xai_core.MODELS.specs() if spec.bundled and spec.family == subject.model.family]
    return list(dict.fromkeys([subject.model.name, *family]))


def _list_pictures(_subject: Subject) -> Options:
    own = {OWN_PICTURE: "Your picture"} if session.has_own_picture() else {}
    return own | {sample.name: sample.title for sample in xai_core.SAMPLES.specs()}


def _default_pictures(subject: Subject) -> list[str]:
    chosen = OWN_PICTURE if session.has_own_picture() else str(st.session_state["sample"])
    return list(dict.fromkeys([chosen, *(name for name in _list_pictures(subject) if name)]))[:3]


@dataclass(frozen=True)
class Axis:
    """Something that may vary: its options, the default ones, and their effect on a cell; `kind`: one of them."""

    name: str
    title: str
    kind: str
    options: Callable[[Subject], Options]
    usual: Callable[[Subject], Sequence[str]]
    change: Callable[[Cell, str], Cell]
    belongs_to: Callable[[Subject], str] = lambda _subject: ""
    """Scope of a stored choice: class 3 of a digit network is not class 3 of ImageNet."""


_METHODS = Axis(
    "methods",
    "Methods",
    "method",
    _list_methods,
    lambda subject: [name for name in (*DEFAULT_METHODS, *_list_methods(subject)) if name in _list_methods(subject)][
        : 3 if subject.layers_vary else len(DEFAULT_METHODS)
    ],
    lambda cell, name: replace(cell, method=name),
)
_CLASSES = Axis(
    "classes",
    "Classes",
    "class",
    lambda subject: {str(index): words for index, words in enumerate(subject.words)},
    _default_classes,
    lambda cell, index: replace(cell, index=int(index)),
    lambda subject: classes.hash_labels(subject.model.labels),
)
_LAYERS = Axis(
    "layers",
    "Layers",
    "layer",
    _list_layers,
    lambda subject: _sample_evenly(list(_list_layers(subject))),
    lambda cell, name: replace(cell, layer=name),
    lambda subject: subject.model.name,
)
_MODELS = Axis(
    "models",
    "Models",
    "model",
    lambda _subject: {spec.name: spec.title for spec in xai_core.MODELS.specs()},
    _default_models,
    lambda cell, name: replace(cell, model=name),
)
_PICTURES = Axis(
    "pictures",
    "Pictures",
    "sample picture",
    _list_pictures,
    _default_pictures,
    lambda cell, name: replace(cell, picture=name, own_guess=True),
)
AXES: Mapping[str, Axis] = {axis.name: axis for axis in (_METHODS, _CLASSES, _LAYERS, _MODELS, _PICTURES)}


def _render_axis_choice(place: str, title: str, usual: str, names: Sequence[str]) -> str:
    """Render the choice of the axis in one place of the page, among those still free."""
    titles = {NOTHING: "Nothing: one row"} | {name: axis.title for name, axis in AXES.items()}
    key = url_state.restore(
        place, usual, url_state.option_reader("choice of what to compare", titles), title=titles.__getitem__
    )
    if st.session_state[key] not in names:
        url_state.set_value(key, names[0])
    chosen: str = st.selectbox(title, names, url_state.index_of(names, key), format_func=titles.__getitem__, key=key)
    return chosen


def _render_options(axis: Axis, subject: Subject) -> Options:
    """Render the choice along an axis; return titles by name, the default ones where nothing is chosen."""
    options = axis.options(subject)
    usual = list(axis.usual(subject))
    nothing: list[str] = []
    key = url_state.restore(
        axis.name,
        nothing,
        link_readers.names_reader(axis.kind, options),
        lambda names: ",".join(filter(None, names)),
        f"{axis.name}_of_{axis.belongs_to(subject)}",
        lambda names: ", ".join(options[name] for name in names or usual),
    )
    url_state.set_value(key, [name for name in st.session_state[key] if name in options])
    empty = f"Chosen for you: {', '.join(options[name] for name in usual)}"
    chosen = st.multiselect(
        axis.title, list(options), url_state.value_of(key), format_func=options.__getitem__, key=key, placeholder=empty
    )
    return {name: options[name] for name in chosen or usual}


def _resolve_target(subject: Subject, cell: Cell, model: xai_core.Classifier) -> xai_core.TargetLike:
    """Return the class of a cell: its own, the picture's first guess (None), or the page's, by label elsewhere."""
    target = subject.chosen_target if cell.own_guess and cell.index is None else subject.target
    if cell.index is not None:
        target = (cell.index, target[1]) if isinstance(target, tuple) else cell.index
    if target is None or model.labels == subject.model.labels:
        return target
    if isinstance(target, tuple):
        label, contrast = (subject.model.labels[index] for index in target)
        return label, contrast
    return subject.model.labels[target]


def _plan_cell(subject: Subject, cell: Cell, request: MapRequest) -> MapRequest:
    """Return the request of a cell: planned, refused with a sentence, or waiting for its model."""
    spec = xai_core.METHODS.get(cell.method)
    try:
        model = subject.model if cell.model == subject.model.name else models.find_or_load(cell.model)
        if isinstance(model, xai_core.Job):
            return replace(request, loading=model, picture=subject.model_input(subject.model, cell.picture))
        request = replace(request, picture=subject.model_input(model, cell.picture))
        target, layer = _resolve_target(subject, cell, model), cell.layer if spec.uses_layer else None
        return replace(
            request,
            planned=xai_core.plan(
                model, subject.picture(model, cell.picture), cell.method, target, layer, seed=subject.seed
            ),
        )
    except xai_core.XaiError as problem:
        return replace(request, refusal=str(problem))


def _plan_cells(
    subject: Subject, start: Cell, rows: tuple[Axis | None, Options], columns: tuple[Axis, Options]
) -> list[MapRequest]:
    requests = []
    for (row, heading), (column, words) in product(rows[1].items(), columns[1].items()):
        cell = columns[0].change(rows[0].change(start, row) if rows[0] else start, column)
        own_words = () if columns[0] is _METHODS else (words,)
        name = "-".join(filter(None, (row, column))) or "own"
        requests.append(
            _plan_cell(subject, cell, MapRequest(cell.method, id=name, title=" ".join(own_words), row=heading))
        )
    return requests


def render_choices(subject: Subject) -> list[MapRequest]:
    """Render the choices; return the requests of all cells, row by row, at most MAX_MAPS."""
    left, right = st.columns(2, gap="large")
    with left:
        column_axis = AXES[_render_axis_choice("cols", "Side by side", _METHODS.name, list(AXES))]
    with right:
        row = _render_axis_choice(
            "rows", "One below the other", NOTHING, [NOTHING, *(name for name in AXES if name != column_axis.name)]
        )
    row_axis = AXES[row] if row else None
    subject = replace(subject, layers_vary=_LAYERS in (row_axis, column_axis))
    with left:
        columns = _render_options(column_axis, subject)
    with right:
        rows = _render_options(row_axis, subject) if row_axis else {NOTHING: ""}
    method = DEFAULT_METHODS[0]
    if _METHODS not in (row_axis, column_axis):
        link_readers.restore_entry("by", DEFAULT_METHODS[0], xai_core.METHODS)
        options = _list_methods(subject)
        if st.session_state["by"] not in options:
            url_state.set_value("by", DEFAULT_METHODS[0])
        method = st.selectbox(
            "Method", list(options), url_state.index_of(options, "by"), format_func=options.__getitem__, key="by"
        )
    fitting = max(MAX_MAPS // len(columns), 1)
    if len(columns) * len(rows) > MAX_MAPS:
        columns, rows = dict(list(columns.items())[:MAX_MAPS]), dict(list(rows.items())[:fitting])
        st.warning(
            f"At most {MAX_MAPS} maps fit on this page: the first {len(columns) * len(rows)} are shown.",
            icon=":material/grid_off:",
        )
    return _plan_cells(subject, Cell(method, subject.model.name), (row_axis, rows), (column_axis, columns))
