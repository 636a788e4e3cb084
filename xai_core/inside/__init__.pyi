from .concepts import (
    KITS as KITS,
    MAX_CONCEPTS as MAX_CONCEPTS,
    MIN_PICTURES as MIN_PICTURES,
    ConceptKit as ConceptKit,
    ConceptScore as ConceptScore,
    ConceptScores as ConceptScores,
    Pictures as Pictures,
    choose_layer as choose_layer,
    concept_scores as concept_scores,
    kit_for as kit_for,
    load_readings as load_readings,
    read_activations as read_activations,
    read_gradients as read_gradients,
    score_directions as score_directions,
    spread_layers as spread_layers,
)
from .dissection import (
    MIN_IOU as MIN_IOU,
    Dissection as Dissection,
    UnitExample as UnitExample,
    UnitLabel as UnitLabel,
    dissect as dissect,
    find_dissection as find_dissection,
    load_dissection as load_dissection,
    read_examples as read_examples,
)
from .feature_maps import (
    Activations as Activations,
    ChannelEffects as ChannelEffects,
    HidingTest as HidingTest,
    activations as activations,
    channel_effects as channel_effects,
    hide_channels as hide_channels,
)
from .filters import Filters as Filters, first_filters as first_filters
from .head import (
    HeadContributions as HeadContributions,
    head_contributions as head_contributions,
    head_layer as head_layer,
)
from .layer_table import Block as Block, LayerRow as LayerRow, layer_table as layer_table, list_blocks as list_blocks
from .parts import (
    PART_COUNT as PART_COUNT,
    PartContributions as PartContributions,
    Parts as Parts,
    explain_parts as explain_parts,
    find_parts as find_parts,
)
from .probes import (
    GENERATED_CONCEPTS as GENERATED_CONCEPTS,
    MAX_NAME as MAX_NAME,
    MIN_OWN as MIN_OWN,
    ConceptProbe as ConceptProbe,
    LazySequence as LazySequence,
    add_concept as add_concept,
    draw_probe as draw_probe,
    probe_from_classes as probe_from_classes,
    probe_from_masks as probe_from_masks,
)
from .unit_facts import (
    REDUNDANT as REDUNDANT,
    Clarity as Clarity,
    ClassChannels as ClassChannels,
    ClassEffects as ClassEffects,
    Neighbours as Neighbours,
    choose_judge as choose_judge,
    class_channels as class_channels,
    class_effects as class_effects,
    class_parts as class_parts,
    find_groups as find_groups,
    find_neighbours as find_neighbours,
    measure_clarity as measure_clarity,
)
from .units import (
    Unit as Unit,
    parse_unit as parse_unit,
    parse_weighted_units as parse_weighted_units,
    step_unit as step_unit,
)
from .visualization import (
    PARAMETRIZATIONS as PARAMETRIZATIONS,
    Direction as Direction,
    PhotographCheck as PhotographCheck,
    Preview as Preview,
    Question as Question,
    Visualization as Visualization,
    VisualizationPlan as VisualizationPlan,
    compare_with_photographs as compare_with_photographs,
    find_visualization as find_visualization,
    load_visualization as load_visualization,
    make_quiz as make_quiz,
    plan_visualization as plan_visualization,
    run_visualization as run_visualization,
    to_picture as to_picture,
    unit_values as unit_values,
    visualize as visualize,
)
