"""Sentences on taught classes: what the held-out answers say, and how little where the pictures are few."""

from __future__ import annotations

from xai_core.formatting import join_words, percent
from xai_core.labs.teach.learning import FEW_PICTURES, Taught

# Share of the largest class above which always naming it would look good.
_UNEVEN = 0.65


def describe_taught(taught: Taught) -> tuple[str, ...]:
    """Return sentences for a visitor: the score first, then its limits."""
    total, (low, high) = len(taught.truth), taught.interval
    sentences = [
        f"It names {taught.right} of {total} pictures right ({percent(taught.accuracy)}).",
        "Each picture was asked of a copy that had not learnt from it.",
        f"With other pictures of the same kind, between {percent(low)} and {percent(high)} would be no surprise.",
    ]
    few = [
        f"{count} of {label}" for label, count in zip(taught.labels, taught.counts, strict=True) if count < FEW_PICTURES
    ]
    if few:
        sentences.append(
            f"These are few pictures: {join_words(few)}. The score may be luck; from {2 * FEW_PICTURES} a class on it "
            "says more."
        )
    # A score is worth what it is above that of always naming one class.
    largest = max(taught.counts)
    if largest > _UNEVEN * total and len(taught.labels) > 1:
        label = taught.labels[taught.counts.index(largest)]
        sentences.append(
            f"{percent(largest / total)} of the pictures show {label}: always answering {label} would score as much. "
            "Bring about as many of each class."
        )
    mistakes = [
        (int(taught.confusion[row, column]), taught.labels[row], taught.labels[column])
        for row in range(len(taught.labels))
        for column in range(len(taught.labels))
        if row != column and taught.confusion[row, column]
    ]
    if mistakes:
        count, label, answer = max(mistakes)
        pictures = "picture" if count == 1 else "pictures"
        sentences.append(f"The most frequent mistake: {count} {pictures} of {label} taken for {answer}.")
    return tuple(sentences)
