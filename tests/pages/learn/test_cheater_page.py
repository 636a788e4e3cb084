"""The page "Catch the cheater": a room, a vote, and what is told only after it."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open
from tests.pages.page_reader import check_page, run_until
from tests.pages.tables.page_reader import read_text
from xai_core import Job, labs

PAGE = "pages/learn/cheater.py"


@pytest.fixture(scope="module")
def lab() -> labs.CheaterLab:
    return labs.train_cheaters(2, pictures=32, epochs=1, test_pictures=40, attempts=1)


@pytest.fixture(autouse=True)
def small_lab(monkeypatch: pytest.MonkeyPatch, lab: labs.CheaterLab) -> None:
    def start(seed: int, session_id: str = "") -> Job[Any]:
        return Job.from_result(("small", seed), lab)

    monkeypatch.setattr(labs, "start_cheaters", start)
    monkeypatch.setattr(labs, "VOTES", labs.Votes())


def test_page_without_a_room_offers_one(open_app: Open) -> None:
    at = check_page(open_app(PAGE))
    assert at.title[0].value == "Catch the cheater" and not at.metric
    at.button(key="open_room").click().run()
    code = at.text_input(key="room").value
    assert labs.clean_room(code) == code and code in at.query_params["room"]


def test_a_wrong_code_is_refused_in_words(open_app: Open) -> None:
    at = open_app(PAGE)
    at.text_input(key="room").set_value("no room").run()
    check_page(at)
    assert "3 to 20 letters" in read_text(at) and not at.metric


def vote(at: AppTest, *votes: str) -> None:
    for letter, choice in zip(labs.LETTERS, votes, strict=True):
        at.segmented_control(key=f"vote_class7b_{letter}").set_value(choice)
    at.button(key="vote").click().run()


def test_a_class_of_five_is_counted_in_its_room(open_app: Open) -> None:
    visitors = [open_app(PAGE, room="class7b", lab_methods="grad_cam") for _ in range(5)]
    for number, at in enumerate(visitors):
        vote(at, "cheats" if number < 2 else "honest", "cheats", "honest")
    # Changes a mind; no sixth voter.
    vote(visitors[0], "honest", "cheats", "honest")
    assert labs.VOTES.count("class7b", labs.LETTERS) == labs.Count(5, {"A": 1, "B": 5, "C": 0})
    assert labs.VOTES.count("class8a", labs.LETTERS).voters == 0
    assert "5 people have voted in this room" in read_text(visitors[0].run())


def test_tests_and_names_come_after_the_vote(open_app: Open, lab: labs.CheaterLab) -> None:
    at = check_page(open_app(PAGE, room="class7b", lab_methods="grad_cam"))
    assert [box.label for box in at.metric] == ["Network A", "Network B", "Network C"]
    titles = {kind.title for kind in labs.KINDS.values()}
    assert not at.table and not any(title in read_text(at) for title in titles)
    at.button(key="vote").click().run()
    assert "Your vote on network A, network B and network C is missing" in read_text(at)
    vote(at, "cheats", "honest", "cheats")
    assert labs.VOTES.count("class7b", labs.LETTERS) == labs.Count(1, {"A": 1, "B": 0, "C": 1})
    run_until(at, lambda page: bool(page.table))
    assert "1 person has voted" in read_text(at)
    assert not any(title in read_text(at) for title in titles)
    at.toggle(key="reveal_class7b").set_value(True).run()
    check_page(at)
    assert all(title in read_text(at) for title in titles)
