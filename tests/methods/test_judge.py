"""Verdicts over all methods of the registry, and over planted answers: who vouches for whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import xai_core
from xai_core.methods import METHODS
from xai_core.methods.run.judge import thing_masks
from xai_core.results import Attribution, Check
from xai_core.trust import CHECKS

NOT_EMPTY = Check("flat", "green", "The map is not empty.")
SIDE = 56
Y, X = np.mgrid[:SIDE, :SIDE] / SIDE
HERE, THERE = np.exp(-((Y - 0.3) ** 2 + (X - 0.3) ** 2) / 0.05), np.exp(-((Y - 0.8) ** 2 + (X - 0.8) ** 2) / 0.05)
VOUCHES = {"green": "fine", "amber": "care", "red": "distrust", None: "fine"}
LEVELS = {"passes": "green", "mixed": "amber", "fails": "red", "unknown": None}


def attribution(method: str, values: np.ndarray = HERE, **more: object) -> Attribution:
    basis = {"model": "n", "layer": None, "target": 0, "label": "a", "quantity": "logit", "params": {}, "seed": 0}
    rest = {"evaluations": 1, "seconds": 0.1, "image_sha256": "", "versions": {}, "checks": (NOT_EMPTY,)}
    return Attribution(values, method, **basis | rest | more)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", list(METHODS))
def test_only_emptiness_is_never_fine(method):
    (verdict,) = xai_core.judge([attribution(method)])
    sanity = METHODS.get(method).verdict
    assert (
        verdict.state == {"passes": "unchecked", "unknown": "unchecked", "mixed": "care", "fails": "distrust"}[sanity]
    )
    basics = tuple(Check(name, "green", "Good.") for name in CHECKS if CHECKS.get(name).basic)
    (verdict,) = xai_core.judge([attribution(method, checks=basics)])
    assert verdict.state != "fine"
    assert (
        METHODS.get(method).sanity in " ".join(finding.sentence for finding in verdict.findings)
    ) or not METHODS.get(method).sanity


@pytest.mark.parametrize("method", list(METHODS))
def test_the_record_of_the_method_counts_beside_a_passed_test(method):
    (verdict,) = xai_core.judge([attribution(method, checks=(NOT_EMPTY, Check("completeness", "green", "Adds up.")))])
    assert verdict.state == VOUCHES[LEVELS[METHODS.get(method).verdict]]


@pytest.mark.parametrize("method", list(METHODS))
def test_a_contradiction_is_never_fine(method):
    passed = (NOT_EMPTY, Check("completeness", "green", "Adds up."))
    maps = [attribution(method, checks=passed), attribution("occlusion" if method != "occlusion" else "lime", -HERE)]
    state = xai_core.judge(maps)[0].state
    spec = METHODS.get(method)
    assert (state != "fine") if spec.class_specific else state == VOUCHES[LEVELS[spec.verdict]]


def test_maps_that_agree_vouch_for_each_other():
    verdicts = xai_core.judge([attribution("grad_cam"), attribution("lime"), attribution("occlusion", THERE)])
    assert [verdict.state for verdict in verdicts] == ["care", "care", "care"], "one of three contradicts both others"
    verdicts = xai_core.judge(
        [attribution("grad_cam"), attribution("lime"), attribution("occlusion", HERE + 0.3 * THERE)]
    )
    assert [verdict.state for verdict in verdicts] == ["fine", "fine", "fine"]
    assert verdicts[0].findings[-1].sentence == "It points at the same place as both other maps."


@pytest.mark.parametrize(
    "more",
    [
        {"method": "grad_cam"},
        {"method": "guided_backprop"},
        {"method": "eigen_cam"},
        {"target": 1},
        {"target": (0, 1)},
        {"model": "another"},
        {"image_sha256": "another"},
        {"versions": {"weights": "another"}},
        {"values": np.zeros((SIDE, SIDE))},
    ],
)
def test_no_witness(more):
    """The same method, one that fails its sanity check or is blind to the class, and maps of other answers."""
    verdict = xai_core.judge([attribution("grad_cam"), replace(attribution("lime"), **more)])[0]
    assert verdict.state == "unchecked" and "No map of another method" in verdict.untested[-1]


def test_an_unknown_method_has_no_record():
    (verdict,) = xai_core.judge([attribution("method_of_tomorrow")])
    assert verdict.state == "unchecked" and len(verdict.untested) == 3
    assert xai_core.judge([]) == ()


@pytest.fixture(scope="module")
def coffee() -> tuple[xai_core.Classifier, Attribution]:
    model = xai_core.load_model("efficientnet_lite0")
    return model, xai_core.explain(model, xai_core.SAMPLES.get("coffee").load(), "grad_cam")


def test_a_known_object_is_named(coffee):
    _, cup = coffee
    corner = np.zeros((224, 224), np.float32)
    corner[190:, 190:] = 1
    names = ["Grad-CAM", "Occlusion", "Integrated Gradients", "LIME"]
    maps = [cup, replace(cup, method="occlusion"), replace(cup, method="integrated_gradients")]
    sentence = xai_core.describe_maps(names, [*maps, replace(cup, method="lime", values=corner)])
    assert sentence.startswith("Three of four point at the cup; LIME points elsewhere.")
    another = replace(cup, image_sha256="an own picture")
    assert xai_core.describe_maps(names[:2], [another, another]) == "Both point at the same place."
    assert xai_core.describe_maps(names[:2], [cup, replace(cup, model="gone")]) == "Both point at the same place."


def test_a_map_that_is_not_trustworthy_is_left_out_of_the_sentence(coffee):
    _, cup = coffee
    maps = [cup, replace(cup, method="guided_backprop"), replace(cup, method="lime")]
    sentence = xai_core.describe_maps(["Grad-CAM", "Guided backpropagation", "LIME"], maps)
    assert sentence == "Both point at the cup. Guided backpropagation is left out: not trustworthy."
    assert "nothing to compare" in xai_core.describe_maps(["Grad-CAM", "Guided backpropagation"], maps[:2])


def test_real_maps_of_another_smoothness_are_comparable(coffee):
    model, cup = coffee
    shares = xai_core.explain(model, xai_core.SAMPLES.get("coffee").load(), "deep_lift")
    by_pixel = xai_core.agreement([cup, shares], grain=None).rank[0, 1]
    assert abs(by_pixel) < 0.1 and xai_core.agreement([cup, shares]).rank[0, 1] > 0.5
    assert [verdict.state for verdict in xai_core.judge([cup, shares])] == ["fine", "fine"]


def test_ovals_of_samples_hold_less_than_half_of_what_a_model_sees(coffee):
    model, _ = coffee
    masks = thing_masks(model)
    assert len(masks) == sum(bool(sample.thing) for sample in xai_core.SAMPLES.specs()) > 2
    assert all(0.02 < mask.mean() < 0.5 for mask in masks.values())


@pytest.mark.parametrize(("level", "state"), [("green", "fine"), ("amber", "care"), ("red", "distrust")])
def test_a_test_on_request_decides_like_a_check_of_the_map(level, state):
    maps = [attribution("grad_cam"), attribution("grad_cam", THERE)]
    tested, untested = xai_core.judge(maps, [(Check("faithfulness", level, "Hiding test."),), ()])
    assert (tested.state, untested.state) == (state, "unchecked")
    assert "Hiding test." in [finding.sentence for finding in tested.findings]
