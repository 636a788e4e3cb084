"""Facts about one unit: channels that say the same, what it adds to classes, and how alike its pictures are."""

from xai_core.inside.unit_facts.clarity import Clarity, choose_judge, find_groups, measure_clarity
from xai_core.inside.unit_facts.class_effects import ClassEffects, class_effects
from xai_core.inside.unit_facts.class_profile import ClassChannels, class_channels, class_parts
from xai_core.inside.unit_facts.neighbours import REDUNDANT, Neighbours, find_neighbours

__all__ = [
    "REDUNDANT",
    "Clarity",
    "ClassChannels",
    "ClassEffects",
    "Neighbours",
    "choose_judge",
    "class_channels",
    "class_effects",
    "class_parts",
    "find_groups",
    "find_neighbours",
    "measure_clarity",
]
