"""Head of a page about a model of a table: table, model and the outcome to explain."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import streamlit as st

from pages.ui.frame import url_state
from pages.ui.tables import model_choice, table_choice
from pages.ui.widgets import background, show
from pages.ui.widgets.words import format_label
from xai_core import UnknownName
from xai_core.tabular import Scores, Table, TabularModel, evaluate

# The choice of "what the model says of this row" among the numbers of outcomes.
ANSWER = -1
TABLE_PAGE, MODEL_PAGE = "pages/tables/data.py", "pages/tables/model.py"


class PageContext(NamedTuple):
    """Table, model and explained outcome of a page; `outcome` is None for a regression, `words` name the number.

    `follows_row`: the outcome is to be what the model says of the row, see `explain_answer`.
    """

    table: Table
    model: TabularModel
    outcome: int | None
    words: str
    follows_row: bool = False


def begin_page() -> None:
    """Begin a run of a table page, and restore the choices of the other ones."""
    show.write_style()
    background.begin()
    table_choice.restore()
    model_choice.restore()


def require_table() -> Table:
    """Return the table in use; end the run where there is none."""
    table = table_choice.current_table()
    if table is None:
        st.page_link(TABLE_PAGE, label="Choose a table", icon=":material/table:", query_params=url_state.query())
        background.finish()
    return table


def render_feature_choice(name: str, title: str, table: Table, start: str = "", *, in_link: bool = False) -> str:
    """Render a choice among the table's columns, kept in the link under `name` for each table.

    `in_link`: the link names the start too, for a start that depends on the model.
    """
    names = list(table.features)
    start = start or names[0]

    key = url_state.restore(
        name,
        "" if in_link else start,
        url_state.option_reader("column to choose", names),
        key=f"{name}_of_{table.sha256[:12]}",
        title=lambda chosen: format_label(chosen or start),
    )
    if st.session_state[key] not in names:
        url_state.set_value(key, start)
    return str(st.selectbox(title, names, url_state.index_of(names, key), format_label, key=key))


def use_feature(table: Table, feature: str, view: str) -> None:
    """Callback: show this feature in a view of the page about the model in general."""
    url_state.set_value(f"feature_of_{table.sha256[:12]}", feature)
    url_state.set_value("view", view)


def _render_outcome_choice(table: Table, *, for_row: bool) -> int | None:
    """Render the choice of the outcome; the default is the last class, for a row ANSWER."""
    if table.task == "regression":
        return None

    def read(text: str) -> int:
        if text not in table.classes:
            raise UnknownName.of("outcome", text, table.classes)
        return table.classes.index(text)

    start = ANSWER if for_row else len(table.classes) - 1
    key = f"{'row_' if for_row else ''}outcome_of_{table.sha256[:12]}"
    words = dict(enumerate(map(format_label, table.classes)))
    words = {ANSWER: "What the model says"} | words if for_row else words
    url_state.restore("outcome", start, read, lambda index: table.classes[index], key, words.__getitem__)
    return int(
        st.selectbox(
            "Which outcome to ask about", list(words), url_state.index_of(words, key), words.__getitem__, key=key
        )
    )


def _name_score(table: Table, outcome: int | None) -> str:
    return table.target_name if outcome is None else f"probability of {table.classes[outcome]}"


def explain_answer(page: PageContext, row: pd.DataFrame) -> PageContext:
    """Return the context with the outcome that the model gives a row, unless the visitor chose one."""
    if not page.follows_row:
        return page
    outcome = int(page.model.predict(row)[0].argmax())
    return page._replace(outcome=outcome, words=_name_score(page.table, outcome))


def score_model(model: TabularModel) -> Scores | None:
    """Return the scores on held-out rows, the same for all pages; None while they are made."""
    return background.compute(
        ("evaluate", model.id), lambda _job: evaluate(model), "Testing it on rows it has never seen"
    )


def render_weakness(model: TabularModel) -> None:
    """Render a banner if the model has learnt nothing; none where no rows are held out to tell."""
    scores = score_model(model) if len(model.test_rows) else None
    if scores is not None:
        show.write_warning(scores.weakness)


def render_head(*, for_row: bool = False, below_on_phones: bool = False) -> PageContext:
    """Render the head of a page that needs a trained model; end the run while there is none.

    `below_on_phones`: on a phone its choices stand below the figures.
    """
    table = require_table()
    model = model_choice.current_model(table, model_choice.restore_settings())
    show.write(f"{table.title} · {model.title}" if model else table.title, quiet=True)
    place = st.container(key="choices_below" if below_on_phones else "choices")
    left, right = place.columns([3, 2], gap="large", vertical_alignment="center")
    with left, st.container(horizontal=True):
        st.page_link(TABLE_PAGE, label="Another table", icon=":material/table:", query_params=url_state.query())
        st.page_link(
            MODEL_PAGE,
            label="Another model, and its scores",
            icon=":material/model_training:",
            query_params=url_state.query(),
        )
    with right:
        outcome = _render_outcome_choice(table, for_row=for_row)
    if model is None:
        background.finish()
    render_weakness(model)
    follows_row = outcome == ANSWER
    outcome = len(table.classes) - 1 if follows_row else outcome
    return PageContext(table, model, outcome, _name_score(table, outcome), follows_row)
