"""Description of a kit: ideas of one kind with generated pictures, and the registry of kits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image

from xai_core.errors import InvalidParam, NotApplicable
from xai_core.models.classifier import Classifier
from xai_core.params import check_seed
from xai_core.registry import Registry

# Of one idea or of random ones.
MAX_GENERATED = 1000
Draw = Callable[[str, int, int], Image.Image]


@dataclass(frozen=True, kw_only=True)
class ConceptKit:
    """Ideas with a name and a title each, drawn by seed; random pictures are a mixture of all of them."""

    name: str
    title: str
    about: str
    channels: int
    """Of the pictures, and of the networks that they are for: 1 for grey, 3 for colour."""
    titles: Mapping[str, str]
    """Title of each idea on the page, by its name."""
    draw: Draw
    """Return the picture of an idea, a number and a seed."""

    def pictures(self, concept: str, count: int, seed: int = 0) -> list[Image.Image]:
        """Return `count` pictures of an idea; the same seed gives the same. Raises InvalidParam."""
        if concept not in self.titles:
            raise InvalidParam(f"The ideas of this kit are {', '.join(self.titles)}. Got {concept[:60]!r}.")
        _check_count(count)
        return [self.draw(concept, number, check_seed(seed)) for number in range(count)]

    def random(self, count: int, seed: int = 0) -> list[Image.Image]:
        """Return `count` pictures of all ideas in turn, none of which is among an idea's own. Raises InvalidParam."""
        _check_count(count)
        # Numbers beyond any that an idea's own pictures can have.
        names, seed = list(self.titles), check_seed(seed)
        return [self.draw(names[number % len(names)], MAX_GENERATED + number, seed) for number in range(count)]


KITS: Registry[ConceptKit] = Registry("concept kit")


def kit_for(model: Classifier) -> ConceptKit:
    """Return the kit of pictures that suit a model. Raises NotApplicable."""
    for kit in KITS.specs():
        if kit.channels == model.preprocessing.channels:
            return kit
    raise NotApplicable(f"There are no generated pictures for the kind of input that {model.title} takes.")


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_GENERATED:
        raise InvalidParam(f"Between 1 and {MAX_GENERATED} pictures can be drawn. Got {count}.")
