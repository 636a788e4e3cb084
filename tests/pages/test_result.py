"""Stored results: reopening by links, pictures under maps, private links and wrong links."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.frame import url_state
from tests.pages.page_reader import check_page, list_errors, panel_states, read_panels, read_viewer
from tests.pages.test_reload import read_address
from xai_core.engine.results.store import FILE, Store
from xai_core.methods.run import service
from xai_core.render import wire_picture

pytestmark = pytest.mark.long

Open = Callable[..., AppTest]
HOME, COMPARE, EXPLAIN, RESULT = (
    "pages/start/home.py",
    "pages/image/compare.py",
    "pages/image/explain.py",
    "pages/image/result.py",
)
SMALL = {"model": "small_cnn", "sample": "digit_3"}
NOBODY = "ab" * 32
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> "
    "[bait](http://evil.example) **loud** :material/home: $x$ www.evil.example"
)


class ResultStore:
    """This process's store, in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder)

    def restart(self) -> None:
        """Nothing in memory any more, as in a new process."""
        self.store.close()
        self.store = Store(self.folder)

    def keep_old_picture(self, result_id: str, image: Image.Image, token: str) -> None:
        """Keep a picture with a map as the first version did for its private links, by its own rows."""
        out = io.BytesIO()
        image.save(out, "PNG")
        png = out.getvalue()
        digest = hashlib.sha256(len(png).to_bytes(8, "big") + png).digest()
        with closing(sqlite3.connect(self.folder / FILE)) as db, db:
            row = (hashlib.sha256(token.encode()).digest(), digest, png)
            number = db.execute("INSERT INTO pictures (token_sha256, sha256, png) VALUES (?, ?, ?)", row).lastrowid
            db.execute("INSERT INTO links (key, picture) VALUES (?, ?)", (result_id, number))

    def store_map(self, image: Image.Image | None = None, by: str = "occlusion", **changes: Any) -> str:
        """The id of a finished map of the small network; `changes` make another map of it."""
        model, image = xai_core.load_model("small_cnn"), image or xai_core.SAMPLES.get("digit_3").load()
        result = xai_core.plan(model, image, by).id
        self.store.put(result, replace(xai_core.explain(model, image, by), **changes))
        return result


@pytest.fixture
def result_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResultStore]:
    result_store = ResultStore(tmp_path)
    monkeypatch.setattr(service, "_store", lambda: result_store.store)
    yield result_store
    result_store.store.close()


@pytest.fixture
def own(request: pytest.FixtureRequest) -> Image.Image:
    """A picture that is no sample. Another one in every test: maps made before are remembered."""
    rng = np.random.default_rng(list(request.node.name.encode()))
    return Image.fromarray(rng.integers(0, 255, (90, 120, 3), dtype=np.uint8))


def read_proto(element: object) -> Any:
    """Return the message of an element; AppTest knows no components, links and HTML."""
    return cast(Any, element).proto


def read_background(at: AppTest) -> str:
    """The picture under the first map, as the browser gets it."""
    return str(read_viewer(at)["pictures"][read_panels(at)[0]["picture"]])


def encode_model_input(image: Image.Image, model: str = "small_cnn") -> str:
    return wire_picture(xai_core.load_model(model).preprocessing.model_input(image))


def read_html(at: AppTest) -> str:
    return "\n".join(read_proto(element).body for element in at.main.get("html"))


def list_sentences(at: AppTest) -> list[str]:
    """Everything on the page that Streamlit reads as Markdown."""
    boxes = (*at.main.markdown, *at.main.caption, *at.main.title, *at.main.header, *at.main.subheader)
    return [box.value for box in (*boxes, *at.main.info, *at.main.warning, *at.main.error, *at.main.success)]


def has_sentence(at: AppTest, words: str) -> bool:
    return any(words in text for text in list_sentences(at))


def read_links(at: AppTest) -> list[dict[str, str]]:
    """The links shown for copying, each as what it says."""
    assert all(urlsplit(code.value).path == "/" for code in at.code)
    return [dict(parse_qsl(urlsplit(code.value).query)) for code in at.code]


# Reopening


def test_a_link_reopens_its_maps_in_its_order(open_app: Open, result_store: ResultStore) -> None:
    ids = [result_store.store_map(by=method) for method in ("occlusion", "saliency", "grad_cam")]
    at = check_page(open_app(RESULT, result=",".join(ids)))
    assert at.title[0].value == "Saved result"
    assert [panel["id"] for panel in read_panels(at)] == ids
    assert set(panel_states(at).values()) == {"done"}
    assert all(panel["map"] and "Class: 3 · Small digit network" in panel["caption"] for panel in read_panels(at))
    assert "Why “3”?" in read_html(at)


def test_the_address_stays_as_it_is(open_app: Open, result_store: ResultStore) -> None:
    address = {"result": result_store.store_map(), "owner": "somebody"}
    at = check_page(open_app(RESULT, **address))
    assert at.query_params == address
    assert check_page(at.run()).query_params == address
    assert len(read_panels(at)) == 1


def test_a_result_outlives_the_process(open_app: Open, result_store: ResultStore) -> None:
    result = result_store.store_map()
    before = open_app(RESULT, result=result)
    result_store.restart()
    after = check_page(open_app(RESULT, result=result))
    assert (read_panels(after), read_html(after)) == (read_panels(before), read_html(before))


def test_everything_known_is_said(open_app: Open, result_store: ResultStore) -> None:
    result = result_store.store_map()
    stored = xai_core.find(result)
    assert stored is not None
    text = read_html(check_page(open_app(RESULT, result=result)))
    expected = [
        "Occlusion · cover and see",
        "Small digit network",
        "number 3",
        "the whole network",
        "Seed",
        stored.image_sha256,
    ]
    expected += [
        f"torch {stored.versions['torch']}",
        f"weights {stored.versions['weights']}",
        f"{stored.evaluations:,} evaluations",
    ]
    expected += [f"({name}): " for name in stored.params]
    assert [words for words in expected if words not in text] == []


@pytest.mark.parametrize("page", [HOME, COMPARE, EXPLAIN])
def test_any_page_with_a_result_leads_there(open_app: Open, result_store: ResultStore, page: str) -> None:
    address = {"result": result_store.store_map(), "owner": "somebody", **SMALL}
    at = check_page(open_app(page, **address))
    assert (at.title[0].value, at.query_params) == ("Saved result", address)


def test_no_link_to_another_page_carries_the_result_or_its_key(open_app: Open, result_store: ResultStore) -> None:
    at = check_page(open_app(RESULT, result=result_store.store_map(), owner="secret", sample="rocket"))
    assert {read_proto(element).query_string for element in at.get("page_link")} == {"sample=rocket"}
    wrong = check_page(open_app(RESULT, result=NOBODY, owner="secret", sample="rocket"))
    assert {read_proto(element).query_string for element in wrong.get("page_link")} == {"sample=rocket"}


def test_back_gets_past_a_result(open_app: Open, result_store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that led here lies behind it in the browser's history."""
    monkeypatch.setattr(url_state, "get_script_run_ctx", lambda: SimpleNamespace(is_history_navigation=True))
    at = check_page(open_app(HOME, result=result_store.store_map(), sample="rocket"))
    assert (at.title[0].value, at.query_params) == ("Why did the model say that?", {"sample": "rocket"})


# Wrong links


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (NOBODY, "no longer stored here"),
        ("", "names no result"),
        (" , ,", "names no result"),
        (NOBODY[:-1], "not complete"),
        (f"{NOBODY},{HOSTILE}", "not complete"),
        ("../../etc/passwd", "not complete"),
        (",".join(f"{number:064x}" for number in range(25)), "at most 24 maps, and this one asks for 25"),
    ],
    ids=lambda value: value[:20],
)
def test_a_wrong_link_gets_a_sentence_and_a_way_on(
    open_app: Open, result_store: ResultStore, result: str, words: str
) -> None:
    at = check_page(open_app(RESULT, result=result))
    assert [words in box.value for box in at.warning] == [True]
    assert list_errors(at) == []
    assert [read_proto(element).label for element in at.main.get("page_link")] == ["Make new maps", "Go to the start"]
    assert not at.main.get("bidi_component")


def test_a_bare_address_of_the_page_gets_a_sentence(open_app: Open, result_store: ResultStore) -> None:
    assert has_sentence(check_page(open_app(RESULT)), "names no result")


def test_what_is_left_of_a_comparison_is_shown(open_app: Open, result_store: ResultStore) -> None:
    result = result_store.store_map()
    at = check_page(open_app(RESULT, result=f"{NOBODY},{result.upper()},{result}"))
    assert [panel["id"] for panel in read_panels(at)] == [result]
    assert has_sentence(at, "1 of the 2 maps")


@pytest.mark.parametrize("field", ["label", "method", "model", "layer", "quantity"])
def test_foreign_words_are_text_and_never_markup(
    open_app: Open, result_store: ResultStore, own: Image.Image, field: str
) -> None:
    at = check_page(open_app(RESULT, result=result_store.store_map(own, **{field: HOSTILE})))
    assert read_panels(at)[0]["state"] == "done"
    assert not [text for text in list_sentences(at) if "evil" in text or "loud" in text]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in read_html(at)
    assert "<script" not in read_html(at)
    assert "<img" not in read_html(at)


def test_a_setting_and_a_version_are_text_too(open_app: Open, result_store: ResultStore) -> None:
    text = read_html(
        check_page(
            open_app(RESULT, result=result_store.store_map(params={HOSTILE: HOSTILE}, versions={"a\u202eb\n": HOSTILE}))
        )
    )
    assert "<script" not in text
    assert "a b" in text
    assert "\u202e" not in text


# The picture


def test_a_sample_is_recognised(open_app: Open, result_store: ResultStore) -> None:
    at = check_page(open_app(RESULT, result=result_store.store_map()))
    assert read_background(at) == encode_model_input(xai_core.SAMPLES.get("digit_3").load())
    assert not has_sentence(at, "not kept")


def test_without_the_picture_the_map_lies_on_a_plain_ground(
    open_app: Open, result_store: ResultStore, own: Image.Image
) -> None:
    at = check_page(open_app(RESULT, result=result_store.store_map(own)))
    assert read_background(at) == wire_picture(Image.new("RGB", (28, 28), "#9aa4aa"))
    assert has_sentence(at, "The picture was not kept with the link")


def test_a_kept_picture_is_shown_as_that_model_saw_it(
    open_app: Open, result_store: ResultStore, own: Image.Image
) -> None:
    ids = [result_store.store_map(own), result_store.store_map(own, "saliency"), result_store.store_map()]
    result_store.keep_old_picture(ids[0], own, "token")
    result_store.restart()
    at = check_page(open_app(RESULT, result=",".join(ids)))
    assert read_background(at) == encode_model_input(own)
    assert [panel["picture"] for panel in read_panels(at)] == [0, 0, 1], "one picture is sent once"
    assert not has_sentence(at, "not kept")
    assert "delete_picture" not in [button.key for button in at.button], "who only has the link cannot delete"


def test_a_model_that_is_not_here_is_not_fetched_for_its_crop(
    open_app: Open, result_store: ResultStore, own: Image.Image
) -> None:
    result = result_store.store_map(own, model="vgg16")
    result_store.keep_old_picture(result, own, "token")
    at = check_page(open_app(RESULT, result=result))
    assert has_sentence(at, "only known while that model is loaded")
    assert "VGG-16" in read_panels(at)[0]["caption"]


# Old private links


def test_an_old_private_link_still_deletes_its_picture(
    open_app: Open, result_store: ResultStore, own: Image.Image
) -> None:
    result = result_store.store_map(own)
    for token in ("first", "second"):
        result_store.keep_old_picture(result, own, token)
    at = check_page(open_app(RESULT, result=result, owner="guess").button(key="delete_picture").click().run())
    assert [("nothing was deleted" in text) for text in list_errors(at)] == [True]
    at = check_page(open_app(RESULT, result=result, owner="second").button(key="delete_picture").click().run())
    assert has_sentence(at, "Another link to these maps")
    assert read_background(at) == encode_model_input(own)
    at = check_page(open_app(RESULT, result=result, owner="first").button(key="delete_picture").click().run())
    assert has_sentence(at, "deleted from this computer") and xai_core.find_picture(result) is None
    check_page(at.run())
    assert not has_sentence(at, "Your picture is deleted"), "said once"
    assert "delete_picture" not in [button.key for button in at.button]
    assert len(read_panels(check_page(open_app(RESULT, result=result)))) == 1, "the map is still there"


def test_from_an_old_link_one_goes_on_with_its_picture(
    open_app: Open, result_store: ResultStore, own: Image.Image
) -> None:
    result = result_store.store_map(own, "saliency")
    result_store.keep_old_picture(result, own, "token")
    at = check_page(open_app(RESULT, result=result).button(key="go_explain").click().run())
    assert (read_address(at)["model"], read_address(at)["method"]) == ("small_cnn", "saliency")
    assert at.session_state["own_picture"] == xai_core.image_sha256(own)


def test_a_store_without_a_disk_says_so(open_app: Open, result_store: ResultStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    result_store.store = Store(tmp_path / "file")
    result = result_store.store_map()
    note = xai_core.store_note()
    assert note
    assert has_sentence(check_page(open_app(RESULT, result=result)), note)
    assert has_sentence(check_page(open_app(EXPLAIN, **SMALL)), note)
