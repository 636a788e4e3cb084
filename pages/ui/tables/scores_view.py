"""Scores of a model on held-out rows, each with a sentence, and the curves behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from pages.ui.tables import page_context
from pages.ui.widgets import show
from pages.ui.widgets.words import format_label
from xai_core.formatting import number, percent, score
from xai_core.render import tables as figures
from xai_core.tabular import OutcomeCurves, Scores, TabularModel

# plain title, technical name, form of the number
TITLES: Mapping[str, tuple[str, str, Callable[[float], str]]] = {
    "accuracy": ("Right answers", "accuracy", percent),
    "precision": ("Right when it says so", "precision", percent),
    "recall": ("Share it finds", "recall", percent),
    "f1": ("Both combined", "F1", percent),
    "roc_auc": ("Ranks well", "ROC AUC", score),
    "calibration": ("Probabilities off by", "calibration error", percent),
    "r2": ("Explained", "R²", score),
    "mae": ("Usual error", "mean absolute error", number),
    "mse": ("Squared error", "mean squared error", number),
}


def _render_tiles(scores: Scores) -> None:
    named = list(scores.values.items())
    for start in range(0, len(named), 2):
        for (name, value), column in zip(named[start : start + 2], st.columns(2), strict=False):
            title, technical, write = TITLES[name]
            with column.container(border=True, height="stretch"):
                st.metric(f"{title} *({technical})*", write(value))
                show.write(scores.sentences.get(name, ""), quiet=True)


def _render_folds(model: TabularModel, scores: Scores) -> None:
    if not model.cross_validation:
        return
    words, write = ("R²", score) if model.table.task == "regression" else ("right answers", percent)
    st.markdown(f"**Was that luck?** *(cross-validation, {len(model.cross_validation)} parts)*")
    listed = ", ".join(map(write, model.cross_validation))
    show.write(scores.sentences.get("cross_validation", ""))
    show.write(f"The {words} of each part: {listed}.", quiet=True)


def _render_curves(curves: tuple[OutcomeCurves, ...]) -> None:
    chosen = curves[0]
    if len(curves) > 1:
        words = [format_label(curve.label) for curve in curves]
        chosen = curves[st.selectbox("Curves of", range(len(curves)), format_func=words.__getitem__, key="curves_of")]
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Found, and at what price** *(ROC curve)*")
        if len(chosen.false_positives):
            show.draw_figure(figures.draw_roc(chosen.false_positives, chosen.true_positives, chosen.area), "roc")
        else:
            show.write("The held-out rows are all alike here, so there is no curve.", quiet=True)
    with right:
        st.markdown("**Does 70 % mean 70 %?** *(calibration)*")
        show.draw_figure(figures.draw_calibration(chosen.predicted, chosen.actual, chosen.counts), "calibration")


def render(model: TabularModel) -> None:
    """Render all scores of a model on its held-out rows."""
    scores = page_context.score_model(model)
    if scores is None:
        return
    show.write_warning(scores.weakness)
    show.write(f"Tested on {scores.rows:,} rows that it has never seen.", quiet=True)
    _render_tiles(scores)
    _render_folds(model, scores)
    show.write_list(model.notes)
    if scores.confusion is not None:
        st.markdown("**Which outcomes does it mix up?** *(confusion matrix)*")
        show.draw_figure(figures.draw_confusion(scores.confusion, model.table.classes, show.is_dark()), "confusion")
        show.write(scores.sentences.get("confusion", ""), quiet=True)
        _render_curves(scores.curves)
    else:
        st.markdown("**Truth against prediction**")
        show.draw_figure(figures.draw_fit(scores.actual, scores.predicted, model.table.target_name), "fit")
