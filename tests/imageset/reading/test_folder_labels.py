"""Labels by folders, in the plans in which picture sets are given away: parts of a set are never labels."""

from __future__ import annotations

import numpy as np
import pytest

from xai_core.imageset.reading.folder_labels import is_part, label_by_folder
from xai_core.imageset.reading.labels import encode_labels


def by_name(*names: str) -> dict[str, str]:
    return dict(zip(names, label_by_folder(names).labels, strict=True))


def expect(**labels: str) -> dict[str, str]:
    """Name the pictures of a label "a=train/a/1 test/a/2", "_" for none; "·" is a blank."""
    return {name.replace("·", " "): label.strip("_") for label, names in labels.items() for name in names.split()}


PLANS = {
    "one level": expect(sea="seg_train/sea/1 seg_test/sea/2", ice="seg_train/ice/3", _="seg_pred/4"),
    "packed twice": expect(
        sea="in/seg_train/seg_train/sea/1 in/seg_test/seg_test/sea/2", ice="in/seg_train/seg_train/ice/3",
        _="in/seg_pred/seg_pred/4",
    ),
    "compound names": expect(
        cats="dataset/training_set/cats/1 dataset/test_set/cats/2", dogs="dataset/training_set/dogs/3",
        _="dataset/single_prediction/4",
    ),
    "copy inside": expect(
        NORMAL="x/train/NORMAL/1 x/x/train/NORMAL/1", PNEUMONIA="x/test/PNEUMONIA/2 x/x/val/PNEUMONIA/3"
    ),
    "copy beside": expect(N="train/N/1 x/train/N/1", P="test/P/2 x/test/P/3"),
    "unsorted test": expect(ok="data/train/ok/1", nok="data/train/nok/2", _="data/test/3"),
    "words of one": expect(a="Train·Set/a/1", b="TEST-images/b/2", _="misc/3"),
    "camel case": expect(a="SegTrain/a/1", b="SegTest/b/2"),
    "years and numbers": expect(a="train2017/a/1 01_test/a/2", b="val2017/b/3"),
    "folds": expect(a="fold1/a/1 fold10/a/2", b="fold2/b/3"),
    "folds inside": expect(a="fold1/train/a/1 fold2/val/a/2", b="fold1/val/b/3"),
    "German": expect(a="Trainingsdaten/a/1", b="Prüfung/b/2"),
    "French": expect(a="entraînement/a/1", b="validation/b/2"),
    "Chinese": expect(猫="训练集/猫/1 测试集/猫/2", 狗="训练集/狗/3"),
    "label outside": expect(cats="cats/train/1 cats/test/2", dogs="dogs/train/3"),
    "label in the name": expect(cat="cat_train/1 cat_test/2", dog="train-dog/3 test-dog/4"),
    "pictures in a folder": expect(a="train/a/images/1 test/a/images/2", b="train/b/images/3"),
    "images around": expect(a="images/train/a/1", b="images/val/b/2"),
    "unlabelled": expect(a="train/a/1", b="train/b/2", _="unlabeled/3 test/4"),
    "other groups": expect(mug="amazon/images/mug/1 dslr/images/mug/2", pen="dslr/images/pen/3 webcam/images/pen/4"),
    "a label missing": expect(ok="site1/ok/1 site2/ok/2", nok="site1/nok/3"),
    "numbers": expect(**{"1": "train/1/a test/1/b", "2": "train/2/c", "10": "train/10/d"}),
    # These were right before and stay so.
    "labels": expect(cat="cat/1", dog="dog/2"),
    "cover picture": expect(daisy="f/daisy/1", rose="f/rose/2", _="cover"),
    "a train": expect(car="car/1", plane="plane/2", train="train/3"),
    "a test": expect(car="s/car/1", plane="s/plane/2", dog="s/dog/4", test="s/test/3"),
    "valid": expect(valid="valid/1", invalid="invalid/2"),
    "drawings": expect(photo="photo/1", sketch="sketch/2", cartoon="cartoon/3"),
    "kinds of train": expect(bullet_train="bullet_train/1", steam_train="steam_train/2"),
    "nested": expect(animals="animals/cat/1 animals/dog/2", vehicles="vehicles/car/3"),
    "nested unevenly": expect(dogs="dogs/big/1 dogs/small/2", cats="cats/3"),
    "few equal names": expect(apple="apple/ok/1 apple/scab/2 apple/rot/3", pea="pea/ok/4 pea/mildew/5"),
    "only parts": expect(_="s/Train/1 s/val/2"),
}  # fmt: skip


@pytest.mark.parametrize("plan", PLANS)
def test_each_plan_has_its_labels_in_any_order(plan: str) -> None:
    expected = PLANS[plan]
    assert by_name(*expected) == expected
    for seed in range(3):
        assert by_name(*np.random.default_rng(seed).permutation(list(expected)).tolist()) == expected
    deeper = {f"My set/data/{name}": label for name, label in expected.items()}
    assert by_name(*deeper) == deeper


def test_the_level_is_told_where_it_was_chosen() -> None:
    assert label_by_folder(["train/a/1", "test/b/2"]).notes == (
        "The labels are the names of the folders inside “test”, “train”, which only divide the set.",
    )
    assert label_by_folder(["s/train/1", "s/val/2"]).notes == (
        "Folders that only divide the set are not labels: “train”, “val”.",
    )
    assert "was taken for a label" in label_by_folder(["car/1", "plane/2", "train/3"]).notes[0]
    assert label_by_folder(["x/cat/1", "x/dog/2"]).notes == ()


PARTS = (
    "train TRAINING test Test_Images val valid validation dev eval holdout pred 01-train train2017 fold_3 images "
    "unlabeled dataset single_prediction Prüfung entrenamiento тест テスト 測試"
)
LABELS = (
    "trainer attrain testament data_center 7 2017 English_setter train_station invalid folder_cat partridge imaginary "
    "valley devil evaluationx setter photographer"
)


def test_names_of_parts() -> None:
    assert [name for name in PARTS.split() if not is_part(name)] == []
    assert [name for name in LABELS.split() if is_part(name)] == []


def test_numbers_are_in_natural_order() -> None:
    labels, classes = encode_labels(["10", "2", "1", "", "2"])
    assert classes == ("1", "2", "10") and labels.tolist() == [2, 1, 0, -1, 1]
    assert encode_labels(["class 10", "class 9", "Zebra", "ape"])[1] == ("Zebra", "ape", "class 9", "class 10")
    assert encode_labels(["-1", "1.5", "-2", "1"])[1] == ("-2", "-1", "1", "1.5")


def test_deep_and_many_folders_take_no_long_time() -> None:
    deep = ["train/test/" * 12 + f"{number}/{number % 7}/x.png" for number in range(2_000)]
    deeper = ["test/train/" * 12 + f"{number}/{number % 7}/x.png" for number in range(2_000)]
    assert set(label_by_folder(deep + deeper).labels) == set("0123456")
    assert not is_part("dataset" * 30 + "x") and not is_part("dataset" * 5 + "x")
