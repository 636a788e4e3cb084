"""Sentences about an attacked picture, made from what it reports."""

from __future__ import annotations

from xai_core.attacks.run.attacked import Attacked
from xai_core.formatting import number, percent

LEVELS = 255


def describe_attack(result: Attacked) -> str:
    """Return in one or two sentences whether the attack worked, and by how large a change."""
    first, last = (prediction.classes[0] for prediction in (result.before, result.after))
    if result.success:
        answer = (
            f"It works: the model said {first[1]} ({percent(first[2])}) and now says {last[1]} ({percent(last[2])})."
        )
        return f"{answer} {_describe_size(result)}"
    change = _describe_move(result.before.classes[0][1], *result.source_probability)
    if result.target_probability is not None:
        change = _describe_move(result.label, *result.target_probability)
    return f"It does not work: {change}, and the model still says {last[1]}. {_describe_size(result)}"


def _describe_move(label: str, before: float, after: float) -> str:
    first, last = percent(before), percent(after)
    return f"{label} stays at {first}" if first == last else f"{label} went from {first} to {last}"


def _describe_size(result: Attacked) -> str:
    if not result.l0:
        return "The best picture found is the original one."
    pixels = result.picture.width * result.picture.height
    share = "1 pixel" if result.l0 == 1 else f"{percent(result.l0 / pixels)} of the pixels"
    return f"It changed {share} by at most {result.linf} of {LEVELS} grey levels, {number(result.l2)} on average."


def list_findings(result: Attacked) -> tuple[str, ...]:
    """Return what the attack itself found out, a sentence each."""
    details, sentences = result.details, []
    if "exhaustive" in details:
        flips = details["flips"]
        change = "none of them changes" if not flips else f"{flips:,.0f} of them change"
        sentences.append(
            f"Every pixel was tried black and white, {details['tried']:,.0f} pictures: {change} the answer. "
            "So this is a fact about the picture, not bad luck."
        )
    if "distance" in details:
        sentences.append(
            f"The nearest border between two answers is {number(details['distance'])} grey levels away on average "
            f"(Euclidean length {number(details['distance_l2'])})."
        )
        scale = details.get("surviving_scale")
        sentences.append(
            f"A file holds whole levels only: the step had to be {number(scale)} times as long to survive that."
            if scale is not None
            else "No scale of this step survives being rounded to whole levels."
        )
    if "unseen_patch" in details:
        before, patch, scrambled = (percent(details[f"unseen_{name}"]) for name in ("before", "patch", "scrambled"))
        sentences.append(
            f"On {details['unseen']:.0f} pictures that the sticker was not made with, {result.label} goes from "
            f"{before} to {patch} on average. A sticker with the same pixels in random order gets {scrambled}."
        )
    return tuple(sentences)
