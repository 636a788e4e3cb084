"""Choice of the table: a bundled one or the visitor's own file; the session holds ids only."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.ui.frame import link_readers, url_state
from pages.ui.tables import column_kinds
from pages.ui.widgets import background, show, uploader
from pages.ui.widgets.words import format_label
from xai_core import Job, XaiError, tabular
from xai_core.tabular import ENCODINGS, TABLES, RawTable, Table, load_table, read_table

DEFAULT_TABLE = "loan"
MAX_UPLOAD_MB = 200
_AUTOMATIC = "automatic"
_TASKS = {
    _AUTOMATIC: "Choose automatically",
    "classification": "One of a few outcomes (classification)",
    "regression": "A number (regression)",
}
_OWN_KEYS = ("own_raw", "own_table", "own_choice", "own_file", "own_kinds", "own_encoding", "own_upload")
# Cells of an own file that are shown to check its letters.
PREVIEW_ROWS, PREVIEW_COLUMNS = 3, 8
ENCODING_NEEDS_FILE = (
    "The table is still here, but since the page was reloaded the file itself is not. If names or words look wrong, "
    "upload the file again to read it in another encoding."
)


def restore() -> None:
    """Restore the choice, also on pages that do not show it."""
    link_readers.restore_entry("table", DEFAULT_TABLE, TABLES)


def has_own_table() -> bool:
    return bool(st.session_state.get("own_raw"))


def forget_own_table() -> None:
    """Callback: back to the tables that come along."""
    st.session_state["table_uploads"] = st.session_state.get("table_uploads", 0) + 1
    for name in _OWN_KEYS:
        st.session_state.pop(name, None)


def choose_table(name: str) -> None:
    """Callback: take this built-in table."""
    forget_own_table()
    url_state.set_value("table", name)


def _render_uploader() -> None:
    key = f"table_file_{st.session_state.get('table_uploads', 0)}"
    advice = "Leave out rows or columns, or save it as Parquet."
    upload = uploader.render("Your table (CSV, Excel or Parquet)", key, MAX_UPLOAD_MB, advice)
    # After a reload the table is kept, but not the file.
    st.session_state["own_file_is_here"] = upload is not None
    if upload is None:
        return
    is_new = upload.file_id != st.session_state.get("own_upload")
    encoding = None if is_new else st.session_state.get("own_encoding")
    source = (upload.file_id, encoding)
    if source == st.session_state.get("own_file"):
        return

    def read(_job: Job[str]) -> str:
        return tabular.keep_raw(read_table(upload.getvalue(), upload.name, encoding=encoding))

    raw_id = background.compute(("read", *source), read, "Reading your table", write_failure=show.write_upload_problem)
    if raw_id is not None:
        for name in _OWN_KEYS:
            st.session_state.pop(name, None)
        st.session_state.update(
            {"own_raw": raw_id, "own_file": source, "own_upload": upload.file_id, "own_encoding": encoding}
        )


def render_choice() -> None:
    """Render the list of tables, and the uploader of an own file."""
    left, right = st.columns(2, gap="large")
    with right:  # first, so that a file that has just come counts on the left
        _render_uploader()
        st.caption(
            f"Up to {MAX_UPLOAD_MB} MB. It stays on the computer that runs Whybox, in memory only. The first line must "
            "hold the names of the columns."
        )
    with left:
        names = list(TABLES)
        title = "Built-in table"
        st.selectbox(
            title,
            names,
            url_state.index_of(names, "table"),
            lambda name: TABLES.get(name).title,
            key="table",
            on_change=forget_own_table,
        )
        if has_own_table():
            st.caption("Your own table is in use.")
            st.button("Use the built-in table", on_click=forget_own_table, icon=":material/undo:")
        else:
            st.caption(TABLES.get(st.session_state["table"]).about)


def _find_raw_table() -> RawTable | None:
    try:
        return tabular.raw(st.session_state["own_raw"])
    except XaiError as problem:
        forget_own_table()
        st.warning(str(problem), icon=":material/upload_file:")
        return None


def _render_encoding_choice(raw: RawTable) -> None:
    """Render the first rows and the choice of the alphabet they are read in; nothing for a file that states it."""
    if not raw.encoding:
        return
    title = "Is the text readable?" if raw.encoding_is_sure else "Check that the text is readable"
    with st.expander(title, icon=":material/translate:", expanded=not raw.encoding_is_sure):
        preview = {
            column.name: [column.show(value) for value in raw.frame[column.name].head(PREVIEW_ROWS)]
            for column in raw.columns[:PREVIEW_COLUMNS]
        }
        st.dataframe(pd.DataFrame(preview), hide_index=True, alt="The first rows, to check that the text is readable.")
        if not st.session_state.get("own_file_is_here"):
            st.caption(ENCODING_NEEDS_FILE)
            return
        names = list(ENCODINGS)
        key = f"own_letters_{st.session_state['own_upload']}"
        start = names.index(raw.encoding) if raw.encoding in names else 0
        st.selectbox(
            "Read as *(encoding)*",
            names,
            start,
            ENCODINGS.__getitem__,
            key=key,
            on_change=lambda: st.session_state.update(own_encoding=st.session_state[key]),
            help="If names or words look wrong, choose another encoding. Saving the file as UTF-8 always works.",
        )


def render_own_form() -> None:
    """Render the choice of target, features and kinds of an own file; nothing for a built-in table."""
    raw = _find_raw_table() if has_own_table() else None
    if raw is None:
        return
    _render_encoding_choice(raw)
    column_kinds.render(raw)
    names = [column.name for column in raw.columns]
    start = st.session_state.get("own_choice", (raw.likely_target, (), _AUTOMATIC, ()))
    left, right = st.columns(2, gap="large")
    with left:
        target = st.selectbox(
            "What is to be predicted (target)", names, names.index(start[0]), format_label, key="own_target"
        )
        tasks = list(_TASKS)
        task = st.selectbox("Kind of target", tasks, tasks.index(start[2]), _TASKS.__getitem__, key="own_task")
    with right:
        others = [name for name in names if name != target]
        usual = [name for name in start[1] if name in others]
        empty = f"All {len(others)} other columns"
        features = st.multiselect(
            "From which columns (features)", others, usual, format_label, key="own_features", placeholder=empty
        )
    _build_table(raw, target, tuple(features), task)


def _build_table(raw: RawTable, target: str, features: tuple[str, ...], task: str) -> None:
    """Store the own table of this choice, or the problem with it."""
    kinds = column_kinds.changes()
    choice = (target, features, task, tuple(sorted(kinds.items())))
    if st.session_state.get("own_choice") == choice and "own_table" in st.session_state:
        return
    st.session_state["own_choice"] = choice
    try:
        # The options are the two tasks and _AUTOMATIC.
        known_task: Any = None if task == _AUTOMATIC else task
        table = raw.table(target, features or None, task=known_task, kinds=kinds)
        st.session_state["own_table"] = tabular.keep_table(table)
    except XaiError as problem:
        st.session_state.pop("own_table", None)
        st.session_state["own_problem"] = str(problem)


def table_id() -> str:
    """Return the id of the table in use, for training on it."""
    return str(st.session_state["own_table"] if has_own_table() else st.session_state["table"])


def current_table() -> Table | None:
    """Return the table in use; None, with the reason on the page, while the choice for an own file does not work."""
    if not has_own_table():
        return load_table(st.session_state["table"])
    if "own_table" not in st.session_state:
        show.write_problem(st.session_state.get("own_problem", "Choose on the page “Table” what is to be predicted."))
        return None
    try:
        return tabular.table(st.session_state["own_table"])
    except XaiError as problem:
        forget_own_table()
        show.write_problem(problem)
        return None
