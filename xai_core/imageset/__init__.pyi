from .analysis.extremes import (
    Box as Box,
)
from .analysis.extremes import (
    Extremes as Extremes,
)
from .analysis.extremes import (
    NeuronEnd as NeuronEnd,
)
from .analysis.extremes import (
    RunningTop as RunningTop,
)
from .analysis.extremes import (
    activated_region as activated_region,
)
from .analysis.extremes import (
    all_channel_extremes as all_channel_extremes,
)
from .analysis.extremes import (
    channel_extremes as channel_extremes,
)
from .analysis.extremes import (
    class_extremes as class_extremes,
)
from .analysis.extremes import (
    confident_mistakes as confident_mistakes,
)
from .analysis.extremes import (
    neuron_bottom as neuron_bottom,
)
from .analysis.extremes import (
    neuron_top as neuron_top,
)
from .analysis.extremes import (
    pass_extremes as pass_extremes,
)
from .analysis.extremes import (
    tied as tied,
)
from .analysis.groups import (
    Confusion as Confusion,
)
from .analysis.groups import (
    Group as Group,
)
from .analysis.groups import (
    MeanAttribution as MeanAttribution,
)
from .analysis.groups import (
    about_group as about_group,
)
from .analysis.groups import (
    mean_attribution as mean_attribution,
)
from .analysis.scores import (
    Calibration as Calibration,
)
from .analysis.scores import (
    ClassScore as ClassScore,
)
from .analysis.scores import (
    SetScores as SetScores,
)
from .analysis.scores import (
    calibration_rows as calibration_rows,
)
from .analysis.scores import (
    confusion_rows as confusion_rows,
)
from .analysis.scores import (
    losses as losses,
)
from .analysis.scores import (
    score_set as score_set,
)
from .projection.make_map import (
    MAPS as MAPS,
)
from .projection.make_map import (
    MOST_POINTS as MOST_POINTS,
)
from .projection.make_map import (
    Map as Map,
)
from .projection.make_map import (
    MapSpec as MapSpec,
)
from .projection.make_map import (
    make_map as make_map,
)
from .projection.make_map import (
    pixels as pixels,
)
from .projection.make_map import (
    small_multiples as small_multiples,
)
from .projection.make_map import (
    stratified as stratified,
)
from .projection.neighbours import (
    PLACED as PLACED,
)
from .projection.neighbours import (
    NeighbourTable as NeighbourTable,
)
from .projection.neighbours import (
    nearest as nearest,
)
from .projection.neighbours import (
    neighbour_table as neighbour_table,
)
from .projection.neighbours import (
    place_among as place_among,
)
from .projection.query import describe_picture as describe_picture
from .projection.query import describe_pixels as describe_pixels
from .projection.service import (
    start_map as start_map,
)
from .projection.service import (
    start_multiples as start_multiples,
)
from .runs.corruptions import (
    CORRUPTIONS as CORRUPTIONS,
)
from .runs.corruptions import (
    MOST_SEVERE as MOST_SEVERE,
)
from .runs.corruptions import (
    Corrupted as Corrupted,
)
from .runs.corruptions import (
    Corruption as Corruption,
)
from .runs.corruptions import (
    corrupted as corrupted,
)
from .runs.model_input import seen_picture as seen_picture
from .runs.run import (
    Pass as Pass,
)
from .runs.run import (
    find_pass as find_pass,
)
from .runs.run import (
    run_pass as run_pass,
)
from .runs.run import (
    start_pass as start_pass,
)
from .sets.library import (
    IMAGE_SETS as IMAGE_SETS,
)
from .sets.library import (
    ImageSet as ImageSet,
)
from .sets.library import (
    ImageSetSpec as ImageSetSpec,
)
from .sets.library import (
    Kept as Kept,
)
from .sets.library import (
    find_set as find_set,
)
from .sets.library import (
    forget_set as forget_set,
)
from .sets.library import (
    kept_sets as kept_sets,
)
from .sets.library import (
    load_set as load_set,
)
from .sets.library import (
    opened_folders as opened_folders,
)
from .sets.library import (
    read_folder as read_folder,
)
from .sets.library import (
    read_zip as read_zip,
)
from .sets.library import (
    start_reading as start_reading,
)
