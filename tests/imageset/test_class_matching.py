"""Labels of a set found again among a model's classes: by another spelling, ImageNet's code or number."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from torchvision.models import ResNet18_Weights

from tests.imageset.zip_builder import noise, pack_zip, read
from xai_core.errors import InvalidParam
from xai_core.imageset.class_matching import can_match_by_number, match_names
from xai_core.models.imagenet import class_codes

IMAGENET = tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
FEW = ("tabby", "Golden retriever", "cat", "cat", "black-and-tan coonhound")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("n01440764", "tench"),
        ("N02099601", "golden retriever"),
        ("n02099601-golden_retriever", "golden retriever"),
        ("n02099601_golden_retriever", "golden retriever"),
        ("n02099601 Hund", "golden retriever"),
        ("golden-retriever_n02099601", "golden retriever"),
        ("golden-retriever", "golden retriever"),
        ("Golden_Retriever", "golden retriever"),
        ("GOLDEN  RETRIEVER", "golden retriever"),
        ("Black and Tan Coonhound", "black-and-tan coonhound"),
        ("german_short-haired_pointer", "German short-haired pointer"),
        ("n15075141", "toilet tissue"),
        ("n99999999-tench", "tench"),
        # Neither are these.
        ("n99999999", None),
        ("n0144076", None),
        ("xn01440764", None),
        ("n014407640", None),
        ("golden retrievers", None),
        ("0", None),
        ("cardigan", None),
        ("", None),
    ],
)
def test_names_of_imagenet_folders(name: str, label: str | None) -> None:
    expected = -1 if label is None else IMAGENET.index(label)
    assert match_names([name], IMAGENET) == [expected]


def test_a_code_tells_classes_of_one_name_apart() -> None:
    assert [IMAGENET[row] for row in match_names(["n02113186", "n02963159"], IMAGENET)] == ["Cardigan", "cardigan"]
    assert match_names(["n02113186", "n02963159"], IMAGENET) == [264, 474]


def test_codes_belong_to_the_imagenet_classes_only() -> None:
    assert len(class_codes(IMAGENET)) == 1000 and class_codes(IMAGENET)["n02099601"] == IMAGENET.index(
        "golden retriever"
    )
    assert class_codes(FEW) == {} and class_codes((*IMAGENET[1:], "x")) == {}
    assert match_names(["n01440764", "n01440764-tabby", "golden-retriever", "cat"], FEW) == [-1, 0, 1, -1]


def test_numbers_count_only_if_asked_for() -> None:
    assert match_names(["0", "207", "1000", "-1", "1.0"], IMAGENET) == [-1] * 5
    assert match_names(["0", "207", "1000", "-1", "1.0", "tench"], IMAGENET, by_number=True) == [0, 207, -1, -1, -1, 0]
    assert can_match_by_number(["0", "999"], IMAGENET) and not can_match_by_number(["0", "1000"], IMAGENET)
    assert not can_match_by_number(["0", "cat"], IMAGENET) and not can_match_by_number([], IMAGENET)
    assert not can_match_by_number(["3", "7"], tuple("0123456789"))


def test_a_set_asks_its_own_labels(own_data: Path) -> None:
    dataset = read(
        pack_zip({"x/0/a.png": noise(1), "x/10/b.png": noise(2), "x/c.png": noise(3), "x/2/d.png": noise(4)})
    )
    model = SimpleNamespace(labels=IMAGENET)
    assert dataset.classes == ("0", "2", "10") and dataset.can_match_by_number(model)
    assert dataset.match_classes(model).tolist() == [-1] * 4
    assert dataset.match_classes(model, by_number=True).tolist() == [0, 10, 2, -1]


def test_a_label_can_be_given_its_class(own_data: Path) -> None:
    dataset = read(pack_zip({"x/dog/a.png": noise(1), "x/tench/b.png": noise(2), "x/cat/c.png": noise(3)}))
    model = SimpleNamespace(labels=IMAGENET)
    assert dataset.classes == ("cat", "dog", "tench") and dataset.labels.tolist() == [0, 1, 2]
    assert dataset.match_classes(model).tolist() == [-1, -1, 0]
    given = {"dog": 207, "tench": -1, "nobody": 5}
    assert dataset.match_classes(model, given=given).tolist() == [-1, 207, -1]
    with pytest.raises(InvalidParam, match="0 to 999"):
        dataset.match_classes(model, given={"dog": 1000})
