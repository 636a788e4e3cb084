"""All kinds of models trained on the table and compared; a click on one uses it."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from pages.ui.frame import url_state
from pages.ui.frame.session import session_id
from pages.ui.imageset import clickable_tables
from pages.ui.tables import model_choice, table_choice
from pages.ui.widgets import background, show
from xai_core import tabular
from xai_core.formatting import number
from xai_core.tabular import TABULAR_MODELS, Leaderboard, Table


def _use(name: str) -> None:
    """Callback: use this kind of model with the settings it was compared with."""
    model_choice.forget_own_model()
    url_state.set_value("learner", name)
    for param in TABULAR_MODELS.get(name).params:
        url_state.reset(f"{name}_{param.name}")


def _format_seconds(seconds: float) -> str:
    if math.isnan(seconds):
        return "–"
    return "under 1 s" if seconds < 1 else f"{seconds:.0f} s"


def _draw_board(table: Table, board: Leaderboard, seed: int) -> None:
    share = table.task == "classification"
    entries = [entry for entry in board.entries if not entry.problem]
    if entries:
        title, times = "Right answers" if share else "Explained (R²)", 100 if share else 1
        frame = pd.DataFrame(
            {
                title: [max(entry.score, 0.0) for entry in entries],
                "Spread": [f"± {number(times * entry.spread)}{' points' if share else ''}" for entry in entries],
                "Time": [_format_seconds(entry.seconds) for entry in entries],
                # Long names run out of the table of a phone: the numbers come first.
                "Model": [entry.title for entry in entries],
            }
        )
        bars = {title: clickable_tables.bar_column(title, 1.0, "percent" if share else "%.2f", 110)}

        def take(place: int, _column: str) -> None:
            _use(entries[place].name)

        clickable_tables.draw_table(
            frame,
            f"leaderboard_{table.sha256[:12]}_{seed}",
            take,
            f"All kinds of models. {board.sentence}",
            columns=bars,
        )
    show.write(board.sentence)
    if entries:
        show.write(
            f"Each learnt with its usual settings from the same rows, in {board.parts} rounds; each time another part "
            "was held out and asked. The spread is how much these parts differ. Click a row to use that model.",
            quiet=True,
        )
    show.write_list(f"{entry.title}: {entry.problem}" for entry in board.entries if entry.problem)


def _find_requests() -> set[tuple[str, int]]:
    """Return the tables and seeds for which this visitor wants all kinds compared."""
    requested: set[tuple[str, int]] = st.session_state.setdefault("leaderboards", set())
    return requested


def render_button(table: Table, seed: int) -> None:
    """Render a button that asks for the comparison, until it is asked for."""
    key = (table.sha256, seed)
    if key not in _find_requests():
        label = f"Train all {len(TABULAR_MODELS)} kinds and compare"
        st.button(label, on_click=_find_requests().add, args=(key,), icon=":material/leaderboard:")


def render(table: Table, seed: int) -> None:
    """Render the comparison where it is asked for."""
    key = (table.sha256, seed)
    if key not in _find_requests():
        return
    st.markdown("**Which kind is best here?** *(leaderboard)*")
    board = background.follow(
        ("leaderboard", *key),
        lambda: tabular.start_leaderboard(table_choice.table_id(), seed, session_id()),
        "Training all kinds of models",
    )
    if board is not None:
        _draw_board(table, board, seed)
