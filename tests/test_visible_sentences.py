"""Words that published English would not have, searched in every text a visitor may read."""

from __future__ import annotations

import re

import pytest

from tests.visible_sentences import list_python_texts, list_texts

BANNED = (
    r"\bwhat is running\b",
    r"\bfairness look\b",
    r"\blook at fairness\b",
    r"\bkept results?\b",
    r"\bcomes along\b",
    r"\bfound out by itself\b",
    r"\btouchy\b",
    r"\bback to this table\b",
    r"\bdo the letters\b",
    r"\bname the folders of your pictures\b",
    r"\bnobody can (?:say|read|count|tell)\b",
    r"\bat the side\b",
    r"\bshown are\b",
    r"\bdrawn are\b",
    r"\btried were\b",
    r"\bso often the\b",
    r"\bbeing worked on\b",
    r"\btake (?:one|the guesses) (?:of them )?(?:away|again)\b",
    r"\bfound of all there are\b",
    r"\bsorts well\b",
    r"\bodds off by\b",
    r"\bmade of \*\(",
    r"\bnot possible on this\b",
    r"\bchoose none\b",
    r"\bone row each\b",
    r"\bmeasured is\b",
    r"\(.*\) over 0\b",
    r"\bcan ?not be looked into\b",
    # British spelling, as everywhere else.
    r"\blearned\b",
    # Everyday slips.
    r"\be\.g\.|\bi\.e\.",
    r"\bplease note\b",
    r"\bclick here\b",
    r"\binformations\b",
    r"\boops\b",
    r"[a-z] ,",
    r"\.\.\.(?!\w|\]|\))$",
)
_BANNED = re.compile("|".join(BANNED), re.IGNORECASE)


def test_no_visible_text_has_a_banned_word() -> None:
    offences = [f"{file}:{line}: {text}" for file, line, text in list_texts() if _BANNED.search(text)]
    assert offences == []


def test_the_texts_of_every_part_are_listed() -> None:
    """A search in nothing would find nothing."""
    texts = {(file, text) for file, _, text in list_texts()}
    assert ("app.py", "Server activity") in texts
    assert ("pages/tables/fairness.py", "Compare the groups of") in texts
    assert ("xai_core/methods/grad_cam.py", "Region map") in texts
    assert ("assets/methods/grad_cam.md", "## How to read it") in texts
    assert any(file == "assets/viewer.js" for file, _ in texts)


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('"""About."""\nst.title("What is running")', ["What is running"]),
        ('x = f"Shown are {n} of "  f"{m} rows."', ["Shown are {…} of {…} rows."]),
        ('class A:\n    """B c."""\n    d = 1\n    """E f."""', []),
        ('key = "name"', []),
    ],
)
def test_a_text_is_listed_as_it_reads(source: str, texts: list[str]) -> None:
    assert [text for _, text in list_python_texts(source)] == texts
