"""The contrast to every counterfactual: a change nobody sees that makes one network say the class, and others not."""

from __future__ import annotations

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
    """Return in two sentences whether the attack works, and what the other networks make of it."""
    attacked = contrast.attacked
    if not attacked.success:
        return (
            f"This did not work: after a change of at most {attacked.epsilon} of 255 grey levels the model says "
            f"{attacked.after.classes[0][1]}, not {attacked.label}. {attacked.queries:,} pictures were tried."
        )
    first = f"A change of at most {attacked.linf} of 255 grey levels, and this model says {attacked.label}."
    if not contrast.answers:
        return f"{first} No other network here knows these classes, so nobody can be asked."
    fooled = [answer.name for answer in contrast.answers if answer.is_fooled]
    others = [answer for answer in contrast.answers if not answer.is_fooled]
    statements = [f"{answer.name} says {answer.label}" for answer in others]
    # The plain sentence is true only where no answer moved, and all agree.
    unmoved = others and all(answer.label == answer.label_before for answer in others)
    if not fooled and unmoved and len({answer.label for answer in others}) == 1:
        names = join_words([answer.name for answer in others])
        return f"{first} {names} still see {others[0].label}: this fools one network and explains nothing."
    if not fooled:
        return f"{first} But {join_words(statements)}: this fools one network and explains nothing."
    rest = f", but {join_words(statements)}" if statements else ""
    return f"{first} It fools {join_words(fooled)} too{rest}. Networks of one family share some of their weak points."
