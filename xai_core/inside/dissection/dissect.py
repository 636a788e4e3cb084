"""Network dissection: which concept the strongest responses of each unit lie on (Bau et al. 2017, arXiv:1704.05796).

Get the responses to labelled pictures, measure the value that each unit exceeds at 0.5 % of the places, quantify how
well that mask and a concept's pixels coincide (IoU). Beyond the paper: ties are dealt with, each IoU stands beside the
largest one that areas allow, and labels are tested by resampling, by other pictures, and against shuffled ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xai_core.arrays import Float32, Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.inside.dissection.held_out import (
    LabelTests,
    best_concepts,
    bootstrap_range,
    check_labels,
    pass_together,
    show_most,
)
from xai_core.inside.dissection.label_maps import PIXELS, LabelReader, check_counts
from xai_core.inside.dissection.layer_maps import LayerMaps
from xai_core.inside.dissection.overlap import OverlapCounter, reachable_maximum
from xai_core.inside.dissection.thresholds import TOP_SHARE, Thresholds, TopValues
from xai_core.inside.probes import ConceptProbe, draw_probe
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer

MIN_IOU = 0.04
TOP_PICTURES = 8
# A few equal values are no saturation: this share of the places, a little above what every mask covers, is.
_MIN_SATURATED = 1.1 * TOP_SHARE
_SEED = 0


@dataclass(frozen=True)
class UnitLabel:
    """A unit and the concept that its mask coincides with most; `concept` is None for a unit without a mask."""

    unit: int
    concept: str | None
    iou: float
    reachable: float
    """Largest IoU that the areas of mask and concept allow."""
    low: float
    high: float
    """95 % range of the IoU over resampled pictures."""
    precision: float
    """Average precision on held-out pictures (AUPRC); NaN where the label could not be tested."""
    chance: float
    p: float
    saturated: float
    """Share of the places at which the unit is at its threshold, where that is more than 0.5 %; else 0."""
    passes: bool
    """True if the held-out pictures confirm the label; where none are, every label passes."""

    @property
    def is_detector(self) -> bool:
        """True if the IoU is above 0.04 and the label passes its test."""
        return self.concept is not None and self.iou > MIN_IOU and self.passes


@dataclass(frozen=True, eq=False)
class Dissection:
    """C units of a layer against K concepts."""

    model: str
    layer: str
    probe: str
    """Title of the probe."""
    concepts: tuple[str, ...]
    thresholds: Float32
    """Value that each unit exceeds at 0.5 % of the places of all pictures, (C,)."""
    iou: Float64
    """(C, K)."""
    reachable: Float64
    """Largest IoU that the areas allow, (C, K)."""
    areas: Float64
    """Share of all pixels that each concept covers, (K,)."""
    pictures: int
    held_out: int
    top: Int64
    """Pictures of the probe in which each unit responds most, (C, n), strongest first."""
    labels: tuple[UnitLabel, ...]
    """The best label of every unit, (C,)."""
    shuffled_detectors: int
    """Units whose IoU is above 0.04 when each picture gets the masks of another one."""

    @cached_property
    def detectors(self) -> tuple[UnitLabel, ...]:
        """Labels with an IoU above 0.04 that pass their test, the highest IoU first."""
        return tuple(sorted((label for label in self.labels if label.is_detector), key=lambda label: -label.iou))

    def units_for(self, concept: str) -> tuple[UnitLabel, ...]:
        """Return the detectors of a concept, the highest IoU first."""
        return tuple(label for label in self.detectors if label.concept == concept)


def dissect(
    model: Classifier, layer: str, probe: ConceptProbe | None = None, job: Job[Any] | None = None
) -> Dissection:
    """Compare every unit of a layer with every concept of a probe (None: 600 generated pictures and 200 held out).

    `job` counts pictures. Raises InvalidParam (a layer without maps, masks of another size, a concept in fewer than ten
    pictures), UnknownName, Cancelled.

    >>> from xai_core import load_model
    >>> from xai_core.inside import draw_probe
    >>> result = dissect(load_model("small_cnn"), "conv2", draw_probe(80, held_out=0))
    >>> result.thresholds.shape, result.iou.shape
    ((8,), (8, 26))
    """
    record = model.layer(layer)
    record = model.layer(record.alias_of) if record.alias_of else record
    probe, job = probe or draw_probe(), job or Job()
    held_out = 0 if probe.held_out is None else len(probe.held_out)
    job.expect(job.done + 2 * len(probe) + held_out)
    reader = LabelReader(model, probe)
    maps = LayerMaps(model, record, reader.read, len(probe), job)
    thresholds = _find_thresholds(maps, record, len(probe))
    check_counts(probe, reader.maps.areas)
    # A shift by half of them: no picture keeps its own masks.
    counter = OverlapCounter(thresholds, reader.maps, np.roll(np.arange(len(probe)), len(probe) // 2))
    for _ in maps.run(counter.count):
        pass
    return _summarize(model, record, probe, counter, job)


def _find_thresholds(maps: LayerMaps, layer: Layer, count: int) -> Thresholds:
    top = TopValues(layer.channels, count * layer.grid[0] * layer.grid[1])
    for _ in maps.run(lambda _first, values: top.add(values.transpose(0, 1).flatten(1).numpy())):
        pass
    return top.thresholds()


def _summarize(
    model: Classifier, layer: Layer, probe: ConceptProbe, counter: OverlapCounter, job: Job[Any]
) -> Dissection:
    concept_areas, unit_areas = counter.labels.areas, counter.unit_areas()
    shared, shuffled = counter.totals()
    units, concepts = unit_areas.sum(0), concept_areas.sum(0)
    iou, best = best_concepts(shared, units, concepts)
    by_chance, _ = best_concepts(shuffled, units, concepts)
    reach = np.stack(counter.reach)
    return Dissection(
        model=model.name,
        layer=layer.name,
        probe=probe.title,
        concepts=tuple(probe.concepts),
        thresholds=counter.thresholds.values,
        iou=iou,
        reachable=reachable_maximum(units[:, None], concepts[None]),
        areas=concepts / (len(probe) * PIXELS),
        pictures=len(probe),
        held_out=0 if probe.held_out is None else len(probe.held_out),
        top=np.argsort(-reach, axis=0, kind="stable")[:TOP_PICTURES].T.copy(),
        labels=_label_units(model, layer, probe, counter, iou, best, job),
        shuffled_detectors=int((by_chance.max(1) > MIN_IOU).sum()),
    )


def _label_units(
    model: Classifier,
    layer: Layer,
    probe: ConceptProbe,
    counter: OverlapCounter,
    iou: Float64,
    best: Int64,
    job: Job[Any],
) -> tuple[UnitLabel, ...]:
    """Return each unit's best concept (C,), with its range and its test on held-out pictures."""
    numbers, unit_areas, concept_areas = np.arange(len(best)), counter.unit_areas(), counter.labels.areas
    low, high = bootstrap_range(counter.shared_with(best), unit_areas, concept_areas[:, best], _SEED)
    tests = _check_held_out(model, layer, probe.held_out, best, job)
    values = iou[numbers, best]
    passes = pass_together(np.where(values > MIN_IOU, tests.p, np.nan)) | (probe.held_out is None)
    reachable = reachable_maximum(unit_areas.sum(0), concept_areas.sum(0)[best])
    places = len(probe) * layer.grid[0] * layer.grid[1]
    at_threshold = np.zeros(len(best)) if counter.at_threshold is None else counter.at_threshold / places
    saturated = np.where(counter.thresholds.includes_ties & (at_threshold > _MIN_SATURATED), at_threshold, 0.0)
    return tuple(
        UnitLabel(
            unit=unit,
            concept=probe.concepts[best[unit]] if values[unit] > 0 else None,
            iou=float(values[unit]),
            reachable=float(reachable[unit]),
            low=float(low[unit]),
            high=float(high[unit]),
            precision=float(tests.precision[unit]),
            chance=float(tests.chance[unit]),
            p=float(tests.p[unit]),
            saturated=float(saturated[unit]),
            passes=bool(passes[unit]),
        )
        for unit in numbers.tolist()
    )


def _check_held_out(
    model: Classifier, layer: Layer, held_out: ConceptProbe | None, best: Int64, job: Job[Any]
) -> LabelTests:
    if held_out is None:
        nothing = np.full(len(best), np.nan)
        return LabelTests(nothing, nothing, nothing)
    reader = LabelReader(model, held_out)
    maps = LayerMaps(model, layer, reader.read, len(held_out), job, is_read_again=False)
    reach = np.concatenate(list(maps.run(lambda _first, values: values.amax((2, 3)).numpy())))
    return check_labels(reach, show_most(reader.maps.areas), best, _SEED)
