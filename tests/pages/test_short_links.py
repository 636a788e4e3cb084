"""Short links: made below maps and views, opened by others, gone on from, and deleted by whoever made them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.widgets import share
from tests.pages.page_reader import check_page, list_errors, panel_states, read_panels, run_until
from tests.pages.tables.page_reader import finish_work
from tests.pages.test_reload import read_address
from tests.pages.test_result import (
    COMPARE,
    EXPLAIN,
    HOME,
    RESULT,
    SMALL,
    ResultStore,
    encode_model_input,
    has_sentence,
    own,
    read_background,
    read_links,
    read_proto,
    result_store,
)
from xai_core import what_if
from xai_core.engine.results.store import Store
from xai_core.render import wire_picture

__all__ = ["own", "result_store"]
pytestmark = pytest.mark.long

Open = Callable[..., AppTest]
HIDE, ATTACK = "pages/image/hide.py", "pages/model/attack.py"


def is_finished(at: AppTest) -> bool:
    return set(panel_states(at).values()) == {"done"}


def make_link(at: AppTest) -> str:
    """Press the button; return the code."""
    check_page(at.button(key="make_link").click().run())
    (address,) = read_links(at)
    assert set(address) == {"s"} and len(address["s"]) == 10
    return address["s"]


def read_brush(at: AppTest) -> dict[str, Any]:
    """Return what the brush in the browser is given."""
    brush = next(part for part in map(read_proto, at.get("bidi_component")) if "brush" in part.component_name)
    data: dict[str, Any] = json.loads(brush.json)
    return data


@pytest.fixture
def with_own_picture(open_app: Open, result_store: ResultStore, own: Image.Image) -> AppTest:
    """Explain with a finished map of an uploaded picture."""
    at = open_app(EXPLAIN, **SMALL, method="saliency")
    file = io.BytesIO()
    own.save(file, "PNG")
    at.file_uploader(key="upload_sidebar_0").upload("me.png", file.getvalue(), "image/png")
    return check_page(run_until(at.run(), is_finished))


def test_a_link_to_a_sample_opens_after_a_restart_and_one_goes_on_from_it(
    open_app: Open, result_store: ResultStore
) -> None:
    at = run_until(open_app(COMPARE, **SMALL, methods="saliency,occlusion", **{"class": "5"}), is_finished)
    assert read_links(at) == []
    code = make_link(at)
    assert has_sentence(at, "holds two maps") and has_sentence(at, "until you delete it")
    result_store.restart()
    opened = check_page(open_app(HOME, s=f" {code.upper()}"))
    assert [panel["title"] for panel in read_panels(opened)] == [panel["title"] for panel in read_panels(at)]
    assert read_background(opened) == encode_model_input(xai_core.SAMPLES.get("digit_3").load())
    assert "delete_link" not in [button.key for button in opened.button], "who only has the link cannot delete it"
    check_page(opened.button(key="go_compare").click().run())
    assert read_address(opened) == {**SMALL, "methods": "saliency,occlusion", "class": "5"}


def test_a_link_to_hide_and_see_brings_an_own_picture_with_what_is_painted(
    open_app: Open, result_store: ResultStore, own: Image.Image
) -> None:
    at, file, mask = open_app(HIDE, **SMALL, hide_with="black"), io.BytesIO(), np.zeros((28, 28), dtype=bool)
    own.save(file, "PNG")
    at.file_uploader(key="upload_sidebar_0").upload("me.png", file.getvalue(), "image/png")
    check_page(at.run())
    mask[:14] = True
    at.session_state["mask"] = what_if.encode_mask(mask)
    code = make_link(check_page(at.run()))
    opened = check_page(open_app(HOME, s=code))
    shown, before = read_brush(opened), read_brush(at)
    assert shown["runs"] == what_if.runs_of(mask) and shown["picture"] == before["picture"]
    assert read_address(opened)["hide_with"] == "black"


def test_an_attacked_picture_is_handed_to_a_neighbour_by_one_click(open_app: Open, result_store: ResultStore) -> None:
    at = open_app(ATTACK, **SMALL, attack="fgsm", attack_fgsm_epsilon="9")
    at = run_until(at, lambda at: any(button.key == "hand_over" for button in at.button))
    check_page(at.button(key="hand_over").click().run())
    (address,) = read_links(at)
    opened = check_page(open_app(HOME, s=address["s"]))
    attacked = xai_core.attack(
        xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load(), "fgsm", epsilon=9
    )
    assert read_brush(opened)["picture"] == wire_picture(attacked.picture), "every pixel is what the attack made it"
    check_page(at.button(key="delete_hand_over").click().run())
    assert has_sentence(open_app(HOME, s=address["s"]), "deleted")


def test_an_own_picture_is_kept_only_on_request_until_its_owner_deletes_it(
    open_app: Open, with_own_picture: AppTest, own: Image.Image
) -> None:
    at = with_own_picture
    assert has_sentence(at, "keeps the whole of it on the disk") and read_links(at) == []
    code = make_link(at)
    assert has_sentence(at, "**your whole picture**")
    assert read_links(check_page(at.run())) == [{"s": code}], "the link stays on the page"
    stranger = check_page(open_app(RESULT, s=code))
    assert read_background(stranger) == encode_model_input(own)
    check_page(stranger.button(key="go_explain").click().run())
    assert stranger.session_state["own_picture"] == xai_core.image_sha256(own)
    assert read_address(stranger)["method"] == "saliency"
    check_page(at.button(key="delete_link").click().run())
    assert has_sentence(at, share.DELETED) and read_links(at) == []
    assert not has_sentence(check_page(at.run()), share.DELETED), "said once"
    assert xai_core.find_shared_picture(code) is None
    late = check_page(open_app(HOME, s=code))
    assert [text.value[:21] for text in late.main.warning] == ["This link was deleted"]
    assert [read_proto(link).label for link in late.main.get("page_link")] == ["Make new maps", "Go to the start"]


def test_all_models_of_a_moved_crop_keep_their_part_of_the_picture(
    open_app: Open, result_store: ResultStore, own: Image.Image
) -> None:
    """Each model crops another part of the same picture, so each map has another picture's hash."""
    framing = xai_core.Framing(0.2, 0.9)
    parts, ids = [], []
    for name in ("small_cnn", "efficientnet_lite0"):
        parts.append(xai_core.frame_picture(xai_core.load_model(name), own, framing))
        ids.append(result_store.store_map(parts[-1], "saliency", model=name))
    assert xai_core.image_sha256(parts[0]) != xai_core.image_sha256(parts[1])
    code = xai_core.share(ids, "compare", {"crop": framing.code()}, "owner", own).code
    at = check_page(open_app(RESULT, s=code))
    assert not has_sentence(at, "not kept")
    assert [panel["picture"] for panel in read_panels(at)] == [0, 1]
    assert read_background(at) == encode_model_input(parts[0])


@pytest.mark.parametrize("code", ["2222222222", "short", "", "<b>"])
def test_a_wrong_code_gets_a_sentence_and_a_way_on(open_app: Open, result_store: ResultStore, code: str) -> None:
    at = check_page(open_app(HOME, s=code))
    assert [text.value[:24] for text in at.main.warning] == ["No saved result belongs "]
    assert [read_proto(link).label for link in at.main.get("page_link")] == ["Make new maps", "Go to the start"]


def test_a_view_of_a_table_opens_with_its_choices(open_app: Open, result_store: ResultStore) -> None:
    choices = {"table": "iris", "column": "sepal width (cm)"}
    at = finish_work(open_app("pages/tables/data.py", **choices))
    code = make_link(at)
    assert has_sentence(at, "built-in table “")
    opened = finish_work(open_app(HOME, s=code))
    assert opened.title[0].value == at.title[0].value
    assert read_address(opened) == choices
    check_page(at.button(key="delete_link").click().run())
    assert has_sentence(open_app(HOME, s=code), "This link was deleted")


def test_who_deletes_an_opened_link_is_told_once(open_app: Open, result_store: ResultStore) -> None:
    code = xai_core.share([result_store.store_map(by="saliency")], "compare", {}, "mine").code
    at = open_app(RESULT, s=code)
    at.session_state["link_owner"] = "mine"
    check_page(check_page(at.run()).button(key="delete_link").click().run())
    assert has_sentence(at, share.DELETED) and not at.main.warning
    assert [read_proto(link).label for link in at.main.get("page_link")] == ["Make new maps", "Go to the start"]
    assert [text.value[:21] for text in check_page(at.run()).main.warning] == ["This link was deleted"]


def test_a_page_inside_the_model_opens_with_its_choices_and_the_owners_picture(
    open_app: Open, result_store: ResultStore, own: Image.Image
) -> None:
    at = open_app("pages/model/attack.py", model="small_cnn", sample="digit_3", attack="fgsm")
    at = finish_work(at)
    sample = make_link(at)
    assert has_sentence(at, "with its choices and the sample picture")
    opened = finish_work(open_app(HOME, s=sample))
    assert opened.title[0].value == "Fool the model"
    assert read_address(opened) == {"model": "small_cnn", "sample": "digit_3", "attack": "fgsm"}
    file = io.BytesIO()
    own.save(file, "PNG")
    at.file_uploader(key="upload_sidebar_0").upload("me.png", file.getvalue(), "image/png")
    at = finish_work(at.run())
    assert has_sentence(at, "keeps the whole of it on the disk")
    private = make_link(at)
    assert private != sample and has_sentence(at, "**your whole picture**")
    stranger = finish_work(open_app(HOME, s=private))
    assert stranger.session_state["own_picture"] == xai_core.image_sha256(own)
    assert "delete_link" not in [button.key for button in stranger.button]
    check_page(at.button(key="delete_link").click().run())
    assert xai_core.find_shared_picture(private) is None and has_sentence(at, share.DELETED)


def test_a_map_the_store_has_lost_but_the_page_still_shows_is_kept_again(
    with_own_picture: AppTest, result_store: ResultStore, tmp_path_factory: pytest.TempPathFactory
) -> None:
    result_store.store = Store(tmp_path_factory.mktemp("empty"))
    make_link(with_own_picture)
    assert list_errors(with_own_picture) == [] and result_store.store.counts().results == 1


def test_a_map_lost_meanwhile_gets_a_sentence(
    with_own_picture: AppTest,
    result_store: ResultStore,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result_store.store = Store(tmp_path_factory.mktemp("empty"))
    monkeypatch.setattr(result_store.store, "put", lambda _key, _result: None)
    at = check_page(with_own_picture.button(key="make_link").click().run())
    assert ["no longer kept" in text for text in list_errors(at)] == [True]
    assert read_links(at) == []


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://localhost:8501/?s=2", True),
        ("http://127.0.0.1:8501/?s=2", True),
        ("http://[::1]:8501/?s=2", True),
        ("http://192.168.1.20:8501/?s=2", False),
        ("https://school.example/?s=2", False),
    ],
)
def test_an_address_of_this_computer_only_is_told(url: str, is_local: bool) -> None:
    assert share.is_only_here(url) is is_local


def test_the_code_for_cameras_is_the_link() -> None:
    """Checked against the library's own matrix; a reader of codes is not at hand."""
    import segno

    url = "http://192.168.1.20:8501/?s=tjyvcyhmvf"
    picture = Image.open(io.BytesIO(share.draw_qr_code(url))).convert("L")
    matrix = [[bool(dark) for dark in row] for row in segno.make(url, error="m", micro=False).matrix_iter(border=4)]
    read = [[picture.getpixel((10 * x + 5, 10 * y + 5)) == 0 for x in range(len(matrix))] for y in range(len(matrix))]
    assert read == matrix and picture.getpixel((0, 0)) == 255
