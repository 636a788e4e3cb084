"""Tests of the three networks and what they reveal: tables of answers, the truth, and how the maps did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image

import xai_core
from pages.ui.learn import room
from pages.ui.widgets import background, show
from xai_core import labs
from xai_core.formatting import percent

# Factor by which the faint pattern is shown stronger.
_STRONGER = 20
_ENLARGED = 256
Outcomes = Sequence[labs.Outcome]


def render_group(lab: labs.CheaterLab, group: str, baseline: Outcomes | None = None) -> Outcomes | None:
    """Render the table of a group of tests; return its outcomes, None until they are there.

    `baseline` holds the answers before any change; the group itself where it is None.
    """
    outcomes = background.compute(
        ("cheater_tests", lab.seed, group),
        lambda job: labs.intervene(lab, group, job),
        "Asking the networks again",
        cost=len(lab.tests) * len(lab.networks) * 4,
    )
    if outcomes is None:
        return None
    names = list(dict.fromkeys(outcome.intervention for outcome in outcomes))
    entries = [labs.INTERVENTIONS[name] for name in names]
    cells = {(outcome.intervention, outcome.letter): outcome for outcome in outcomes}
    table = {"Test": [f"**{entry.title}.** {entry.sentence}" for entry in entries]}
    for network in lab.networks:
        rows = [cells[name, network.letter] for name in names]
        table[f"Network {network.letter}"] = [_format_cell(row) for row in rows]
    st.table(table, hide_index=True)
    show.write("Share of the pictures named right; in brackets, the mean probability of the right class.", quiet=True)
    show.write_strong(" ".join(labs.describe_outcomes(outcomes, baseline or outcomes[: len(lab.networks)])))
    return outcomes


def _format_cell(outcome: labs.Outcome) -> str:
    """Return the share of right answers and the mean probability, each in one piece in a narrow column."""
    share, probability = (
        percent(value).replace(" ", "\N{NO-BREAK SPACE}") for value in (outcome.accuracy, outcome.probability)
    )
    return f"{share} ({probability})"


def render_kinds(lab: labs.CheaterLab, count: labs.Count) -> None:
    """Render who is who, beside the votes of the room."""
    for network in lab.networks:
        kind = labs.KINDS[network.kind]
        show.write_strong(f"Network {network.letter}: {kind.title}")
        show.write(f"{kind.sentence} {room.describe_votes(count, network.letter)}.")


def render_map_scores(lab: labs.CheaterLab) -> None:
    """Render for each method how much of its maps lies on the caption, by network."""
    methods = labs.list_judged_methods(lab.networks[0].model)
    scores = background.compute(
        ("cheater_maps", lab.seed),
        lambda job: labs.judge_maps(lab, methods, job=job),
        "Making maps and measuring them",
        cost=100.0 * len(methods),
    )
    if scores is None:
        return
    show.write_strong(labs.describe_scores(scores))
    st.table(
        {
            "Method": [xai_core.METHODS.get(score.method).full_title for score in scores],
            "Reads the caption": [f"{score.caption:.1f}{' ✓' if score.finds else ''}" for score in scores],
            "Honest": [_mark_accusation(score.honest) for score in scores],
            "Reads the pattern": [_mark_accusation(score.faint) for score in scores],
        },
        hide_index=True,
    )
    show.write(f"✓ at least {labs.FINDS:g}. ✕ above {labs.ACCUSES:g}: a false accusation.", quiet=True)


def _mark_accusation(energy: float) -> str:
    return f"{energy:.1f}{' ✕' if energy > labs.ACCUSES else ''}"


def render_cue(lab: labs.CheaterLab) -> None:
    """Render a boat, the faint pattern many times as strong, and the boat without it."""
    row = lab.marked_rows[0]
    with_cue = lab.test_bytes[row]
    without = lab.tests.drawn[row]
    strong = np.broadcast_to(128 + _STRONGER * labs.faint_pattern(), with_cue.shape)
    shown = (
        ("With the pattern", with_cue),
        (f"The pattern, {_STRONGER} times as strong", np.clip(strong, 0, 255).astype(np.uint8)),
        ("Without it, and without the caption", without),
    )
    for column, (words, pixels) in zip(st.columns(3), shown, strict=True):
        enlarged = Image.fromarray(pixels).resize((_ENLARGED, _ENLARGED), Image.Resampling.NEAREST)
        column.image(enlarged, caption=words, alt=words, width="stretch")
    show.write(
        f"The pattern changes a pixel by {labs.FAINT} of 255 levels, lighter and darker by turns; the grain of the "
        "pictures changes it by more."
    )
