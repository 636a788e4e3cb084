"""Integrated Gradients and DeepLIFT on table networks against closed forms, Captum, and sums that must come out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests.tabular.closed_form_models import all_kinds_table, build_model, number_table
from xai_core.errors import NotApplicable
from xai_core.tabular.models.train import train
from xai_core.tabular.row.agreement import agreement_rows
from xai_core.tabular.row.explain import TABULAR_METHODS, explain_row

GRADIENTS = ("integrated_gradients", "deep_lift")


class NetworkEstimator:
    """A network pipeline without preparation: scikit-learn outside, a torch module inside."""

    def __init__(self, module: nn.Module) -> None:
        self.module_ = module.eval()

    def predict(self, frame):
        with torch.no_grad():
            return self.module_(torch.from_numpy(np.array(frame, dtype=np.float32)))[:, 0].double().numpy()


def build_network(*sizes: int) -> nn.Sequential:
    generator = torch.Generator().manual_seed(4)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layer = nn.Linear(inputs, outputs)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(outputs, inputs, generator=generator) * 0.5)
            layer.bias.copy_(torch.randn(outputs, generator=generator))
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def build_regression(module: nn.Module):
    return build_model(number_table(), NetworkEstimator(module), differentiable=True)


@pytest.fixture(scope="module")
def deep():
    return build_regression(build_network(4, 12, 12, 1))


@pytest.fixture(scope="module")
def trained_model():
    """A trained network over every kind of column, with missing cells."""
    table = all_kinds_table(rows=160, truth=lambda frame: frame["income"] / 6000)
    return train(table, "torch_network", {"epochs": 10}, seed=1)


@pytest.mark.parametrize("method", GRADIENTS)
@pytest.mark.parametrize("start", ["rows", "average"])
def test_on_a_linear_network_a_bar_is_the_weight_times_the_way_from_the_mean(method, start) -> None:
    model = build_regression(build_network(4, 1))
    row = model.table.take([5])
    result = explain_row(model, row, method, params={"start": start, "background": 500})
    weights = model.estimator.module_[0].weight[0].detach().double().numpy()
    expected = weights * (row.to_numpy()[0] - model.table.take(model.train_rows).to_numpy().mean(axis=0))
    assert np.abs(expected).min() > 0.05
    np.testing.assert_allclose(result.values, expected, rtol=1e-7)
    assert result.unit == "size" and result.outcome is None


def test_integrated_gradients_equals_a_fine_sum_of_plain_gradients(deep) -> None:
    row = deep.table.take([7])
    result = explain_row(deep, row, "integrated_gradients", params={"start": "average", "background": 500})
    module = build_network(4, 12, 12, 1).double()
    start = torch.from_numpy(deep.table.take(deep.train_rows).to_numpy().mean(axis=0))
    path = torch.from_numpy(row.to_numpy()[0]) - start
    points = (start + path * ((torch.arange(20_000) + 0.5) / 20_000)[:, None]).requires_grad_(True)
    (gradients,) = torch.autograd.grad(module(points).sum(), points)
    expected = (gradients.mean(0) * path).numpy()
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(result.values, expected, atol=0.01 * np.abs(expected).max())


def test_integrated_gradients_equals_captum(deep) -> None:
    from captum.attr import IntegratedGradients

    row = deep.table.take([7])
    result = explain_row(deep, row, "integrated_gradients", params={"background": 500})
    starts = torch.from_numpy(np.array(deep.table.take(deep.train_rows)))
    x = torch.from_numpy(np.array(row)).expand_as(starts)
    method = IntegratedGradients(lambda rows: build_network(4, 12, 12, 1).double()(rows)[:, 0])
    expected = (
        method.attribute(x, starts, n_steps=int(result.details["steps"]), method="riemann_middle")
        .mean(0)
        .detach()
        .numpy()
    )
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(result.values, expected, rtol=1e-6)


def test_deep_lift_equals_captums_rescale_rule(deep) -> None:
    from captum.attr import DeepLift

    row = deep.table.take([7])
    result = explain_row(deep, row, "deep_lift", params={"background": 500})
    module = build_network(4, 12, 12, 1).double()
    starts = torch.from_numpy(deep.table.take(deep.train_rows).to_numpy())
    x = torch.from_numpy(row.to_numpy()).expand_as(starts).clone()
    expected = DeepLift(module).attribute(x, starts).mean(0).detach().numpy()
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(result.values, expected, rtol=1e-8)


@pytest.mark.parametrize("method", GRADIENTS)
def test_on_a_trained_network_start_and_bars_add_up_to_the_probability(trained_model, method) -> None:
    row = trained_model.table.take([11])
    result = explain_row(trained_model, row, method, outcome=0)
    assert result.score == pytest.approx(float(trained_model.predict(row)[0, 0]))
    assert result.checks[0].level == "green" and result.unit == "probability"
    assert result.base + result.values.sum() == pytest.approx(result.score, abs=0.01)
    assert len(result.values) == 5 and result.features[int(result.order[0])] == "income"


def test_the_two_outcomes_of_two_are_opposites(trained_model) -> None:
    row = trained_model.table.take([3])
    first, second = (explain_row(trained_model, row, "deep_lift", outcome=outcome).values for outcome in (0, 1))
    np.testing.assert_allclose(first, -second, atol=1e-6)


def test_they_agree_with_shap_about_the_strongest(trained_model) -> None:
    row = trained_model.table.take([11])
    agreement = agreement_rows([explain_row(trained_model, row, method) for method in ("shap", *GRADIENTS)])
    assert agreement.methods[0] == "shap" and (agreement.rank > 0.6).all()
    assert "income" in agreement.sentence


def test_the_network_is_left_as_it_was(trained_model) -> None:
    module = trained_model.module
    before = {name: value.clone() for name, value in module.state_dict().items()}
    for method in GRADIENTS:
        explain_row(trained_model, trained_model.table.take([2]), method)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert next(module.parameters()).dtype == torch.float32 and not any(
        part._forward_hooks for part in module.modules()
    )


@pytest.mark.parametrize("method", GRADIENTS)
def test_models_without_gradients_are_refused_in_words(method) -> None:
    model = build_model(number_table(), lambda frame: frame["a"])
    assert "no gradients" in (TABULAR_METHODS.get(method).refusal(model) or "")
    with pytest.raises(NotApplicable, match="take shap or lime"):
        explain_row(model, model.table.take([0]), method)
