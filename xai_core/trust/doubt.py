"""Doubt about a whole answer: the model may not know at all what is in the picture."""

from __future__ import annotations

from xai_core.formatting import count_in_words, percent
from xai_core.results import Prediction

# Probability of the best guess, and of the five best together, below which the model may not know the thing.
# Tried on the bundled samples and networks: coffee, cat, pagoda, motorcycle and rocket (0.26 and more; 0.60 and more)
# stay above on efficientnet_lite0, astronaut (0.16), coins, a dahlia (0.32; 0.49), galaxies, an eye, digits and noise
# of every kind (0.05 and less) fall below. A network of few classes is sure of noise too: this line cannot see that.
LOW, SPREAD = 0.25, 0.5


def doubt(prediction: Prediction) -> str:
    """Return a sentence if the model may not know the thing in the picture, else an empty text.

    `prediction` holds the best five classes, or all where the model has fewer. The baseline of Hendrycks & Gimpel 2017,
    arXiv:1610.02136: the probability of the best class.

    >>> doubt(Prediction(((0, "espresso", 0.95), (1, "cup", 0.02))))
    ''
    >>> doubt(Prediction(((0, "bobsled", 0.16), (1, "crash helmet", 0.11))))[:44]
    'The model may not know what this is: its bes'
    """
    classes = prediction.classes[:5]
    best, together = classes[0][2], sum(probability for _, _, probability in classes)
    if best >= LOW and together >= SPREAD:
        return ""
    if best < LOW:
        return f"The model may not know what this is: its best guess, {classes[0][1]}, gets only {percent(best)}."
    count = count_in_words(len(classes))
    return f"The model may not know what this is: its {count} best guesses get only {percent(together)} together."
