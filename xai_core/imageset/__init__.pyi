from .analysis.counterparts import (
    Counterpart as Counterpart,
    find_of_class as find_of_class,
    find_unlike as find_unlike,
    list_answers as list_answers,
)
from .analysis.extremes import (
    Extremes as Extremes,
    all_channel_extremes as all_channel_extremes,
    channel_extremes as channel_extremes,
    class_extremes as class_extremes,
    confident_mistakes as confident_mistakes,
    count_ties as count_ties,
    run_extremes as run_extremes,
)
from .analysis.favourites import Favourite as Favourite, find_favourites as find_favourites
from .analysis.groups import (
    Confusion as Confusion,
    Group as Group,
    MeanAttribution as MeanAttribution,
    describe_group as describe_group,
    mean_attribution as mean_attribution,
)
from .analysis.neuron import NeuronEnd as NeuronEnd, neuron_bottom as neuron_bottom, neuron_top as neuron_top
from .analysis.region import Box as Box, activated_region as activated_region
from .analysis.scores import (
    Calibration as Calibration,
    ClassScore as ClassScore,
    SetScores as SetScores,
    calibration_rows as calibration_rows,
    confusion_rows as confusion_rows,
    losses as losses,
    score_set as score_set,
)
from .analysis.shaken_set import (
    ShakenSet as ShakenSet,
    describe_shaken_set as describe_shaken_set,
    shake_set as shake_set,
)
from .analysis.top_k import RunningTop as RunningTop
from .image_set import ImageSet as ImageSet
from .projection.kinds import MAPS as MAPS
from .projection.maps import (
    MAX_POINTS as MAX_POINTS,
    PerplexityChoice as PerplexityChoice,
    choose_perplexities as choose_perplexities,
    make_map as make_map,
    small_multiples as small_multiples,
    stratified as stratified,
)
from .projection.neighbours import (
    PLACEMENT_NOTE as PLACEMENT_NOTE,
    NeighbourTable as NeighbourTable,
    find_nearest as find_nearest,
    neighbour_table as neighbour_table,
    place_among as place_among,
)
from .projection.pixels import read_pixels as read_pixels
from .projection.query import describe_picture as describe_picture, describe_pixels as describe_pixels
from .projection.service import start_map as start_map, start_multiples as start_multiples
from .projection.spec import Map as Map, MapSpec as MapSpec
from .runs.class_head import ClassHead as ClassHead, learn_classes as learn_classes
from .runs.corruptions import (
    CORRUPTIONS as CORRUPTIONS,
    MAX_SEVERITY as MAX_SEVERITY,
    Corruption as Corruption,
    CorruptionLevel as CorruptionLevel,
    parse_corruption as parse_corruption,
)
from .runs.disk import find_run as find_run
from .runs.inference import run_model as run_model, start_run as start_run
from .runs.model_input import read_model_input as read_model_input
from .runs.outputs import ModelOutputs as ModelOutputs
from .sets.builtin.spec import IMAGE_SETS as IMAGE_SETS, ImageSetSpec as ImageSetSpec
from .sets.disk import StoredSet as StoredSet
from .sets.library import (
    find_set as find_set,
    forget_set as forget_set,
    list_sets as list_sets,
    load_set as load_set,
    start_reading as start_reading,
)
from .sets.uploaded import read_folder as read_folder, read_zip as read_zip
