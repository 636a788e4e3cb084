"""Pictures with labelled pixels: drawn from a seed, or taken from a picture set."""

from __future__ import annotations

from xai_core.inside.probes.generated import GENERATED_CONCEPTS, draw_probe
from xai_core.inside.probes.picture_set import LabelledPictures, probe_from_classes, probe_from_masks
from xai_core.inside.probes.probe import ConceptProbe

__all__ = [
    "GENERATED_CONCEPTS",
    "ConceptProbe",
    "LabelledPictures",
    "draw_probe",
    "probe_from_classes",
    "probe_from_masks",
]
