"""One plain sentence on what several maps point at, and how many of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xai_core.formatting import correlation, count_in_words, join_words
from xai_core.trust.map_agreement import CONTRADICT, Agreement

NOT_COMPARABLE = "These maps cannot be compared with each other."


def describe_agreement(
    names: Sequence[str], agreement: Agreement, thing: str = "", hits: Sequence[bool | None] = ()
) -> str:
    """Return how many maps point at the same place; with a known object `thing`, how many point at that.

    `hits` says of each map whether it points at the object, None where it points at nothing.

    >>> import numpy as np
    >>> rank = np.array([[1, 0.8, 0], [0.8, 1, 0.1], [0, 0.1, 1]])
    >>> describe_agreement(["Grad-CAM", "Occlusion", "LIME"], Agreement(rank, rank))
    'Two of three point at the same place; LIME disagrees.'
    """
    compared = [at for at in range(len(names)) if agreement.comparable[at].any()]
    if thing:
        compared = [at for at, hit in enumerate(hits) if hit is not None]
        chosen: Sequence[int] = [at for at in compared if hits[at]]
        place, verb = thing, ("points elsewhere", "point elsewhere")
    else:
        chosen, place, verb = agreement.group, "the same place", ("disagrees", "disagree")
    if len(compared) < 2:
        return NOT_COMPARABLE
    others = [names[at] for at in compared if at not in chosen]
    left_out = [name for at, name in enumerate(names) if at not in compared]
    sentences = [
        _describe_groups([names[at] for at in chosen], others, place, verb),
        _describe_contradiction(names, agreement),
        f"{join_words(left_out)} cannot be compared." if left_out else "",
    ]
    return " ".join(filter(None, sentences))


def _describe_groups(chosen: Sequence[str], others: Sequence[str], place: str, verb: tuple[str, str]) -> str:
    total = len(chosen) + len(others)
    if not others:
        return f"{'Both' if total == 2 else f'All {count_in_words(total)}'} point at {place}."
    if not chosen:
        if place == "the same place":
            return (
                f"No two of the {count_in_words(total)} point at the same place."
                if total > 2
                else ("The two maps point at different places.")
            )
        return (
            f"Neither points at {place}." if total == 2 else f"None of the {count_in_words(total)} points at {place}."
        )
    rest = f"{join_words(others)} {verb[len(others) > 1]}"
    if len(chosen) == 1:
        return f"Only {chosen[0]} points at {place}; {rest}."
    named = f" ({join_words(chosen)})" if len(others) > 1 else ""
    return f"{count_in_words(len(chosen)).capitalize()} of {count_in_words(total)} point at {place}{named}; {rest}."


def _describe_contradiction(names: Sequence[str], agreement: Agreement) -> str:
    """Return the strongest contradiction; empty where there is none."""
    ranks = np.where(agreement.comparable, agreement.rank, 0)
    if not ranks.size or ranks.min() > CONTRADICT:
        return ""
    first, second = divmod(int(ranks.argmin()), len(ranks))
    return f"{names[first]} and {names[second]} contradict each other ({correlation(ranks.min())})."
