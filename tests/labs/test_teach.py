"""Own classes: the head against scikit-learn, held-out answers, bad input, and the model that all explanations take."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import xai_core
from xai_core import imageset
from xai_core.engine.backends.forward import use_plain_forward
from xai_core.errors import InvalidParam, InvalidSet
from xai_core.imageset.runs.class_head import FREEDOM
from xai_core.labs import teach
from xai_core.labs.model_file import ModelFile, write_model
from xai_core.labs.teach import learning, saving
from xai_core.models.weights import state_sha256

WIDTH = 1280


def draw_examples(name: str, count: int, seed: int, shift: float = 0.0, first: int = 0) -> list[teach.Example]:
    """Return examples with normal features; class means differ by `shift` in the first 20."""
    rows = np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)
    rows[:, :20] += shift
    return [teach.Example(f"{name}{first + place}", b"", row) for place, row in enumerate(rows)]


@pytest.fixture(scope="module")
def photographs() -> dict[str, list[teach.Example]]:
    """Twenty pieces each of two sample photographs."""
    readings = teach.read_set(imageset.load_set("photo_crops"), ("Cat", "Coffee"), most=20)
    assert {len(reading.examples) for reading in readings.values()} == {20}
    by_class = {name: [teach.find_example(key) for key in reading.examples] for name, reading in readings.items()}
    return {name: [example for example in examples if example] for name, examples in by_class.items()}


@pytest.mark.parametrize("count", [2, 3])
def test_the_head_is_scikit_learns(count: int) -> None:
    classes = {f"Class {k}": draw_examples(f"{k} ", 12 + k, k, shift=0.8 * k) for k in range(count)}
    taught = teach.teach(classes)
    features = np.stack([example.features for examples in classes.values() for example in examples])
    truth = np.repeat(np.arange(count), [12 + k for k in range(count)])
    oracle = make_pipeline(StandardScaler(), LogisticRegression(C=FREEDOM, max_iter=300)).fit(features, truth)
    new = np.random.default_rng(9).normal(size=(30, WIDTH)).astype(np.float32)
    assert np.abs(oracle.predict_proba(new) - taught.probabilities(new)).max() < 1e-4
    assert np.ptp(oracle.predict_proba(new)[:, 0]) > 0.1, "the case is not trivial"


def test_held_out_answers_know_nothing_of_their_picture() -> None:
    """Random labels on 1,280 features are learnt by heart; held out they are worth a coin."""
    classes = {name: draw_examples(name, 60, seed) for seed, name in enumerate(("Heads", "Tails"))}
    taught = teach.teach(classes)
    features = np.stack([example.features for examples in classes.values() for example in examples])
    assert (taught.probabilities(features).argmax(1) == taught.truth).all()
    assert 0.3 < taught.accuracy < 0.7
    assert taught.confusion.sum() == 120 and np.trace(taught.confusion) == taught.right
    low, high = taught.interval
    assert low < taught.accuracy < high


def test_twenty_pictures_of_two_clearly_different_things_are_told_apart(
    photographs: dict[str, list[teach.Example]],
) -> None:
    taught = teach.teach(photographs)
    assert taught.counts == (20, 20) and taught.accuracy >= 0.95
    assert f"{taught.right} of 40 pictures right" in teach.describe_taught(taught)[0]


def test_few_and_uneven_pictures_are_said() -> None:
    few = teach.teach({"Mug": draw_examples("m", 3, 0), "Hand": draw_examples("h", 12, 1, shift=2)})
    words = " ".join(teach.describe_taught(few))
    assert "few pictures: 3 of Mug." in words and "80 % of the pictures show Hand" in words
    enough = teach.teach({"Mug": draw_examples("m", 12, 0), "Hand": draw_examples("h", 12, 1, shift=2)})
    assert "few pictures" not in " ".join(teach.describe_taught(enough))


def test_bad_classes_are_refused_in_words() -> None:
    mug, hand = draw_examples("m", 4, 0), draw_examples("h", 4, 1)
    cases = [
        ({"Mug": mug}, "Between 2 and 10 classes"),
        ({f"C{k}": mug for k in range(11)}, "Between 2 and 10 classes"),
        ({"Mug": mug, "Hand": hand[:1]}, "“Hand” has only one picture. Every class needs at least 2"),
        ({"Mug": mug, "Hand": [hand[0], hand[0]]}, "“Hand” has only one picture"),
        ({"Mug": mug, "Hand": []}, "“Hand” has no picture"),
        ({"Mug": mug, "Hand": [*hand, mug[2]]}, "Picture 5 of “Hand” is also a picture of “Mug”"),
        ({"Mug": mug, "mug": hand}, "Two classes have the same name"),
        ({"Mug": mug, "": hand}, "The name of a class has 1 to 40 letters"),
        ({"Mug": mug, "[a](http://b)": hand}, "The name of a class has 1 to 40 letters"),
    ]
    for classes, words in cases:
        with pytest.raises(InvalidParam, match=words.replace("(", r"\(")):
            teach.teach(classes)
    assert teach.make_name("dogs/rex_2 *bold*") == "dogs rex 2 bold"


def test_files_that_are_no_pictures_are_named_and_the_same_picture_is_embedded_once() -> None:
    file = io.BytesIO()
    xai_core.SAMPLES.get("chelsea").load().resize((90, 60)).save(file, "PNG")
    reading = teach.read_files([("cat.png", file.getvalue()), ("notes.txt", b"hello"), ("copy.png", file.getvalue())])
    assert len(set(reading.examples)) == 1 and len(reading.examples) == 2
    assert len(reading.problems) == 1 and reading.problems[0].startswith("notes.txt: ")
    assert teach.find_example(reading.examples[0]) is teach.find_example(reading.examples[1])


def make_zip(names: list[str]) -> io.BytesIO:
    stream, picture = io.BytesIO(), io.BytesIO()
    xai_core.SAMPLES.get("digit_3").load().save(picture, "PNG")
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, picture.getvalue())
    return stream


@pytest.mark.parametrize(
    ("names", "words"), [(["a.png", "b.png"], "no folders"), ([f"{k}/a.png" for k in range(11)], "has 11 folders")]
)
def test_a_zip_that_names_no_classes_or_too_many_is_refused(names: list[str], words: str) -> None:
    with pytest.raises(InvalidSet, match=words):
        teach.read_set(imageset.read_zip(make_zip(names)))


def test_the_taught_model_is_a_classifier_like_any_other(photographs: dict[str, list[teach.Example]]) -> None:
    base = xai_core.load_model(teach.BASE)
    before = state_sha256(base.module)
    taught = teach.teach(photographs)
    spec = teach.put_model(taught)
    model, picture = xai_core.load_model(spec.name), imageset.load_set("photo_crops").open(0)
    assert model.labels == ("Cat", "Coffee") and model.weights_sha256 != base.weights_sha256
    with torch.no_grad():
        logits = model.module(model.prepare(picture))[0]
    expected = taught.probabilities(teach.embed(base, [picture]))[0]
    assert np.abs(logits.softmax(0).numpy() - expected).max() < 1e-4
    assert base.module(base.zero_input).shape == (1, 1000) and state_sha256(base.module) == before
    shared = {part.data_ptr() for part in base.module.parameters()}
    assert sum(part.data_ptr() not in shared for part in model.module.parameters()) == 2, "the head alone is new"
    assert xai_core.MODELS.get(spec.name) is spec and spec.name in xai_core.MODELS
    assert spec.name not in list(xai_core.MODELS), "nobody else sees it"
    use_plain_forward(model)
    assert xai_core.explain(model, picture, "cam", "Coffee").label == "Coffee"


def test_equal_weights_with_other_names_are_another_model() -> None:
    classes = draw_examples("m", 3, 0), draw_examples("h", 3, 1)
    first, second = (teach.put_model(teach.teach(dict(zip(names, classes, strict=True)))) for names in ("ab", "cd"))
    assert xai_core.load_model(first.name).weights_sha256 != xai_core.load_model(second.name).weights_sha256


def test_a_saved_model_opens_to_the_same_model() -> None:
    taught = teach.teach({"Mug": draw_examples("m", 3, 0), "Hand": draw_examples("h", 4, 1)})
    data = teach.save_taught(taught)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert json.loads(header["__metadata__"]["whybox"])["labels"] == ["Mug", "Hand"]
    copy = teach.open_taught(data)
    assert teach.put_model(copy).name == teach.put_model(taught).name
    assert teach.describe_taught(copy) == teach.describe_taught(taught)


def test_foreign_files_are_refused_in_words() -> None:
    taught = teach.teach({"Mug": draw_examples("m", 3, 0), "Hand": draw_examples("h", 4, 1)})
    weight, bias = torch.zeros(2, WIDTH), torch.zeros(2)
    good = {
        "base": teach.BASE,
        "base_sha256": xai_core.load_model(teach.BASE).weights_sha256,
        "labels": ["Mug", "Hand"],
        "truth": [0, 1],
        "answers": [0, 1],
    }

    def pack(weights: torch.Tensor = weight, **changes: object) -> bytes:
        return write_model(ModelFile(saving.KIND, good | changes, {"weight": weights, "bias": bias}))

    assert teach.open_taught(pack()).labels == ("Mug", "Hand")
    damaged = [
        b"",
        b"PK\x03\x04" + bytes(80),
        b"\x80\x04\x95" + bytes(80),
        teach.save_taught(taught)[:-5],
        (2**62).to_bytes(8, "little") + bytes(80),
        save({"weight": weight}),
        pack(torch.zeros(2, 7)),
        pack(torch.full((2, WIDTH), float("nan"))),
        pack(labels=["Mug", "<b>Hand</b>"]),
        pack(labels="Mug"),
        pack(truth=[0, 2]),
        pack(truth=[0, True]),
        pack(answers=[0]),
        pack(base_sha256="0"),
        pack(version=2),
    ]
    for data in damaged:
        with pytest.raises(InvalidParam, match=r"[.]$|^The name|Got"):
            teach.open_taught(data)


def test_every_draw_is_seeded(photographs: dict[str, list[teach.Example]]) -> None:
    state = torch.get_rng_state()
    first, second = learning.teach(photographs, seed=3), learning.teach(photographs, seed=3)
    assert (first.weights == second.weights).all() and (first.answers == second.answers).all()
    teach.put_model(first)
    assert torch.equal(state, torch.get_rng_state())
