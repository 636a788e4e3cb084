"""The contrast to every counterfactual: a change nobody sees that makes one network say the class, and others not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from xai_core.attacks.run.attack import attack
from xai_core.attacks.run.attacked import Attacked
from xai_core.attacks.run.consequences import Answer, try_on_bundled_models
from xai_core.engine.jobs import Job, PartJob
from xai_core.formatting import join_words
from xai_core.models.classifier import Classifier

# Strong enough for any class, too weak to be seen.
EPSILON = 8


@dataclass(frozen=True, eq=False)
class Contrast:
    """A targeted gradient attack, and what the other bundled networks with the same classes say to it."""

    attacked: Attacked
    answers: tuple[Answer, ...]


def fool_one_network(model: Classifier, image: Image.Image, target: int | str, job: Job[Any] | None = None) -> Contrast:
    """Make a model say `target` by small steps along its gradient, and ask the other networks.

    Raises what `attack` raises.
    """
    job = job or Job()
    job.expect(2)
    attacked = attack(model, image, "pgd", EPSILON, target, job=PartJob(job))
    job.tick(1)
    answers = try_on_bundled_models(attacked, PartJob(job))
    job.tick(1)
    return Contrast(attacked, answers)


def describe_contrast(contrast: Contrast) -> str:
    """Return in two or three sentences whether the attack works, and what the other networks make of it."""
    attacked = contrast.attacked
    if not attacked.success:
        return (
            f"This did not work: after a change of at most {attacked.epsilon} of 255 grey levels the model says "
            f"{attacked.after.classes[0][1]}, not {attacked.label}. {attacked.queries:,} pictures were tried."
        )
    first = f"A change of at most {attacked.linf} of 255 grey levels, and this model says {attacked.label}."
    if not contrast.answers:
        return f"{first} No other network here knows these classes, so nobody can be asked."
    # Who said the class of the original picture too cannot be fooled into it.
    early = [answer.name for answer in contrast.answers if answer.label_before == attacked.label]
    answers = [answer for answer in contrast.answers if answer.label_before != attacked.label]
    note = f"{join_words(early)} said {attacked.label} before the change too, which tells nothing." if early else ""
    if not answers:
        return f"{first} {note} Choose another class to see whether other networks are fooled."
    return f"{first} {_describe_others(answers)} {note}".rstrip()


def _describe_others(answers: Sequence[Answer]) -> str:
    """Return in a sentence or two what networks say that said something else before."""
    fooled = [answer.name for answer in answers if answer.is_fooled]
    others = [answer for answer in answers if not answer.is_fooled]
    statements = [f"{answer.name} says {answer.label}" for answer in others]
    # The plain sentence is true only where no answer moved, and all agree.
    unmoved = others and all(answer.label == answer.label_before for answer in others)
    if not fooled and unmoved and len({answer.label for answer in others}) == 1:
        names = join_words([answer.name for answer in others])
        return f"{names} still see {others[0].label}: this fools one network and explains nothing."
    if not fooled:
        return f"But {join_words(statements)}: this fools one network and explains nothing."
    rest = f", but {join_words(statements)}" if statements else ""
    return f"It fools {join_words(fooled)} too{rest}. Networks of one family share some of their weak points."
