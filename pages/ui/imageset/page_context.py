"""Head of a page about a picture set: set, model and layer, and the model's run over all pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import streamlit as st

import xai_core
from pages.ui.frame import url_state
from pages.ui.frame.session import session_id
from pages.ui.image import layers
from pages.ui.imageset import class_choice, set_choice
from pages.ui.imageset.class_choice import OwnClasses, Speaker
from pages.ui.widgets import background, models, show
from xai_core import imageset
from xai_core.arrays import Int32
from xai_core.formatting import percent
from xai_core.imageset import CORRUPTIONS, ClassHead, ImageSet, ModelOutputs

SET_PAGE = "pages/imageset/set.py"
NO_LABEL = "no label"
NEXT_PAGES = {
    "pages/imageset/map.py": ("See the map", ":material/bubble_chart:"),
    "pages/imageset/extremes.py": ("Best and worst", ":material/swap_vert:"),
    "pages/imageset/set_scores.py": ("How good is the model?", ":material/leaderboard:"),
}
# Words for the severities of a change.
SEVERITIES = {1: "a little", 2: "clearly", 3: "strongly"}


@dataclass(frozen=True, eq=False)
class PageContext:
    """Set, model, layer and run of a page about a picture set, and the classes it speaks in."""

    pictures: ImageSet
    model: xai_core.Classifier
    layer: str
    seen: ModelOutputs
    """The model's own answers and features."""
    run: ModelOutputs
    """The same features, and answers in the classes of `speaker`."""
    truth: Int32
    """Class index of each picture's label, (N,); -1 where the speaker does not know it."""
    speaker: Speaker
    head: ClassHead | None = None
    """Head of the set's own classes, if the page speaks in them."""

    def request_answers(self, run: ModelOutputs) -> ModelOutputs | None:
        """Return a run of the model in the classes of the page, or None while it is computed."""
        return run if self.head is None else class_choice.request_answers(self.head, run)

    @cached_property
    def truth_id(self) -> str:
        """Hash of the truth, for the keys of what is counted with it."""
        return hashlib.sha256(self.truth.tobytes()).hexdigest()[:16]

    def label(self, row: int) -> str:
        """Return the label of a picture in its set, or an empty text."""
        return label_of(self.pictures, row)

    def says(self, row: int) -> str:
        """Return the predicted label, an empty text for a picture that could not be read."""
        return "" if not self.run.valid[row] else self.speaker.labels[int(self.run.predictions[row])]

    def words(self, row: int) -> str:
        """Return a picture in one line: label, prediction and confidence."""
        if not self.run.valid[row]:
            return f"{self.pictures.names[row]} could not be read"
        label, answer = self.label(row), f"the model says {self.says(row)} ({percent(self.run.confidence[row])})"
        return f"{label}; {answer}" if label else answer

    @property
    def after(self) -> str:
        """Words on the change of the pictures, to end a sentence with; empty where they were not changed."""
        return f", after the change: {describe_change(self.run.corruption)}" if self.run.corruption else ""


def describe_change(text: str) -> str:
    """Return a change of the pictures ("blur:3") in words."""
    name, _, strength = text.partition(":")
    title = CORRUPTIONS.get(name).title
    return f"{title}, {SEVERITIES[int(strength)]}" if strength else title


def count_pictures(count: int) -> str:
    """Return a number of pictures in words."""
    return f"{count:,} picture{'' if count == 1 else 's'}"


def label_of(pictures: ImageSet, row: int) -> str:
    """Return the label of a picture in its set, or an empty text."""
    place = int(pictures.labels[row])
    return pictures.classes[place] if place >= 0 else ""


def begin_page() -> None:
    """Begin a run of a page about picture sets, and restore the choices of the other ones."""
    show.write_style()
    background.begin()
    set_choice.restore()


def render_next_buttons() -> None:
    """Render the ways to the other pages about the set."""
    with st.container(horizontal=True):
        for page, (title, icon) in NEXT_PAGES.items():
            if st.button(title, type="primary" if "map" in page else "secondary", icon=icon):
                st.switch_page(page, query_params=url_state.query())


def render_set_link(dataset: ImageSet, words: str = "Pictures from") -> None:
    """Render where the pictures of a page come from, as a link to the page of sets."""
    st.page_link(
        SET_PAGE,
        label=f"{words}: {set_choice.current_title(dataset)}",
        icon=":material/photo_library:",
        query_params=url_state.query(),
    )


def require_set() -> ImageSet:
    """Return the set in use; end the run where there is none."""
    dataset = set_choice.current_set()
    if dataset is None:
        st.page_link(
            SET_PAGE, label="Choose a picture set", icon=":material/photo_library:", query_params=url_state.query()
        )
        background.finish()
    return dataset


def request_run(dataset: ImageSet, model: xai_core.Classifier, layer: str, corruption: str = "") -> ModelOutputs | None:
    """Return the model's run over all pictures, or None while the page shows its progress."""
    changed = f" ({describe_change(corruption)})" if corruption else ""
    return background.follow(
        ("pass", dataset.id, model.name, layer, corruption),
        lambda: imageset.start_run(dataset.id, model.name, layer, corruption, session_id()),
        f"{model.title} looks at {count_pictures(len(dataset))}{changed}",
    )


def _render_fit(dataset: ImageSet, model: xai_core.Classifier) -> None:
    """Write where the model knows none of the labels, and offer what may help."""
    class_choice.render(dataset, model)
    known = not dataset.classes or (class_choice.match(dataset, model) >= 0).any()
    if known or class_choice.speaks_own(dataset, model):
        return
    show.write(
        f"{model.title} knows none of the labels in this set, so its answers cannot be checked here.", quiet=True
    )
    best = set_choice.recommended_model(dataset)
    if best and best != model.name:
        title = xai_core.MODELS.get(best).title
        st.button(f"Use {title}", on_click=set_choice.use_model, args=(best,), icon=":material/swap_horiz:")


def render_head() -> PageContext:
    """Render the head of a page that needs a run over the set; end the page's run while there is none."""
    dataset = require_set()
    model = models.current_model()
    class_choice.restore(dataset, model)
    left, right = st.columns([3, 2], gap="large", vertical_alignment="bottom")
    with left:
        show.write(f"{set_choice.current_title(dataset)} · {count_pictures(len(dataset))} · {model.title}", quiet=True)
        st.page_link(
            SET_PAGE, label="Another picture set", icon=":material/photo_library:", query_params=url_state.query()
        )
        _render_fit(dataset, model)
    with right:
        layer = layers.render_choice(model)
    if layer is None:
        show.write_problem(f"{model.title} has no layer that can be examined. Choose another model in the sidebar.")
        background.finish()
    run = request_run(dataset, model, layer)
    if run is None:
        background.finish()
    class_choice.render_mapping(dataset, model)
    if not class_choice.speaks_own(dataset, model):
        return PageContext(dataset, model, layer, run, run, class_choice.match(dataset, model), model)
    head = class_choice.request_head(dataset, run)
    answers = None if head is None else class_choice.request_answers(head, run)
    if head is None or answers is None:
        background.finish()
    show.write(
        f"Answers are in the {len(head.classes)} labels of this set, learnt from {count_pictures(head.learnt)}: each "
        "picture is judged by a small model that did not learn from it (held out).",
        quiet=True,
    )
    speaker = OwnClasses(f"the model taught on {model.title}", dataset.classes)
    return PageContext(dataset, model, layer, run, answers, dataset.labels, speaker, head)
