"""Trust in a map: checks of one map, agreement of several, the verdict on each, and doubt about the answer."""

from xai_core.trust.agreement_sentence import describe_agreement
from xai_core.trust.checks import CHECKS, CheckSpec, Evidence, run_checks
from xai_core.trust.doubt import doubt
from xai_core.trust.map_agreement import AGREE, CONTRADICT, GAPS, GRAIN, Agreement, agreement
from xai_core.trust.pointing import points_at
from xai_core.trust.verdict import STATES, MapVerdict, compare_with, find_state, is_test, judge_map

__all__ = [
    "AGREE",
    "CHECKS",
    "CONTRADICT",
    "GAPS",
    "GRAIN",
    "STATES",
    "Agreement",
    "CheckSpec",
    "Evidence",
    "MapVerdict",
    "agreement",
    "compare_with",
    "describe_agreement",
    "doubt",
    "find_state",
    "is_test",
    "judge_map",
    "points_at",
    "run_checks",
]
