"""Votes of a class: counted by room, one a voter, bounded, safe with many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from xai_core import InvalidParam, labs

LETTERS = ("A", "B", "C")


def test_rooms_are_counted_apart_and_a_second_ballot_replaces_the_first() -> None:
    votes = labs.Votes()
    votes.cast("class7a", "ann", frozenset("A"))
    votes.cast("class7a", "bob", frozenset("AB"))
    votes.cast("class7b", "ann", frozenset())
    assert votes.count("class7a", LETTERS) == labs.Count(2, {"A": 2, "B": 1, "C": 0})
    assert votes.count(" Class7B ", LETTERS) == labs.Count(1, {"A": 0, "B": 0, "C": 0})
    votes.cast("class7a", "bob", frozenset("C"))
    assert votes.count("class7a", LETTERS) == labs.Count(2, {"A": 1, "B": 0, "C": 1})


def test_many_threads_lose_no_ballot() -> None:
    votes = labs.Votes()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: votes.cast("room", f"voter {n % 120}", frozenset("A")), range(960)))
    assert votes.count("room", LETTERS) == labs.Count(120, {"A": 120, "B": 0, "C": 0})


def test_rooms_and_voters_are_bounded() -> None:
    votes = labs.Votes(max_rooms=2, max_voters=3)
    for voter in "abc":
        votes.cast("first", voter, frozenset())
    with pytest.raises(InvalidParam, match="3 people have voted in this room already"):
        votes.cast("first", "d", frozenset())
    # Changing a vote is no new one.
    votes.cast("first", "a", frozenset("B"))
    votes.cast("second", "a", frozenset())
    votes.cast("third", "a", frozenset())
    assert [votes.count(room, LETTERS).voters for room in ("first", "second", "third")] == [0, 1, 1]


def test_no_name_is_kept() -> None:
    votes = labs.Votes()
    votes.cast("room", "secret of a browser", frozenset("A"))
    assert "secret of a browser" not in repr(vars(votes))


@pytest.mark.parametrize("code", ["", "ab", "a" * 21, "two words", "größe", "../etc"])
def test_bad_codes_are_refused_in_words(code: str) -> None:
    with pytest.raises(InvalidParam, match="3 to 20 letters"):
        labs.clean_room(code)


def test_a_room_has_one_seed_and_rooms_differ() -> None:
    assert labs.room_seed(" Class7B") == labs.room_seed("class7b")
    codes = [labs.make_room() for _ in range(50)]
    assert len(set(codes)) == 50 and len({labs.room_seed(code) for code in codes}) > 40
