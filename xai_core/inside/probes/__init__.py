"""Pictures with labelled pixels: drawn from a seed, or taken from a picture set."""

from __future__ import annotations

from xai_core.inside.probes.generated import GENERATED_CONCEPTS, draw_probe
from xai_core.inside.probes.own_pictures import MAX_NAME, MIN_OWN, add_concept
from xai_core.inside.probes.picture_set import LabelledPictures, probe_from_classes, probe_from_masks
from xai_core.inside.probes.probe import ConceptProbe, LazySequence

__all__ = [
    "GENERATED_CONCEPTS",
    "MAX_NAME",
    "MIN_OWN",
    "ConceptProbe",
    "LabelledPictures",
    "LazySequence",
    "add_concept",
    "draw_probe",
    "probe_from_classes",
    "probe_from_masks",
]
