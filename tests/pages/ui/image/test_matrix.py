"""Rows and columns of the comparison: every pair gets its own request, sorted, limited and kept in the link."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.image.matrix import MAX_MAPS
from tests.pages.page_reader import (
    check_page,
    explained_class,
    finished_results,
    list_errors,
    panel_states,
    read_panels,
    run_until,
)

Open = Callable[..., AppTest]
COMPARE, EXPLAIN = "pages/image/compare.py", "pages/image/explain.py"
SMALL = {"model": "small_cnn", "sample": "digit_3"}
TWO = {"methods": "grad_cam,saliency"}


def has_ended(at: AppTest) -> bool:
    return bool(read_panels(at)) and not {"working", "waiting"} & set(panel_states(at).values())


def open_and_finish(open_app: Open, page: str = COMPARE, **link: str) -> AppTest:
    return check_page(run_until(open_app(page, **link), has_ended))


def results_by_target(at: AppTest) -> dict[str, xai_core.Attribution]:
    """Finished maps by card."""
    return {result.method + str(result.target): result for result in finished_results(at)}


def list_rows(at: AppTest) -> list[tuple[str, str]]:
    return [(panel["row"], panel["title"]) for panel in read_panels(at)]


def test_methods_and_classes_are_a_matrix(open_app: Open) -> None:
    at = open_and_finish(open_app, **SMALL, **TWO, rows="classes", classes="3,8")
    titles = [xai_core.METHODS.get(name).technical for name in ("grad_cam", "saliency")]
    assert sorted(list_rows(at)) == sorted((row, title) for row in ("3", "8") for title in titles)
    assert [row for row, _ in list_rows(at)] == ["3", "3", "8", "8"]
    assert set(panel_states(at).values()) == {"done"}
    assert set(results_by_target(at)) == {"grad_cam3", "grad_cam8", "saliency3", "saliency8"}, (
        "each cell is asked about its own class"
    )


def test_layers_vary_only_for_methods_that_look_at_one(open_app: Open) -> None:
    at = open_and_finish(open_app, **SMALL, rows="layers")
    methods = {xai_core.METHODS.get(result.method) for result in finished_results(at)}
    assert methods and all(spec.uses_layer for spec in methods)
    layers = {result.layer for result in finished_results(at)}
    assert len(layers) > 2
    assert {panel["row"].split(" · ")[-1] for panel in read_panels(at)} == layers


def test_each_picture_is_asked_about_its_own_first_guess(open_app: Open) -> None:
    at = open_and_finish(open_app, **SMALL, cols="pictures", pictures="digit_3,digit_8", by="saliency")
    assert {panel["title"] for panel in read_panels(at)} == {
        xai_core.SAMPLES.get(name).title for name in ("digit_3", "digit_8")
    }
    model, labels = xai_core.load_model("small_cnn"), set()
    for name in ("digit_3", "digit_8"):
        labels.add(xai_core.predict(model, xai_core.SAMPLES.get(name).load()).classes[0][1])
    assert len(labels) == 2, "the case is trivial if both are the same class"
    captions = {panel["caption"] for panel in read_panels(at)}
    assert {caption.rpartition(" (")[0] for caption in captions} == {f"Class: {label}" for label in labels}
    assert all(caption.endswith(" %)") for caption in captions), "each with its probability"
    assert len({panel["picture"] for panel in read_panels(at)}) == 2, "each card shows its own picture"


def test_a_model_that_does_not_know_the_class_says_so(open_app: Open) -> None:
    at = open_and_finish(open_app, cols="models", models="efficientnet_lite0,small_cnn", by="grad_cam")
    by_model = {panel["id"]: panel for panel in read_panels(at)}
    assert by_model["small_cnn"]["state"] == "failed" and "espresso" in by_model["small_cnn"]["message"]
    assert {result.model: result.label for result in finished_results(at)} == {"efficientnet_lite0": "espresso"}


def test_why_this_and_not_that(open_app: Open) -> None:
    at = open_and_finish(open_app, **SMALL, **TWO, **{"class": "3", "not": "8"})
    assert next(title.value for title in at.subheader) == "Why “3” and not “8”?"
    assert {result.target for result in finished_results(at)} == {(3, 8)}
    assert at.query_params["not"] == ["8"] or at.query_params["not"] == "8"
    single = open_and_finish(open_app, EXPLAIN, **SMALL, method="saliency", **{"class": "3", "not": "8"})
    assert {result.quantity for result in finished_results(single)} == {"difference of two logits"}


def test_too_many_cells_are_cut_and_the_visitor_is_told(open_app: Open) -> None:
    digits = ",".join(map(str, range(10)))
    at = check_page(
        open_app(COMPARE, **SMALL, methods="grad_cam,saliency,gradient_x_input", rows="classes", classes=digits)
    )
    assert len(read_panels(at)) == MAX_MAPS == 24
    assert "At most 24" in at.warning[0].value


def test_nonsense_in_the_link_falls_back(open_app: Open) -> None:
    at = open_and_finish(open_app, **SMALL, rows="weather", cols="nothing", methods="no_such,grad_cam", sort="luck")
    assert list_errors(at) == [] and list(panel_states(at)) == ["grad_cam"] and explained_class(at) == "3"


def test_sorting_by_time_and_the_table_of_agreement(open_app: Open) -> None:
    at = open_and_finish(open_app, **SMALL, methods="occlusion,grad_cam,saliency", sort="time")
    run_until(at.run(), lambda at: any("agree" in title.value for title in at.subheader))
    seconds = {result.method: result.seconds for result in finished_results(at)}
    assert [panel["id"] for panel in read_panels(at)] == sorted(seconds, key=lambda name: seconds[name])
    table = next(
        html.proto.body for html in at.get("html") if "agree" in html.proto.body and "<table" in html.proto.body
    )
    assert table.count("<tr>") == 4 and "+1.00" in table
