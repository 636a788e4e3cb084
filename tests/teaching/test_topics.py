"""Topics: short, complete, and every link and picture of theirs exists."""

from __future__ import annotations

import re

import pytest

import xai_core
from tests.browser_tools import ROOT
from xai_core.params import resolve
from xai_core.teaching import GROUPS, TOPICS, Topic, get_topic, glossary, page_topics, read_topic, topics

MAX_WORDS = 150
EVERY = pytest.mark.parametrize("topic", topics().values(), ids=lambda topic: topic.name)
# The words of the issue that a visitor may look up.
WORDS = """faithful plausible understandable stable local global post-hoc model-agnostic model-specific surrogate
attribution counterfactual trust improvement bias causality robustness privacy fairness missingness correlation
saturation cost sensitivity t-SNE""".split()


def test_every_file_is_a_topic_and_every_group_has_some() -> None:
    assert set(topics()) == {file.stem for file in TOPICS.iterdir()}
    assert {topic.group for topic in topics().values()} == set(GROUPS)
    assert len(topics()) >= 30


@EVERY
def test_a_card_is_short_and_says_what_to_do(topic: Topic) -> None:
    words = re.findall(r"[\w’'-]+", topic.text)
    assert 80 <= len(words) <= MAX_WORDS
    assert re.search(r"\*\*(Do|Try this|Don't):\*\*", topic.text)
    assert topic.terms and topic.pictures and topic.action[0].isupper() and not topic.action.endswith(".")


@EVERY
def test_pictures_and_pages_exist(topic: Topic) -> None:
    assert all(xai_core.method_example(method) for method in topic.pictures)
    assert (ROOT / "pages" / f"{topic.page}.py").is_file()
    for page in topic.pages:
        assert list(ROOT.glob(f"pages/*/{page}.py")), page


@EVERY
def test_settings_are_allowed(topic: Topic) -> None:
    settings = dict(topic.settings)
    names = settings.pop("methods", settings.get("method", "")).split(",")
    methods = [xai_core.METHODS.get(name) for name in names if name]
    for name, value in settings.items():
        for spec in methods:
            param = name.removeprefix(f"{spec.name}_")
            if param != name:
                default = resolve(spec.params, None, 224)[param]
                resolve(spec.params, {param: type(default)(value)}, 224)


def test_every_word_leads_to_a_topic() -> None:
    assert set(WORDS) <= set(glossary())
    assert list(glossary()) == sorted(glossary(), key=str.lower)
    assert all(name in topics() for name in glossary().values())
    terms = [term for topic in topics().values() for term in topic.terms]
    assert len(terms) == len(set(terms)), "a term belongs to one topic"


def test_pages_know_their_topics() -> None:
    assert {topic.name for topic in page_topics("shake")} == {"stable", "robustness"}
    assert page_topics("no_such_page") == ()


def test_an_unknown_topic_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(xai_core.UnknownName, match="saturation"):
        get_topic("saturaton")


def test_a_file_is_read_as_it_is_written(tmp_path) -> None:
    file = tmp_path / "x.md"
    file.write_text(
        "title: T\ngroup: Traps\nterms: a, b c\npictures: lime\npage: image/explain\n"
        "settings: method=lime&lime_segments=20\naction: Do it\n\nOne: two\n\nThree\n"
    )
    topic = read_topic(file)
    assert (topic.name, topic.terms, topic.pages) == ("x", ("a", "b c"), ())
    assert topic.settings == {"method": "lime", "lime_segments": "20"}
    assert topic.text == "One: two\n\nThree"
