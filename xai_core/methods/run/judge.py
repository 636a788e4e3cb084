"""Verdicts on maps: their checks, the records of their methods, and how maps of one answer agree."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from xai_core.arrays import Bool
from xai_core.errors import XaiError
from xai_core.formatting import join_words
from xai_core.images import SAMPLES, image_sha256
from xai_core.images.samples import Sample
from xai_core.methods.base.spec import METHODS
from xai_core.models import find_model
from xai_core.models.classifier import Classifier
from xai_core.object_cache import cache_per_object
from xai_core.results import Attribution, Check
from xai_core.trust import MapVerdict, agreement, compare_with, describe_agreement, judge_map, points_at

# Of 0 to 255: above it a pixel of the scaled mask belongs to the object.
MIDDLE_GREY = 127


def judge(
    maps: Sequence[Attribution], tests: Sequence[Sequence[Check]] = (), notes: Sequence[str] = ()
) -> tuple[MapVerdict, ...]:
    """Return the verdict on each map; maps of other methods for the same picture, model and target are compared.

    A map that is not trustworthy by itself, or that is the same for every class, vouches for no other. `tests` are
    findings of each map beyond its own checks, such as a hiding test; `notes` say what own tests of each map's method
    came to.

    >>> from xai_core import SAMPLES, explain, load_model
    >>> result = explain(load_model("small_cnn"), SAMPLES.get("digit_3").load(), "guided_backprop")
    >>> judge([result])[0].state
    'distrust'
    """
    further, records = tests or [()] * len(maps), notes or [""] * len(maps)
    alone = [_apply_record(entry, None, findings) for entry, findings in zip(maps, further, strict=True)]
    matrix = agreement(maps)
    names = [_name_method(attribution) for attribution in maps]
    verdicts = []
    for own, attribution in enumerate(maps):
        witnesses = [
            place
            for place, another in enumerate(maps)
            if _is_same_answer(attribution, another) and alone[place].state != "distrust" and _is_specific(another)
        ]
        comparison = compare_with(own, witnesses, matrix, names) if _is_specific(attribution) else None
        verdicts.append(_apply_record(attribution, comparison, further[own], records[own]))
    return tuple(verdicts)


def describe_maps(names: Sequence[str], maps: Sequence[Attribution]) -> str:
    """Return one sentence on what the maps point at: the known object of a sample picture, or the same place.

    A map that is not trustworthy by itself is named and left out.
    """
    is_sound = [_apply_record(attribution).state != "distrust" for attribution in maps]
    left_out = [name for name, sound in zip(names, is_sound, strict=True) if not sound]
    kept_names = [name for name, sound in zip(names, is_sound, strict=True) if sound]
    kept_maps = [attribution for attribution, sound in zip(maps, is_sound, strict=True) if sound]
    if left_out and len(kept_maps) < 2:
        return "Fewer than two of these maps are trustworthy, so there is nothing to compare."
    sentence = _describe_sound_maps(kept_names, kept_maps)
    verb = "is" if len(left_out) == 1 else "are"
    return f"{sentence} {join_words(left_out)} {verb} left out: not trustworthy." if left_out else sentence


def _describe_sound_maps(names: Sequence[str], maps: Sequence[Attribution]) -> str:
    matrix = agreement(maps)
    things = [_find_thing(attribution) for attribution in maps]
    titles = {thing for thing, _ in things}
    if len(titles) != 1 or "" in titles:
        return describe_agreement(names, matrix)
    hits = [
        points_at(attribution, mask) for attribution, (_, mask) in zip(maps, things, strict=True) if mask is not None
    ]
    return describe_agreement(names, matrix, titles.pop(), hits)


def _apply_record(
    attribution: Attribution, comparison: Check | None = None, tests: Sequence[Check] = (), note: str = ""
) -> MapVerdict:
    checks = (*attribution.checks, *tests)
    if attribution.method not in METHODS:
        return judge_map(checks, "unknown", "", comparison, note)
    spec = METHODS.get(attribution.method)
    return judge_map(checks, spec.verdict, spec.sanity, comparison, note)


def _is_same_answer(attribution: Attribution, another: Attribution) -> bool:
    """Return whether another method explains the same score of the same model for the same picture."""
    first, second = (
        (result.image_sha256, result.model, result.versions.get("weights"), result.target)
        for result in (attribution, another)
    )
    return first == second and attribution.method != another.method


def _is_specific(attribution: Attribution) -> bool:
    return attribution.method not in METHODS or METHODS.get(attribution.method).class_specific


def _name_method(attribution: Attribution) -> str:
    known = attribution.method in METHODS
    return METHODS.get(attribution.method).technical if known else attribution.method


@functools.cache
def _samples_with_thing() -> dict[str, Sample]:
    """Return the sample pictures with a known object, by the SHA-256 of their pixels."""
    samples = {}
    for sample in SAMPLES.specs():
        if sample.thing:
            try:
                samples[image_sha256(sample.load())] = sample
            # The sample's package is not installed.
            except XaiError:
                continue
    return samples


@cache_per_object
def thing_masks(model: Classifier) -> dict[str, Bool]:
    """Return the mask of each known object as the model sees it, (H, W), by the SHA-256 of its picture."""
    masks = {}
    for picture_sha256, sample in _samples_with_thing().items():
        drawing = Image.new("RGB", sample.load().size)
        left, top, right, bottom = sample.thing_oval
        width, height = drawing.size
        box = (left * width, top * height, right * width, bottom * height)
        ImageDraw.Draw(drawing).ellipse(box, fill="white")
        masks[picture_sha256] = see_mask(model, drawing)
    return masks


def see_mask(model: Classifier, drawing: Image.Image) -> Bool:
    """Return the white part of a drawing of a picture's size, as the model sees it, (H, W)."""
    # The mask goes the way of the picture: the same scaling, the same crop.
    seen = np.asarray(model.preprocessing.model_input(drawing.convert("RGB")).convert("L"))
    mask: Bool = seen > MIDDLE_GREY
    return mask


def _find_thing(attribution: Attribution) -> tuple[str, Bool | None]:
    """Return the known object of a map's picture and its mask as the model sees it, (H, W); "" without one."""
    sample, model = _samples_with_thing().get(attribution.image_sha256), find_model(attribution.model)
    if sample is None or model is None:
        return "", None
    return sample.thing, thing_masks(model)[attribution.image_sha256]
