"""Concepts as directions in a layer, and how much they matter for a class (TCAV), tested against random pictures."""

from xai_core.inside.concepts import kits as _kits  # noqa: F401  # registers them
from xai_core.inside.concepts.kit import KITS, ConceptKit, kit_for
from xai_core.inside.concepts.readings import choose_layer, read_activations, read_gradients, spread_layers
from xai_core.inside.concepts.scores import (
    MAX_CONCEPTS,
    MIN_PICTURES,
    ConceptScore,
    ConceptScores,
    concept_scores,
    score_directions,
)
from xai_core.inside.concepts.stored import load_readings
from xai_core.inside.visualization.pooled_features import Pictures

__all__ = [
    "KITS",
    "MAX_CONCEPTS",
    "MIN_PICTURES",
    "ConceptKit",
    "ConceptScore",
    "ConceptScores",
    "Pictures",
    "choose_layer",
    "concept_scores",
    "kit_for",
    "load_readings",
    "read_activations",
    "read_gradients",
    "score_directions",
    "spread_layers",
]
