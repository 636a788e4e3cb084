"""Kept results: reopened by their link, by whom and over which picture, what a private link can do, and what a wrong link gets."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
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
from tests.pages.page_reader import errors, fine, panels, shown, states, until
from xai_core.engine.store import Store
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
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> [bait](http://evil.example) **loud** :material/home: $x$ www.evil.example"


class Shelf:
    """This process's store, in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder)

    def restart(self) -> None:
        """Nothing in memory any more, as in a new process."""
        self.store.close()
        self.store = Store(self.folder)

    def made(self, image: Image.Image | None = None, by: str = "occlusion", **changes: Any) -> str:
        """The id of a finished map of the small network; `changes` make another map of it."""
        model, image = xai_core.load_model("small_cnn"), image or xai_core.SAMPLES.get("digit_3").load()
        result = xai_core.plan(model, image, by).id
        self.store.put(result, replace(xai_core.explain(model, image, by), **changes))
        return result


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path)
    monkeypatch.setattr(service, "_store", lambda: shelf.store)
    yield shelf
    shelf.store.close()


@pytest.fixture
def own(request: pytest.FixtureRequest) -> Image.Image:
    """A picture that is no sample. Another one in every test: maps made before are remembered."""
    rng = np.random.default_rng(list(request.node.name.encode()))
    return Image.fromarray(rng.integers(0, 255, (90, 120, 3), dtype=np.uint8))


def proto(element: object) -> Any:
    """What an element was told; AppTest knows no components, links and HTML."""
    return cast(Any, element).proto


def ground(at: AppTest) -> str:
    """The picture under the first map, as the browser gets it."""
    return str(shown(at)["pictures"][panels(at)[0]["picture"]])


def seen(image: Image.Image, model: str = "small_cnn") -> str:
    return wire_picture(xai_core.load_model(model).preprocessing.model_input(image))


def html(at: AppTest) -> str:
    return "\n".join(proto(each).body for each in at.main.get("html"))


def said(at: AppTest) -> list[str]:
    """Everything on the page that Streamlit reads as Markdown."""
    boxes = (*at.main.markdown, *at.main.caption, *at.main.title, *at.main.header, *at.main.subheader)
    return [box.value for box in (*boxes, *at.main.info, *at.main.warning, *at.main.error, *at.main.success)]


def has(at: AppTest, words: str) -> bool:
    return any(words in text for text in said(at))


def links(at: AppTest) -> list[dict[str, str]]:
    """The links shown for copying, each as what it says."""
    assert all(urlsplit(code.value).path.endswith("/result") for code in at.code)
    return [dict(parse_qsl(urlsplit(code.value).query)) for code in at.code]


# Reopening


def test_a_link_reopens_its_maps_in_its_order(open_app: Open, shelf: Shelf) -> None:
    ids = [shelf.made(by=method) for method in ("occlusion", "saliency", "grad_cam")]
    at = fine(open_app(RESULT, result=",".join(ids)))
    assert at.title[0].value == "Kept result"
    assert [panel["id"] for panel in panels(at)] == ids
    assert set(states(at).values()) == {"done"}
    assert all(panel["map"] and "Class: 3 · Small digit network" in panel["caption"] for panel in panels(at))
    assert "Why “3”?" in html(at)


def test_the_address_stays_as_it_is(open_app: Open, shelf: Shelf) -> None:
    address = {"result": shelf.made(), "owner": "somebody"}
    at = fine(open_app(RESULT, **address))
    assert at.query_params == address
    at.selectbox(key="sample").set_value("rocket")
    assert fine(at.run()).query_params == address | {"sample": "rocket"}
    assert len(panels(at)) == 1


def test_a_result_outlives_the_process(open_app: Open, shelf: Shelf) -> None:
    result = shelf.made()
    before = open_app(RESULT, result=result)
    shelf.restart()
    after = fine(open_app(RESULT, result=result))
    assert (panels(after), html(after)) == (panels(before), html(before))


def test_everything_known_is_said(open_app: Open, shelf: Shelf) -> None:
    result = shelf.made()
    found = xai_core.find(result)
    assert found is not None
    text = html(fine(open_app(RESULT, result=result)))
    expected = [
        "Cover and see (Occlusion)",
        "Small digit network",
        "number 3",
        "the whole network",
        "Seed",
        found.image_sha256,
    ]
    expected += [
        f"torch {found.versions['torch']}",
        f"weights {found.versions['weights']}",
        f"{found.evaluations:,} evaluations",
    ]
    expected += [f"({name}): " for name in found.params]
    assert [words for words in expected if words not in text] == []


@pytest.mark.parametrize("page", [HOME, COMPARE, EXPLAIN])
def test_any_page_with_a_result_leads_there(open_app: Open, shelf: Shelf, page: str) -> None:
    address = {"result": shelf.made(), "owner": "somebody", **SMALL}
    at = fine(open_app(page, **address))
    assert (at.title[0].value, at.query_params) == ("Kept result", address)


def test_no_link_to_another_page_carries_the_result_or_its_key(open_app: Open, shelf: Shelf) -> None:
    at = fine(open_app(RESULT, result=shelf.made(), owner="secret", sample="rocket"))
    assert {proto(each).query_string for each in at.get("page_link")} == {"sample=rocket"}
    wrong = fine(open_app(RESULT, result=NOBODY, owner="secret", sample="rocket"))
    assert {proto(each).query_string for each in wrong.get("page_link")} == {"sample=rocket"}


def test_back_gets_past_a_result(open_app: Open, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that led here lies behind it in the browser's history."""
    monkeypatch.setattr(url_state, "get_script_run_ctx", lambda: SimpleNamespace(is_history_navigation=True))
    at = fine(open_app(HOME, result=shelf.made(), sample="rocket"))
    assert (at.title[0].value, at.query_params) == ("Why did the model say that?", {"sample": "rocket"})


# Wrong links


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (NOBODY, "not kept here any more"),
        ("", "names no result"),
        (" , ,", "names no result"),
        (NOBODY[:-1], "not complete"),
        (f"{NOBODY},{HOSTILE}", "not complete"),
        ("../../etc/passwd", "not complete"),
        (",".join(f"{number:064x}" for number in range(25)), "at most 24 maps, and this one asks for 25"),
    ],
    ids=lambda value: value[:20],
)
def test_a_wrong_link_gets_a_sentence_and_a_way_on(open_app: Open, shelf: Shelf, result: str, words: str) -> None:
    at = fine(open_app(RESULT, result=result))
    assert [words in box.value for box in at.warning] == [True]
    assert errors(at) == []
    assert [proto(each).label for each in at.main.get("page_link")] == ["Make new maps", "Go to the start"]
    assert not at.main.get("bidi_component")


def test_a_bare_address_of_the_page_gets_a_sentence(open_app: Open, shelf: Shelf) -> None:
    assert has(fine(open_app(RESULT)), "names no result")


def test_what_is_left_of_a_comparison_is_shown(open_app: Open, shelf: Shelf) -> None:
    result = shelf.made()
    at = fine(open_app(RESULT, result=f"{NOBODY},{result.upper()},{result}"))
    assert [panel["id"] for panel in panels(at)] == [result]
    assert has(at, "1 of the 2 maps")


@pytest.mark.parametrize("field", ["label", "method", "model", "layer", "quantity"])
def test_foreign_words_are_text_and_never_markup(open_app: Open, shelf: Shelf, own: Image.Image, field: str) -> None:
    at = fine(open_app(RESULT, result=shelf.made(own, **{field: HOSTILE})))
    assert panels(at)[0]["state"] == "done"
    assert not [text for text in said(at) if "evil" in text or "loud" in text]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html(at)
    assert "<script" not in html(at)
    assert "<img" not in html(at)


def test_a_setting_and_a_version_are_text_too(open_app: Open, shelf: Shelf) -> None:
    text = html(fine(open_app(RESULT, result=shelf.made(params={HOSTILE: HOSTILE}, versions={"a\u202eb\n": HOSTILE}))))
    assert "<script" not in text
    assert "a b" in text
    assert "\u202e" not in text


# The picture


def test_a_sample_is_recognised(open_app: Open, shelf: Shelf) -> None:
    at = fine(open_app(RESULT, result=shelf.made()))
    assert ground(at) == seen(xai_core.SAMPLES.get("digit_3").load())
    assert not has(at, "not kept")


def test_without_the_picture_the_map_lies_on_a_plain_ground(open_app: Open, shelf: Shelf, own: Image.Image) -> None:
    at = fine(open_app(RESULT, result=shelf.made(own)))
    assert ground(at) == wire_picture(Image.new("RGB", (28, 28), "#9aa4aa"))
    assert has(at, "The picture was not kept with the link")


def test_a_kept_picture_is_shown_as_that_model_saw_it(open_app: Open, shelf: Shelf, own: Image.Image) -> None:
    ids = [shelf.made(own), shelf.made(own, "saliency"), shelf.made()]
    xai_core.keep_picture(ids[:1], own)
    shelf.restart()
    at = fine(open_app(RESULT, result=",".join(ids)))
    assert ground(at) == seen(own)
    assert [panel["picture"] for panel in panels(at)] == [0, 0, 1], "one picture is sent once"
    assert not has(at, "not kept")
    assert "delete_picture" not in [button.key for button in at.button], "who only has the link cannot delete"


def test_a_model_that_is_not_here_is_not_fetched_for_its_crop(open_app: Open, shelf: Shelf, own: Image.Image) -> None:
    result = shelf.made(own, model="vgg16")
    xai_core.keep_picture([result], own)
    at = fine(open_app(RESULT, result=result))
    assert has(at, "only known while that model is loaded")
    assert "VGG-16" in panels(at)[0]["caption"]


# Making and deleting


def finished(at: AppTest) -> bool:
    return set(states(at).values()) == {"done"}


def test_a_link_to_a_sample_keeps_nothing(open_app: Open, shelf: Shelf) -> None:
    at = until(open_app(COMPARE, **SMALL), finished)
    assert not has(at, "private link")
    assert links(at) == []
    fine(at.button(key="make_link").click().run())
    (address,) = links(at)
    ids = address["result"].split(",")
    assert (set(address), len(ids)) == ({"result"}, 4)
    assert [xai_core.find_picture(result) for result in ids] == [None] * 4
    shelf.restart()
    assert {panel["title"] for panel in panels(fine(open_app(HOME, **address)))} == {
        panel["title"] for panel in panels(at)
    }


@pytest.fixture
def with_own_picture(open_app: Open, shelf: Shelf, own: Image.Image) -> AppTest:
    """Explain with a finished map of an uploaded picture."""
    at = open_app(EXPLAIN, **SMALL)
    file = io.BytesIO()
    own.save(file, "PNG")
    at.file_uploader(key="upload_sidebar_0").upload("me.png", file.getvalue(), "image/png")
    return fine(until(at.run(), finished))


def test_an_own_picture_is_kept_only_on_request(open_app: Open, with_own_picture: AppTest, own: Image.Image) -> None:
    at = with_own_picture
    (result,) = at.session_state["asked"]
    assert has(at, "keeps it there on the disk")
    assert has(at, "until you delete it")
    assert xai_core.find_picture(result) is None
    fine(at.button(key="make_link").click().run())
    public, private = links(at)
    assert public == {"result": result}
    assert private == public | {"owner": private["owner"]}
    assert ground(fine(open_app(RESULT, **public))) == seen(own)
    fine(at.run())
    assert links(at) == [public, private], "the link stays on the page"
    assert "owner" not in at.query_params


def test_the_owner_deletes_the_picture(open_app: Open, with_own_picture: AppTest) -> None:
    public, private = links(with_own_picture.button(key="make_link").click().run())
    at = fine(open_app(RESULT, **private))
    fine(at.button(key="delete_picture").click().run())
    assert has(at, "Your picture is deleted")
    assert has(at, "The picture was not kept with the link")
    assert xai_core.find_picture(public["result"]) is None
    fine(at.run())
    assert not has(at, "Your picture is deleted"), "said once"
    assert "delete_picture" not in [button.key for button in at.button]
    assert len(panels(fine(open_app(RESULT, **public)))) == 1, "the map is still there"


def test_a_wrong_key_deletes_nothing(open_app: Open, with_own_picture: AppTest) -> None:
    public, _ = links(with_own_picture.button(key="make_link").click().run())
    at = open_app(RESULT, **public, owner="guess")
    fine(at.button(key="delete_picture").click().run())
    assert [("nothing was deleted" in text) for text in errors(at)] == [True]
    assert xai_core.find_picture(public["result"]) is not None
    assert not has(at, "not kept")


def test_a_picture_that_another_link_keeps_is_said_to_stay(open_app: Open, shelf: Shelf, own: Image.Image) -> None:
    result = shelf.made(own)
    first, second = xai_core.keep_picture([result], own), xai_core.keep_picture([result], own)
    at = fine(open_app(RESULT, result=result, owner=second).button(key="delete_picture").click().run())
    assert has(at, "Another link to these maps")
    assert ground(at) == seen(own)
    at = fine(open_app(RESULT, result=result, owner=first).button(key="delete_picture").click().run())
    assert has(at, "deleted from this computer")


def test_a_map_the_store_has_lost_but_the_page_still_shows_is_kept_again(
    with_own_picture: AppTest, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.store = Store(tmp_path / "empty")
    at = fine(with_own_picture.button(key="make_link").click().run())
    assert errors(at) == [] and len(links(at)) == 2
    assert shelf.store.counts().results == 1


def test_a_map_lost_meanwhile_gets_a_sentence(
    with_own_picture: AppTest, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.store = Store(tmp_path / "empty")
    monkeypatch.setattr(shelf.store, "put", lambda _key, _found: None)
    at = fine(with_own_picture.button(key="make_link").click().run())
    assert ["no longer kept" in text for text in errors(at)] == [True]
    assert links(at) == []


def test_a_store_without_a_disk_says_so(open_app: Open, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    shelf.store = Store(tmp_path / "file")
    result = shelf.made()
    note = xai_core.store_note()
    assert note
    assert has(fine(open_app(RESULT, result=result)), note)
    assert has(fine(open_app(EXPLAIN, **SMALL)), note)
