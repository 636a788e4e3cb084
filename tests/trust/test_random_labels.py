"""Label randomization: the network learns its shuffled labels by heart, or the test is refused."""

from __future__ import annotations

import pytest
import torch

import xai_core
from xai_core.models.train_small_cnn import load_digits
from xai_core.trust.sanity.random_labels import label_randomization, learn_shuffled_labels


def test_shuffled_labels_are_learnt_by_heart_and_say_nothing_about_digits() -> None:
    digits = load_digits()
    module, reached = learn_shuffled_labels(digits, 0, count=80)
    assert reached >= 0.95
    with torch.no_grad():
        known = (module(digits.held_out).argmax(1) == digits.held_out_labels).double().mean()
    assert known < 0.3, "chance is a tenth"
    assert not module.training and not any(weight.requires_grad for weight in module.parameters())


def test_a_network_that_learnt_too_little_is_no_test() -> None:
    digit = xai_core.SAMPLES.get("digit_3").load()
    with pytest.raises(xai_core.NotApplicable, match="no test"):
        label_randomization(digit, "saliency", epochs=1)
    before = [weight.clone() for weight in xai_core.load_model("small_cnn").module.parameters()]
    result = label_randomization(digit, "saliency")
    assert result.accuracy >= 0.95 and result.similarity["signed"] < 0.95
    assert all(map(torch.equal, before, xai_core.load_model("small_cnn").module.parameters()))
