"""Words on a training: what the two curves say, and why it may have become worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from xai_core.formatting import number, percent
from xai_core.labs.live.training import Epoch
from xai_core.params import Value

# Share of right answers on training pictures below which little was learnt.
_LEARNT = 0.8
# Share of right answers that guessing among ten digits may reach, and a rate that may be why.
_GUESSING = 0.25
_LONG_STEPS = 0.1
# Rise of the other pictures' loss over its lowest value, as a share of it, that counts as overfitting.
_RISE = 0.15
# Lead of the training pictures' share of right answers that counts as learning by heart.
_LEAD = 0.08
# Factor by which a loss has to jump in one epoch to be called a jump.
_JUMP = 1.5


def describe_training(epochs: Sequence[Epoch], settings: Mapping[str, Value], exploded: bool) -> tuple[str, ...]:
    """Return sentences on a training whose `epochs` begin with the untrained network; the finding comes first."""
    last, done = epochs[-1], len(epochs) - 1
    if exploded:
        finding = (
            f"The learning rate is too high: in epoch {done + 1} the loss grew beyond all measure, so the training "
            f"stopped. Choose a rate below {settings['rate']}."
        )
        return (finding, "Each step overshot the goal, the next gradient was larger still, and the weights ran away.")
    if done == 0:
        return ("Nothing is learnt yet: it guesses among ten digits.",)
    sentences = []
    # Overfitting begins where the loss on other pictures was lowest.
    best = min(range(len(epochs)), key=lambda place: epochs[place].validation_loss)
    lowest = epochs[best].validation_loss
    jumps = sum(after.train_loss > _JUMP * before.train_loss for before, after in pairwise(epochs))
    if last.train_accuracy < _LEARNT:
        sentences += _describe_underfitting(epochs, settings, jumps)
    elif best < done - 1 and last.validation_loss > (1 + _RISE) * lowest:
        sentences.append(
            f"Overfitting: since epoch {best} the loss on other pictures has risen from {number(lowest)} to "
            f"{number(last.validation_loss)}, while it fell on the training pictures. The network learns them by heart."
        )
    elif last.train_accuracy - last.validation_accuracy > _LEAD:
        sentences.append(
            f"It names {percent(last.train_accuracy)} of the training pictures right, but only "
            f"{percent(last.validation_accuracy)} of others: part of it is learnt by heart (overfitting)."
        )
    else:
        sentences.append(
            f"It learns what the digits have in common: it names {percent(last.validation_accuracy)} of the other "
            f"pictures right, and {percent(last.train_accuracy)} of the training pictures."
        )
    if sentences[0].startswith(("Overfitting", "It names")):
        sentences.append("More pictures, augmentation, dropout, weight decay or fewer epochs help against it.")
    if settings["wrong"]:
        sentences.append(
            f"{settings['wrong']} % of the training labels are wrong, so no network can be right about more than "
            f"{percent(1 - float(settings['wrong']) / 100)} of them without learning mistakes by heart."
        )
    return tuple(sentences)


def _describe_underfitting(epochs: Sequence[Epoch], settings: Mapping[str, Value], jumps: int) -> list[str]:
    first, last = epochs[0], epochs[-1]
    share = percent(last.train_accuracy)
    # Long steps may kill every unit: the loss then stays at that of guessing, and does not grow.
    if last.train_accuracy < _GUESSING and float(settings["rate"]) >= _LONG_STEPS:
        finding = (
            "The learning rate is too high: after steps that long the network gives nearly the same answer to every "
            f"picture, and {share} of the training pictures are right. Choose a rate below {settings['rate']}."
        )
        return [finding]
    # A loss that rises on the very pictures learnt from is no lack of time.
    if jumps or last.train_loss > first.train_loss:
        finding = (
            f"The learning rate is too high: the loss jumps up and down, and only {share} of the training pictures "
            f"are right. Choose a rate below {settings['rate']}."
        )
        return [finding]
    reasons = [
        words
        for applies, words in (
            (float(settings["rate"]) <= 0.001, "a higher learning rate"),
            (float(settings["decay"]) >= 0.01, "less weight decay"),
            (int(settings["dropout"]) >= 50, "less dropout"),
            (int(settings["wrong"]) >= 30, "fewer wrong labels"),
            (True, "more epochs"),
        )
        if applies
    ]
    return [
        f"Underfitting: only {share} of the training pictures themselves are right. {reasons[0].capitalize()} may help"
        + (f", or {' or '.join(reasons[1:])}." if len(reasons) > 1 else ".")
    ]
