"""Reading help for a map: one sentence made of what is shown: palette, classes, layer, settings and outcome."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xai_core.formatting import percent
from xai_core.params import Choice, Value
from xai_core.render.colour import PALETTES
from xai_core.results import Attribution

if TYPE_CHECKING:
    from xai_core.methods.base.spec import MethodSpec

# Text in square brackets is about evidence against: it goes where the map has none.
_AGAINST = re.compile(r"\[([^\]]*)\]")
# Text in angle brackets goes where one of its numbers is not known yet.
_OUTCOME = re.compile(r"<([^>]*)>")
_THIS_CLASS, _OTHER = "this class", "something else"


@dataclass(frozen=True)
class Reading:
    """The settings that a sentence about a map depends on.

    `classes`: the explained label, or the pair (A, B) of "why A and not B"; () for a first guess that is not known yet.
    `stage`: "early", "middle" or "late" of the layer. `signed`: the map may hold evidence against. `label_of`: the
    model's label of a class number, where the model is in reach.
    """

    params: Mapping[str, Value]
    classes: tuple[str, ...] = ()
    stage: str = ""
    signed: bool = True
    details: Mapping[str, float] = field(default_factory=dict)
    label_of: Callable[[int], str] | None = None

    @classmethod
    def of(
        cls,
        result: Attribution,
        classes: tuple[str, ...] = (),
        stage: str = "",
        label_of: Callable[[int], str] | None = None,
    ) -> Reading:
        """Return what is known of a finished map; without `classes` they are read from its label."""
        if not classes:
            first, _, second = result.label.rpartition(", not ")
            classes = (first, second) if isinstance(result.target, tuple) and first else (result.label,)
        signed = bool((result.heatmap < 0).any())
        return cls(result.params, classes, stage, signed, result.details, label_of)


def _quote(classes: tuple[str, ...]) -> str:
    return " rather than ".join(f"“{label}”" for label in classes) or _THIS_CLASS


def _name_answer(reading: Reading) -> str:
    """Return what the model says of the changed picture: of a pair its second class, else a label where it is known."""
    if len(reading.classes) == 2:
        return _quote(reading.classes[::-1])
    try:
        return _quote((reading.label_of(int(reading.details["answer"])),)) if reading.label_of else _OTHER
    except (KeyError, IndexError, ValueError, OverflowError):
        return _OTHER


def _name_layer(stage: str) -> str:
    article = "an" if stage[:1] in "aeiou" else "a"
    return f"{article} {stage} layer of the model" if stage else "the chosen layer"


def _fill(spec: MethodSpec, reading: Reading) -> dict[str, str]:
    """Return the words for each name in a template, but for colours: classes, layer and the chosen options."""
    score = " over ".join(f"“{label}”" for label in reading.classes) or _THIS_CLASS
    words = {
        "class": _quote(reading.classes),
        "first": _quote(reading.classes[:1]),
        "score": f"the {'lead' if len(reading.classes) == 2 else 'score'} of {score}",
        "layer": _name_layer(reading.stage),
        "answer": _name_answer(reading),
    }
    words |= {name: percent(value) for name, value in reading.details.items() if name.startswith("probability")}
    for param in spec.params:
        if isinstance(param, Choice):
            # A stored map may come from a version with other settings.
            option = param.options.get(str(reading.params.get(param.name)), "an unknown setting")
            words[param.name] = f"{option[:1].lower()}{option[1:]}"
    return words


def _choose_template(spec: MethodSpec, reading: Reading) -> str:
    facts = {**reading.details, **reading.params}
    fitting = (text for case, text in spec.variants if all(facts.get(name) == value for name, value in case.items()))
    return next(fitting, spec.sentence)


def _tells_something(part: str, words: Mapping[str, str]) -> bool:
    """Return whether all names in a part have words, and no two probabilities in it the same ones."""
    names = set(re.findall(r"{(\w+)}", part))
    shares = [words[name] for name in names if name in words and name.startswith("probability")]
    return names <= set(words) and len(set(shares)) == len(shares)


def describe_reading(spec: MethodSpec, reading: Reading) -> dict[str, str]:
    """Return the sentence on how to read a map of a method, by palette."""
    template = _AGAINST.sub(lambda match: match[1] if reading.signed else "", _choose_template(spec, reading))
    words = _fill(spec, reading)
    template = _OUTCOME.sub(lambda match: match[1] if _tells_something(match[1], words) else "", template)
    return {
        name: template.format_map(
            words
            | {"for": palette.towards, "For": palette.towards.capitalize()}
            | {"against": palette.against, "Against": palette.against.capitalize()}
        )
        for name, palette in PALETTES.items()
    }
