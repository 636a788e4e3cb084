from .agreement_sentence import describe_agreement as describe_agreement
from .checks import CHECKS as CHECKS, CheckSpec as CheckSpec, Evidence as Evidence, run_checks as run_checks
from .doubt import doubt as doubt
from .hiding.comparisons import AMOUNTS as AMOUNTS, MAX_SHIFTS as MAX_SHIFTS, Comparison as Comparison
from .hiding.curves import Curve as Curve
from .hiding.faithfulness import (
    Faithfulness as Faithfulness,
    check_map as check_map,
    faithfulness as faithfulness,
    start_faithfulness as start_faithfulness,
)
from .hiding.fills import FILLS as FILLS
from .hiding.pictures import hide_top as hide_top
from .hiding.pieces import PIECES as PIECES
from .hiding.seeds import SEEDS as SEEDS, measure_seed_range as measure_seed_range
from .hiding.wording import (
    check_faithfulness as check_faithfulness,
    describe_faithfulness as describe_faithfulness,
    describe_seed_range as describe_seed_range,
)
from .map_agreement import (
    AGREE as AGREE,
    CONTRADICT as CONTRADICT,
    GAPS as GAPS,
    GRAIN as GRAIN,
    Agreement as Agreement,
    agreement as agreement,
)
from .metrics import METRICS as METRICS, MetricSpec as MetricSpec
from .metrics.base.pictures import (
    MAX_PICTURES as MAX_PICTURES,
    MIN_PICTURES as MIN_PICTURES,
    PictureComparison as PictureComparison,
    check_count as check_count,
    compare_over_pictures as compare_over_pictures,
    count_comparison as count_comparison,
)
from .metrics.base.request import MetricRequest as MetricRequest, find_object_mask as find_object_mask
from .metrics.base.service import start_comparison as start_comparison, start_measuring as start_measuring
from .metrics.base.table import MetricTable as MetricTable, measure_maps as measure_maps
from .metrics.base.wording import describe_anchors as describe_anchors, describe_comparison as describe_comparison
from .metrics.pointing import center_hits as center_hits
from .pointing import points_at as points_at
from .sanity.findings import find_tests as find_tests
from .sanity.random_labels import LabelRandomization as LabelRandomization, label_randomization as label_randomization
from .sanity.randomization import (
    Randomization as Randomization,
    count_work as count_work,
    randomization as randomization,
)
from .sanity.records import describe_record as describe_record
from .sanity.service import start_randomization as start_randomization
from .sanity.similarity import MEASURES as MEASURES
from .sanity.wording import (
    check_randomization as check_randomization,
    describe_randomization as describe_randomization,
    describe_similarity as describe_similarity,
)
from .verdict import (
    STATES as STATES,
    MapVerdict as MapVerdict,
    compare_with as compare_with,
    find_state as find_state,
    is_test as is_test,
    judge_map as judge_map,
)
