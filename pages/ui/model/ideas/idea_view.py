"""Ideas as directions: how far each moves the score of a class, and how far chance does."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from pages.ui.frame import url_state
from pages.ui.image.picture import PageContext
from pages.ui.model.ideas import idea_request
from pages.ui.model.ideas.idea_request import Trial
from pages.ui.widgets import background, forms, show
from xai_core import Job
from xai_core.formatting import correlation, percent
from xai_core.inside import MIN_PICTURES, ConceptScore, ConceptScores
from xai_core.render import tables


def render_scores(page: PageContext, trial: Trial) -> ConceptScores | None:
    """Render every idea with its effect, the strongest first; those that chance reaches are grey."""
    scores: ConceptScores | None = background.compute(
        ("idea scores", *trial.key, trial.layer),
        partial(idea_request.score_layer, trial, trial.layer),
        "Comparing with chance",
    )
    if scores is None:
        return None
    if trial.examples:
        show.write(
            f"Tested on {trial.examples} pictures of the class. A step towards an idea is as far as pictures usually "
            f"differ along it. The comparison: {scores.draws} directions between {scores.random} random pictures."
        )
    else:
        show.write_warning(
            f"The picture set has fewer than {MIN_PICTURES} pictures of this class, so nothing can be said about the "
            "class. The figures are about your picture alone."
        )
    if scores.equal_gradients:
        show.write(
            "In this layer every picture has the same gradient, because only an average and a plain sum follow. So an "
            "idea moves the score of all pictures or of none. Choose an earlier layer to see differences."
        )
    show.write("Orange raises the score, blue lowers it. Grey: no more than chance.", quiet=True)
    # What chance does not reach comes first: it is the answer.
    order = sorted(scores, key=lambda record: (not record.significant, -abs(record.strength)))
    widest = max((abs(record.strength) for record in order), default=0.0) or 1.0
    st.html(_STYLE + "".join(_format_record(trial, record, widest, bool(trial.examples)) for record in order))
    for record in order:
        if record.at_chance:
            show.write_doubt(
                f"This layer does not tell pictures of “{trial.titles[record.name]}” from random ones "
                f"({percent(record.accuracy)} right, chance reaches {percent(record.chance_accuracy)}): "
                "its direction means nothing here."
            )
    return scores


_STYLE = """<style>
.idea { margin: 0 0 0.75rem; overflow-wrap: anywhere; } .idea.weak strong { font-weight: 400; }
.idea .track { position: relative; height: 0.6rem; border-radius: 3px; margin: 2px 0;
  background: color-mix(in srgb, currentColor 9%, transparent); }
.idea .bar { position: absolute; top: 0; bottom: 0; border-radius: 3px; }
.idea .for { left: 50%; background: #d9730d; } .idea .against { right: 50%; background: #2f6fb5; }
.idea.weak .bar { background: color-mix(in srgb, currentColor 45%, transparent); }
</style>"""


def _format_record(trial: Trial, record: ConceptScore, widest: float, has_class: bool) -> str:
    side = "for" if record.strength >= 0 else "against"
    # The bar starts in the middle, so half of the track is the longest.
    width = 50 * min(abs(record.strength) / widest, 1)
    # Titles are written for use inside sentences.
    title = trial.titles[record.name]
    words = show.escape_html(describe(record, has_class, _own_strength(trial, record)))
    return (
        f'<div class="idea{"" if record.significant else " weak"}">'
        f"<strong>{show.escape_html(title[:1].upper() + title[1:])}</strong>"
        f'<div class="track" aria-hidden="true"><div class="bar {side}" style="width:{width:.1f}%"></div></div>'
        f'<span class="quiet">{words}</span></div>'
    )


def _own_strength(trial: Trial, record: ConceptScore) -> float:
    return float((trial.own_gradients[trial.layer] @ record.direction)[0])


def describe(record: ConceptScore, has_class: bool, own: float) -> str:
    """Return in words what an idea does to the score, and whether chance reaches as far."""
    verb = "raises" if record.strength >= 0 else "lowers"
    share = record.score if record.strength >= 0 else 1 - record.score
    step = f"{abs(record.strength):.2f} logits per step"
    where = f"{verb} the score in {percent(share)} of the pictures, on average by {step}" if has_class else ""
    mine = f"in your picture {own:+.2f}".replace("-", "−")
    if record.significant:
        chance = f"Chance alone would reach as far in {percent(record.adjusted_p)} of cases at most (corrected p)."
        return f"Matters: {where or f'{verb} the score by {step}'}; {mine}. {chance}"
    return f"Not more than chance: random pictures reach as far ({where or step}); {mine}."


def render_layers(page: PageContext, trial: Trial) -> None:
    """Render, on request, how far each idea moves the score in every layer."""
    if not forms.render_toggle("idea_curve", "Through all layers", "The same test in every layer of the model."):
        return
    complete = idea_request.add_own_layers(page.model, trial)
    if complete is None:
        return
    trial = complete
    names = [name for name in trial.random if name in trial.gradients]

    def score(job: Job[Any]) -> list[ConceptScores]:
        job.expect(len(names))
        results = []
        for name in names:
            results.append(idea_request.score_layer(trial, name, job))
            job.tick(1)
        return results

    results = background.compute(("idea layers", *trial.key), score, "Testing in every layer", cost=len(names))
    if results is None:
        return
    ideas = list(trial.ideas)
    strongest = max(ideas, key=lambda name: max(abs(result[name].strength) for result in results))
    titles = {name: trial.titles[name] for name in ideas}
    key = url_state.restore(
        "idea",
        strongest,
        url_state.option_reader("idea", ideas),
        key=f"idea_of_{page.model.name}",
        title=titles.__getitem__,
    )
    chosen = st.selectbox("Idea", ideas, url_state.index_of(ideas, key), titles.__getitem__, key=key)
    values = [result[chosen].strength for result in results]
    firm = [result[chosen].significant for result in results]
    show.draw_figure(tables.draw_layer_strength(names, values, firm), "idea_curve_figure")


def render_details(trial: Trial, scores: ConceptScores) -> None:
    """Render ideas that are hard to tell apart, all figures, and how to read them."""
    if scores.close_pairs:
        pairs = "; ".join(
            f"{trial.titles[first]} and {trial.titles[second]} ({correlation(cosine)})"
            for first, second, cosine in scores.close_pairs
        )
        show.write(
            f"Hard to tell apart (entangled): {pairs}. Their directions are so alike (cosine above 0.5) that what one "
            "does, the other may have done."
        )
    with st.expander("All figures", icon=":material/table_rows:"):
        frame = pd.DataFrame(
            {
                "Idea": [trial.titles[record.name] for record in scores],
                "Share raised (TCAV score)": [percent(record.score) for record in scores],
                "Random directions": [f"{percent(a)} to {percent(b)}" for a, b in (r.random_scores for r in scores)],
                "Logits per step": [round(record.strength, 3) for record in scores],
                "p": [round(record.p, 4) for record in scores],
                "p, corrected (Holm)": [round(record.adjusted_p, 4) for record in scores],
                "Told apart, held out": [percent(record.accuracy) for record in scores],
                "AUC": [round(record.auc, 3) for record in scores],
                "Logistic regression": [percent(record.second_accuracy) for record in scores],
            }
        )
        st.dataframe(frame, hide_index=True)
    with st.expander("What does this prove, and what does it not?", icon=":material/help:"):
        st.markdown(_HELP)


_HELP = """
It shows that the score moves when the numbers of a layer move as pictures of the idea move them, and that random
pictures hardly ever do the same. It does **not** show that the model sees the idea in a picture, nor that the idea is
the only thing the drawn pictures have in common.

The p-value counts how many of the random directions reach as far along the class's mean gradient, in either direction.
Since several ideas are tested at once, it is corrected (Holm). An idea whose own pictures cannot be told from random
ones has no direction: then a figure, however small its p, means nothing.
"""
