"""Choice of how each feature may change: keep, only grow, only fall, or lie in a range; free unless chosen."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import streamlit as st

from pages.ui.frame import url_state
from pages.ui.tables import row_choice
from pages.ui.widgets import show
from pages.ui.widgets.words import escape_markdown, format_label
from xai_core import InvalidParam
from xai_core.tabular import Column, Direction, Table, check_direction, has_order, suggest_rising

RANGE = "range"
TITLES = {"locked": "keep as it is", "up": "may only grow", "down": "may only fall", RANGE: "between …"}
RULES_PER_ROW = 3
Rules = Mapping[str, Direction]


def _read_rules(table: Table, text: str) -> Rules:
    """Return the rules of a link. Raises an XaiError where they do not fit the table."""
    try:
        rules = json.loads(text)
    except ValueError as error:
        raise InvalidParam("The link's rules for features cannot be read.") from error
    if not isinstance(rules, dict):
        raise InvalidParam("The link's rules for features cannot be read.")
    return {name: _normalise_rule(table.column(name), rule) for name, rule in rules.items()}


def _normalise_rule(column: Column, rule: Any) -> Direction:
    """Return a rule whose range has both ends within the column's values, as the widgets take and a link writes them.

    Raises: InvalidParam, InvalidTable (no rule of this column).
    """
    direction = check_direction(column, rule)
    if isinstance(direction, str):
        return direction
    ends = [column.parse(end) for end in direction]
    if column.kind == "category":
        labels = [end if isinstance(end, str) else column.categories[-place] for place, end in enumerate(ends)]
        return labels[0], labels[1]
    numbers = [start if end != end else end for end, start in zip(ends, (column.low, column.high), strict=True)]
    low, high = (_to_plain(column, min(max(float(end), column.low), column.high)) for end in numbers)
    return low, high


def _to_plain(column: Column, value: float) -> Any:
    """Return a stored number as a link writes it."""
    if column.kind == "date":
        return column.show(math.floor(value))
    return int(value) if column.whole else value


def _write_rules(rules: Rules) -> str:
    return json.dumps(rules, separators=(",", ":"), ensure_ascii=False)


def _restore_rules(table: Table) -> str:
    start: Rules = {table.protected: "locked"} if table.protected in table.features else {}
    return url_state.restore(
        "rules",
        start,
        lambda text: _read_rules(table, text),
        _write_rules,
        f"rules_{table.sha256[:12]}",
        lambda _rules: "the usual rules",
    )


def _set_widget(key: str, value: Any) -> None:
    """Give a widget its value before it is drawn."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    url_state.remember(key)


def _set_rule(key: str, name: str, rule: Direction) -> None:
    url_state.set_value(key, {**url_state.value_of(key), name: rule})


def _take_names(key: str, widget: str) -> None:
    """Callback: a rule for each chosen feature, the others free."""
    rules = url_state.value_of(key)
    url_state.set_value(key, {name: rules.get(name, "locked") for name in st.session_state[widget]})


def _take_kind(key: str, column: Column, widget: str) -> None:
    """Callback: the chosen rule of one feature; a range starts with all values of the table."""
    kind = st.session_state[widget]
    _set_rule(key, column.name, _find_widest_range(column) if kind == RANGE else kind)


def _take_end(key: str, name: str, place: int, widget: str) -> None:
    """Callback: one end of a range."""
    value = st.session_state[widget]
    ends = list(url_state.value_of(key)[name])
    ends[place] = value.isoformat() if isinstance(value, date) else value
    _set_rule(key, name, tuple(ends))


def _find_widest_range(column: Column) -> tuple[Any, Any]:
    if column.kind == "category":
        return column.categories[0], column.categories[-1]
    return _to_plain(column, column.low), _to_plain(column, column.high)


def _render_end(key: str, column: Column, place: int, value: Any) -> None:
    label, widget = ("From", "To")[place], f"{key}_{'low' if place == 0 else 'high'}_{column.name}"
    take: dict[str, Any] = {"key": widget, "on_change": _take_end, "args": (key, column.name, place, widget)}
    if column.kind == "category":
        _set_widget(widget, value)
        st.selectbox(label, list(column.categories), column.categories.index(value), format_label, **take)
    elif column.kind == "date":
        low, high = (date.fromisoformat(end) for end in _find_widest_range(column))
        _set_widget(widget, date.fromisoformat(value))
        st.date_input(label, date.fromisoformat(value), low, high, **take)
    else:
        low, high = _find_widest_range(column)
        _set_widget(widget, value)
        step, form = row_choice.choose_step(column), "%d" if column.whole else "%.6g"
        st.number_input(label, low, high, value, step, form, **take)


def _render_rule(key: str, column: Column, rule: Direction) -> None:
    """Render the rule of one feature, with both ends of a range."""
    widget = f"{key}_kind_{column.name}"
    kinds = list(TITLES) if has_order(column) else ["locked"]
    if column.kind == "boolean":
        kinds.remove(RANGE)
    kind = rule if isinstance(rule, str) else RANGE
    _set_widget(widget, kind)
    st.selectbox(
        escape_markdown(column.name),
        kinds,
        kinds.index(kind),
        TITLES.__getitem__,
        key=widget,
        on_change=_take_kind,
        args=(key, column, widget),
    )
    if isinstance(rule, tuple):
        with st.container(horizontal=True):
            for place, value in enumerate(rule):
                with st.container(width=120):
                    _render_end(key, column, place, value)


def _render_suggestions(key: str, table: Table, rules: Rules) -> None:
    """Say which features usually only grow and have no rule yet, with a click for it."""
    for name in suggest_rising(table):
        if name not in rules:
            show.write(f"{format_label(name)} usually only grows, but here it may also fall.", quiet=True)
            st.button(
                f"Let {escape_markdown(name)} only grow",
                key=f"{key}_rise_{name}",
                on_click=_set_rule,
                args=(key, name, "up"),
                icon=":material/trending_up:",
            )


def render(table: Table) -> Rules:
    """Render the features that may not change freely and their rules; return the rules, kept in the link."""
    key = _restore_rules(table)
    rules: Rules = url_state.value_of(key)
    widget = f"{key}_names"
    _set_widget(widget, list(rules))
    st.multiselect(
        "Features that may not change freely",
        list(table.features),
        list(rules),
        format_label,
        key=widget,
        placeholder="Everything may change",
        on_change=_take_names,
        args=(key, widget),
        help="Choose a feature, then say below how it may change: not at all, only up, only down, or within a range.",
    )
    for start in range(0, len(rules), RULES_PER_ROW):
        names = list(rules)[start : start + RULES_PER_ROW]
        for name, place in zip(names, st.columns(RULES_PER_ROW), strict=False):
            with place:
                _render_rule(key, table.column(name), rules[name])
    _render_suggestions(key, table, rules)
    return rules
