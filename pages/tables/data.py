"""The table: a bundled one or an own file, its target and its columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.frame import url_state
from pages.ui.tables import page_context, table_choice
from pages.ui.widgets import background, show
from xai_core.formatting import number, percent
from xai_core.render import tables as figures
from xai_core.tabular import Column, Table, histogram, rank_by_target

KINDS = {"numeric": "number", "category": "one of a few words", "boolean": "yes or no", "date": "date"}
MAX_ROWS = 200


def _format_values(column: Column) -> str:
    """Return the values of a column in one line."""
    if column.kind == "category":
        return ", ".join(column.categories[:6]) + (", …" if len(column.categories) > 6 else "")
    return f"{column.show(column.low)} to {column.show(column.high)}"


def _render_overview(table: Table) -> None:
    missing = sum(column.missing for column in table.columns)
    with st.container(horizontal=True):
        for title, value in (
            ("Rows", len(table)),
            ("Columns to learn from *(features)*", len(table.columns)),
            ("Missing values", missing),
        ):
            with st.container(width=220):
                st.metric(title, f"{value:,}")
    if missing:
        st.caption(
            "Missing values do no harm: a model either reads them as “missing” or gets the usual value of the column."
        )
    show.write_list(table.notes)


def _render_columns(table: Table) -> None:
    st.subheader("Contents")
    rows = [(column.name, KINDS[column.kind], _format_values(column), column.missing) for column in table.columns]
    overview = pd.DataFrame(rows, columns=["Column", "Kind", "Values", "Missing"])
    height, alt = min(38 + 35 * len(rows), 320), f"The {len(rows)} columns of the table."
    wide = {"Values": st.column_config.Column(width="large")}
    st.dataframe(overview, hide_index=True, height=height, alt=alt, column_config=wide)
    with st.expander(f"The first {min(MAX_ROWS, len(table))} rows", icon=":material/table_rows:"):
        first = table.frame.head(MAX_ROWS)
        shown = {column.name: [column.show(value) for value in first[column.name]] for column in table.columns}
        target = table.target[:MAX_ROWS]
        answers = [table.classes[k] for k in target] if table.classes else [number(v) for v in target]
        st.dataframe(
            pd.DataFrame(shown).assign(**{f"→ {table.target_name}": answers}),
            hide_index=False,
            alt="The first rows of the table.",
        )


def _draw_column(table: Table) -> None:
    strengths = background.compute(
        ("target", table.sha256), lambda _job: rank_by_target(table), "Comparing the columns with the target"
    )
    if strengths is None:
        return
    first = next(iter(strengths))
    name = page_context.render_feature_choice("column", "Look at one column", table, first)
    column, cells = table.column(name), table.frame[name].dropna()
    if not len(cells):
        show.write("This column has no values.")
    elif column.kind in ("category", "boolean"):
        counted = cells.map(column.show).value_counts()
        show.draw_figure(figures.draw_counts([str(value) for value in counted.index], counted.to_numpy()), "column")
    else:
        write = column.show if column.kind == "date" or column.holds_years else number
        edges, counts = histogram(cells.to_numpy(dtype=np.float64))
        show.draw_figure(figures.draw_histogram(name, edges, counts, show=write), "column")
    if name == first:
        words = f"Of all columns, this one goes together with “{table.target_name}” most closely, so it stands first."
        show.write(words, quiet=True)


def _draw_target(table: Table) -> None:
    """Draw the distribution of the target."""
    show.write_strong(f"To be predicted: {table.target_name}")
    if not table.classes:
        show.draw_figure(figures.draw_histogram(table.target_name, *histogram(table.target)), "target")
        return
    counts = np.bincount(table.target, minlength=len(table.classes))
    show.draw_figure(figures.draw_counts(table.classes, counts), "target")
    share = counts.max() / counts.sum()
    most = table.classes[int(counts.argmax())]
    show.write(
        f"Always saying “{most}” would be right for {percent(share)} of the rows: a model has to beat that.", quiet=True
    )


st.title("The table")
st.markdown(
    "A table model learns from rows. Choose a table, then see how the model decides: in general, and for one row."
)
page_context.begin_page()
table_choice.render_choice()
table_choice.render_own_form()
table = table_choice.current_table()
if table is not None:
    _render_overview(table)
    left, right = st.columns(2, gap="large")
    with left:
        _draw_target(table)
    with right:
        _draw_column(table)
    _render_columns(table)
    if st.button("Train a model on it", type="primary", icon=":material/model_training:"):
        st.switch_page(page_context.MODEL_PAGE, query_params=url_state.query())
background.end()
