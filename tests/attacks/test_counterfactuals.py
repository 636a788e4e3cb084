"""Counterfactuals: valid, sparse and irreducible by brute force; swap gains equal recomputed logits; failures told."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.engine.impatient_job import ImpatientJob
from tests.zoo_networks import make_classifier, use_plain_torch
from xai_core.attacks import counterfactuals
from xai_core.attacks.counterfactuals.hide_pieces import _prepare, reduce_part
from xai_core.attacks.counterfactuals.swap_cells import cell_logits, choose_swaps
from xai_core.attacks.run.consequences import Answer
from xai_core.errors import Cancelled, InvalidParam, NotApplicable, UnknownName
from xai_core.imageset import find_of_class, find_unlike, list_answers
from xai_core.inside.head import read_head
from xai_core.methods.adaptive_occlusion import GreedySearch
from xai_core.models.classifier import Classifier
from xai_core.models.weights import state_sha256
from xai_core.what_if import cut_picture

SIDE, CELL = 24, 8
# The facade's function has the name of its module.
hide_module = sys.modules[counterfactuals.hide_pieces.__module__]
WINDOWS = {"pieces": "windows", "segments": 9}


class Cells(nn.Module):
    """Logits linear in the mean colour of 3 x 3 cells, with a product of two of them: hiding is not monotone."""

    def __init__(self) -> None:
        super().__init__()
        weights = torch.randn(3, 9, generator=torch.Generator().manual_seed(2))
        self.weight = nn.Parameter(weights)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        cells = nn.functional.avg_pool2d(x.mean(1, keepdim=True), CELL).flatten(1)
        logits = 4 * cells @ self.weight.T
        return logits + torch.stack([0 * cells[:, 0], 6 * cells[:, 0] * cells[:, 4], 0 * cells[:, 0]], dim=1)


class Maps(nn.Module):
    """A convolution with stride 8, a rectifier, means and a linear layer: cells see exactly their own pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Conv2d(3, 6, CELL, CELL), nn.Linear(6, 4)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for weight in self.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.first(x)).mean((2, 3)))


def toy(module: nn.Module, classes: int) -> Classifier:
    return use_plain_torch(make_classifier(module, SIDE, 3, classes), micro_batch=64)


def noise(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 3, 3)).repeat(CELL, 0).repeat(CELL, 1)
    return Image.fromarray(pixels.astype(np.uint8))


def hide_by_hand(model: Classifier, image: Image.Image, pieces: tuple[int, ...]) -> int:
    """The model's answer with these ninths grey, without the project's own composing."""
    pixels = np.asarray(image, dtype=np.float32) / 255
    for piece in pieces:
        row, column = divmod(piece, 3)
        pixels[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = 0.5
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    return int(model.module(x).argmax())


@pytest.mark.parametrize("seed", range(5))
def test_hidden_pieces_are_valid_sparse_and_irreducible(seed):
    model, image = toy(Cells(), 3), noise(seed)
    before, source = state_sha256(model.module), hide_by_hand(model, noise(seed), ())
    everything = list(chain.from_iterable(combinations(range(9), size) for size in range(1, 9)))
    for target in set(range(3)) - {source}:
        result = counterfactuals.hide_pieces(model, image, target, "grey", WINDOWS)
        chosen = tuple(np.flatnonzero(result.part).tolist())
        possible = [pieces for pieces in everything if hide_by_hand(model, image, pieces) == target]
        if not result.reached:
            # The greedy search went through as many pieces as there are.
            assert len(chosen) == 8 and "did not work" in counterfactuals.describe_hidden_pieces(result)
            continue
        assert chosen in possible, "valid"
        subsets = chain.from_iterable(combinations(chosen, size) for size in range(1, len(chosen)))
        assert result.irreducible and not any(subset in possible for subset in subsets), "irreducible"
        assert len(chosen) <= min(map(len, possible)) + 2, "sparse: near the fewest that any selection needs"
        assert result.answer == result.label and result.share == pytest.approx(len(chosen) / 9)
        hidden = np.asarray(result.picture) != np.asarray(image)
        assert not hidden[~result.mask].any()
        proof = "No smaller selection" if len(chosen) > 1 else "Another piece may do it too."
        assert proof in counterfactuals.describe_hidden_pieces(result)
    assert state_sha256(model.module) == before


def test_a_narrow_search_tries_few_pieces_a_round_and_reaches_what_the_full_one_reaches(monkeypatch):
    model, reached, sizes = toy(Cells(), 3), {}, []
    pairs = [(s, target) for s in range(4) for target in set(range(3)) - {hide_by_hand(model, noise(s), ())}]
    for width in (99, 2):
        monkeypatch.setattr(hide_module, "WIDTH", width)
        reached[width] = [
            counterfactuals.hide_pieces(model, noise(seed), target, "grey", WINDOWS).reached for seed, target in pairs
        ]
    assert reached[2] == reached[99] and any(reached[2])
    search = replace(_prepare(model, cut_picture(model, noise(0), WINDOWS, 0), "grey", 0), goal=float("inf"))
    compute = GreedySearch.compute_leads
    monkeypatch.setattr(
        GreedySearch, "compute_leads", lambda self, parts: sizes.append(len(parts)) or compute(self, parts)
    )
    search.search(4)
    assert sizes == [1, 9, 2, 2, 2]


def test_a_part_that_is_too_large_shrinks_to_the_smallest_selection_of_its_pieces():
    model, image, tried = toy(Cells(), 3), noise(1), 0
    for target in set(range(3)) - {hide_by_hand(model, image, ())}:
        search = _prepare(model, cut_picture(model, image, WINDOWS, target), "grey", 0)
        for large in combinations(range(9), 6):
            subsets = chain.from_iterable(combinations(large, size) for size in range(1, 6))
            enough = [len(subset) for subset in subsets if hide_by_hand(model, image, subset) == target]
            if hide_by_hand(model, image, large) == target and enough:
                part = torch.zeros(9, dtype=torch.bool)
                part[list(large)] = True
                smallest, is_proven = reduce_part(search, part)
                assert is_proven and int(smallest.sum()) == min(enough) < 6
                tried += 1
                break
    assert tried


def test_the_same_request_gives_the_same_bytes_with_every_filling():
    model, image = toy(Cells(), 3), noise(1)
    target = (hide_by_hand(model, image, ()) + 1) % 3
    for filling in ("surroundings", "noise", "mean"):
        first, again = (
            counterfactuals.hide_pieces(model, image, target, filling, WINDOWS, seed=4).picture.tobytes()
            for _ in range(2)
        )
        assert first == again


def swap_pair() -> tuple[Classifier, Image.Image, Image.Image, int]:
    """A picture, another one that the network calls otherwise, and that other class."""
    network, pictures = Maps(), [noise(seed) for seed in range(12)]
    model = toy(network, 4)
    inputs = torch.cat([model.prepare(picture) for picture in pictures])
    with torch.no_grad():
        # Without its mean over pictures no class wins everywhere.
        network.head.bias -= network(inputs).mean(0)
    answers = network(inputs).argmax(1).tolist()
    place = next(place for place, answer in enumerate(answers) if answer != answers[0])
    return model, pictures[0], pictures[place], answers[place]


def test_gains_of_swaps_equal_recomputed_logits_and_pasting_agrees_where_cells_see_only_themselves():
    model, image, theirs, target = swap_pair()
    inputs = torch.cat([model.prepare(image), model.prepare(theirs)])
    head = read_head(model, inputs)
    own, others, bias = cell_logits(head)
    np.testing.assert_allclose(own.sum(0) + bias, head.logits[0].detach(), atol=1e-5)
    order, leads = choose_swaps(own, others, bias, target)
    assert sorted(place for place, _, _ in order) == sorted(start for _, start, _ in order) == list(range(9))
    maps = head.maps.detach().flatten(2).double()
    mixed = maps[0].clone()
    for count, (place, start, gain) in enumerate(order, 1):
        logits_before = mixed.mean(1) @ head.weight.T.double() + head.bias.double()
        rivals = [row for row in range(4) if row != target]
        rival = max(rivals, key=lambda row: float(logits_before[row]))
        mixed[:, place] = maps[1][:, start]
        logits = mixed.mean(1) @ head.weight.T.double() + head.bias.double()
        change = (logits[target] - logits[rival]) - (logits_before[target] - logits_before[rival])
        assert gain == pytest.approx(float(change), abs=1e-9)
        assert leads[count] == pytest.approx(float(logits[target] - max(logits[row] for row in rivals)), abs=1e-9)
    result = counterfactuals.swap_cells(model, image, theirs, target)
    assert result.needed == result.pasted_needed == int((leads > 0).argmax()) and result.needed <= 9
    assert result.pasted_answer == result.label
    assert "The test on pixels agrees" in counterfactuals.describe_swaps(result)
    pasted = np.asarray(image).copy()
    for swap in result.swaps:
        (row, column), (top, left) = swap.place, swap.source
        source = np.asarray(theirs)[top * CELL : (top + 1) * CELL, left * CELL : (left + 1) * CELL]
        pasted[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = source
    np.testing.assert_array_equal(np.asarray(result.pasted), pasted)


def test_wrong_wishes_are_refused_in_words_and_a_cancel_stops():
    model, image, theirs, target = swap_pair()
    source = int(model.module(model.prepare(image)).argmax())
    for call in (
        lambda wish: counterfactuals.hide_pieces(model, image, wish, "grey", WINDOWS),
        lambda wish: counterfactuals.swap_cells(model, image, theirs, wish),
    ):
        with pytest.raises(InvalidParam, match=r"already\. Choose another class"):
            call(source)
        with pytest.raises(UnknownName):
            call("unicorn")
    with pytest.raises(InvalidParam, match="the same"):
        counterfactuals.swap_cells(model, image, image, target)
    with pytest.raises(NotApplicable):
        counterfactuals.swap_cells(toy(Cells(), 3), image, theirs, (source + 1) % 3)
    with pytest.raises(Cancelled):
        counterfactuals.hide_pieces(model, image, target, "grey", WINDOWS, job=ImpatientJob(1))


class Run:
    """The part of a run that the search for counterparts reads."""

    mean = np.float32([[1, 0], [0.9, 0.1], [0, 1], [0.5, 0.5]])
    predictions = np.array([0, 0, 1, 2])
    valid = np.array([True, True, True, True])


def test_counterparts_come_from_labels_first_then_from_the_model_and_a_set_without_them_says_so():
    query = np.float32([1, 0.2])
    labelled = find_of_class(Run, np.array([0, 1, 1, -1]), query, 1, "dog")
    assert labelled.row == 2 and labelled.by_label, "labelled and called so"
    assert find_of_class(Run, np.array([0, 3, -1, -1]), query, 3, "owl").row == 1
    by_model = find_of_class(Run, np.full(4, -1), query, 2, "fox")
    assert by_model.row == 3 and not by_model.by_label
    with pytest.raises(NotApplicable, match="no picture of bat: none is labelled so"):
        find_of_class(Run, np.full(4, -1), query, 7, "bat")
    assert find_unlike(Run, query, 0).row == 3
    assert list_answers(Run, 1) == (0, 2) and list_answers(Run, 0, 1) == (1,)


def test_the_contrast_says_what_the_other_networks_still_see():
    class Attacked:
        success, linf, label, epsilon, queries = True, 8, "dog", 8, 40
        after = type("P", (), {"classes": ((1, "dog", 0.9),)})

    def say(*answers: Answer) -> str:
        return counterfactuals.describe_contrast(counterfactuals.Contrast(Attacked, answers))  # type: ignore[arg-type]

    first, second = (Answer(name, "cat", "cat", 0.8, False) for name in ("Lite1", "Lite2"))
    assert say(first, second).endswith("Lite1 and Lite2 still see cat: this fools one network and explains nothing.")
    assert "Lite1 says cat and Lite2 says fox" in say(first, Answer("Lite2", "cat", "fox", 0.5, False))
    assert "It fools Lite2 too, but Lite1 says cat." in say(first, Answer("Lite2", "cat", "dog", 0.5, True))
    early = Answer("Lite3", "dog", "dog", 0.9, True)
    assert "still see cat: this fools one network" in say(first, second, early)
    assert say(first, second, early).endswith("Lite3 said dog before the change too, which tells nothing.")
    assert "fools" not in say(early) and "Choose another class" in say(early)
    assert "nobody can be asked" in say()
