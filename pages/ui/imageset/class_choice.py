"""The model's class that each label of a set stands for: by name, or, if the visitor says so, by number."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.frame import url_state
from pages.ui.widgets import show
from xai_core.arrays import Int32
from xai_core.imageset import ImageSet
from xai_core.params import Flag

_BY_NUMBER = Flag(name="by_number", title="The labels are numbers", help="Count the classes from 0.", default=False)
_TITLE = "The labels are numbers: take them for the places of the model's classes"


def _key(dataset: ImageSet, model: xai_core.Classifier) -> str:
    return f"by_number_of_{dataset.id[:12]}_{model.name}"


def restore(dataset: ImageSet, model: xai_core.Classifier) -> None:
    """Restore the choice; call it once in a run, before `render` and `match`."""
    key = _key(dataset, model)
    url_state.restore(
        "by_number",
        False,
        lambda text: bool(_BY_NUMBER.check(text, 0)) and dataset.can_match_by_number(model),
        lambda value: str(value).lower(),
        key,
    )


def match(dataset: ImageSet, model: xai_core.Classifier) -> Int32:
    """Return the model's class of each picture's label, (N,); -1 where the model does not know it."""
    return dataset.match_classes(model, by_number=bool(st.session_state[_key(dataset, model)]))


def render(dataset: ImageSet, model: xai_core.Classifier) -> None:
    """Render the choice where all labels are numbers that may be places of the model's classes."""
    if not dataset.can_match_by_number(model):
        return
    key = _key(dataset, model)
    if st.toggle(_TITLE, url_state.value_of(key), key=key, help="Counted from 0, as in most lists of classes."):
        truth = match(dataset, model)
        row = int((truth >= 0).argmax())
        label, name = dataset.classes[int(dataset.labels[row])], model.labels[int(truth[row])]
        show.write(f"So “{label}” is “{name}” here. If that is not what it shows, turn this off.", quiet=True)
