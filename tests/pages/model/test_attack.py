"""The page of attacks: an attack is shown with its size, wrong wishes are refused in words, and links open."""

from __future__ import annotations

import numpy as np
from streamlit.testing.v1 import AppTest

import xai_core
from tests.pages.conftest import Open
from tests.pages.page_reader import check_page, run_until
from xai_core import ATTACKS, attacks

PAGE = "pages/model/attack.py"
SMALL = {"model": "small_cnn", "sample": "digit_3"}


def texts(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def is_finished(at: AppTest) -> bool:
    return "It works" in texts(at) or "It does not work" in texts(at)


def test_every_attack_says_how_it_went(open_app: Open) -> None:
    at = run_until(open_app(PAGE, **SMALL, attack="fgsm", attack_fgsm_epsilon="3"), is_finished)
    assert "at most 3 of 255 grey levels" in texts(at), "the link's strength"
    for name in ATTACKS:
        next(box for box in at.selectbox if box.key == "attack").set_value(name)
        check_page(run_until(at.run(), is_finished))
        assert ATTACKS.get(name).sentence in texts(at).replace("&#x27;", "'")
        assert len(at.get("image")) >= 3
        assert at.get("download_button")[0].proto.label == "Save the picture"


def test_a_strong_attack_works_and_its_consequences_are_told(open_app: Open) -> None:
    at = run_until(
        open_app(PAGE, **SMALL, attack="pgd", attack_pgd_epsilon="64", attack_pgd_steps="30", then="jpeg"), is_finished
    )
    assert "It works: the model said 3" in texts(at)
    assert "At quality 98 the model is" in texts(check_page(run_until(at, lambda at: "At quality" in texts(at))))
    next(group for group in at.button_group if group.key == "then").set_value("maps")
    at = check_page(run_until(at.run(), lambda at: "Rank correlation" in texts(at)))
    assert "orange where there is more now" in "".join(str(image.proto) for image in at.get("image"))
    words = texts(at).split("Rank correlation of the two maps: ")[1].split(" ")[0]
    assert -1 <= float(words.replace("−", "-")) < 1
    assert np.isfinite(float(words.replace("−", "-")))
    next(group for group in at.button_group if group.key == "then").set_value("smallest")
    at = check_page(run_until(at.run(), lambda at: "halving" in texts(at)))
    model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    smallest = attacks.smallest_epsilon(model, image, "pgd", params={"steps": 30})
    assert smallest is not None and f"It works from {smallest.epsilon} grey level" in texts(at)


def test_a_wish_that_is_the_answer_already_is_refused_in_words(open_app: Open) -> None:
    at = check_page(run_until(open_app(PAGE, **SMALL, aim="3"), lambda at: "already" in texts(at)))
    assert "says “3” already. Choose another class to aim at." in texts(at)
