"""The page of trust: a map is tested by hiding, a random method shows its seeds first, and links open."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

import xai_core
from tests.pages.conftest import Open
from tests.pages.imageset.page_reader import finish_work, read_text
from tests.pages.page_reader import check_page, read_panels, run_until
from tests.pages.tables.page_reader import read_chart
from xai_core import trust

PAGE = "pages/image/trust.py"
SMALL = {"model": "small_cnn", "sample": "digit_3"}


def open_map(open_app: Open, **query: str) -> AppTest:
    return finish_work(run_until(open_app(PAGE, **SMALL, **query), lambda at: "shifted copies" in read_text(at)))


def test_a_map_is_tested_by_hiding(open_app: Open) -> None:
    at = check_page(open_map(open_app, method="occlusion"))
    model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    test = trust.faithfulness(model, image, xai_core.explain(model, image, "occlusion", 3))
    for sentence in trust.describe_faithfulness(test):
        assert sentence in read_text(at)
    curves = read_chart(at, "hiding_curves")["data"]
    assert [curve["name"] for curve in curves] == ["strongest first", "weakest first"]
    (panel,) = read_panels(at)
    assert any("Hiding test." in finding["sentence"] for finding in panel["verdict"]["findings"]), "on the badge"
    assert len(at.get("image")) >= 2 and "Symmetric relevance gain" in str(at.table[0].value)


def test_a_method_that_draws_at_random_shows_its_seeds(open_app: Open) -> None:
    at = check_page(open_map(open_app, method="smooth_grad", pieces="superpixels"))
    assert "Over three seeds its gain lies between" in read_text(at)


def test_the_method_is_tested_on_request(open_app: Open) -> None:
    at = check_page(open_app(PAGE, **SMALL, method="guided_backprop", test="method"))
    assert "Published: Fails" in read_text(at) and "evidence of nothing" not in read_text(at)
    at.toggle(key="sanity").set_value(True)
    at = check_page(finish_work(run_until(at.run(), lambda at: "With all weights shuffled" in read_text(at))))
    assert len(read_chart(at, "sanity_curve")["data"]) == 4
    assert "shuffled" in read_text(at)


def test_all_methods_stand_in_a_table(open_app: Open) -> None:
    query = SMALL | {"test": "all", "metric_methods": "grad_cam,saliency"}
    at = check_page(finish_work(run_until(open_app(PAGE, **query), lambda at: "to sort" in read_text(at))))
    (table,) = (element.value for element in at.main.dataframe)
    assert list(table["Method"]) == ["Grad-CAM", "Saliency (gradient)"]
    assert {"Gain ↑", "Deletion ↓", "Insertion ↑", "Stability ↑", "Sparseness", "Agreement"} <= set(table.columns)
    assert "Points at the object ↑" not in table.columns, "nothing is known about this picture"
    assert "Points at the object: Nobody has marked an object" in read_text(at)
    assert table["Gain ↑"].between(-20, 20).all() and table["Gain ↑"].nunique() == 2


def test_many_pictures_are_compared_on_request(open_app: Open) -> None:
    query = SMALL | {"set": "digits", "test": "many", "metric_methods": "gradient_x_input,saliency"}
    at = run_until(open_app(PAGE, **query), lambda at: any(toggle.key == "many" for toggle in at.toggle))
    check_page(at)
    assert "over 50 pictures" not in read_text(at), "only when it is asked for"
    at.toggle(key="many").set_value(True)
    at = check_page(finish_work(run_until(at.run(), lambda at: "over 50 pictures" in read_text(at))))
    assert read_chart(at, "many_intervals")["data"] and "Gain" in read_text(at)
    (frame,) = (entry.value for entry in at.dataframe)
    assert list(frame["Method"]) == ["Gradient × input", "Saliency (gradient)"]
    assert {"Gain ↑", "Infidelity ↓", "Sparseness"} <= set(frame.columns)
    assert "Evidence on the object ↑" not in frame.columns, "no digit has a marked object"


def test_badges_tell_what_was_tested_on_request(open_app: Open) -> None:
    # A picture that no other test hides: results are kept for all sessions.
    at = open_app("pages/image/compare.py", model="small_cnn", sample="digit_8", methods="grad_cam,occlusion")
    at = run_until(at, lambda at: bool(read_panels(at)) and all(p["state"] == "done" for p in read_panels(at)))
    assert not any("Hiding test." in str(panel["verdict"]) for panel in read_panels(at)), "only on request"
    at.toggle(key="hiding").set_value(True)
    at = run_until(at.run(), lambda at: all("Hiding test." in str(panel["verdict"]) for panel in read_panels(at)))
    check_page(finish_work(at))
