"""The classes a page about a set speaks in: the model's, each label matched to one, or own ones learnt from the set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import streamlit as st

import xai_core
from pages.ui.frame import url_state
from pages.ui.image import classes
from pages.ui.imageset import clickable_tables, set_choice
from pages.ui.widgets import background, show
from pages.ui.widgets.words import format_label
from xai_core import UnknownName, imageset
from xai_core.arrays import Int32
from xai_core.imageset import ClassHead, ImageSet, ModelOutputs
from xai_core.params import Flag

NONE = -1
_BY_NUMBER = "The labels are numbers: take them for the places of the model's classes"
_LEARN = "Learn these labels from the pictures, and answer in them"
_LEARN_HELP = (
    "A small model (multinomial logistic regression) learns the labels of this set from what the network sees in its "
    "pictures. Each picture is judged by one that did not learn from it."
)


class Speaker(classes.Labelled, Protocol):
    """The owner of the classes that answers are in: a `Classifier`, or `OwnClasses`."""

    @property
    def title(self) -> str: ...


@dataclass(frozen=True)
class OwnClasses:
    """The classes of a set, learnt on the features of a model."""

    title: str
    labels: tuple[str, ...]

    def class_index(self, text: str, /) -> int:
        """Return the class of a label. Raises UnknownName."""
        if text not in self.labels:
            raise UnknownName.of("class", text, self.labels)
        return self.labels.index(text)


def _key(name: str, dataset: ImageSet, model: xai_core.Classifier) -> str:
    return f"{name}_of_{dataset.id[:12]}_{model.name}"


def _restore_flag(name: str, dataset: ImageSet, model: xai_core.Classifier, allowed: bool) -> None:
    flag = Flag(name=name, title=name, help="", default=False)
    url_state.restore(
        name,
        False,
        lambda text: bool(flag.check(text, 0)) and allowed,
        lambda value: str(value).lower(),
        _key(name, dataset, model),
    )


def restore(dataset: ImageSet, model: xai_core.Classifier) -> None:
    """Restore the choices; call it once in a run, before all others here."""
    _restore_flag("by_number", dataset, model, dataset.can_match_by_number(model))
    _restore_flag("own_classes", dataset, model, len(dataset.classes) > 1)


def _manual_classes(dataset: ImageSet, model: xai_core.Classifier) -> dict[str, int]:
    """Return the classes that the visitor has given to labels of this set, by label."""
    given: dict[str, int] = st.session_state.setdefault("given_classes", {}).setdefault((dataset.id, model.name), {})
    return given


def match(dataset: ImageSet, model: xai_core.Classifier) -> Int32:
    """Return the model's class of each picture's label, (N,); -1 where the model does not know it."""
    by_number = bool(st.session_state[_key("by_number", dataset, model)])
    return dataset.match_classes(model, by_number=by_number, given=_manual_classes(dataset, model))


def speaks_own(dataset: ImageSet, model: xai_core.Classifier) -> bool:
    """Say if the answers are to be in the set's own classes."""
    return bool(st.session_state[_key("own_classes", dataset, model)])


def request_head(dataset: ImageSet, run: ModelOutputs) -> ClassHead | None:
    """Return the head that has learnt the set's classes, or None while it learns or where it cannot."""
    return background.compute(
        ("own classes", run.id),
        lambda job: imageset.learn_classes(run, dataset.labels, dataset.classes, job=job),
        "Learning the labels of this set",
        cost=100.0,
        again=False,
    )


def request_answers(head: ClassHead, run: ModelOutputs) -> ModelOutputs | None:
    """Return a run with the head's classes in place of the model's, or None while it is computed."""
    return background.compute(
        ("own answers", head.id, run.id), lambda _job: head.apply(run), "Asking in the labels of this set"
    )


def render(dataset: ImageSet, model: xai_core.Classifier) -> None:
    """Render the matching of the set's labels to the model's classes, and the choice to learn own ones."""
    if not dataset.classes:
        return
    if dataset.can_match_by_number(model):
        key = _key("by_number", dataset, model)
        if st.toggle(_BY_NUMBER, url_state.value_of(key), key=key, help="Counted from 0, as in most lists of classes."):
            truth = match(dataset, model)
            row = int((truth >= 0).argmax())
            label, name = dataset.classes[int(dataset.labels[row])], model.labels[int(truth[row])]
            show.write(f"So “{label}” is “{name}” here. If that is not what it shows, turn this off.", quiet=True)
    key = _key("own_classes", dataset, model)
    if len(dataset.classes) > 1 and (NONE in _match_labels(dataset, model) or url_state.value_of(key)):
        st.toggle(_LEARN, url_state.value_of(key), key=key, help=_LEARN_HELP)


def _match_labels(dataset: ImageSet, model: xai_core.Classifier) -> list[int]:
    """Return the model's class of each label, in the order of the set's classes."""
    labels, first = np.unique(dataset.labels, return_index=True)
    rows = dict(zip(labels.tolist(), match(dataset, model)[first].tolist(), strict=True))
    return [rows.get(place, NONE) for place in range(len(dataset.classes))]


def render_mapping(dataset: ImageSet, model: xai_core.Classifier) -> None:
    """Render the list of labels with the model's class of each, and a search to change one."""
    if not dataset.classes or speaks_own(dataset, model):
        return
    matched, words = _match_labels(dataset, model), classes.number_repeats(model.labels)
    if NONE not in matched and set_choice.recommended_model(dataset) == model.name:
        return
    known = sum(index != NONE for index in matched)
    title = f"Which class of the model is which label? ({known} of {len(matched)} matched)"
    with st.expander(title, icon=":material/sync_alt:"):
        _render_editor(dataset, model, matched, words)


def _render_editor(dataset: ImageSet, model: xai_core.Classifier, matched: Sequence[int], words: Sequence[str]) -> None:
    label_key, class_key = "mapped_label", f"mapped_class_{classes.hash_labels(model.labels)}"
    names = list(dataset.classes)
    if st.session_state.get(label_key) not in names:
        # The first that the model does not know is the first to be told.
        st.session_state[label_key] = names[next((k for k, index in enumerate(matched) if index == NONE), 0)]
    matched_class = matched[names.index(st.session_state[label_key])]
    # An equal value that is set again would take back what is clicked just now.
    if st.session_state.get(class_key) != matched_class:
        st.session_state[class_key] = matched_class

    def give() -> None:
        _manual_classes(dataset, model)[st.session_state[label_key]] = int(st.session_state[class_key])

    left, right = st.columns(2)
    with left:
        st.selectbox("Label of the set", names, format_func=format_label, key=label_key)
    with right:
        st.selectbox(
            "is the model's class",
            [NONE, *range(len(words))],
            format_func=lambda index: "None of them" if index == NONE else words[index],
            key=class_key,
            on_change=give,
            help="Type to search all classes.",
        )

    def take(place: int, _column: str) -> None:
        st.session_state[label_key] = names[place]

    class_words = ["none of them" if index == NONE else words[index] for index in matched]
    frame = pd.DataFrame(
        {"Label": list(map(format_label, names)), "The model's class": list(map(format_label, class_words))}
    )
    clickable_tables.draw_table(
        frame, f"class_mapping_{dataset.id}", take, "The labels and the model's class of each.", most=6
    )
    if _manual_classes(dataset, model):
        st.button("Match by name again", on_click=_manual_classes(dataset, model).clear, icon=":material/undo:")
