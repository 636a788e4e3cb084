"""Agreement of methods about a row: closed forms of rank correlation and of the overlap of the three strongest."""

from __future__ import annotations

import numpy as np
import pytest

from xai_core.errors import InvalidParam
from xai_core.tabular.row.agreement import agreement_rows
from xai_core.tabular.row.explain import TABULAR_METHODS, Contributions


def build_contributions(*values: float, method: str = "shap", features: str = "abcde") -> Contributions:
    names = tuple(features[: len(values)])
    return Contributions(method, names, names, np.array(values), 0.0, 1.0, "probability", 1, {}, 0)


def test_the_same_order_agrees_whatever_the_scale() -> None:
    result = agreement_rows(
        [build_contributions(3.0, -2.0, 1.0, 0.1), build_contributions(30.0, -4.0, 2.0, 0.3, method="lime")]
    )
    np.testing.assert_allclose(result.rank, 1)
    np.testing.assert_allclose(result.overlap, 1)
    assert result.sentence == "Both methods name the same three strongest features: a, b, c."


def test_opposite_signs_disagree_in_rank_though_the_same_features_are_strong() -> None:
    result = agreement_rows([build_contributions(3.0, -2.0, 1.0), build_contributions(-3.0, 2.0, -1.0)])
    assert result.rank[0, 1] == pytest.approx(-1) and result.overlap[0, 1] == 1


def test_two_of_three_shared() -> None:
    result = agreement_rows(
        [build_contributions(5.0, 4.0, 3.0, 0.0, 0.0), build_contributions(5.0, 4.0, 0.0, 3.0, 0.0)]
    )
    assert result.overlap[0, 1] == pytest.approx(2 / 3)
    assert (
        result.sentence == "Both methods have a and b among their three strongest features; they differ about the rest."
    )


def test_nothing_shared_is_said() -> None:
    result = agreement_rows([build_contributions(1.0, 0.0, 0.0), build_contributions(0.0, 1.0, 0.0)])
    assert result.overlap[0, 1] == 0 and "do not agree" in result.sentence


def test_flat_bars_cannot_be_compared() -> None:
    result = agreement_rows([build_contributions(1.0, 2.0), build_contributions(0.0, 0.0)])
    assert np.isnan(result.rank[0, 1]) and np.isnan(result.overlap[1, 1]) and result.sentence == ""


def test_other_features_are_refused() -> None:
    with pytest.raises(InvalidParam, match="same features"):
        agreement_rows([build_contributions(1.0, 2.0), build_contributions(1.0, 2.0, features="xy")])


def test_results_cannot_be_written_into() -> None:
    with pytest.raises(ValueError, match="read-only"):
        build_contributions(1.0).values[0] = 2


@pytest.mark.parametrize("spec", TABULAR_METHODS.specs(), ids=lambda spec: spec.name)
def test_every_method_is_described_in_sentences(spec) -> None:
    assert spec.question.endswith("?") and spec.sentence.endswith(".") and spec.caution.endswith(".")
    assert spec.title and spec.technical and "20" in spec.paper
    assert all(param.help.endswith(".") for param in spec.params)


def test_the_methods_there_are() -> None:
    assert list(TABULAR_METHODS) == ["lime", "shap", "integrated_gradients", "deep_lift"]
