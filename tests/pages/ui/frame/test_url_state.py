"""The address: stable names, only what differs from the default, the same view again, and nonsense ignored."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.page_reader import check_page, explained_class, picture_title

Open = Callable[..., AppTest]
COMPARE, EXPLAIN = "pages/image/compare.py", "pages/image/explain.py"
VIEW = {
    "sample": "rocket",
    "class": "projectile",
    "method": "occlusion",
    "occlusion_window": "48",
    "occlusion_patch": "blur",
    "seed": "9",
}


def read_view(at: AppTest) -> dict[str, object]:
    """Every choice on the page, by widget, but for the chips, which follow from the class."""
    boxes = [*at.selectbox, *at.slider, *at.number_input, *at.toggle]
    return {str(box.key): box.value for box in boxes} | {"asked": explained_class(at), "picture": picture_title(at)}


def sent_keys(at: AppTest) -> set[str]:
    """The widgets whose value this run has told the browser, over what the visitor may just be choosing there."""
    boxes = [*at.selectbox, *at.multiselect, *at.slider, *at.number_input, *at.toggle, *at.pills, *at.segmented_control]
    return {str(box.key) for box in boxes if box.proto.set_value}


@pytest.mark.parametrize("page", [COMPARE, EXPLAIN])
def test_only_what_the_page_changed_itself_is_told_to_the_browser(open_app: Open, page: str) -> None:
    at = open_app(page, **{"class": "cup"})
    assert {"model", "sample", "guess"} <= sent_keys(at), "the first time the browser knows nothing"
    assert sent_keys(check_page(at.run())) == set()
    at.pills(key="guess").set_value(960)
    assert {key.partition("_of_")[0] for key in sent_keys(check_page(at.run()))} == {"class"}, (
        "the search follows the chip"
    )


def test_a_link_gives_the_view_it_was_copied_from(open_app: Open) -> None:
    at = check_page(open_app(EXPLAIN, **VIEW))
    assert at.query_params == VIEW, "a good link stays as it is"
    assert read_view(at) == read_view(open_app(EXPLAIN, **at.query_params))
    assert (picture_title(at), explained_class(at)) == ("Rocket", "projectile")
    assert read_view(at)["occlusion_window_224"] == 48
    assert read_view(at)["occlusion_patch_224"] == "blur"
    assert read_view(at)["seed_0"] == 9


def test_what_is_clicked_together_is_what_the_link_says(open_app: Open) -> None:
    at = open_app(EXPLAIN)
    at.selectbox(key="sample").set_value("rocket")
    at.selectbox(key="method").set_value("occlusion")
    at.run()
    at.slider(key="occlusion_window_224").set_value(48)
    at.selectbox(key="occlusion_patch_224").set_value("blur")
    at.number_input(key="seed_0").set_value(9)
    at.pills(key="guess").set_value(744)
    check_page(at.run())
    assert at.query_params == VIEW


def test_names_are_not_the_words_on_the_page(open_app: Open) -> None:
    at = open_app(EXPLAIN)
    at.selectbox(key="sample").set_value("chelsea")
    at.selectbox(key="method").set_value("integrated_gradients")
    check_page(at.run())
    assert at.selectbox(key="sample").options[1] == "Cat"
    assert at.query_params == {"sample": "chelsea", "method": "integrated_gradients"}


@pytest.mark.parametrize(
    "nonsense",
    [
        {"sample": "Coffee cup"},
        {"model": "skynet"},
        {"method": "magic"},
        {"class": "unicorn"},
        {"class": "1000"},
        {"class": "-1"},
        {"layer": "no.such.layer"},
        {"seed": "-1"},
        {"seed": "1e99"},
        {"sample": ""},
        {"class": ""},
    ],
    ids=str,
)
def test_nonsense_falls_back_to_the_default(open_app: Open, nonsense: dict[str, str]) -> None:
    at = check_page(open_app(EXPLAIN, **nonsense) if "seed" not in nonsense else open_app(COMPARE, **nonsense))
    assert (picture_title(at), explained_class(at), at.query_params) == ("Coffee", "espresso", {})


def test_nonsense_in_a_form_falls_back_for_itself_only(open_app: Open) -> None:
    at = open_app(
        EXPLAIN,
        method="occlusion",
        occlusion_window="9999",
        occlusion_stride="abc",
        occlusion_patch="lava",
        sample="rocket",
    )
    check_page(at)
    assert [read_view(at)[f"occlusion_{name}_224"] for name in ("window", "stride", "patch")] == [32, 16, "grey"]
    assert at.query_params == {"method": "occlusion", "sample": "rocket"}


def test_the_class_may_be_given_in_any_case_or_by_number(open_app: Open) -> None:
    assert explained_class(open_app(EXPLAIN, **{"class": "CUP"})) == "cup"
    assert open_app(EXPLAIN, **{"class": "968"}).query_params == {"class": "cup"}


def test_what_a_page_does_not_show_stays_in_the_link(open_app: Open) -> None:
    at = open_app(COMPARE, **VIEW)
    assert at.query_params == VIEW
    check_page(at.switch_page(EXPLAIN).run())
    assert (read_view(at)["occlusion_window_224"], at.query_params) == (48, VIEW)


def test_every_link_to_a_page_carries_the_settings(open_app: Open) -> None:
    at = open_app(COMPARE, sample="rocket")
    at.pills(key="guess").set_value(744)
    check_page(at.run())
    links = [link.proto for link in at.sidebar.get("page_link")]
    assert [link.label for link in links] == [
        *("Start", "Compare", "Explain", "Hide and see", "Trust", "Shake it", "Flip it"),
        *("Network", "Layer", "What adds up", "Unit", "Ideas", "Concepts of units", "Class", "Fool the model"),
        *("Picture set", "Map", "Best and worst", "Set scores"),
        *("Table", "Table model", "In general", "One row", "Fairness"),
        *("Methods", "Topics", "Catch the cheater", "One object decides", "Teach your own classes", "Train it live"),
        "Server activity",
    ]
    assert {link.query_string for link in links} == {"sample=rocket&class=projectile"}
