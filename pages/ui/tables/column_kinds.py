"""Choice of a column's kind in an own table, where the guess is wrong; the session holds the changes only."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.ui.widgets import show
from pages.ui.widgets.words import format_label
from xai_core.tabular import RawTable, Role

_WORDS: Mapping[Role, str] = {
    "number": "an amount (number)",
    "category": "one of a few kinds (category)",
    "ordered": "kinds with an order (ordinal)",
    "date": "a date",
    "id": "a name or number of the row (id)",
    "left out": "left out",
}


def changes() -> dict[str, Role]:
    """Return the roles that the visitor has changed, by column."""
    kinds: dict[str, Role] = st.session_state.setdefault("own_kinds", {})
    return kinds


def forget() -> None:
    """Callback: take the guessed kinds again."""
    st.session_state["own_kinds"] = {}
    # A widget with a former value would bring the change back.
    st.session_state["own_kinds_round"] = st.session_state.get("own_kinds_round", 0) + 1


def _set_role(raw: RawTable, name: str, key: str) -> None:
    """Callback: read a column in the chosen role."""
    role = st.session_state[key]
    kinds = {column: other_role for column, other_role in changes().items() if column != name}
    # A new dictionary: the table of the old one is told apart by it.
    st.session_state["own_kinds"] = kinds if role == raw.roles[name] else {**kinds, name: role}


def render(raw: RawTable) -> None:
    """Render the choice of a column and of its kind, and the list of what was changed."""
    names = [column.name for column in raw.columns]
    with st.expander("Column types: correct a wrong guess", icon=":material/rule:", expanded=bool(changes())):
        left, right = st.columns(2, gap="large")
        with left:
            name = str(st.selectbox("Column", names, format_func=format_label, key="own_kind_column"))
        roles = list(raw.role_choices(name))
        current = changes().get(name, raw.roles[name])
        if current not in roles:
            roles = [current, *roles]
        key = f"own_kind_{st.session_state.get('own_kinds_round', 0)}_{names.index(name)}"
        with right:
            st.selectbox(
                "It contains",
                roles,
                roles.index(current),
                _WORDS.__getitem__,
                key=key,
                on_change=_set_role,
                args=(raw, name, key),
                help="Code numbers such as 1 for married are kinds, not amounts. An id says which row it is, and a "
                "model should not learn from it.",
            )
        if changes():
            show.write_list(f"{column}: {_WORDS[role]}, changed by you." for column, role in changes().items())
            st.button("Return to the guesses", on_click=forget, icon=":material/undo:")
