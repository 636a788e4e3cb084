"""Choice of a row, and the form that changes its values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.frame import url_state
from pages.ui.tables.page_context import PageContext
from pages.ui.widgets import background, show
from pages.ui.widgets.words import escape_markdown, format_label
from xai_core import formatting
from xai_core.params import Int
from xai_core.tabular import Column, Table

MAX_ROWS = 200
FIELDS_PER_ROW = 3
ANY = ""
_EPOCH = pd.Timestamp("1970-01-01")
_YES_NO = ("no", "yes")


def _request_scores(page: PageContext) -> npt.NDArray[np.float64] | None:
    """Return the explained number of each row of the table, (N,); None while it is computed."""
    return background.compute(
        ("scores", page.model.id, page.outcome),
        lambda _job: page.model.score(page.table.frame, page.outcome),
        "Asking the model about all rows",
    )


def _format_truth(table: Table, rows: npt.NDArray[np.integer]) -> list[str]:
    return [table.classes[k] if table.classes else formatting.number(k) for k in table.target[rows]]


def _render_filters(page: PageContext, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.integer]:
    """Render the filters by outcome, score range and held-out rows; return the row numbers that pass."""
    left, right = st.columns(2, gap="large")
    fits = np.ones(len(page.table), dtype=bool)
    with left:
        if page.table.classes:
            options = [ANY, *page.table.classes]
            truth = st.selectbox(
                "True outcome", options, format_func=lambda name: format_label(name) if name else "Any", key="row_truth"
            )
            fits &= np.array([truth in (ANY, page.table.classes[k]) for k in page.table.target])
        if st.toggle("Only rows that the model has never seen", value=True, key="row_unseen"):
            fits &= np.isin(np.arange(len(page.table)), page.model.test_rows)
    with right:
        low, high = float(np.floor(scores.min() * 100) / 100), float(np.ceil(scores.max() * 100) / 100)
        if low < high:
            bounds = st.slider(
                "Prediction between", low, high, (low, high), key=f"row_range_{page.model.id}_{page.outcome}"
            )
            fits &= (scores >= bounds[0]) & (scores <= bounds[1])
    return np.flatnonzero(fits)


def _take_clicked_row(key: str, widget: str, rows: list[int]) -> None:
    """Callback: use the row that was clicked."""
    chosen = st.session_state[widget].selection.rows
    if chosen and chosen[0] < len(rows):
        url_state.set_value(key, rows[chosen[0]])


def _render_browser(page: PageContext, key: str) -> None:
    scores = _request_scores(page)
    if scores is None:
        return
    matches = _render_filters(page, scores)
    rows = matches[:MAX_ROWS]
    st.caption(
        f"{len(matches):,} rows fit{f'; the first {MAX_ROWS} are shown' if len(matches) > MAX_ROWS else ''}. "
        f"Tick one to look at it."
    )
    shown = {
        column.name: [column.show(value) for value in page.table.frame[column.name].iloc[rows]]
        for column in page.table.columns
    }
    frame = pd.DataFrame(shown, index=pd.Index(rows, name="Row"))
    frame.insert(0, "Prediction", [formatting.number(float(value)) for value in scores[rows]], allow_duplicates=True)
    frame.insert(1, "Truth", _format_truth(page.table, rows), allow_duplicates=True)
    frame.columns = pd.Index(_rename_repeats(frame.columns))
    widget = f"row_table_{page.model.id}_{page.outcome}"

    def take_click() -> None:
        _take_clicked_row(key, widget, rows.tolist())

    alt = "The rows that fit, with the model's prediction and the truth."
    st.dataframe(frame, height=260, key=widget, on_select=take_click, selection_mode="single-row", alt=alt)


def _rename_repeats(names: Any) -> list[str]:
    """Return distinct column names; a table may have a column “Truth” of its own."""
    distinct: list[str] = []
    for name in names:
        distinct.append(name if name not in distinct else f"{name} (column)")
    return distinct


def render_choice(page: PageContext) -> int:
    """Render the choice of a row; return its number, kept in the link for each table."""
    last = len(page.table) - 1
    param = Int(
        name="row",
        title="Row number",
        help=f"From 0 to {last}.",
        default=int(page.model.test_rows[0]),
        low=0,
        high=last,
    )
    key = url_state.restore(
        "row",
        int(param.default_for(0)),
        lambda text: param.check(text, 0),
        key=f"row_of_{page.table.sha256[:12]}",
        title=lambda row: f"row {row}",
    )
    with st.expander("Choose a row from the table", icon=":material/table_rows:"):
        _render_browser(page, key)
    with st.container(width=240):
        number = int(st.number_input(param.title, 0, last, url_state.value_of(key), 1, key=key, help=param.help))
    seen = number not in page.model.test_rows
    truth = _format_truth(page.table, np.array([number]))[0]
    origin = "The model learnt from this row." if seen else "The model has never seen this row."
    show.write(f"Truth: {page.table.target_name} is {truth}. {origin}")
    return number


def _to_widget_value(column: Column, value: Any) -> Any:
    """Return a cell as its widget takes it; None where it has no value."""
    if value is None or value != value:
        return None
    if column.kind == "category":
        return str(value)
    if column.kind == "boolean":
        return _YES_NO[int(value >= 0.5)]
    if column.kind == "date":
        return (_EPOCH + pd.Timedelta(days=float(value))).date()
    return int(value) if column.whole else float(value)


def choose_step(column: Column) -> float | int:
    """Return about a fiftieth of the range, as a round number."""
    rough = (column.high - column.low) / 50
    nice = 10.0 ** math.floor(math.log10(rough)) if rough > 0 and math.isfinite(rough) else 1.0
    return max(int(nice), 1) if column.whole else nice


def _render_widget(column: Column, key: str) -> Any:
    label, value = escape_markdown(column.name), url_state.value_of(key)
    if column.kind in ("category", "boolean"):
        options = list(column.categories if column.kind == "category" else _YES_NO)
        place = options.index(value) if value in options else None
        return st.selectbox(label, options, place, format_label, key=key, placeholder="missing")
    if column.kind == "date":
        low, high = (_to_widget_value(column, end) for end in (column.low, column.high))
        return st.date_input(label, value, low, high, key=key)
    kind = int if column.whole else float
    form = "%d" if column.whole else "%.6g"
    return st.number_input(
        label, kind(column.low), kind(column.high), value, choose_step(column), form, key=key, placeholder="missing"
    )


def _key_prefix(table: Table, number: int) -> str:
    return f"cell_{table.sha256[:12]}_{number}_"


def set_values(table: Table, number: int, values: Mapping[str, Any]) -> None:
    """Callback: put these stored values into the form."""
    edits = st.session_state.setdefault("what_if", {})
    for place, column in enumerate(table.columns):
        if column.name in values:
            key = f"{_key_prefix(table, number)}{place}"
            st.session_state[key] = edits[key] = _to_widget_value(column, values[column.name])


def _reset_values(table: Table, number: int) -> None:
    set_values(table, number, table.take([number]).iloc[0].to_dict())


def render_form(table: Table, number: int) -> tuple[pd.DataFrame, list[str]]:
    """Render a widget for each feature; return the edited row and the features that differ from the table's."""
    prefix, state, own = _key_prefix(table, number), st.session_state, table.take([number]).iloc[0]
    edits = {key: value for key, value in state.get("what_if", {}).items() if key.startswith(prefix)}
    values, changed = {}, []
    columns: Sequence[DeltaGenerator] = ()
    for place, column in enumerate(table.columns):
        key, start = f"{prefix}{place}", _to_widget_value(column, own[column.name])
        if key not in state:
            state[key] = edits.get(key, start)
        if place % FIELDS_PER_ROW == 0:
            columns = st.columns(FIELDS_PER_ROW)  # a row each, so that a phone shows them in the table's order
        with columns[place % FIELDS_PER_ROW]:
            edits[key] = _render_widget(column, key)
        url_state.remember(key)
        values[column.name] = own[column.name] if edits[key] == start else edits[key]
        if edits[key] != start:
            changed.append(column.name)
    state["what_if"] = edits
    st.button(
        "Return to the original row",
        on_click=_reset_values,
        args=(table, number),
        disabled=not changed,
        icon=":material/undo:",
    )
    return table.row(values), changed
