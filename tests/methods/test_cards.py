"""The teaching cards and the facts beside them: complete for every method, in one order, in their own words."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain

import pytest

from xai_core import METHODS, UnknownName, method_card
from xai_core.methods.base.cards import CARDS, HEADINGS
from xai_core.params import resolve

NAMES = list(METHODS)
FORMULA = re.compile(r"\$\$.*?\$\$", re.DOTALL)


def read_sections(name: str) -> dict[str, str]:
    """Return the text under each heading, in the order of the card."""
    _, *parts = re.split(r"^## (.+)$", (CARDS / f"{name}.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[::2], (text.strip() for text in parts[1::2]), strict=True))


def list_sentences(name: str) -> set[str]:
    """List sentences and half sentences long enough to be somebody's own words."""
    words = FORMULA.sub("", " ".join(read_sections(name).values()))
    return {part.strip() for part in re.split(r"[.:?!]\s", words) if len(part.split()) > 5}


@pytest.mark.parametrize("name", NAMES)
def test_every_method_has_a_card_with_all_headings(name):
    texts = read_sections(name)
    assert tuple(texts) == HEADINGS
    assert all(len(text.split()) > 5 for text in texts.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_card_is_neither_a_note_nor_an_essay(name):
    text = FORMULA.sub("", (CARDS / f"{name}.md").read_text(encoding="utf-8"))
    assert 120 <= len(text.split()) <= 300


def test_no_card_or_example_without_a_method():
    files = {file.name for file in CARDS.iterdir() if file.is_file()}
    assert files <= {f"{name}.{kind}" for name in NAMES for kind in ("md", "webp")}


@pytest.mark.parametrize("name", NAMES)
def test_the_formula_can_be_typeset(name):
    formula = read_sections(name)["Formula"]
    assert len(FORMULA.findall(formula)) == 1 and formula.count("$$") == 2
    assert FORMULA.sub("", formula).count("$") % 2 == 0
    assert formula.count("{") == formula.count("}") and formula.count("\\left") - formula.count(
        "\\leftarrow"
    ) == formula.count("\\right")
    others = "".join(text for heading, text in read_sections(name).items() if heading != "Formula")
    assert "$" not in others and "<" not in others, "outside the formula a dollar would begin one"


@pytest.mark.parametrize("name", NAMES)
def test_the_source_can_be_found(name):
    source = read_sections(name)["Source"]
    assert re.search(r"arXiv:\d{4}\.\d{5}|arXiv:\d{4}\.\d{4}\b|doi:10\.\d{4,}/\S+", source)
    named = set(re.findall(r"arXiv:[\d.]+\d|doi:\S+\d", METHODS.get(name).paper))
    assert named and all(paper in source for paper in named), "the card and the method name the same papers"


def test_no_two_cards_share_a_sentence():
    times = Counter(chain.from_iterable(list_sentences(name) for name in NAMES))
    assert len(times) > 10 * len(NAMES)
    assert [sentence for sentence, count in times.items() if count > 1] == []


def test_the_accessor_sets_the_level_of_the_headings_and_knows_near_names():
    card = method_card("lime", level=3)
    assert re.findall(r"^(#+) (.+)$", card, flags=re.MULTILINE) == [("###", heading) for heading in HEADINGS]
    usual = "*In the usual colours, orange for and blue against; other palettes have others.*\n\n"
    assert card.count(usual) == 1, "the card speaks of orange and blue"
    assert card.replace("### ", "## ").replace(usual, "") == (CARDS / "lime.md").read_text(encoding="utf-8")
    assert usual not in method_card("grad_cam")
    with pytest.raises(UnknownName, match="Did you mean lime"):
        method_card("limes")
    with pytest.raises(UnknownName):
        method_card("../SOURCES")


@pytest.mark.parametrize("name", ["guided_backprop", "guided_grad_cam", "deconvolution"])
def test_what_failed_the_sanity_check_says_so(name):
    spec = METHODS.get(name)
    assert spec.verdict == "fails" and "arXiv:1" in spec.sanity
    assert "random" in read_sections(name)["When it lies"] or "barely changes" in read_sections(name)["When it lies"]


@pytest.mark.parametrize("name", NAMES)
def test_a_verdict_has_a_sentence_that_begins_with_it_and_a_source(name):
    spec = METHODS.get(name)
    beginning = spec.sanity.partition(":")[0].lower()
    words = {"passes": "pass", "fails": "fail", "mixed": "mixed"}
    assert [verdict for verdict, word in words.items() if word in beginning] == [
        verdict for verdict in [spec.verdict] if verdict != "unknown"
    ], "the sentence begins with the verdict"
    if not spec.sanity:
        return
    assert spec.sanity.endswith(".") and re.search(r"arXiv:\d{4}\.\d{5}", spec.sanity)


def test_verdicts_are_those_of_the_papers():
    verdicts = {name: METHODS.get(name).verdict for name in NAMES}
    assert {"saliency", "grad_cam", "smooth_grad", "score_cam"} <= {
        name for name in verdicts if verdicts[name] == "passes"
    }
    assert {"gradient_x_input", "integrated_gradients"} <= {name for name in verdicts if verdicts[name] == "mixed"}
    assert verdicts["lime"] == verdicts["occlusion"] == "unknown"


@pytest.mark.parametrize(
    ("name", "agnostic", "needs"),
    [
        ("occlusion", True, ("answers",)),
        ("lime", True, ("answers",)),
        ("saliency", False, ("gradient",)),
        ("grad_cam", False, ("gradient", "layer")),
        ("cam", False, ("layer",)),
        ("score_cam", False, ("layer",)),
        ("integrated_gradients", False, ("gradient",)),
    ],
)
def test_facts_follow_from_the_spec(name, agnostic, needs):
    spec = METHODS.get(name)
    assert (spec.model_agnostic, spec.needs) == (agnostic, needs)


@pytest.mark.parametrize(
    ("name", "side", "passes"), [("occlusion", 224, (171, 0)), ("saliency", 224, (2, 1)), ("smooth_grad", 28, (26, 25))]
)
def test_passes_are_counted(name, side, passes):
    spec = METHODS.get(name)
    assert spec.passes(resolve(spec.params, None, side), side) == passes
