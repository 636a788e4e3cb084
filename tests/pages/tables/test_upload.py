"""An own file: reading, types, training, sentences on faults; nothing in it is taken for formatting."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from streamlit.testing.v1 import AppTest

from tests.pages.tables.page_reader import (
    DATA,
    GENERAL,
    MODEL,
    ROW,
    finish_work,
    open_by_button,
    press,
    read_html,
    read_text,
)
from xai_core.tabular.data.builtin import load_table

Open = Callable[..., AppTest]
HOSTILE = "<img src=x onerror=alert(1)> **bold** [a](https://b.example) %{x}"


def build_csv(rows: int = 60) -> bytes:
    """A table with missing values, a hostile column name and a hostile category."""
    rng = np.random.default_rng(0)
    lines = [f'height,"{HOSTILE}",colour,passed']
    for k in range(rows):
        height = "" if k % 10 == 0 else f"{rng.normal(170, 10):.1f}"
        colour = ("red", "=1+1", HOSTILE.replace(",", ""))[k % 3]
        lines.append(f'{height},{rng.integers(9)},"{colour}",{"yes" if k % 2 else "no"}')
    return "\n".join(lines).encode()


def upload_table(open_app: Open, name: str, data: bytes, **link: str) -> AppTest:
    at = open_app(DATA, **link)
    at.file_uploader(key="table_file_0").upload(name, data, "text/csv")
    return finish_work(at.run())


def check_harmless(at: AppTest) -> None:
    """No foreign text became markup: neither in sentences nor in figures."""
    assert not any("<img" in body or "<a" in body for body in read_html(at))
    charts = at.main.get("plotly_chart")
    assert not any("<img" in chart.proto.spec for chart in charts)  # type: ignore[attr-defined]
    assert not any(
        "**bold**" in element.value
        for kind in ("markdown", "caption", "subheader")
        for element in getattr(at.main, kind)
    )


def test_an_own_table_all_the_way(open_app: Open) -> None:
    at = upload_table(open_app, "my table.csv", build_csv())
    assert [metric.value for metric in at.main.metric] == ["60", "3", "6"]
    assert at.selectbox(key="own_target").value == "passed"
    assert "Always saying" in read_text(at)
    check_harmless(at)
    at = open_by_button(at, "Train a model on it", MODEL)
    at = finish_work(at.selectbox(key="learner").set_value("decision_tree").run())
    check_harmless(at)
    assert "passed" in read_text(at)
    for page in (GENERAL, ROW, MODEL):
        at.switch_page(page)
        at = finish_work(at.run())
        check_harmless(at)


def test_another_target_and_fewer_features(open_app: Open) -> None:
    at = upload_table(open_app, "t.csv", build_csv())
    at = finish_work(at.selectbox(key="own_target").set_value("height").run())
    assert at.main.metric[0].value == "54", "rows without a value in the target are left out"
    assert "6 rows" in read_text(at)
    at = finish_work(at.multiselect(key="own_features").set_value(["colour"]).run())
    assert at.main.metric[1].value == "1"


def list_columns(at: AppTest) -> list[str]:
    return list(at.selectbox(key="own_target").options)


def test_the_letters_of_a_file_can_be_chosen(open_app: Open) -> None:
    rows = [f"{('Москва', 'Казань')[k % 2]},{k * 7 % 31},{('да', 'нет')[k % 3 > 0]}" for k in range(60)]
    data = "\n".join(["город,доход,ответ", *rows]).encode("cp1251")
    at = upload_table(open_app, "t.csv", data)
    assert list_columns(at) == ["город", "доход", "ответ"]
    (letters,) = [box for box in at.selectbox if str(box.key).startswith("own_letters")]
    assert letters.value == "windows-1251"
    at = finish_work(letters.set_value("koi8-r").run())
    assert list_columns(at) == data.split(b"\n")[0].decode("koi8-r").split(",")
    (letters,) = [box for box in at.selectbox if str(box.key).startswith("own_letters")]
    assert letters.value == "koi8-r", "what was chosen stays chosen"


def test_a_wrong_guess_of_a_kind_is_changed_and_taken_back(open_app: Open) -> None:
    lines = ["amount,marriage,passed", *(f"{k * 3 % 50}.5,{1 + k % 3},{'yes' if k % 2 else 'no'}" for k in range(60))]
    at = upload_table(open_app, "t.csv", "\n".join(lines).encode())

    def read_kinds(at: AppTest) -> list[str]:
        return list(at.main.dataframe[-2].value["Kind"])

    assert read_kinds(at) == ["number", "number"]
    at = at.selectbox(key="own_kind_column").set_value("marriage").run()
    (kind,) = [box for box in at.selectbox if str(box.key).startswith("own_kind_0_")]
    at = finish_work(kind.set_value("category").run())
    assert read_kinds(at) == ["number", "one of a few words"] and "changed by you" in read_text(at)
    at = press(at, "Return to the guesses")
    assert read_kinds(at) == ["number", "number"] and "changed by you" not in read_text(at)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"a,b\n", "row"), (b"\x89PNG\r\n\x1a\n\x00\x00\x00", ""), (b"only\n1\n2\n3\n", "column")],
)
def test_a_bad_file_gets_a_sentence_and_changes_nothing(open_app: Open, data: bytes, words: str) -> None:
    at = upload_table(open_app, "bad.csv", data, table="iris")
    assert at.main.metric[0].value == "150"
    assert words in read_text(at)
    assert read_text(at).splitlines()[0].strip().endswith("."), "one sentence, where the file was dropped"


def test_back_to_a_table_that_comes_along(open_app: Open) -> None:
    at = upload_table(open_app, "t.csv", build_csv(), table="iris")
    assert at.main.metric[0].value == "60"
    at = press(at, "Use the built-in table")
    assert at.main.metric[0].value == "150"


def test_an_own_table_that_is_no_longer_kept(open_app: Open) -> None:
    at = upload_table(open_app, "t.csv", build_csv(), table="iris")
    at.session_state["own_raw"] = at.session_state["own_table"] = "gone"
    at.switch_page(GENERAL)
    at = finish_work(at.run())
    assert "Upload it again" in read_text(at)
    at = finish_work(at.run())
    assert "Iris" in read_text(at)


def upload_model(at: AppTest, data: bytes) -> AppTest:
    at.file_uploader(key="model_file_0").upload("model.skops", data, "application/octet-stream")
    return finish_work(at.run())


def test_an_own_model_is_taken_and_given_back(open_app: Open) -> None:
    iris = load_table("iris")
    fitted = LogisticRegression(max_iter=500).fit(iris.frame, iris.target)
    at = upload_model(finish_work(open_app(MODEL, table="iris", learner="decision_tree")), skops.io.dumps(fitted))
    assert "Your own model" in at.main.subheader[0].value
    share = (fitted.predict(iris.frame)[iris.split()[1]] == iris.target[iris.split()[1]]).mean()
    assert at.main.metric[0].value == f"{100 * share:.0f} %"
    at = press(at, "Use a model trained here")
    assert "Your own model" not in at.main.subheader[0].value


def test_a_pickle_is_refused_in_words(open_app: Open) -> None:
    at = upload_model(finish_work(open_app(MODEL, table="iris", learner="decision_tree")), b"\x80\x04K*.")
    assert "This is not a skops file" in read_text(at)
    assert "Your own model" not in at.main.subheader[0].value
