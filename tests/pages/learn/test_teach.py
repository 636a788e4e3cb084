"""The page "Teach your own classes": from files to a model in the list of every page, and what is said on the way."""

from __future__ import annotations

import io

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from tests.pages.conftest import Open
from tests.pages.page_reader import check_page, list_upload_problems, run_until
from tests.pages.tables.page_reader import read_text
from xai_core.labs import teach

PAGE = "pages/learn/teach.py"


def make_files(sample: str, count: int) -> list[tuple[str, bytes, str]]:
    photo, files = xai_core.SAMPLES.get(sample).load(), []
    for place in range(count):
        file = io.BytesIO()
        photo.crop((place * 9, place * 5, place * 9 + 200, place * 5 + 200)).save(file, "PNG")
        files.append((f"{sample}{place}.png", file.getvalue(), "image/png"))
    return files


def upload(at: AppTest, number: int, files: list[tuple[str, bytes, str]]) -> None:
    """Give files to a class and wait until they are read."""
    before = len(at.session_state["teach_classes"][number].pictures)
    at.file_uploader(key=f"teach_{number}_{at.session_state['teach_classes'][number].uploads}").set_value(files).run()
    run_until(at, lambda at: len(at.session_state["teach_classes"][number].pictures) > before)


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click().run()
    return check_page(at)


@pytest.fixture(scope="module")
def cats() -> list[tuple[str, bytes, str]]:
    return make_files("chelsea", 4)


def test_files_become_a_model_of_every_page(open_app: Open, cats: list[tuple[str, bytes, str]]) -> None:
    at = check_page(open_app(PAGE))
    press(at, "Teach it")
    assert "“Class 1” has no picture" in read_text(at)
    at.text_input(key="teach_name_0").set_value("Cat").run()
    at.text_input(key="teach_name_1").set_value("[x](http://y)").run()
    assert "1 to 40 letters" in read_text(at)
    at.text_input(key="teach_name_1").set_value("Coffee").run()
    upload(at, 0, cats)
    upload(at, 1, [*make_files("coffee", 4), ("notes.txt", b"no picture", "text/plain")])
    assert "notes.txt: " in read_text(at)
    press(at, "Teach it")
    run_until(at, lambda at: "of 8 pictures right" in read_text(at))
    run_until(at, lambda at: "It says Coffee." in read_text(at))
    assert "few pictures: 4 of Cat and 4 of Coffee" in read_text(at)
    (name,) = at.session_state["own_models"]
    assert at.query_params["model"] == name
    # The link opens the same model as another visitor's own one.
    neighbour = check_page(open_app("pages/learn/methods.py", model=name))
    assert f"Your own: {xai_core.MODELS.get(name).title}" in neighbour.selectbox(key="model").options
    press(at, "Add a class")
    assert "The classes have changed since" in read_text(at)


def test_a_picture_of_two_classes_is_refused(open_app: Open, cats: list[tuple[str, bytes, str]]) -> None:
    at = check_page(open_app(PAGE))
    upload(at, 0, cats)
    upload(at, 1, [*make_files("coffee", 2), cats[1]])
    press(at, "Teach it")
    run_until(at, lambda at: "is also a picture of “Class 1”" in read_text(at))
    assert "own_models" not in at.session_state


def test_a_saved_model_opens_and_a_foreign_file_is_refused(open_app: Open) -> None:
    rows = np.random.default_rng(0).normal(size=(6, 1280)).astype(np.float32)
    examples = [teach.Example(f"saved {place}", b"", row) for place, row in enumerate(rows)]
    data = teach.save_taught(teach.teach({"Mug": examples[:3], "Hand": examples[3:]}))
    at = check_page(open_app(PAGE))
    at.file_uploader(key="teach_open").set_value(("notes.txt", b"no model", "text/plain")).run()
    assert "This is not a model saved here" in list_upload_problems(check_page(at))[0]
    at.file_uploader(key="teach_open").set_value(("mug.safetensors", data, "")).run()
    assert not list_upload_problems(check_page(at))
    assert "of 6 pictures right" in read_text(at) and len(at.session_state["own_models"]) == 1


def test_an_own_model_that_is_gone_gives_way_to_the_default(open_app: Open) -> None:
    at = check_page(open_app(PAGE, model="own_" + "0" * 24))
    assert at.session_state["model"] == "efficientnet_lite0"
    at.session_state["model"] = "own_" + "1" * 24
    check_page(at.run())
    assert at.session_state["model"] == "efficientnet_lite0"
