"""The forms say what the methods' records say: one widget a parameter, with its title, bounds, default and help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from tests.pages.page_reader import check_page, find_search, panel_states, read_panels, run_until, watch_jobs
from xai_core.images import BASELINES
from xai_core.params import Choice, Flag, Int, Number, Param

Open = Callable[..., AppTest]
COMPARE, EXPLAIN = "pages/image/compare.py", "pages/image/explain.py"


def find_widget(at: AppTest, key: str) -> Any:
    return next(
        element
        for kind in (at.slider, at.number_input, at.selectbox, at.toggle)
        for element in kind
        if element.key == key
    )


def check(param: Param, drawn: Any, side: int) -> None:
    assert drawn.label.startswith(param.title)
    assert drawn.help == param.help
    assert drawn.value == param.default_for(side)
    if isinstance(param, Choice):
        assert drawn.options == list(param.options.values())
    elif isinstance(param, Flag):
        assert drawn.type == "toggle"
    elif isinstance(param, Number):
        assert (drawn.min, drawn.max, drawn.step) == (*param.bounds(side), param.step_for(side))
        assert isinstance(drawn.value, int) == isinstance(param, Int)
        assert not param.unit or f"({param.unit})" in drawn.label


@pytest.mark.parametrize("side_of", [("efficientnet_lite0", 224), ("small_cnn", 28)], ids=lambda pair: pair[0])
def test_every_parameter_has_its_widget(open_app: Open, side_of: tuple[str, int]) -> None:
    name, side = side_of
    at = open_app(EXPLAIN, model=name)
    run_until(at, lambda at: "model_in_use" in at.session_state and at.session_state["model_in_use"] == name)
    refused = {
        spec.name: reason for spec in xai_core.METHODS.specs() if (reason := spec.refusal(xai_core.load_model(name)))
    }
    assert refused, "the case is trivial if everything is possible"
    assert all(any(reason in text.value for text in at.caption) for reason in refused.values()), (
        "what cannot run is listed with its reason"
    )
    for spec in (spec for spec in xai_core.METHODS.specs() if spec.name not in refused):
        at.selectbox(key="method").set_value(spec.name)
        check_page(at.run())
        for param in spec.params:
            check(param, find_widget(at, f"{spec.name}_{param.name}_{side}"), side)
        assert ("seed_0" in {box.key for box in at.number_input}) == spec.random
        assert bool([box for box in at.selectbox if box.label == "Layer"]) == spec.uses_layer
        assert any(text.value == xai_core.method_card(spec.name).strip() for text in at.markdown)


def test_values_reach_the_method_and_are_kept_between_pages_and_methods(open_app: Open) -> None:
    at = open_app(EXPLAIN, method="occlusion")
    find_widget(at, "occlusion_window_224").set_value(56)
    find_widget(at, "occlusion_stride_224").set_value(56)
    find_widget(at, "occlusion_patch_224").set_value("black")
    find_widget(at, "seed_0").set_value(3)
    check_page(at.run())
    link = {
        "method": "occlusion",
        "occlusion_window": "56",
        "occlusion_stride": "56",
        "occlusion_patch": "black",
        "seed": "3",
    }
    assert at.query_params == link
    run_until(at, lambda at: panel_states(at)["occlusion"] == "done")
    assert read_panels(at)[0]["cost"].endswith("18 evaluations"), (
        "4 × 4 windows, the picture itself, and the strongest square covered"
    )
    at.selectbox(key="method").set_value("lime")
    at.run()
    for page in (COMPARE, "pages/start/home.py", EXPLAIN):
        check_page(at.switch_page(page).run())
    at.selectbox(key="method").set_value("occlusion")
    check_page(at.run())
    assert [find_widget(at, f"occlusion_{name}_224").value for name in ("window", "stride", "patch")] == [
        56,
        56,
        "black",
    ]
    assert at.query_params == link


def test_the_layer_is_the_recommended_one_and_can_be_changed(open_app: Open) -> None:
    model = xai_core.load_model("efficientnet_lite0")
    at = open_app(EXPLAIN)
    box = next(element for element in at.selectbox if element.label == "Layer")
    assert box.value == model.recommended_layer.name  # type: ignore[union-attr]  # this model has one
    assert len(box.options) > 5
    assert sum("recommended" in words for words in box.options) == 1
    stages = [words.split(" · ")[0] for words in box.options]
    assert stages == sorted(stages, key=["early", "middle", "late"].index) and len(set(stages)) == 3
    assert not any("(ZeroPad2d)" in words for words in box.options), "there is nothing to explain in padding"
    assert sum("Conv2dStaticSamePadding" in words for words in box.options) > 40, "a convolution that pads is a layer"
    layer_name = next(layer.name for layer in model.offered_layers if not layer.recommended)
    box.set_value(layer_name)
    check_page(run_until(at.run(), lambda at: panel_states(at)["grad_cam"] == "done"))
    rows, columns = model.layer(layer_name).grid
    caption = str(read_panels(at)[0]["caption"])
    assert caption.endswith(f"{rows} × {columns} places ({layer_name})"), caption
    assert at.query_params == {"layer": layer_name}


def test_a_refusal_is_said_on_its_panel(open_app: Open) -> None:
    at = open_app(EXPLAIN, method="lime", lime_segments="4", lime_samples="10", lime_features="9")
    check_page(run_until(at, lambda at: panel_states(at)["lime"] == "failed"))
    assert "Patches kept" in read_panels(at)[0]["message"]
    (job,) = watch_jobs(at)
    check_page(at.run())
    assert watch_jobs(at) == [job], "what failed is not started again at every look"
    find_widget(at, "lime_features_224").set_value(4)
    run_until(at.run(), lambda at: panel_states(at)["lime"] == "done")


def test_another_class_is_another_map(open_app: Open) -> None:
    at = run_until(open_app(EXPLAIN), lambda at: panel_states(at)["grad_cam"] == "done")
    first = read_panels(at)[0]["map"]
    find_search(at).set_value(968)
    check_page(run_until(at.run(), lambda at: panel_states(at)["grad_cam"] == "done"))
    assert read_panels(at)[0]["map"] != first


def test_a_browser_that_drew_only_the_second_of_two_runs_shows_the_value_in_use(open_app: Open) -> None:
    at = open_app(
        EXPLAIN, method="occlusion", occlusion_window="56", occlusion_patch="black", model="efficientnet_lite0"
    )
    check_page(at.run())
    window, patch = find_widget(at, "occlusion_window_224"), find_widget(at, "occlusion_patch_224")
    assert not window.proto.set_value, "the first run alone says what the session state holds"
    assert list(window.proto.default) == [56]
    assert patch.options[patch.proto.default] == BASELINES["black"]
