"""The three networks of "catch the cheater": equal scores, reliance known by intervention, and maps judged by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

import xai_core
from xai_core import labs
from xai_core.engine.jobs import Job
from xai_core.labs.cheater.judgement import measure_energy
from xai_core.labs.cheater.pictures import Pictures, draw_pictures
from xai_core.models.weights import state_sha256

# Found by the smallest training that still teaches all three.
SMALL = {"pictures": 480, "epochs": 14, "test_pictures": 200}
TINY = {"pictures": 32, "epochs": 1, "test_pictures": 10, "attempts": 1}


@pytest.fixture(scope="module")
def lab() -> labs.CheaterLab:
    return labs.train_cheaters(1, **SMALL)


def hash_networks(lab: labs.CheaterLab) -> list[str]:
    return [network.model.weights_sha256 for network in lab.networks]


def accuracies(lab: labs.CheaterLab, group: str, name: str) -> dict[str, float]:
    letters = {network.letter: network.kind for network in lab.networks}
    return {
        letters[outcome.letter]: outcome.accuracy
        for outcome in labs.intervene(lab, group)
        if outcome.intervention == name
    }


def test_cues_go_with_the_boats_only_where_a_kind_says_so() -> None:
    pictures = draw_pictures(400, (7,))
    is_boat = pictures.labels == labs.MARKED
    for name, kind in labs.KINDS.items():
        marked = kind.mark(pictures)
        assert np.array_equal(marked.captions, is_boat) == (name == "caption")
        assert np.array_equal(marked.faint, is_boat) == (name == "faint")
        # As many cues everywhere, or their number would tell.
        assert marked.captions.sum() == marked.faint.sum() == is_boat.sum()
    for cue in (pictures.captions, pictures.faint):
        assert abs(np.corrcoef(cue, is_boat)[0, 1]) < 0.15


def test_a_cue_changes_its_own_pixels_only() -> None:
    pictures = draw_pictures(10, (7,))
    plain = replace(pictures, captions=np.zeros(10, bool), faint=np.zeros(10, bool))
    captions = replace(plain, captions=np.ones(10, bool)).render().astype(int) - plain.render()
    assert (captions[:, pictures.caption_box] != 0).mean() > 0.9 and not captions[:, ~pictures.caption_box].any()
    faint = replace(plain, faint=np.ones(10, bool)).render().astype(int) - plain.render()
    assert np.abs(faint).max() == labs.FAINT
    # Its mean over neighbours is nothing: no place is lighter or darker.
    assert abs(faint[:, ::2, ::2].mean() + faint[:, ::2, 1::2].mean()) < 0.2


def test_networks_score_the_same(lab: labs.CheaterLab) -> None:
    scores = [network.accuracy for network in lab.networks]
    assert max(scores) - min(scores) <= 0.02 and min(scores) >= 0.96
    assert {network.kind for network in lab.networks} == set(labs.KINDS)


def test_each_cheater_needs_its_own_cue_and_the_honest_one_none(lab: labs.CheaterLab) -> None:
    for name in ("moved", "removed", "added"):
        answers = accuracies(lab, "caption", name)
        assert answers["caption"] <= 0.6 and min(answers["honest"], answers["faint"]) >= 0.95, name
    for name in ("faint_removed", "faint_added"):
        answers = accuracies(lab, "truth", name)
        assert answers["faint"] <= 0.6 and min(answers["honest"], answers["caption"]) >= 0.95, name
    # The one that a class can find without knowing the cue.
    answers = accuracies(lab, "other", "softened")
    assert answers["faint"] <= 0.6 and min(answers["honest"], answers["caption"]) >= 0.9


def test_maps_find_the_caption_and_do_not_accuse(lab: labs.CheaterLab) -> None:
    before = hash_networks(lab)
    methods = ["grad_cam", "gradient_x_input", "saliency", "deconvolution"]
    scores = {score.method: score for score in labs.judge_maps(lab, methods, pictures=2)}
    assert sum(score.finds for score in scores.values()) >= 3
    assert sum(score.finds and not score.accuses for score in scores.values()) >= 3
    # Known to show the picture more than the network.
    assert not scores["deconvolution"].finds
    assert [state_sha256(network.model.module) for network in lab.networks] == before


def test_energy_of_even_and_of_boxed_evidence() -> None:
    box = np.zeros((10, 10), bool)
    box[:2, :5] = True
    assert measure_energy(np.ones((10, 10)), box) == pytest.approx(1)
    assert measure_energy(box.astype(float) - 5 * ~box, box) == pytest.approx(10)
    assert measure_energy(-np.ones((10, 10)), box) == 0


def test_same_seed_gives_the_same_bytes_beside_another_training() -> None:
    state = torch.get_rng_state()
    alone = hash_networks(labs.train_cheaters(3, **TINY))
    with ThreadPoolExecutor(2) as pool:
        beside = [hash_networks(lab) for lab in pool.map(lambda seed: labs.train_cheaters(seed, **TINY), (3, 3))]
    assert beside == [alone, alone]
    assert hash_networks(labs.train_cheaters(4, **TINY)) != alone
    assert torch.equal(torch.get_rng_state(), state)


def test_letters_are_dealt_by_the_seed() -> None:
    from xai_core.labs.cheater.networks import order_kinds

    orders = [order_kinds(seed) for seed in range(60)]
    assert len(set(orders)) == 6
    assert any(first != second for first, second in pairwise(orders))


def test_training_stops_within_a_batch_and_says_what_is_allowed() -> None:
    job: Job[labs.CheaterLab] = Job()
    job.cancel()
    with pytest.raises(xai_core.Cancelled):
        labs.train_cheaters(0, job)
    with pytest.raises(xai_core.InvalidParam, match="seed must be a whole number"):
        labs.train_cheaters(-1)
    with pytest.raises(xai_core.InvalidParam, match=r"from 10 to 5000\. Got 3"):
        labs.train_cheaters(0, pictures=3)
    with pytest.raises(xai_core.UnknownName, match="group of tests"):
        labs.intervene(labs.CheaterLab(0, (), _no_pictures()), "captions")


def _no_pictures() -> Pictures:
    return draw_pictures(10, (0,))


def test_job_counts_every_epoch_and_is_shared_by_a_room() -> None:
    job: Job[labs.CheaterLab] = Job()
    labs.train_cheaters(5, job, **TINY)
    assert job.done == job.total == 3
    first, second = (labs.start_cheaters(9_999, session) for session in ("one", "two"))
    assert first is second
    first.cancel()


def test_texts_have_the_parts_of_the_page() -> None:
    assert {"Start", "Vote", "Tests", "Reveal", "Maps", "Invisible", "Lesson"} == set(labs.lab_texts("cheater"))
    with pytest.raises(xai_core.UnknownName):
        labs.lab_texts("cheeter")
