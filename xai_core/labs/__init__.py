"""Labs where the truth is known: generated pictures, networks trained on them, and maps judged by what is true."""

from __future__ import annotations

from xai_core.labs.cheater.interventions import INTERVENTIONS, Intervention, Outcome, intervene
from xai_core.labs.cheater.judgement import ACCUSES, FINDS, MapScore, judge_maps, list_judged_methods
from xai_core.labs.cheater.networks import KINDS, LETTERS, CheaterLab, LabNetwork, train_cheaters
from xai_core.labs.cheater.pictures import FAINT, LABELS, MARKED, faint_pattern
from xai_core.labs.cheater.wording import describe_outcomes, describe_scores
from xai_core.labs.objects.networks import SceneNetwork, train_scene_networks
from xai_core.labs.objects.ranking import Importance, Ranked, Setting, measure_importance, rank_settings
from xai_core.labs.objects.scenes import Scene, compose_photographs, draw_scenes
from xai_core.labs.objects.scores import describe_truth
from xai_core.labs.service import VOTES, start_cheaters, start_scene_networks
from xai_core.labs.texts import lab_texts
from xai_core.labs.vocabulary import WordCard, cards_at, list_cards
from xai_core.labs.votes import Count, Votes, clean_room, make_room, room_seed

__all__ = [
    "ACCUSES",
    "FAINT",
    "FINDS",
    "INTERVENTIONS",
    "KINDS",
    "LABELS",
    "LETTERS",
    "MARKED",
    "VOTES",
    "CheaterLab",
    "Count",
    "Importance",
    "Intervention",
    "LabNetwork",
    "MapScore",
    "Outcome",
    "Ranked",
    "Scene",
    "SceneNetwork",
    "Setting",
    "Votes",
    "WordCard",
    "cards_at",
    "clean_room",
    "compose_photographs",
    "describe_outcomes",
    "describe_scores",
    "describe_truth",
    "draw_scenes",
    "faint_pattern",
    "intervene",
    "judge_maps",
    "lab_texts",
    "list_cards",
    "list_judged_methods",
    "make_room",
    "measure_importance",
    "rank_settings",
    "room_seed",
    "start_cheaters",
    "start_scene_networks",
    "train_cheaters",
    "train_scene_networks",
]
